"""Intervals of many columns at once are those of one after the other, with the same artists drawn."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import metrics
from sonotheque.classify.resampling import correlation_interval, mean_interval


def column_mean(column: metrics.Floats, rows: metrics.Codes) -> float:
    return float(column[rows].mean())


def correlation(first: metrics.Floats, second: metrics.Floats, rows: metrics.Codes) -> float:
    return float(np.corrcoef(first[rows], second[rows])[0, 1])


@given(groups=st.lists(st.integers(0, 6), min_size=2, max_size=30), seed=st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_means(groups: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((len(groups), 3))
    artists = np.array(groups)
    low, high = mean_interval(values, groups=artists, resamples=50, seed=seed)
    for column in range(3):
        mean = partial(column_mean, values[:, column])
        expected = metrics.interval(mean, groups=artists, resamples=50, seed=seed)
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
            expected = metrics.interval(pearson, groups=artists, resamples=60, seed=3)
            assert (low[row, column], high[row, column]) == pytest.approx(expected)
    assert low[:, 2].tolist() == high[:, 2].tolist() == [0, 0]
