"""The metrics are scikit-learn's, on any pair of sequences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as theirs

from sonotheque.classify import metrics

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60).map(np.array)


@given(pairs=PAIRS)
@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.filterwarnings("ignore:.*y_pred contains classes not in y_true")
def test_they_are_scikit_learns(pairs: np.ndarray) -> None:
    reference, estimate = pairs[:, 0], pairs[:, 1]
    matrix = metrics.confusion(reference, estimate, labels=5)
    occurring = np.unique(reference)
    assert np.array_equal(matrix, theirs.confusion_matrix(reference, estimate, labels=range(5)))
    assert metrics.accuracy(matrix) == pytest.approx(theirs.accuracy_score(reference, estimate))
    assert metrics.balanced_accuracy(matrix) == pytest.approx(theirs.balanced_accuracy_score(reference, estimate))
    expected = theirs.f1_score(reference, estimate, labels=occurring, average="macro", zero_division=0)
    assert metrics.macro_f1(matrix) == pytest.approx(expected)
    expected = theirs.precision_score(reference, estimate, labels=occurring, average=None, zero_division=0)
    assert metrics.precision(matrix)[occurring] == pytest.approx(expected)


def test_what_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="equal length"):
        metrics.confusion(np.array([1]), np.array([1, 2]), labels=3)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Artists with an accuracy of their own: whole artists must be drawn to cover the truth."""
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    reference = np.zeros(240, dtype=np.int64)
    covered = naive = 0
    for trial in range(200):
        skill = generator.beta(1.2, 0.8, size=60)  # mean 0.6
        estimate = (generator.random(240) > skill[groups]).astype(np.int64)
        low, high = metrics.accuracy_interval(reference, estimate, groups=groups, resamples=500, seed=trial)
        covered += low <= 0.6 <= high
        low, high = metrics.accuracy_interval(reference, estimate, groups=np.arange(240), resamples=500, seed=trial)
        naive += low <= 0.6 <= high
    assert 0.90 <= covered / 200 <= 0.99
    assert naive < covered
