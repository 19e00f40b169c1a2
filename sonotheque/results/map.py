"""The map of a library and its clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterAgreement:
    """How far clusters and labels say the same, over labelled tracks; those in no cluster are a group of their own.

    1 is perfect; 0 what chance gives, but for the homogeneity. `clustered` is the share of them that are in a cluster.
    """

    tracks: int
    clustered: float
    adjusted_rand: float
    adjusted_mutual_information: float
    homogeneity: float


@dataclass(frozen=True)
class Cluster:
    """A group found without labels, and what sets it apart.

    `labels` counts its labelled tracks. `tempo` is the middle one, in beats per minute. `error_rate` and `confusions` are of a
    classifier's answers for the `judged` labelled tracks, which it had not learned from. `examples` belong to it most.
    """

    number: int
    name: str
    tracks: int
    labels: Mapping[str, int]
    artists: Mapping[str, int]
    tempo: float | None
    judged: int
    error_rate: float | None
    confusions: Sequence[ConfusedPair]
    examples: Sequence[str]


@dataclass(frozen=True)
class ConfusedPair:
    """A label, what its tracks were taken for, and how many of them."""

    label: str
    taken_for: str
    tracks: int


@dataclass(frozen=True)
class MapResult:
    """The map of a library and its clusters.

    `parameters` say what it was made with; `later` tracks were put on it after it was drawn. `unclustered` are in no cluster.
    `error_rate` is that of out-of-fold answers for all `judged` tracks, `weakest` where they fail most; for genres in `by_track`
    the classifier knew other tracks of the same artists.
    """

    space: str
    tracks: int
    later: int
    parameters: Mapping[str, int | float | str]
    quality: ProjectionQuality
    clusters: Sequence[Cluster]
    unclustered: int
    unclustered_labels: Mapping[str, int]
    agreement: ClusterAgreement | None
    judged: int
    error_rate: float | None
    by_track: Sequence[str]
    weakest: WeakRegion | None
    places: Sequence[MapPosition]


@dataclass(frozen=True)
class MapPosition:
    """Where a track lies, and its cluster's number, or None.

    `leans_to` is the cluster that it belongs to most, also where it is in none, and `membership` how much, from 0 to 1.
    """

    path: str
    x: float
    y: float
    cluster: int | None
    leans_to: int | None
    membership: float
    later: bool


@dataclass(frozen=True)
class ProjectionQuality:
    """What a map keeps of the neighbourhoods in its space, see `sonotheque.explore.faithfulness`."""

    trustworthiness: float | None
    same_label_map: float | None
    same_label_space: float | None
    same_label_chance: float | None


@dataclass(frozen=True)
class WeakRegion:
    """Where on a map a classifier's answers are wrong most often: around a place, in the map's units."""

    x: float
    y: float
    radius: float
    tracks: int
    error_rate: float
    confusions: Sequence[ConfusedPair]
    cluster: str | None
