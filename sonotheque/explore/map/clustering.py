"""Groups found without labels: HDBSCAN on a projection of more dimensions than a map has. `naming` says what they are called."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.explore.map.projection import SMALLEST
from sonotheque.types import FloatArray

DIMENSIONS, NEIGHBOURS, MIN_DISTANCE = 10, 30, 0.0
"""Of the projection that clusters are found in: umap-learn's documentation, "UMAP for enhanced clustering", advises no distance,
more neighbours than for a map, and more dimensions than two."""

FEWEST, SAMPLES = 5, 5
"""Fewest tracks of a cluster, and the neighbours that make a place dense."""

SELECTION = "eom"
"""By excess of mass. The leaves of the tree are more and more alike, and leave twice as many tracks in none (docs/map.md)."""

LARGEST = 0.5
"""Share of all tracks that a cluster may hold: one group and all the rest is no answer to anybody."""

NO_CLUSTER = -1
"""The number of no cluster."""


@dataclass(frozen=True)
class Clustering:
    """Clusters of N tracks, the largest first.

    Attributes
    ----------
    labels : int array [N]
        Number of each track's cluster; `NONE` where it is in none.
    membership : float32 array [N, C]
        How much each track belongs to each cluster; a row adds up to at most 1, and what is missing belongs to none.
    """

    labels: npt.NDArray[np.int64]
    membership: FloatArray

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.membership.shape[1])


def default_cluster_size(count: int) -> int:
    """Choose the fewest tracks of a cluster among `count`: half their square root, and at least `FEWEST`.

    Examples
    --------
    >>> usual_size(50), usual_size(221), usual_size(10_000)
    (5, 7, 50)
    """
    return max(FEWEST, round(math.sqrt(count) / 2))


def find_clusters(positions: FloatArray, *, size: int) -> Clustering:
    """Find clusters and how much each track belongs to them.

    HDBSCAN (Campello, Moulavi, Zimek & Sander 2015) by the package hdbscan, chosen by excess of mass; soft membership as its
    ``all_points_membership_vectors`` gives it.

    Parameters
    ----------
    positions : float32 array [N, dimensions]
    size : int
        Fewest tracks of a cluster.

    Returns
    -------
    Clusters
        None at all among fewer than `SMALLEST` tracks.
    """
    count = len(positions)
    nothing = Clustering(np.full(count, NO_CLUSTER), np.zeros((count, 0), dtype=np.float32))
    if count < max(SMALLEST, size):
        return nothing
    with warnings.catch_warnings():  # of its own syntax and of scikit-learn's names
        warnings.simplefilter("ignore")
        import hdbscan

        found = hdbscan.HDBSCAN(
            min_cluster_size=max(size, 2),
            min_samples=min(SAMPLES, max(size, 2)),
            cluster_selection_method=SELECTION,
            max_cluster_size=max(size, int(LARGEST * count)),
            prediction_data=True,
            core_dist_n_jobs=1,
        ).fit(positions.astype(np.float64))
        labels = found.labels_.astype(np.int64)
        clusters = int(labels.max(initial=NO_CLUSTER)) + 1
        if clusters == 0:
            return nothing
        soft = np.asarray(hdbscan.all_points_membership_vectors(found)).reshape(count, clusters)
    order = np.lexsort((np.arange(clusters), -np.bincount(labels[labels >= 0], minlength=clusters)))
    rank = np.append(np.argsort(order), NO_CLUSTER)  # the last one is for NONE
    membership = np.clip(np.nan_to_num(soft[:, order]), 0, 1).astype(np.float32)
    return Clustering(rank[labels], membership)
