"""The map of a library and its clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ClusterAgreement:
    """Agreement of the clusters with the labels, over the labelled tracks. Tracks in no cluster count as one more cluster.

    All scores are 1 for perfect agreement. `adjusted_rand` and `adjusted_mutual_information` are 0 at chance level; `homogeneity`
    is not adjusted for chance. `clustered` is the fraction of the tracks that are in a cluster.
    """

    tracks: int
    clustered: float
    adjusted_rand: float
    adjusted_mutual_information: float
    homogeneity: float


@dataclass(frozen=True)
class Cluster:
    """A cluster and its characteristics.

    Attributes
    ----------
    number : int
    name : str
    tracks : int
    labels, artists : mapping of str to int
        Number of its tracks with each label, and by each artist.
    tempo : float or None
        Median in beats per minute.
    judged : int
        Number of its labelled tracks for which there is an out-of-fold prediction.
    error_rate : float or None
        Error rate of these predictions.
    confusions : sequence of ConfusedPair
    examples : sequence of str
        Paths of the tracks with the highest membership.
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
    """A label, the wrong label that was predicted for some of its tracks, and the number of these tracks."""

    label: str
    taken_for: str
    tracks: int


@dataclass(frozen=True)
class MapResult:
    """The map of a library and its clusters.

    Attributes
    ----------
    space : str
        Id of the space.
    tracks : int
    later : int
        Number of tracks that were added to the map after its projection was fitted.
    parameters : mapping
        Parameters of the projection and of the clustering.
    quality : ProjectionQuality
    clusters : sequence of Cluster
    unclustered : int
        Number of tracks in no cluster.
    unclustered_labels : mapping of str to int
        Number of these tracks with each label.
    agreement : ClusterAgreement or None
    judged : int
        Number of labelled tracks for which there is an out-of-fold prediction.
    error_rate : float or None
        Error rate of these predictions.
    by_track : sequence of str
        Genres for which the classifier was trained on other tracks by the same artists.
    alone : sequence of str
        Genres with a single track, for which there is no out-of-fold prediction.
    weakest : WeakRegion or None
    places : sequence of MapPosition
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
    alone: Sequence[str]
    weakest: WeakRegion | None
    places: Sequence[MapPosition]


@dataclass(frozen=True)
class MapPosition:
    """The position of a track on the map, and its cluster.

    `cluster` is the number of its cluster, or None. `leans_to` is the cluster with the highest membership, also for tracks in no
    cluster, and `membership` is that membership, from 0 to 1. `later` is true if the track was added after the projection was
    fitted.
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
    """How well the map preserves the neighbourhoods of its space, see `sonotheque.explore.map.projection_quality`."""

    trustworthiness: float | None
    same_label_map: float | None
    same_label_space: float | None
    same_label_chance: float | None


@dataclass(frozen=True)
class WeakRegion:
    """The region of a map with the highest error rate of out-of-fold predictions: a circle in map coordinates."""

    x: float
    y: float
    radius: float
    tracks: int
    error_rate: float
    confusions: Sequence[ConfusedPair]
    cluster: str | None
