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
class SimilarityResult:
    """The tracks that are most similar to the query."""

    query: Sequence[str]
    space: str
    results: Sequence[SimilarTrack]
