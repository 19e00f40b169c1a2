"""Similar tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SimilarTrack:
    """One result of `similar`; `similarity` is a cosine, `seconds` the duration."""

    rank: int
    similarity: float
    path: str
    title: str | None
    artist: str | None
    album: str | None
    seconds: float


@dataclass(frozen=True)
class Shortfall:
    """Why there are fewer tracks than requested.

    `others` are the tracks besides the query, `of_genre` those of the requested genre, and `over_artist_limit` those that were left
    out because of the maximum per artist. `reason` says it in words.
    """

    requested: int
    others: int
    of_genre: int | None
    over_artist_limit: int | None
    reason: str


@dataclass(frozen=True)
class SimilarityResult:
    """The tracks that are most similar to the query; `shortfall` is None if there are as many as requested."""

    query: Sequence[str]
    space: str
    results: Sequence[SimilarTrack]
    shortfall: Shortfall | None = None
