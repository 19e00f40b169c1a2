"""Temperature scaling: make class probabilities more or less confident without changing their order."""

from __future__ import annotations

import numpy as np

from sonotheque.types import Probabilities

MIN_PROBABILITY = 1e-9
"""Probabilities below this count as this, because some models predict exactly 0. It is the same for all temperatures; otherwise a
temperature of 1 would look worst."""


def apply_temperature(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Raise probabilities to the power of 1 / temperature and normalise them (Guo et al. 2017, applied to log probabilities).

    Parameters
    ----------
    probabilities : float64 array [N, C]
    temperature : float
        A temperature above 1 makes predictions less confident.

    Returns
    -------
    float64 array [N, C]

    Examples
    --------
    >>> apply_temperature(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    if temperature == 1:
        return probabilities
    logarithms = np.log(np.maximum(probabilities, MIN_PROBABILITY)) / temperature
    result: Probabilities = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    result /= result.sum(axis=1, keepdims=True)
    return result
