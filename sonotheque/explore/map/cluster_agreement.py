"""Agreement of clusters with labels, and the errors of a classifier in each cluster and region of a map.

Conventions
-----------
Tracks in no cluster count as a group of their own, so leaving difficult tracks unclustered does not improve the agreement.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque import results
from sonotheque.types import BoolArray, Codes, FloatArray, Rows

MAX_CONFUSIONS = 3
"""Maximum number of confused pairs of genres that are listed."""

MIN_REGION_SIZE = 10
"""Minimum number of held-out tracks in the weakest region."""


def cluster_agreement(labels: Sequence[str | None], clusters: Codes) -> results.ClusterAgreement | None:
    """Compare clusters with labels, over the labelled tracks.

    The measures are the adjusted Rand index (Hubert & Arabie 1985), adjusted mutual information (Vinh, Epps & Bailey 2010,
    arithmetic mean) and homogeneity (Rosenberg & Hirschberg 2007), as implemented in scikit-learn.

    Parameters
    ----------
    labels : sequence of str or None, length N
    clusters : int64 array [N]
        Cluster number of each track, negative for none.

    Returns
    -------
    ClusterAgreement or None
        None with fewer than two different labels.
    """
    from sklearn import metrics

    labelled = np.array([label is not None for label in labels], dtype=bool)
    names = [label for label in labels if label is not None]
    if len(set(names)) < 2:
        return None
    groups = clusters[labelled]
    return results.ClusterAgreement(
        tracks=len(names),
        clustered=round(float((groups >= 0).mean()), 6),
        adjusted_rand=round(float(metrics.adjusted_rand_score(names, groups)), 6),
        adjusted_mutual_information=round(float(metrics.adjusted_mutual_info_score(names, groups)), 6),
        homogeneity=round(float(metrics.homogeneity_score(names, groups)), 6),
    )


@dataclass(frozen=True)
class HeldOutPredictions:
    """Predictions for M labelled tracks by a classifier that was trained without them.

    Attributes
    ----------
    names : list of str
        Names of the labels.
    reference, predicted : int64 arrays [M]
        Indices into `names`.
    """

    names: Sequence[str]
    reference: Codes
    predicted: Codes

    @property
    def wrong(self) -> BoolArray:
        """Whether the prediction differs from the label, bool [M]."""
        return np.asarray(self.reference != self.predicted, dtype=bool)

    def error_rate(self, rows: Rows) -> float | None:
        """Return the fraction of wrong predictions for some tracks; None without tracks."""
        return round(float(self.wrong[rows].mean()), 6) if len(rows) else None

    def confusions(self, rows: Rows) -> list[results.ConfusedPair]:
        """List the most frequent confusions for some tracks."""
        pairs = Counter((int(self.reference[row]), int(self.predicted[row])) for row in rows if self.wrong[row])
        most_frequent = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:MAX_CONFUSIONS]
        return [
            results.ConfusedPair(self.names[reference], self.names[predicted], pairs[reference, predicted])
            for reference, predicted in most_frequent
        ]


def weakest_region(positions: FloatArray, predictions: HeldOutPredictions) -> tuple[Rows, float] | None:
    """Find the region of a map with the highest error rate.

    The regions are the neighbourhoods of all held-out tracks on the map. Their size is the square root of the number of tracks, at
    least `MIN_REGION_SIZE`. The error rate is biased upwards, because the region is the worst of many; it would be lower for new
    tracks.

    Parameters
    ----------
    positions : float32 array [M, 2]
        Positions of the held-out tracks.
    predictions : HeldOutPredictions

    Returns
    -------
    (rows, radius) or None
        The held-out tracks of the region, the one in its centre first, and its radius in map units. None with too few tracks, or
        if no region is worse than the whole map.
    """
    from scipy.spatial import cKDTree

    count = len(positions)
    size = max(MIN_REGION_SIZE, round(math.sqrt(count)))
    if count < 2 * size:
        return None
    distances, rows = cKDTree(positions).query(positions, k=size)
    error_rates = predictions.wrong[rows].mean(axis=1)
    worst = int(np.lexsort((distances[:, -1], -error_rates))[0])
    if error_rates[worst] <= predictions.wrong.mean():
        return None
    return rows[worst].astype(np.int64), float(distances[worst, -1])
