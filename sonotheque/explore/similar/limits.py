"""What a person asks of similar tracks, besides the query: how many, of which kind, and by how many artists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sonotheque.store.track_filter import TrackFilter

MAX_BY_SIMILARITY = 1000
"""Maximum number of tracks if a minimum similarity is given instead of a number."""


@dataclass(frozen=True)
class SimilarityLimits:
    """Limits on the tracks that are returned.

    Attributes
    ----------
    k : int
        Number of tracks.
    min_similarity : float or None
        Minimum similarity to the query.
    max_per_artist, max_per_album : int or None
        Maximum number of tracks by one artist, and from one album by one artist. A track without an artist, or without an album,
        counts as one of its own.
    genre : str or None
        Return only tracks with this label or, for unlabelled tracks, with this genre in their file tags. Case, accents, white
        space and Unicode normalisation are ignored.
    conditions : TrackFilter
        Further conditions. Its genres are set from `genre`.
    tags : sequence of str
        Auto-tags that are all likely, see `sonotheque.explore.track_attributes.likely_tags`.
    same_recording : bool
        Whether other files of a query's recording may be returned.
    diversity : float
        From 0 to less than 1: how much tracks that resemble those above them in the list are passed over, see `diversify`.
    farthest : bool
        Return the tracks that are least similar.
    """

    k: int = 10
    min_similarity: float | None = None
    max_per_artist: int | None = None
    max_per_album: int | None = None
    genre: str | None = None
    conditions: TrackFilter = field(default_factory=TrackFilter)
    tags: Sequence[str] = ()
    same_recording: bool = False
    diversity: float = 0.0
    farthest: bool = False
