"""The metrics of probabilities equal those of scikit-learn, on arrays with ties, zeros and ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from sonotheque.classify.evaluation import probability_metrics
from sonotheque.types import Codes, Float64Array

N_CLASSES = 4
few_examples = settings(max_examples=40, deadline=None)


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Codes, Float64Array]:
    """True labels [N] and probabilities [N, C] with many ties, zeros and ones."""
    tracks = draw(st.integers(1, 30))
    reference = draw(st.lists(st.integers(0, N_CLASSES - 1), min_size=tracks, max_size=tracks))
    votes = st.lists(st.integers(0, 3), min_size=N_CLASSES, max_size=N_CLASSES).filter(any)
    weights = np.array(draw(st.lists(votes, min_size=tracks, max_size=tracks)), dtype=np.float64)
    return np.array(reference), weights / weights.sum(axis=1, keepdims=True)


def calibrated_predictions(tracks: int = 300, *, seed: int = 0) -> tuple[Codes, Float64Array]:
    """Probabilities, and true labels that are drawn from them."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(N_CLASSES, 0.5), size=tracks)
    reference = (probabilities.cumsum(axis=1) < generator.random((tracks, 1))).sum(axis=1)
    return np.minimum(reference, N_CLASSES - 1), probabilities


@few_examples
@given(arrays=predictions())
def test_log_loss_equals_that_of_scikit_learn(arrays: tuple[Codes, Float64Array]) -> None:
    expected = sklearn_metrics.log_loss(*arrays, labels=range(N_CLASSES))
    assert probability_metrics.log_loss(*arrays) == pytest.approx(expected)


@few_examples
@given(arrays=predictions())
@pytest.mark.filterwarnings("ignore:No (positive|negative) samples in y_true")
@pytest.mark.filterwarnings("ignore:No positive class found in y_true")
def test_curves_equal_those_of_scikit_learn(arrays: tuple[Codes, Float64Array]) -> None:
    reference, scores = arrays
    for label in range(N_CLASSES):
        positive, label_scores = reference == label, scores[:, label]
        for actual, expected in zip(
            probability_metrics.roc_curve(reference, scores, label=label),
            sklearn_metrics.roc_curve(positive, label_scores, drop_intermediate=False),
            strict=True,
        ):
            np.testing.assert_allclose(actual, expected, rtol=1e-12)
        precision, recall, thresholds = probability_metrics.precision_recall_curve(reference, scores, label=label)
        expected = sklearn_metrics.precision_recall_curve(positive, label_scores)
        np.testing.assert_allclose(precision, expected[0], rtol=1e-12)
        np.testing.assert_array_equal(thresholds, expected[2])
        if positive.any():
            np.testing.assert_allclose(recall, expected[1], rtol=1e-12)
        else:
            assert np.isnan(recall).all()


@few_examples
@given(arrays=predictions())
def test_areas_equal_those_of_scikit_learn(arrays: tuple[Codes, Float64Array]) -> None:
    reference, scores = arrays
    areas, averages = (
        probability_metrics.auc(reference, scores),
        probability_metrics.average_precision(reference, scores),
    )
    occurring = np.unique(reference)
    for label in range(N_CLASSES):
        positive, label_scores = reference == label, scores[:, label]
        if positive.any():
            assert averages[label] == pytest.approx(sklearn_metrics.average_precision_score(positive, label_scores))
        if positive.any() and not positive.all():
            assert areas[label] == pytest.approx(sklearn_metrics.roc_auc_score(positive, label_scores))
    assert np.array_equal(np.flatnonzero(~np.isnan(averages)), occurring)
    assert np.array_equal(np.flatnonzero(~np.isnan(areas)), occurring if len(occurring) > 1 else [])


def test_macro_auc_equals_that_of_scikit_learn() -> None:
    reference, scores = calibrated_predictions()
    expected = sklearn_metrics.roc_auc_score(reference, scores, multi_class="ovr", average="macro")
    assert probability_metrics.macro_auc(reference, scores) == pytest.approx(expected)


def test_undefined_areas_are_left_out_of_the_mean() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    reference = np.array([0, 1, 1])
    np.testing.assert_array_equal(probability_metrics.auc(reference, scores), [1.0, 1.0, np.nan])
    assert probability_metrics.macro_auc(reference, scores) == 1.0
    assert math.isnan(probability_metrics.macro_auc(np.zeros(3, dtype=np.int64), scores))


@few_examples
@given(arrays=predictions(), bins=st.integers(1, 12))
def test_calibration_curve_equals_that_of_scikit_learn(arrays: tuple[Codes, Float64Array], bins: int) -> None:
    reference, probabilities = arrays
    correct = (probabilities.argmax(axis=1) == reference).astype(int)
    confidence, accuracy, count = probability_metrics.calibration_curve(reference, probabilities, bins=bins)
    expected = calibration_curve(correct, probabilities.max(axis=1), n_bins=bins, pos_label=1)
    assert accuracy == pytest.approx(expected[0])
    assert confidence == pytest.approx(expected[1])
    assert count.sum() == len(reference)
    assert count.min() > 0


def test_calibration_error_weights_bins_by_predictions() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    error = probability_metrics.expected_calibration_error(np.array([0, 0, 0, 1]), probabilities)
    assert error == pytest.approx((3 * 0.1 + 0.6) / 4)


def test_calibration_error_is_small_for_calibrated_predictions() -> None:
    reference, probabilities = calibrated_predictions(20_000)
    assert probability_metrics.expected_calibration_error(reference, probabilities) < 0.02
    certain = np.eye(N_CLASSES)[probabilities.argmax(axis=1)]
    error_rate = np.mean(probabilities.argmax(axis=1) != reference)
    assert probability_metrics.expected_calibration_error(reference, certain) == pytest.approx(error_rate)
    assert error_rate > 0.2


@few_examples
@given(arrays=predictions())
def test_coverage_curve_has_one_point_per_confidence(arrays: tuple[Codes, Float64Array]) -> None:
    reference, probabilities = arrays
    correct, confidence = probabilities.argmax(axis=1) == reference, probabilities.max(axis=1)
    covered = [confidence >= threshold for threshold in np.unique(confidence)[::-1]]
    coverage, accuracy = probability_metrics.coverage_curve(reference, probabilities)
    assert coverage == pytest.approx([mask.mean() for mask in covered])
    assert accuracy == pytest.approx([correct[mask].mean() for mask in covered])
    assert (coverage[-1], accuracy[-1]) == (1.0, pytest.approx(correct.mean()))


def test_unusable_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not \[1, 2\] for 2"):
        probability_metrics.log_loss(np.array([1, 2]), np.array([[0.5, 0.5]]))
    with pytest.raises(ValueError, match="index the 2 columns"):
        probability_metrics.coverage_curve(np.array([1, 2]), np.full((2, 2), 0.5))
    with pytest.raises(ValueError, match="finite"):
        probability_metrics.auc(np.array([1]), np.array([[0.5, np.nan]]))
