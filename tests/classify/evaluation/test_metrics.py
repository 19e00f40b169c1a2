"""The metrics of predicted genres equal those of scikit-learn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from sonotheque.classify.evaluation import metrics

LABEL_PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60).map(np.array)


@given(pairs=LABEL_PAIRS)
@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.filterwarnings("ignore:.*y_pred contains classes not in y_true")
def test_metrics_equal_those_of_scikit_learn(pairs: npt.NDArray[np.int64]) -> None:
    reference, estimate = pairs[:, 0], pairs[:, 1]
    matrix = metrics.confusion_matrix(reference, estimate, n_classes=5)
    occurring = np.unique(reference)
    assert np.array_equal(matrix, sklearn_metrics.confusion_matrix(reference, estimate, labels=range(5)))
    assert metrics.accuracy(matrix) == pytest.approx(sklearn_metrics.accuracy_score(reference, estimate))
    assert metrics.balanced_accuracy(matrix) == pytest.approx(
        sklearn_metrics.balanced_accuracy_score(reference, estimate)
    )
    expected = sklearn_metrics.f1_score(reference, estimate, labels=occurring, average="macro", zero_division=0)
    assert metrics.macro_f1(matrix) == pytest.approx(expected)
    expected = sklearn_metrics.precision_score(reference, estimate, labels=occurring, average=None, zero_division=0)
    assert metrics.precision(matrix)[occurring] == pytest.approx(expected)


def test_labels_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="equal length"):
        metrics.confusion_matrix(np.array([1]), np.array([1, 2]), n_classes=3)
