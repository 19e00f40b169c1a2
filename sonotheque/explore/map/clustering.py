"""Cluster tracks without labels: HDBSCAN on a projection with more dimensions than a map. `cluster_names` names the clusters."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from sonotheque.explore.map.projection import MIN_TRACKS
from sonotheque.types import Codes, FloatArray

DIMENSIONS, NEIGHBOURS, MIN_DISTANCE = 10, 30, 0.0
"""Parameters of the projection that is clustered. The documentation of umap-learn, "UMAP for enhanced clustering", recommends a
minimum distance of 0, and more neighbours and dimensions than for a map."""

MIN_CLUSTER_SIZE, MIN_SAMPLES = 5, 5
"""Smallest default for the minimum number of tracks in a cluster, and the ``min_samples`` of HDBSCAN."""

SELECTION = "eom"
"""Clusters are selected by excess of mass. Leaf clusters would be more alike, and leave twice as many tracks unclustered
(docs/benchmarks/map-and-clusters.md)."""

MAX_CLUSTER_FRACTION = 0.5
"""Maximum fraction of all tracks in a cluster. A clustering into one group and the rest is not useful."""

NO_CLUSTER = -1
"""Label of tracks that are in no cluster."""


@dataclass(frozen=True)
class Clustering:
    """Clusters of N tracks, the largest first.

    Attributes
    ----------
    labels : int64 array [N]
        Cluster number of each track, or `NO_CLUSTER`.
    membership : float32 array [N, C]
        Strength with which each track belongs to each cluster. A row sums to at most 1; the rest belongs to no cluster.
    """

    labels: Codes
    membership: FloatArray

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.membership.shape[1])


def default_cluster_size(n_tracks: int) -> int:
    """Return the default minimum number of tracks in a cluster: half the square root of `n_tracks`, at least `MIN_CLUSTER_SIZE`.

    Examples
    --------
    >>> default_cluster_size(50), default_cluster_size(221), default_cluster_size(10_000)
    (5, 7, 50)
    """
    return max(MIN_CLUSTER_SIZE, round(math.sqrt(n_tracks) / 2))


def find_clusters(positions: FloatArray, *, min_size: int) -> Clustering:
    """Find clusters and the membership of each track.

    The method is HDBSCAN (Campello, Moulavi, Zimek & Sander 2015) of the package hdbscan. The membership is soft, as computed by
    its ``all_points_membership_vectors``.

    Parameters
    ----------
    positions : float32 array [N, dimensions]
    min_size : int
        Minimum number of tracks in a cluster.

    Returns
    -------
    Clustering
        There are no clusters if there are fewer than `MIN_TRACKS` tracks.
    """
    n_tracks = len(positions)
    no_clusters = Clustering(np.full(n_tracks, NO_CLUSTER), np.zeros((n_tracks, 0), dtype=np.float32))
    if n_tracks < max(MIN_TRACKS, min_size):
        return no_clusters
    with warnings.catch_warnings():  # hdbscan warns of its own syntax and of renamed parameters of scikit-learn
        warnings.simplefilter("ignore")
        import hdbscan

        model = hdbscan.HDBSCAN(
            min_cluster_size=max(min_size, 2),
            min_samples=min(MIN_SAMPLES, max(min_size, 2)),
            cluster_selection_method=SELECTION,
            max_cluster_size=max(min_size, int(MAX_CLUSTER_FRACTION * n_tracks)),
            prediction_data=True,
            core_dist_n_jobs=1,
        ).fit(positions.astype(np.float64))
        labels = model.labels_.astype(np.int64)
        n_clusters = int(labels.max(initial=NO_CLUSTER)) + 1
        if n_clusters == 0:
            return no_clusters
        soft = np.asarray(hdbscan.all_points_membership_vectors(model)).reshape(n_tracks, n_clusters)
    order = np.lexsort((np.arange(n_clusters), -np.bincount(labels[labels >= 0], minlength=n_clusters)))
    rank = np.append(np.argsort(order), NO_CLUSTER)  # the last element maps NO_CLUSTER to itself
    membership = np.clip(np.nan_to_num(soft[:, order]), 0, 1).astype(np.float32)
    return Clustering(rank[labels], membership)
