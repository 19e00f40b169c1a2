"""Probabilities that mean what they say: a temperature learned on grouped out-of-fold answers, and a test of what remains."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify import curves
from sonotheque.classify.metrics import Codes

Probabilities = npt.NDArray[np.float64]

TEMPERATURES = np.geomspace(0.2, 5.0, 97)
"""What `fit_temperature` chooses from; 1 is among them."""

LEAST = 1e-9
"""Probability that a temperature takes for 0, which some models say; the same for all temperatures, or 1 would seem worst."""

CHI_SQUARE = 3.841
"""95 % quantile with one degree of freedom."""


def soften(probabilities: Probabilities, temperature: float) -> Probabilities:
    """Raise probabilities to the power of 1 / temperature and scale them to 1 (Guo et al. 2017, on log probabilities).

    Parameters
    ----------
    probabilities : float64 array [N, C]
    temperature : float
        Above 1 the answers become less certain. The order of the genres stays.

    Examples
    --------
    >>> soften(np.array([[0.9, 0.1]]), 2.0).round(2).tolist()
    [[0.75, 0.25]]
    """
    if temperature == 1:
        return probabilities
    logarithms = np.log(np.maximum(probabilities, LEAST)) / temperature
    result: Probabilities = np.exp(logarithms - logarithms.max(axis=1, keepdims=True))
    result /= result.sum(axis=1, keepdims=True)
    return result


def fit_temperature(probabilities: Probabilities, codes: Codes) -> float:
    """Find the temperature with the least log loss, or 1 where it is not clearly better.

    Clearly: by a likelihood ratio test with one degree of freedom at 5 %. On few answers the best temperature is chance, and a
    wrong one does harm.

    Parameters
    ----------
    probabilities : float64 array [N, C]
        Out-of-fold answers; rows with NaN do not count.
    codes : int array [N]
    """
    counted = ~np.isnan(probabilities[:, 0])
    answers, reference = np.maximum(probabilities[counted], LEAST), codes[counted]
    losses = [curves.log_loss(reference, soften(answers, temperature)) for temperature in TEMPERATURES]
    gain = 2 * len(reference) * (curves.log_loss(reference, answers) - min(losses))
    return float(TEMPERATURES[int(np.argmin(losses))]) if gain > CHI_SQUARE else 1.0


def calibration_range(
    probabilities: Probabilities, *, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the range of the expected calibration error of a perfectly calibrated model with these probabilities.

    Parametric bootstrap: genres are drawn from the probabilities themselves (Vaicenavicius et al. 2019, consistency resampling).

    Parameters
    ----------
    probabilities : float64 array [N, C]
    resamples, seed : int
    level : float

    Returns
    -------
    low, high : float
    """
    generator = np.random.default_rng(seed)
    edges: npt.NDArray[Any] = probabilities.cumsum(axis=1)
    errors = []
    for _ in range(resamples):
        drawn = (generator.random((len(edges), 1)) > edges[:, :-1]).sum(axis=1)
        errors.append(curves.expected_calibration_error(drawn, probabilities))
    low, high = np.quantile(errors, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
