"""Metrics of ranked lists, and of how often each track is in them.

Conventions
-----------
A *list* holds the k nearest tracks of one track. The *k-occurrence* of a track is the number of lists that it is in. A *hub* is
in many lists; an *orphan* is in none.

Metrics
-------
* `score_rankings`: precision at k and average precision of each query
* `count_occurrences`, `measure_skewness`, `measure_reach`: k-occurrences, their skewness, and the fraction of tracks in any list

Sources
-------
Radovanovic, Nanopoulos & Ivanovic 2010, "Hubs in space: popular nearest neighbors in high-dimensional data"; Manning, Raghavan &
Schuetze 2008, "Introduction to information retrieval", section 8.4.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonotheque.types import BoolArray, Codes, Float64Array


def score_rankings(
    similarities: npt.NDArray[np.floating], *, relevant: BoolArray, candidates: BoolArray, k: int
) -> tuple[Float64Array, Float64Array]:
    """Score the ranking of the candidates of each query.

    Parameters
    ----------
    similarities : float array [Q, N]
    relevant : bool array [Q, N]
    candidates : bool array [Q, N]
        The tracks that are ranked; the others are ignored. Ties are ordered by column.
    k : int

    Returns
    -------
    precision : float64 array [Q]
        Fraction of relevant tracks among the first k, or among all candidates if there are fewer.
    average_precision : float64 array [Q]
        Mean of the precision at the rank of each relevant track. NaN if a query has none.

    Examples
    --------
    >>> precision, average_precision = score_rankings(
    ...     np.array([[0.9, 0.8, 0.7, 0.6]]),
    ...     relevant=np.array([[True, False, True, False]]),
    ...     candidates=np.array([[True, True, True, True]]),
    ...     k=2,
    ... )
    >>> precision.tolist(), average_precision.round(3).tolist()
    ([0.5], [0.833])
    """
    order = np.argsort(np.where(candidates, -similarities, np.inf), axis=1, kind="stable")
    hits = np.take_along_axis(relevant & candidates, order, axis=1)
    found = hits.cumsum(axis=1)
    lengths = np.clip(candidates.sum(axis=1), 1, k)
    precision = found[np.arange(len(found)), lengths - 1] / lengths
    ranks = np.arange(1, hits.shape[1] + 1)
    total = found[:, -1]
    average_precision = (hits * (found / ranks)).sum(axis=1) / np.where(total > 0, total, np.nan)
    return precision, average_precision


def count_occurrences(neighbours: Codes, *, tracks: int) -> Codes:
    """Count the lists that each track is in.

    Parameters
    ----------
    neighbours : int64 array [Q, K]
        The lists, as row numbers.
    tracks : int
        Number of tracks.

    Returns
    -------
    int64 array [tracks]

    Examples
    --------
    >>> count_occurrences(np.array([[1], [0], [0]]), tracks=3).tolist()
    [2, 1, 0]
    """
    return np.bincount(neighbours.ravel(), minlength=tracks).astype(np.int64)


def measure_skewness(counts: Codes) -> float:
    """Return the skewness of k-occurrences: their third standardised moment (Radovanovic et al. 2010, equation 1).

    It is 0 if all tracks are in the same number of lists, and grows with hubs.

    Examples
    --------
    >>> measure_skewness(np.array([3, 3, 3])), round(measure_skewness(np.array([0, 0, 0, 4])), 3)
    (0.0, 1.155)
    """
    centered = counts - counts.mean() if len(counts) else np.zeros(1)
    deviation = np.sqrt(np.square(centered).mean())
    return float((centered**3).mean() / deviation**3) if deviation > 0 else 0.0


def measure_reach(counts: Codes) -> float:
    """Return the fraction of tracks that are in at least one list; 1 without tracks.

    Examples
    --------
    >>> measure_reach(np.array([2, 1, 0, 0]))
    0.5
    """
    return float((counts > 0).mean()) if len(counts) else 1.0
