"""Assign a colour to each genre, which stays the same whatever the number of tracks.

Conventions
-----------
A colour is a *slot*: the slot ``c + 8 * r`` has colour ``c`` of `sonotheque.report.plotly_figure.PALETTES` and, in later rounds
``r``, another shape of point or dash of line. A genre prefers the same colour in every library. A library remembers the slots, so a
genre keeps its slot when others are added.
"""

from __future__ import annotations

import hashlib
import json
import logging
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from sonotheque.errors import LibraryError
from sonotheque.report.plotly_figure import PALETTES
from sonotheque.store.catalogue import Catalogue

log = logging.getLogger("sonotheque")

N_COLOURS = len(PALETTES["light"]["lines"])

SETTING = "genre_colours"
"""Key under which a library remembers the slots."""

PREFERRED_COLOURS: Mapping[str, int] = {
    "electronic": 0, "disco": 0, "dance": 0, "techno": 0, "house": 0, "rock": 1, "punk": 1, "folk": 2, "jazz": 2, "reggae": 2,
    "acoustic": 2, "pop": 3, "soul": 3, "rnb": 3, "ambient": 3, "classical": 4, "international": 4, "latin": 4, "blues": 5,
    "instrumental": 5, "hiphop": 6, "rap": 6, "country": 6, "metal": 7, "experimental": 7, "spoken": 7,
}  # fmt: skip
"""Colours of common genres, such that the eight genres of FMA small differ, and at most two of GTZAN's ten genres share one. The
colour of any other genre follows from a hash of its name."""

ALIKE: Mapping[int, int] = {0: 5, 5: 0, 4: 6, 6: 4}
"""Pairs of colours that are alike: both blue, both brown. The second one is used only when the others are taken."""


def assign_colours(genres: Iterable[str], *, stored: Mapping[str, int] | None = None) -> dict[str, int]:
    """Assign a slot to each genre, or to each other name.

    No two genres share a slot. Colours repeat only if there are more genres than colours.

    Parameters
    ----------
    genres : iterable of str
        Neither their order nor how often they occur matters.
    stored : mapping of str to int or None
        Slots that were assigned before. They are kept.

    Returns
    -------
    dict of str to int
        Slots of `genres` and of the genres in `stored`.

    Examples
    --------
    >>> assign_colours(["rock", "metal", "Rock"])
    {'metal': 7, 'Rock': 1, 'rock': 2}
    >>> assign_colours(["metal", "jazz", "folk"], stored={"rock": 1, "metal": 7})
    {'rock': 1, 'metal': 7, 'folk': 2, 'jazz': 3}
    """
    present = set(genres)
    slots = dict(stored or {})
    uses: Counter[int] = Counter(dict.fromkeys(range(N_COLOURS), 0))
    uses.update(slot % N_COLOURS for genre, slot in slots.items() if genre in present)
    new = sorted(present - slots.keys(), key=lambda genre: (_fold(genre) not in PREFERRED_COLOURS, _fold(genre), genre))
    waiting = []
    for genre in new:  # first those whose preferred colour is free
        colour = _preferred_colour(genre)
        is_common = _fold(genre) in PREFERRED_COLOURS
        if uses[colour] or (not is_common and uses[ALIKE.get(colour, colour)]):
            waiting.append(genre)
        else:
            slots[genre] = _first_free_slot(colour, slots)
            uses[colour] += 1
    for genre in waiting:
        preferred = _preferred_colour(genre)
        colour = min(
            range(N_COLOURS),
            key=lambda colour: (uses[colour], uses[ALIKE.get(colour, colour)], (colour - preferred) % N_COLOURS),
        )
        slots[genre] = _first_free_slot(colour, slots)
        uses[colour] += 1
    return slots


def load_genre_colours(catalogue: Catalogue) -> dict[str, int]:
    """Return the slots of all genres of a library, and store those of new genres.

    Parameters
    ----------
    catalogue : Catalogue
        If it is read-only, the slots of new genres are not stored.

    Returns
    -------
    dict of str to int
    """
    text = catalogue.database.get_setting(SETTING)
    stored: dict[str, int] = {} if text is None else json.loads(text)
    slots = assign_colours((track.label for track in catalogue.tracks.all() if track.label), stored=stored)
    if slots != stored:
        try:
            catalogue.database.set_setting(SETTING, json.dumps(slots, ensure_ascii=False))
        except LibraryError as error:
            log.debug("the colours of the genres are not stored: %s", error)
    return slots


def _fold(genre: str) -> str:
    """Return the letters and digits of a genre's name, so that "Hip-Hop" and "hip hop" are the same."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", genre).casefold() if letter.isalnum())


def _preferred_colour(genre: str) -> int:
    folded = _fold(genre)
    digest = hashlib.sha256(folded.encode("utf-8")).digest()
    return PREFERRED_COLOURS.get(folded, digest[0] % N_COLOURS)


def _first_free_slot(colour: int, slots: Mapping[str, int]) -> int:
    taken = set(slots.values())
    return next(slot for slot in range(colour, colour + N_COLOURS * (len(taken) + 1), N_COLOURS) if slot not in taken)
