"""Similar tracks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class SegmentMatch:
    """The two segments of 10 s that are most alike.

    Attributes
    ----------
    query : str
        Path of the query that the first one is in.
    query_start, start : float
        Where they start in the query and in the track that was found, in s.
    similarity : float
        The cosine of their centred vectors.
    """

    query: str
    query_start: float
    start: float
    similarity: float


@dataclass(frozen=True)
class SimilarTrack:
    """One result of `similar`.

    Attributes
    ----------
    rank : int
    similarity : float
        From -1 to 1, see `sonotheque.index.measure`.
    path : str
    title, artist, album : str or None
    seconds : float
        The duration.
    shared : sequence of str
        What it shares with the first query: the genre, likely auto-tags, the tempo, the key.
    match : SegmentMatch or None
    """

    rank: int
    similarity: float
    path: str
    title: str | None
    artist: str | None
    album: str | None
    seconds: float
    shared: Sequence[str] = ()
    match: SegmentMatch | None = None


@dataclass(frozen=True)
class Shortfall:
    """Why there are fewer tracks than requested.

    `others` are the tracks besides the query, `of_genre` those that meet all conditions if a genre was requested, and
    `over_artist_limit` those that were left out if there is a maximum per artist. `reason` says it in words.
    """

    requested: int
    others: int
    of_genre: int | None
    over_artist_limit: int | None
    reason: str


@dataclass(frozen=True)
class SimilarityResult:
    """The tracks that are most similar to the query; `shortfall` is None if there are as many as requested.

    `unlike` are the paths of the queries that the tracks should not resemble.
    """

    query: Sequence[str]
    space: str
    results: Sequence[SimilarTrack]
    shortfall: Shortfall | None = None
    unlike: Sequence[str] = ()
