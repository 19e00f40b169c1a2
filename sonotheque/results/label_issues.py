"""Labels that are probably wrong, and other tracks that need attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.classification import LabelledNeighbour
from sonotheque.results.status import TrackNotice


@dataclass(frozen=True)
class LabelIssue:
    """A labelled track with the support for its label and for another label.

    Attributes
    ----------
    path : str
    title, artist : str or None
    label : str
    proposal : str
        The suggested label: the alternative with the most support.
    confidence, support : float
        Support for the proposal and for the label. Support is the mean of a classifier's out-of-fold probability and of the
        fraction of the nearest tracks that have the label.
    by_track : bool
        Whether the classifier was trained on other tracks by the same artist.
    neighbours : sequence of LabelledNeighbour
        Those of the nearest tracks that have the suggested label.
    nearest : sequence of LabelledNeighbour
        The nearest tracks, whatever their label, the most similar first.
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
    nearest: Sequence[LabelledNeighbour] = ()


@dataclass(frozen=True)
class NearDuplicatePair:
    """Two tracks with nearly the same vector, and their labels; `similarity` is a cosine."""

    paths: tuple[str, str]
    labels: tuple[str | None, str | None]
    similarity: float


@dataclass(frozen=True)
class LabelIssuesResult:
    """What `errors` found: labels that may be wrong, and other tracks that need attention.

    Attributes
    ----------
    tracks : int
        Number of labelled tracks that were tested.
    doubtful : int
        How many of them have more support for the proposal than for the label.
    suspicious : sequence of LabelIssue
        The label with the least support first.
    by_track : sequence of str
        Genres with too few artists for artist-grouped folds; their folds are grouped by track.
    alone : sequence of str
        Genres with a single track, which cannot be tested.
    outliers : sequence of str
        Paths of tracks, like `duplicates` and `remarks` with or without a label.
    duplicates : sequence of NearDuplicatePair
    remarks : sequence of TrackNotice
    """

    tracks: int
    doubtful: int
    suspicious: Sequence[LabelIssue]
    by_track: Sequence[str]
    alone: Sequence[str]
    outliers: Sequence[str]
    duplicates: Sequence[NearDuplicatePair]
    remarks: Sequence[TrackNotice]
