"""Spellings of genres: which ones are the same genre, which one is used, and which known genre a misspelt one may be."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping

SIMILAR_SPELLING = 0.8
"""Two genres whose spellings match to this degree (`difflib.SequenceMatcher.ratio`) may be a typing error of each other."""

_ZERO_WIDTH_SPACES = "\u200b\u2060\ufeff"
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def genre_key(genre: str) -> str:
    """Return what the spellings of one genre have in common.

    Spellings that differ only in case, in white space, in invisible characters or in Unicode normalisation have the same key.

    Examples
    --------
    >>> genre_key("  Hip  Hop ") == genre_key("hip hop")
    True
    >>> genre_key("Café") == genre_key("cafe" + chr(0x301))
    True
    """
    text = "".join(letter for letter in genre if unicodedata.category(letter) != "Cf")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def clean_genre(genre: str) -> str:
    """Return a genre in composed Unicode (NFC), without superfluous white space and zero-width spaces.

    Examples
    --------
    >>> clean_genre(" hip   hop ")
    'hip hop'
    """
    text = "".join(letter for letter in unicodedata.normalize("NFC", genre) if letter not in _ZERO_WIDTH_SPACES)
    return " ".join(text.split())


def choose_spellings(new: Mapping[str, int], *, known: Mapping[str, int]) -> dict[str, str]:
    """Choose one spelling for each genre.

    The most frequent known spelling of a genre is used. If none is known, the most frequent new one is used, and of equally
    frequent ones the first.

    Parameters
    ----------
    new : mapping of spelling to number of tracks
        The spellings to be replaced.
    known : mapping of spelling to number of tracks
        Spellings that are already in use.

    Returns
    -------
    dict of spelling to spelling
        For each new spelling, the one to use.

    Examples
    --------
    >>> choose_spellings({"Rock": 1, "rock ": 2, "pop": 1}, known={"POP": 3})
    {'Rock': 'rock', 'rock ': 'rock', 'pop': 'POP'}
    """
    chosen: dict[str, str] = {}
    for spelling in sorted(known, key=lambda name: -known[name]):
        chosen.setdefault(genre_key(spelling), spelling)
    cleaned: dict[str, int] = {}
    for spelling, count in new.items():
        cleaned[clean_genre(spelling)] = cleaned.get(clean_genre(spelling), 0) + count
    for spelling in sorted(cleaned, key=lambda name: -cleaned[name]):
        chosen.setdefault(genre_key(spelling), spelling)
    return {spelling: chosen[genre_key(spelling)] for spelling in new}


def find_variants(genres: Iterable[str]) -> list[list[str]]:
    """List the genres that have several spellings, each with its spellings, in the order in which they occur.

    Examples
    --------
    >>> find_variants(["rock", "pop", "Rock"])
    [['rock', 'Rock']]
    """
    spellings: dict[str, list[str]] = {}
    for genre in dict.fromkeys(genres):
        spellings.setdefault(genre_key(genre), []).append(genre)
    return [names for names in spellings.values() if len(names) > 1]


def suggest_genre(genre: str, known: Collection[str]) -> str | None:
    """Return the known genre that a misspelt one is nearest to, or None if none is similar.

    Examples
    --------
    >>> suggest_genre("rok", ["pop", "rock"])
    'rock'
    >>> suggest_genre("polka", ["pop", "rock"])
    """
    by_key = {genre_key(name): name for name in known}
    nearest = difflib.get_close_matches(genre_key(genre), by_key, n=1, cutoff=SIMILAR_SPELLING)
    return by_key[nearest[0]] if nearest else None


def is_number(genre: str) -> bool:
    """Return whether a genre is a number, such as an id that should have been converted to a name."""
    return _NUMBER.fullmatch(genre.strip()) is not None


def list_spellings(genres: Iterable[str]) -> str:
    """Format spellings for a message. Characters that do not show the difference between two spellings are escaped.

    Examples
    --------
    >>> list_spellings(["Rock", "rock", "ROCK"])
    "'Rock', 'rock' and 'ROCK'"
    """
    genres = list(dict.fromkeys(genres))
    composed = [unicodedata.normalize("NFC", genre) for genre in genres]
    shown = []
    for genre, form in zip(genres, composed, strict=True):
        ambiguous = composed.count(form) > 1 and genre != form
        shown.append(ascii(genre) if ambiguous else repr(genre))
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
