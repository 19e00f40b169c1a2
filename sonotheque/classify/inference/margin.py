"""The margin of a prediction: how far its probability is above that of the next genre."""

from __future__ import annotations

import numpy as np

from sonotheque.types import Float64Array, Probabilities

MIN_MARGIN = 0.20
"""Margin below which a prediction is unsure. ``bench/unsure.py`` chose it on the out-of-fold predictions of one half of the artists
of a collection; docs/benchmarks/confidence.md has the rule, and the figures of the other half."""


def probability_margin(probabilities: Probabilities) -> Float64Array:
    """Return the difference of the two highest probabilities of each row (margin of Scheffer et al. 2001).

    Parameters
    ----------
    probabilities : float array [N, C], C >= 2

    Returns
    -------
    float64 array [N]

    Examples
    --------
    >>> probability_margin(np.array([[0.5, 0.2, 0.3], [0.25, 0.5, 0.25]])).round(2)
    array([0.2 , 0.25])
    """
    highest = np.sort(probabilities, axis=1)
    result: Float64Array = (highest[:, -1] - highest[:, -2]).astype(np.float64)
    return result
