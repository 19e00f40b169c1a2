"""Search by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class UnderstoodWords:
    """Words of a query and what they are taken for.

    Attributes
    ----------
    words : str
    meaning : str
    source : str
        What the scores are made from: ``tags``, ``genre``, ``tempo``, ``key``, ``level``, ``names`` or ``text``.
    negated : bool
        Whether tracks should not have it.
    approximate : bool
        Whether nothing that is known of a track says just this.
    """

    words: str
    meaning: str
    source: str
    negated: bool
    approximate: bool


@dataclass(frozen=True)
class UnknownWords:
    """Words of a query that are not understood; `reason` is empty if they are neither in the vocabulary nor in a name."""

    words: str
    reason: str


@dataclass(frozen=True)
class WordMatch:
    """How well a track fits some words: `score` in standard deviations, None if it is unknown; `value` is what is known of it."""

    words: str
    score: float | None
    value: str | None


@dataclass(frozen=True)
class FoundTrack:
    """One result of `search`; `score` is the sum of the scores in `matches`, `seconds` the duration."""

    rank: int
    score: float
    path: str
    title: str | None
    artist: str | None
    album: str | None
    seconds: float
    matches: Sequence[WordMatch]


@dataclass(frozen=True)
class SearchResult:
    """The tracks that fit a query best.

    Attributes
    ----------
    query : str
    understood, not_understood, ignored : sequences
        The words of the query.
    results : sequence of FoundTrack
    notes : sequence of str
        What a person should know about the results, such as that no track is likely to fit.
    shortfall : str or None
        Why there are fewer tracks than requested.
    """

    query: str
    understood: Sequence[UnderstoodWords]
    not_understood: Sequence[UnknownWords]
    ignored: Sequence[str]
    results: Sequence[FoundTrack]
    notes: Sequence[str] = ()
    shortfall: str | None = None
