"""Whether clusters and labels say the same, and how a classifier fares in each cluster and on each part of a map.

Conventions
-----------
Tracks in no cluster count as a group of their own, so that leaving out what is difficult gains nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque import results
from sonotheque.types import Codes, FloatArray

CONFUSIONS = 3
"""Pairs of genres that are named."""

AREA = 10
"""Fewest judged tracks of the part of a map that is said to fail most."""


def cluster_agreement(labels: Sequence[str | None], clusters: npt.NDArray[np.int64]) -> results.ClusterAgreement | None:
    """Compare clusters with labels, over the labelled tracks.

    Adjusted Rand index (Hubert & Arabie 1985), adjusted mutual information (Vinh, Epps & Bailey 2010, arithmetic mean) and
    homogeneity (Rosenberg & Hirschberg 2007), by scikit-learn.

    Returns
    -------
    Agreement or None
        None with fewer than two labels.
    """
    from sklearn import metrics

    known = np.array([label is not None for label in labels], dtype=bool)
    names = [label for label in labels if label is not None]
    if len(set(names)) < 2:
        return None
    groups = clusters[known]
    return results.ClusterAgreement(
        tracks=len(names),
        clustered=round(float((groups >= 0).mean()), 6),
        adjusted_rand=round(float(metrics.adjusted_rand_score(names, groups)), 6),
        adjusted_mutual_information=round(float(metrics.adjusted_mutual_info_score(names, groups)), 6),
        homogeneity=round(float(metrics.homogeneity_score(names, groups)), 6),
    )


@dataclass(frozen=True)
class HeldOutPredictions:
    """Answers for M labelled tracks that were not learned from.

    Attributes
    ----------
    names : list of str
        Of the labels.
    reference, predicted : int arrays [M]
        Codes of `names`.
    """

    names: Sequence[str]
    reference: Codes
    predicted: Codes

    @property
    def wrong(self) -> npt.NDArray[np.bool_]:
        """Where the answer is not the label."""
        return np.asarray(self.reference != self.predicted, dtype=bool)

    def error_rate(self, rows: npt.NDArray[np.int64]) -> float | None:
        """Share of wrong answers among some rows; None without any."""
        return round(float(self.wrong[rows].mean()), 6) if len(rows) else None

    def confusions(self, rows: npt.NDArray[np.int64]) -> list[results.ConfusedPair]:
        """List what is most often taken for what among some rows."""
        pairs = Counter((int(self.reference[row]), int(self.predicted[row])) for row in rows if self.wrong[row])
        first = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:CONFUSIONS]
        return [
            results.ConfusedPair(self.names[label], self.names[answer], pairs[label, answer]) for label, answer in first
        ]


def weakest_region(positions: FloatArray, judged: HeldOutPredictions) -> tuple[npt.NDArray[np.int64], float] | None:
    """Find where on a map the answers are wrong most often.

    The surroundings of each judged track are looked at: its nearest on the map, as many as the square root of all, at least `AREA`.
    Being the worst of many, the rate found is higher than new tracks there would show.

    Parameters
    ----------
    positions : float32 array [M, 2]
        Of the judged tracks.
    judged : Judged

    Returns
    -------
    (rows, radius) or None
        Judged tracks of the worst surroundings, the one in the middle first, and how far they reach. None with too few tracks, or
        where it is nowhere worse than everywhere.
    """
    from scipy.spatial import cKDTree

    count = len(positions)
    size = max(AREA, round(math.sqrt(count)))
    if count < 2 * size:
        return None
    distances, rows = cKDTree(positions).query(positions, k=size)
    rates = judged.wrong[rows].mean(axis=1)
    worst = int(np.lexsort((distances[:, -1], -rates))[0])
    if rates[worst] <= judged.wrong.mean():
        return None
    return rows[worst].astype(np.int64), float(distances[worst, -1])
