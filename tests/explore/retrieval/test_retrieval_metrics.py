"""Precision, average precision and k-occurrences agree with scikit-learn, SciPy and counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import skew
from sklearn.metrics import average_precision_score

from sonotheque.explore.retrieval.metrics import count_occurrences, measure_reach, measure_skewness, score_rankings


@given(tracks=st.integers(1, 30), k=st.integers(1, 12), seed=st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_rankings_are_scored_as_by_scikit_learn(tracks: int, k: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    similarities = generator.permuted(np.tile(np.linspace(-1, 1, tracks), (4, 1)), axis=1)
    relevant, candidates = generator.random((2, 4, tracks)) < [[[0.4]], [[0.7]]]
    precision, average_precision = score_rankings(similarities, relevant=relevant, candidates=candidates, k=k)
    for row in range(4):
        scores, hits = similarities[row, candidates[row]], relevant[row, candidates[row]]
        first = hits[np.argsort(-scores)][:k]
        assert precision[row] == pytest.approx(first.mean() if len(first) else 0)
        if hits.any():
            assert average_precision[row] == pytest.approx(average_precision_score(hits, scores))
        else:
            assert np.isnan(average_precision[row])


def test_ties_are_ordered_by_column() -> None:
    similarities, relevant = np.zeros((1, 3)), np.array([[False, True, False]])
    precision, average = score_rankings(similarities, relevant=relevant, candidates=np.ones((1, 3), bool), k=1)
    assert (precision.tolist(), average.tolist()) == ([0.0], [0.5])


@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_skewness_is_that_of_scipy(counts: list[int]) -> None:
    expected = skew(counts) if len(set(counts)) > 1 else 0.0
    assert measure_skewness(np.array(counts)) == pytest.approx(expected)


def test_occurrences_and_reach() -> None:
    counts = count_occurrences(np.array([[1, 2], [2, 0], [1, 0], [2, 1]]), tracks=5)
    assert counts.tolist() == [2, 3, 3, 0, 0]
    assert measure_reach(counts) == 0.6
    empty = count_occurrences(np.empty((0, 0), dtype=np.int64), tracks=0)
    assert (measure_reach(empty), measure_skewness(empty)) == (1.0, 0.0)
