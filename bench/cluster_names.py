"""Measure whether the names of clusters fit their genre when the labels are held out.

The rule of what fits was written before anything was measured. A name fits a genre if

1. at least one of its words says the genre: a tag of `FITTING`, or the genre itself; and
2. none of its words contradicts it: a style that is in neither `FITTING` nor `NEUTRAL` of the genre, a mood of `CONTRADICTING`, or,
   for the genres of `WITHOUT_ERA`, a decade.

Tempo words, artists, instruments and all other moods are neutral.
"""

from __future__ import annotations

FITTING = {
    "acoustic": {"acoustic", "folk", "guitar", "instrumental", "Mellow", "easy listening", "beautiful"},
    "ambient": {"ambient", "chillout", "chill", "experimental", "electronic", "electronica", "instrumental", "Mellow"},
    "classical": {"instrumental", "beautiful", "Mellow", "sad", "easy listening"},
    "electronic": {"electronic", "electronica", "electro", "dance", "House", "party", "experimental"},
    "folk": {"folk", "acoustic", "guitar", "country", "Mellow"},
    "metal": {"metal", "heavy metal", "hard rock"},
    "orchestral": {"instrumental", "beautiful", "ambient", "Mellow", "sad", "easy listening"},
    "pop": {"pop", "indie pop", "catchy", "female vocalists", "female vocalist", "male vocalists", "happy", "rnb"},
    "rock": {
        "rock", "alternative rock", "classic rock", "indie rock", "hard rock", "Progressive rock", "alternative", "indie", "punk",
    },
}  # fmt: skip
"""Tags that a listener accepts as a description of a genre. musicnn has no tag for classical and orchestral music, which only moods
and `instrumental` can describe."""

NEUTRAL = {
    "acoustic": {"country", "jazz", "indie", "blues"},
    "ambient": set(),
    "classical": {"ambient"},
    "electronic": {"ambient", "pop", "Hip-Hop"},
    "folk": {"indie", "blues", "pop"},
    "metal": {"rock", "alternative", "alternative rock", "Progressive rock", "punk", "experimental"},
    "orchestral": {"experimental"},
    "pop": {"indie", "soul", "dance", "electronic", "alternative", "folk"},
    "rock": {"pop", "blues", "folk", "indie pop"},
}
"""Styles that neither say nor contradict a genre."""

CONTRADICTING = {"party", "sexy", "catchy", "happy"}
"""Moods that contradict the genres of `WITHOUT_ERA` and metal."""

WITHOUT_ERA = {"acoustic", "ambient", "classical", "orchestral"}
"""Genres that a decade of pop music contradicts."""
