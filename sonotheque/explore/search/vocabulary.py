"""The words that a search understands: a table of words and phrases with their meanings, from ``vocabulary.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from sonotheque.embed.auto_tags import TAGS
from sonotheque.errors import LibraryError
from sonotheque.store.search_names import search_key

WORD = re.compile(r"[^\W_]+(?:['&][^\W_]+)*")
"""A word of a query: letters and digits, with apostrophes and ampersands inside."""

MEANING_KEYS = {"name", "words", "tags", "tempo", "level", "genres", "approximate"}


def split_words(text: str) -> tuple[str, ...]:
    """Split a text into words without case, accents and punctuation.

    Examples
    --------
    >>> split_words("Singer-Songwriter, R&B & 80's")
    ('singer', 'songwriter', 'r&b', "80's")
    """
    return tuple(WORD.findall(search_key(text)))


@dataclass(frozen=True)
class Meaning:
    """What a word or phrase means.

    Attributes
    ----------
    name : str
    tags : mapping of str to float
        Auto-tags (`sonotheque.embed.auto_tags.TAGS`) and their weights; a negative weight counts against a track.
    tempo : four floats or None
        BPM at which the meaning starts to fit, fits fully, fits fully up to, and ends.
    level : int
        1 for loud, -1 for quiet, 0 if it does not matter.
    genres : frozenset of tuples of words
        Labels that mean the same.
    approximate : bool
        Whether nothing that is known of a track says just this.
    """

    name: str
    tags: Mapping[str, float] = field(default_factory=dict, hash=False)
    tempo: tuple[float, float, float, float] | None = None
    level: int = 0
    genres: frozenset[tuple[str, ...]] = frozenset()
    approximate: bool = False

    def describe(self) -> str:
        """Describe the meaning, as the output of a search does.

        Examples
        --------
        >>> load_vocabulary().meanings[("vocals",)].describe()
        'tags female vocalists, female vocalist, male vocalists, without instrumental'
        >>> load_vocabulary().meanings[("slow",)].describe()
        'tempo up to 80 BPM, less so up to 100 BPM'
        """
        parts = []
        wanted = [tag for tag, weight in self.tags.items() if weight > 0]
        unwanted = [tag for tag, weight in self.tags.items() if weight < 0]
        if wanted:
            parts.append(f"{'tag' if len(wanted) == 1 else 'tags'} {', '.join(wanted)}")
        if unwanted:
            parts.append(f"without {', '.join(unwanted)}")
        if self.tempo is not None:
            start, full, full_to, end = (f"{bpm:g}" for bpm in self.tempo)
            if self.tempo[0] <= 0:
                parts.append(f"tempo up to {full_to} BPM, less so up to {end} BPM")
            elif self.tempo[3] >= OPEN_END:
                parts.append(f"tempo from {full} BPM, less so from {start} BPM")
            else:
                parts.append(f"tempo of {full} to {full_to} BPM")
        if self.level:
            parts.append(f"{'high' if self.level > 0 else 'low'} level")
        return ", ".join(parts) or f"genre {self.name}"


OPEN_END = 1000.0
"""BPM from which a tempo has no upper end."""


@dataclass(frozen=True)
class Vocabulary:
    """The words that a search understands.

    Attributes
    ----------
    meanings : mapping of tuple of words to Meaning
    negations : frozenset of tuples of words
        Words that negate what follows, such as ``no``.
    ignored : frozenset of str
        Words without a meaning of their own, such as ``with``.
    """

    meanings: Mapping[tuple[str, ...], Meaning]
    negations: frozenset[tuple[str, ...]]
    ignored: frozenset[str]

    def with_genres(self, genres: Iterable[str]) -> Vocabulary:
        """Return the vocabulary with the genres of a library as further words. Genres that are numbers are left out."""
        meanings = dict(self.meanings)
        for genre in genres:
            words = split_words(genre)
            if words and not all(word.isdigit() for word in words):
                meanings.setdefault(words, Meaning(genre, genres=frozenset({words})))
        return Vocabulary(meanings, self.negations, self.ignored)

    def longest_match(self, words: Sequence[str]) -> tuple[int, Meaning] | None:
        """Find the meaning of the longest phrase at the start of some words, and its number of words."""
        longest = max(map(len, self.meanings), default=0)
        for length in range(min(longest, len(words)), 0, -1):
            meaning = self.meanings.get(tuple(words[:length]))
            if meaning is not None:
                return length, meaning
        return None


@cache
def load_vocabulary() -> Vocabulary:
    """Load the vocabulary of the package.

    Examples
    --------
    >>> load_vocabulary().meanings["hip", "hop"].tags
    {'Hip-Hop': 1.0}
    """
    text = files("sonotheque.explore.search").joinpath("vocabulary.toml").read_text(encoding="utf-8")
    return make_vocabulary(tomllib.loads(text))


def make_vocabulary(content: Mapping[str, Any]) -> Vocabulary:
    """Make a vocabulary of the content of a TOML file.

    Raises
    ------
    LibraryError
        If it has an unknown key or tag, or a phrase with two meanings.
    """
    meanings: dict[tuple[str, ...], Meaning] = {}
    for entry in content["meaning"]:
        name = entry["name"]
        unknown = [key for key in entry if key not in MEANING_KEYS]
        unknown += [tag for tag in entry.get("tags", {}) if tag not in TAGS]
        if unknown:
            raise LibraryError(f"vocabulary: the meaning {name!r} has the unknown key or tag {unknown[0]!r}")
        phrases = [split_words(phrase) for phrase in entry["words"]]
        tempo = tuple(map(float, entry["tempo"])) if "tempo" in entry else None
        meaning = Meaning(
            name,
            tags={tag: float(weight) for tag, weight in entry.get("tags", {}).items()},
            tempo=None if tempo is None else (tempo[0], tempo[1], tempo[2], tempo[3]),
            level=int(entry.get("level", 0)),
            genres=frozenset([*phrases, *map(split_words, entry.get("genres", ()))]),
            approximate=bool(entry.get("approximate", False)),
        )
        for phrase in phrases:
            if meanings.setdefault(phrase, meaning) is not meaning:
                raise LibraryError(
                    f"vocabulary: {' '.join(phrase)!r} means {name!r} and {meanings[phrase].name!r}; remove one of them"
                )
    return Vocabulary(
        meanings,
        frozenset(map(split_words, content["negations"])),
        frozenset(word for words in content["ignored"] for word in split_words(words)),
    )
