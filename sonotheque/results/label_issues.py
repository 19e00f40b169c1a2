"""Labels that are probably wrong, and other tracks that need attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.classification import LabelledNeighbour
from sonotheque.results.status import TrackNotice


@dataclass(frozen=True)
class LabelIssue:
    """A labelled track and what speaks against its label.

    `support` is what speaks for the label, `confidence` what speaks for the proposal: each the mean of a classifier's out-of-fold
    probability and of a share of the nearest tracks. `by_track`: the classifier knew other tracks of the same artist.
    """

    path: str
    title: str | None
    artist: str | None
    label: str
    proposal: str
    confidence: float
    support: float
    by_track: bool
    neighbours: Sequence[LabelledNeighbour]


@dataclass(frozen=True)
class NearDuplicatePair:
    """Two tracks that are nearly the same vector; `labels` are theirs."""

    paths: tuple[str, str]
    labels: tuple[str | None, str | None]
    similarity: float


@dataclass(frozen=True)
class LabelIssuesResult:
    """What `errors` found: labelled tracks, the least supported label first, and what is odd apart from labels.

    `tracks` were judged, `doubtful` of them have more that speaks for the proposal than for the label. `by_track`: genres with
    too few artists to keep artists apart; `alone`: genres of one track, not judged. `outliers`, `duplicates` and `remarks` are
    of all tracks.
    """

    tracks: int
    doubtful: int
    suspicious: Sequence[LabelIssue]
    by_track: Sequence[str]
    alone: Sequence[str]
    outliers: Sequence[str]
    duplicates: Sequence[NearDuplicatePair]
    remarks: Sequence[TrackNotice]
