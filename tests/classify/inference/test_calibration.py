"""A wrong temperature is recovered, and the range of the calibration error covers a calibrated model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.inference.calibration import TEMPERATURES, calibration_error_range, fit_temperature
from sonotheque.classify.models.temperature import apply_temperature


def simulated_predictions(
    temperature: float, *, count: int = 600, seed: int = 0, spread: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Predictions with a wrong temperature, and true labels drawn from the correct probabilities."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(5, spread), count)
    codes = (generator.random((count, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return apply_temperature(probabilities, temperature), codes


@settings(max_examples=30)
@given(temperature=st.floats(0.3, 4), seed=st.integers(0, 20))
def test_temperature_keeps_the_prediction_and_the_sum(temperature: float, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(4), 5)
    scaled = apply_temperature(probabilities, temperature)
    assert np.allclose(scaled.sum(axis=1), 1)
    assert np.array_equal(scaled.argmax(axis=1), probabilities.argmax(axis=1))
    assert (scaled.max(axis=1) <= probabilities.max(axis=1) + 1e-9).all() == (temperature >= 1) or temperature == 1


@pytest.mark.parametrize("wrong", [0.4, 1.0, 2.5])
def test_wrong_temperature_is_recovered(wrong: float) -> None:
    predicted, codes = simulated_predictions(wrong, count=4000)
    fitted = fit_temperature(predicted, codes)
    assert fitted * wrong == pytest.approx(1, rel=0.12)
    assert probability_metrics.log_loss(codes, apply_temperature(predicted, fitted)) <= probability_metrics.log_loss(
        codes, predicted
    )
    assert 1.0 in TEMPERATURES


def test_probabilities_of_0_do_not_determine_the_temperature() -> None:
    predicted, codes = simulated_predictions(1.0, count=300)
    predicted[0] = np.eye(5)[(codes[0] + 1) % 5]
    assert fit_temperature(predicted, codes) == fit_temperature(np.maximum(predicted, 1e-9), codes)
    certain = np.eye(5)[codes]
    certain[0] = np.eye(5)[(codes[0] + 1) % 5]
    assert probability_metrics.log_loss(
        codes, apply_temperature(certain, fit_temperature(certain, codes))
    ) < probability_metrics.log_loss(codes, certain)


def test_calibration_error_range_covers_only_a_calibrated_model() -> None:
    predicted, codes = simulated_predictions(1.0)
    low, high = calibration_error_range(predicted, resamples=300)
    assert low <= probability_metrics.expected_calibration_error(codes, predicted) <= high
    predicted, codes = simulated_predictions(0.4)
    assert (
        probability_metrics.expected_calibration_error(codes, predicted)
        > calibration_error_range(predicted, resamples=300)[1]
    )
