"""Bootstrap intervals resample whole artists, and all functions draw the same artists."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify.evaluation import bootstrap, metrics, probability_metrics
from sonotheque.classify.evaluation.bootstrap import auc_intervals, correlation_interval, mean_interval
from sonotheque.types import Codes, Float64Array


def column_mean(column: Float64Array, rows: Codes) -> float:
    return float(column[rows].mean())


def correlation(first: Float64Array, second: Float64Array, rows: Codes) -> float:
    return float(np.corrcoef(first[rows], second[rows])[0, 1])


@given(groups=st.lists(st.integers(0, 6), min_size=2, max_size=30), seed=st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_intervals_of_means_equal_those_of_single_columns(groups: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal((len(groups), 3))
    artists = np.array(groups)
    low, high = mean_interval(values, groups=artists, resamples=50, seed=seed)
    for column in range(3):
        mean = partial(column_mean, values[:, column])
        expected = bootstrap.bootstrap_interval(mean, groups=artists, resamples=50, seed=seed)
        assert (low[column], high[column]) == pytest.approx(expected)


def test_intervals_of_correlations_equal_those_of_single_columns() -> None:
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


@pytest.mark.parametrize("ties", [pytest.param(False, marks=pytest.mark.slow), True])
def test_intervals_of_areas_equal_those_of_single_labels(ties: bool) -> None:
    generator = np.random.default_rng(0)
    groups, reference = np.repeat(np.arange(20), 3), generator.integers(0, 3, 60)
    scores = generator.dirichlet(np.ones(3), 60) + np.eye(3)[reference] * 0.3
    scores = scores.round(1) if ties else scores
    low, high = auc_intervals(reference, scores, groups=groups, resamples=300)

    def area(rows: Codes, label: int) -> float:
        return float(probability_metrics.auc(reference[rows], scores[rows])[label])

    for label in range(3):
        expected = bootstrap.bootstrap_interval(partial(area, label=label), groups=groups, resamples=300)
        assert (low[label], high[label]) == pytest.approx(expected)
    mean = bootstrap.bootstrap_interval(
        lambda rows: probability_metrics.macro_auc(reference[rows], scores[rows]), groups=groups, resamples=300
    )
    assert (low[-1], high[-1]) == pytest.approx(mean)


def test_area_of_a_missing_genre_is_undefined() -> None:
    low, high = auc_intervals(np.array([0, 1, 0, 1]), np.eye(3)[[0, 1, 1, 1]], groups=np.array([0, 0, 1, 1]))
    assert np.isnan([low[2], high[2]]).all()
    assert np.isfinite([low[3], high[3]]).all()


def simulated_predictions(
    tracks: int = 400, *, artists: int = 40, skill: float = 0.6, seed: int = 0
) -> tuple[Codes, ...]:
    """True labels, predictions and artists. Each artist has one of five genres and a random accuracy with mean `skill`."""
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, artists, size=tracks)
    reference = generator.integers(0, 5, size=artists)[groups]
    correct = generator.random(tracks) < generator.beta(5 * skill, 5 * (1 - skill), size=artists)[groups]
    return reference, np.where(correct, reference, generator.integers(0, 5, size=tracks)), groups


def test_coverage_of_the_interval() -> None:
    """If artists differ in accuracy, only an interval over artists covers the true accuracy often enough."""
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    reference = np.zeros(240, dtype=np.int64)
    by_artist = by_track = 0
    for trial in range(200):
        skill = generator.beta(1.2, 0.8, size=60)  # mean 0.6
        estimate = (generator.random(240) > skill[groups]).astype(np.int64)
        low, high = bootstrap.accuracy_interval(reference, estimate, groups=groups, resamples=500, seed=trial)
        by_artist += low <= 0.6 <= high
        low, high = bootstrap.accuracy_interval(reference, estimate, groups=np.arange(240), resamples=500, seed=trial)
        by_track += low <= 0.6 <= high
    assert 0.90 <= by_artist / 200 <= 0.99
    assert by_track < by_artist


def test_accuracy_interval_equals_a_direct_computation() -> None:
    reference, estimate, groups = simulated_predictions()
    sizes = np.bincount(groups)
    correct = np.bincount(groups, weights=reference == estimate)
    drawn = np.random.default_rng(7).integers(0, len(sizes), size=(2000, len(sizes)))
    low, high = np.quantile(correct[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.05, 0.95])
    assert bootstrap.accuracy_interval(reference, estimate, groups=groups, level=0.9, seed=7) == (low, high)


@pytest.mark.parametrize("statistic", [metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1])
@pytest.mark.parametrize("block_size", [bootstrap.BLOCK_SIZE, 100, 1])
def test_all_functions_draw_the_same_artists(
    statistic: bootstrap.Statistic, block_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, estimate, groups = simulated_predictions()
    other = simulated_predictions(skill=0.7)[1]

    def value(rows: Codes) -> float:
        return statistic(metrics.confusion_matrix(reference[rows], estimate[rows], n_classes=5))

    def difference(rows: Codes) -> float:
        return value(rows) - statistic(metrics.confusion_matrix(reference[rows], other[rows], n_classes=5))

    expected = bootstrap.bootstrap_interval(value, groups=groups, resamples=100, seed=3)
    expected_difference = bootstrap.bootstrap_interval(difference, groups=groups, resamples=100, seed=3)
    monkeypatch.setattr(bootstrap, "BLOCK_SIZE", block_size)
    options: dict[str, int] = {"n_classes": 5, "resamples": 100, "seed": 3}
    interval = bootstrap.confusion_interval(reference, estimate, groups=groups, statistic=statistic, **options)
    assert interval == pytest.approx(expected)
    if statistic is metrics.accuracy:
        assert bootstrap.accuracy_interval(reference, estimate, groups=groups, resamples=100, seed=3) == interval
    observed, difference_interval = bootstrap.paired_difference(
        reference, estimate, other, groups=groups, statistic=statistic, **options
    )
    assert observed == pytest.approx(difference(np.arange(len(groups))))
    assert difference_interval == pytest.approx(expected_difference)


def test_intervals_contain_the_statistic_and_depend_on_the_seed() -> None:
    reference, estimate, groups = simulated_predictions()
    matrix = metrics.confusion_matrix(reference, estimate, n_classes=5)
    for statistic in (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1):
        intervals = [
            bootstrap.confusion_interval(
                reference, estimate, groups=groups, n_classes=5, statistic=statistic, seed=seed
            )
            for seed in (0, 0, 1)
        ]
        assert intervals[0][0] < statistic(matrix) < intervals[0][1]
        assert intervals[0] == intervals[1] != intervals[2]
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(4, 0.5), size=300)
    reference = np.minimum((probabilities.cumsum(axis=1) < generator.random((300, 1))).sum(axis=1), 3)
    low, high = bootstrap.bootstrap_interval(
        lambda rows: probability_metrics.macro_auc(reference[rows], probabilities[rows]),
        groups=np.repeat(np.arange(60), 5),
        resamples=100,
    )
    assert low < probability_metrics.macro_auc(reference, probabilities) < high


def test_more_tracks_by_the_same_artists_do_not_narrow_the_interval() -> None:
    once = simulated_predictions(tracks=100)
    repeated = [np.tile(values, 9) for values in once]
    width = {}
    for name, (reference, estimate, groups) in {"once": once, "repeated": repeated}.items():
        by_artist = bootstrap.accuracy_interval(reference, estimate, groups=groups)
        by_track = bootstrap.accuracy_interval(reference, estimate, groups=np.arange(len(groups)))
        width[name] = np.ptp(by_artist), np.ptp(by_track)
    assert width["repeated"][0] == width["once"][0]
    assert width["repeated"][1] < 0.5 * width["once"][1]


def test_difference_of_a_model_from_itself_is_0() -> None:
    reference, estimate, groups = simulated_predictions()
    for statistic in (metrics.accuracy, metrics.balanced_accuracy):
        difference = bootstrap.paired_difference(
            reference, estimate, estimate, groups=groups, n_classes=5, statistic=statistic
        )
        assert difference == (0.0, (0.0, 0.0))


def test_common_difficulty_cancels_out() -> None:
    reference, estimate, groups = simulated_predictions()
    better = estimate.copy()
    corrected = np.flatnonzero(estimate != reference)[::4]
    better[corrected] = reference[corrected]
    difference, (low, high) = bootstrap.paired_difference(reference, better, estimate, groups=groups, n_classes=5)
    assert difference == pytest.approx(len(corrected) / len(reference))
    assert 0 < low < difference < high
    assert high - low < 0.7 * np.ptp(bootstrap.accuracy_interval(reference, estimate, groups=groups))


def test_groups_of_another_length_are_refused() -> None:
    codes, groups = np.array([1, 2]), np.array([1])
    with pytest.raises(ValueError, match="groups must be of the same length"):
        bootstrap.accuracy_interval(codes, codes, groups=groups)
    with pytest.raises(ValueError, match="groups must be of the same length"):
        bootstrap.paired_difference(codes, codes, codes, groups=groups, n_classes=3)
    with pytest.raises(ValueError, match="groups must be of the same length"):
        bootstrap.bootstrap_interval(lambda rows: 0.0, groups=np.array([], dtype=np.int64))
