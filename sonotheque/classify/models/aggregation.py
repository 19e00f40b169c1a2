"""Combine the predictions for the segments of a track into one prediction."""

from __future__ import annotations

import numpy as np

from sonotheque.types import Probabilities, Rows

AGGREGATIONS = ("track", "mean", "vote", "product", "learned")
"""How a track is classified. ``track`` uses the track vector. The others classify its segments and combine the predictions: by the
mean or the product of their probabilities, by votes, or by a mean with learned weights."""

CERTAINTY_POWERS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Powers of a segment's certainty from which ``learned`` chooses. 0 is the plain mean."""


def aggregate_segments(
    probabilities: Probabilities, track_index: Rows, *, aggregation: str, certainty_power: float = 0.0
) -> Probabilities:
    """Combine the class probabilities of the segments of each track.

    Parameters
    ----------
    probabilities : float64 array [M, C]
    track_index : int array [M]
        Track of each segment: 0 to N - 1, ascending, each at least once.
    aggregation : str
        ``mean``; ``vote``: the fraction of segments that each class wins; ``product``: the geometric mean, normalised;
        ``learned``: the mean weighted by certainty (1 - entropy / log C) to the power of `certainty_power`.
    certainty_power : float

    Returns
    -------
    float64 array [N, C]

    Examples
    --------
    >>> segments = np.array([[0.6, 0.4], [0.6, 0.4], [0.0, 1.0]])
    >>> methods = ("mean", "vote", "product")
    >>> [int(aggregate_segments(segments, np.zeros(3, int), aggregation=name).argmax()) for name in methods]
    [1, 0, 1]
    """
    count, n_classes = track_index[-1] + 1, probabilities.shape[1]
    values = probabilities
    weights = np.ones(len(track_index))
    if aggregation == "vote":
        values = np.eye(n_classes)[probabilities.argmax(axis=1)]
    elif aggregation == "product":
        values = np.log(np.maximum(probabilities, 1e-6))
    elif aggregation == "learned":
        entropy = -(probabilities * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1)
        weights = np.maximum(1 - entropy / np.log(n_classes), 1e-3) ** certainty_power
    result: Probabilities = np.zeros((count, n_classes))
    np.add.at(result, track_index, values * weights[:, None])
    result /= np.bincount(track_index, weights=weights)[:, None]
    if aggregation == "product":
        result = np.exp(result - result.max(axis=1, keepdims=True))
    result /= result.sum(axis=1, keepdims=True)
    return result
