"""Intervals of many columns at once are those of one after the other, with the same artists drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify.evaluation import bootstrap, probability_metrics
from sonotheque.classify.evaluation.bootstrap import auc_intervals, correlation_interval, mean_interval
from sonotheque.types import Codes, Float64Array


def column_mean(column: Float64Array, rows: Codes) -> float:
    return float(column[rows].mean())


def correlation(first: Float64Array, second: Float64Array, rows: Codes) -> float:
    return float(np.corrcoef(first[rows], second[rows])[0, 1])


@given(groups=st.lists(st.integers(0, 6), min_size=2, max_size=30), seed=st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_means(groups: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((len(groups), 3))
    artists = np.array(groups)
    low, high = mean_interval(values, groups=artists, resamples=50, seed=seed)
    for column in range(3):
        mean = partial(column_mean, values[:, column])
        expected = bootstrap.bootstrap_interval(mean, groups=artists, resamples=50, seed=seed)
        assert (low[column], high[column]) == pytest.approx(expected)


def test_correlations() -> None:
    generator = np.random.default_rng(0)
    artists = generator.integers(0, 12, size=80)
    x = generator.standard_normal((80, 2))
    y = np.column_stack([x[:, 0] + generator.standard_normal(80), x[:, 1] ** 3, np.ones(80)])
    low, high = correlation_interval(x, y, groups=artists, resamples=60, seed=3)
    for row in range(2):
        for column in range(2):
            pearson = partial(correlation, x[:, row], y[:, column])
            expected = bootstrap.bootstrap_interval(pearson, groups=artists, resamples=60, seed=3)
            assert (low[row, column], high[row, column]) == pytest.approx(expected)
    assert low[:, 2].tolist() == high[:, 2].tolist() == [0, 0]


@pytest.mark.parametrize("ties", [False, True])
def test_areas_are_those_of_each_resample(ties: bool) -> None:
    generator = np.random.default_rng(0)
    groups, reference = np.repeat(np.arange(20), 3), generator.integers(0, 3, 60)
    scores = generator.dirichlet(np.ones(3), 60) + np.eye(3)[reference] * 0.3
    scores = scores.round(1) if ties else scores
    low, high = auc_intervals(reference, scores, groups=groups, resamples=300)

    def area(rows: Codes, label: int) -> float:
        return float(probability_metrics.auc(reference[rows], scores[rows])[label])

    for label in range(3):
        slow = bootstrap.bootstrap_interval(partial(area, label=label), groups=groups, resamples=300)
        assert (low[label], high[label]) == pytest.approx(slow)
    mean = bootstrap.bootstrap_interval(
        lambda rows: probability_metrics.macro_auc(reference[rows], scores[rows]), groups=groups, resamples=300
    )
    assert (low[-1], high[-1]) == pytest.approx(mean)


def test_a_genre_that_nobody_plays_has_no_area() -> None:
    low, high = auc_intervals(np.array([0, 1, 0, 1]), np.eye(3)[[0, 1, 1, 1]], groups=np.array([0, 0, 1, 1]))
    assert np.isnan([low[2], high[2]]).all()
    assert np.isfinite([low[3], high[3]]).all()
