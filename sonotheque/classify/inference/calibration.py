"""Calibrate class probabilities with a temperature fitted to out-of-fold predictions, and test what miscalibration remains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.models.temperature import MIN_PROBABILITY, apply_temperature
from sonotheque.types import BoolArray, Codes, Float64Array, Interval, Probabilities

TEMPERATURES = np.geomspace(0.2, 5.0, 97)
"""Candidates of `fit_temperature`. 1 is one of them."""

CHI_SQUARE_95 = 3.841
"""95% quantile of the chi-square distribution with one degree of freedom."""


@dataclass(frozen=True)
class CalibrationSet:
    """Calibrated out-of-fold predictions, from which selective thresholds are derived.

    Attributes
    ----------
    confidence : float64 array [N]
        Calibrated probability of each prediction.
    correct : bool array [N]
    groups : int array [N]
        Artists.
    """

    confidence: Float64Array
    correct: BoolArray
    groups: npt.NDArray[Any]


def fit_temperature(probabilities: Probabilities, codes: Codes) -> float:
    """Find the temperature with the smallest log loss, or return 1 if it is not clearly better.

    "Clearly" means significant at 5% in a likelihood ratio test with one degree of freedom. With few predictions the best
    temperature is due to chance, and a wrong one does harm.

    Parameters
    ----------
    probabilities : float64 array [N, C]
        Out-of-fold predictions. Rows with NaN are ignored.
    codes : int array [N]
        Integer-encoded true labels.

    Returns
    -------
    float
    """
    valid = ~np.isnan(probabilities[:, 0])
    predicted, reference = np.maximum(probabilities[valid], MIN_PROBABILITY), codes[valid]
    losses = [
        probability_metrics.log_loss(reference, apply_temperature(predicted, temperature))
        for temperature in TEMPERATURES
    ]
    gain = 2 * len(reference) * (probability_metrics.log_loss(reference, predicted) - min(losses))
    return float(TEMPERATURES[int(np.argmin(losses))]) if gain > CHI_SQUARE_95 else 1.0


def calibration_error_range(
    probabilities: Probabilities, *, resamples: int = 1000, seed: int = 0, level: float = 0.95
) -> Interval:
    """Compute the range of the expected calibration error of a perfectly calibrated model with these probabilities.

    Labels are drawn from the probabilities themselves (consistency resampling: Vaicenavicius et al. 2019).

    Parameters
    ----------
    probabilities : float64 array [N, C]
    resamples, seed : int
    level : float
        Fraction of the resamples within the range.

    Returns
    -------
    low, high : float
    """
    generator = np.random.default_rng(seed)
    edges: npt.NDArray[Any] = probabilities.cumsum(axis=1)
    errors = []
    for _ in range(resamples):
        drawn = (generator.random((len(edges), 1)) > edges[:, :-1]).sum(axis=1)
        errors.append(probability_metrics.expected_calibration_error(drawn, probabilities))
    low, high = np.quantile(errors, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
