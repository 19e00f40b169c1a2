"""The metrics are scikit-learn's, on any arrays; intervals draw whole artists, the same ones for every figure."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from sklearn.calibration import calibration_curve

from sonotheque.classify.evaluation import bootstrap, metrics, probability_metrics
from sonotheque.types import Codes, Float64Array

LABELS = 4
PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60).map(np.array)
few = settings(max_examples=40, deadline=None)


@st.composite
def judged(draw: st.DrawFn) -> tuple[Codes, Float64Array]:
    """A reference [N] and probabilities [N, C] with many ties, zeros and ones."""
    tracks = draw(st.integers(1, 30))
    reference = draw(st.lists(st.integers(0, LABELS - 1), min_size=tracks, max_size=tracks))
    votes = st.lists(st.integers(0, 3), min_size=LABELS, max_size=LABELS).filter(any)
    weights = np.array(draw(st.lists(votes, min_size=tracks, max_size=tracks)), dtype=np.float64)
    return np.array(reference), weights / weights.sum(axis=1, keepdims=True)


def skilled(tracks: int = 400, *, artists: int = 40, skill: float = 0.6, seed: int = 0) -> tuple[Codes, ...]:
    """Reference, estimate and artists of tracks: each artist has one genre of five and a skill of their own."""
    generator = np.random.default_rng(seed)
    groups = generator.integers(0, artists, size=tracks)
    reference = generator.integers(0, 5, size=artists)[groups]
    right = generator.random(tracks) < generator.beta(5 * skill, 5 * (1 - skill), size=artists)[groups]
    return reference, np.where(right, reference, generator.integers(0, 5, size=tracks)), groups


def probable(tracks: int = 300, *, seed: int = 0) -> tuple[Codes, Float64Array]:
    """A reference drawn from the very probabilities it is judged with."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(LABELS, 0.5), size=tracks)
    reference = (probabilities.cumsum(axis=1) < generator.random((tracks, 1))).sum(axis=1)
    return np.minimum(reference, LABELS - 1), probabilities


@given(pairs=PAIRS)
@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.filterwarnings("ignore:.*y_pred contains classes not in y_true")
def test_they_are_scikit_learns(pairs: npt.NDArray[np.int64]) -> None:
    reference, estimate = pairs[:, 0], pairs[:, 1]
    matrix = metrics.confusion_matrix(reference, estimate, n_classes=5)
    occurring = np.unique(reference)
    assert np.array_equal(matrix, theirs.confusion_matrix(reference, estimate, labels=range(5)))
    assert metrics.accuracy(matrix) == pytest.approx(theirs.accuracy_score(reference, estimate))
    assert metrics.balanced_accuracy(matrix) == pytest.approx(theirs.balanced_accuracy_score(reference, estimate))
    expected = theirs.f1_score(reference, estimate, labels=occurring, average="macro", zero_division=0)
    assert metrics.macro_f1(matrix) == pytest.approx(expected)
    expected = theirs.precision_score(reference, estimate, labels=occurring, average=None, zero_division=0)
    assert metrics.precision(matrix)[occurring] == pytest.approx(expected)


@few
@given(arrays=judged())
def test_the_loss_is_scikit_learns(arrays: tuple[Codes, Float64Array]) -> None:
    expected = theirs.log_loss(*arrays, labels=range(LABELS))
    assert probability_metrics.log_loss(*arrays) == pytest.approx(expected)


@few
@given(arrays=judged())
@pytest.mark.filterwarnings("ignore:No (positive|negative) samples in y_true")
@pytest.mark.filterwarnings("ignore:No positive class found in y_true")
def test_curves_are_scikit_learns(arrays: tuple[Codes, Float64Array]) -> None:
    reference, scores = arrays
    for label in range(LABELS):
        one = reference == label, scores[:, label]
        for mine, other in zip(
            probability_metrics.roc_curve(reference, scores, label=label),
            theirs.roc_curve(*one, drop_intermediate=False),
            strict=True,
        ):
            np.testing.assert_allclose(mine, other, rtol=1e-12)
        precision, recall, thresholds = probability_metrics.precision_recall_curve(reference, scores, label=label)
        expected = theirs.precision_recall_curve(*one)
        np.testing.assert_allclose(precision, expected[0], rtol=1e-12)
        np.testing.assert_array_equal(thresholds, expected[2])
        if one[0].any():
            np.testing.assert_allclose(recall, expected[1], rtol=1e-12)
        else:
            assert np.isnan(recall).all()


@few
@given(arrays=judged())
def test_areas_are_scikit_learns(arrays: tuple[Codes, Float64Array]) -> None:
    reference, scores = arrays
    areas, averages = (
        probability_metrics.auc(reference, scores),
        probability_metrics.average_precision(reference, scores),
    )
    occurring = np.unique(reference)
    for label in range(LABELS):
        one = reference == label, scores[:, label]
        if one[0].any():
            assert averages[label] == pytest.approx(theirs.average_precision_score(*one))
        if one[0].any() and not one[0].all():
            assert areas[label] == pytest.approx(theirs.roc_auc_score(*one))
    assert np.array_equal(np.flatnonzero(~np.isnan(averages)), occurring)
    assert np.array_equal(np.flatnonzero(~np.isnan(areas)), occurring if len(occurring) > 1 else [])


def test_macro_areas_are_scikit_learns() -> None:
    reference, scores = probable()
    expected = theirs.roc_auc_score(reference, scores, multi_class="ovr", average="macro")
    assert probability_metrics.macro_auc(reference, scores) == pytest.approx(expected)
    expected = theirs.average_precision_score(reference, scores, average="macro")


def test_a_mean_over_genres_leaves_out_what_is_undefined() -> None:
    scores = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1]])
    reference = np.array([0, 1, 1])
    np.testing.assert_array_equal(probability_metrics.auc(reference, scores), [1.0, 1.0, np.nan])
    assert probability_metrics.macro_auc(reference, scores) == 1.0
    assert math.isnan(probability_metrics.macro_auc(np.zeros(3, dtype=np.int64), scores))


@few
@given(arrays=judged(), bins=st.integers(1, 12))
def test_calibration_is_scikit_learns(arrays: tuple[Codes, Float64Array], bins: int) -> None:
    reference, probabilities = arrays
    right = (probabilities.argmax(axis=1) == reference).astype(int)
    confidence, accuracy, count = probability_metrics.calibration_curve(reference, probabilities, bins=bins)
    expected = calibration_curve(right, probabilities.max(axis=1), n_bins=bins, pos_label=1)
    assert accuracy == pytest.approx(expected[0])
    assert confidence == pytest.approx(expected[1])
    assert count.sum() == len(reference)
    assert count.min() > 0


def test_the_calibration_error_weighs_bins_by_their_answers() -> None:
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    error = probability_metrics.expected_calibration_error(np.array([0, 0, 0, 1]), probabilities)
    assert error == pytest.approx((3 * 0.1 + 0.6) / 4)


def test_the_calibration_error_is_small_where_the_truth_was_drawn_so() -> None:
    reference, probabilities = probable(20_000)
    assert probability_metrics.expected_calibration_error(reference, probabilities) < 0.02
    sure = np.eye(LABELS)[probabilities.argmax(axis=1)]
    wrong = np.mean(probabilities.argmax(axis=1) != reference)
    assert probability_metrics.expected_calibration_error(reference, sure) == pytest.approx(wrong)
    assert wrong > 0.2


@few
@given(arrays=judged())
def test_coverage_answers_from_each_confidence_up(arrays: tuple[Codes, Float64Array]) -> None:
    reference, probabilities = arrays
    right, confidence = probabilities.argmax(axis=1) == reference, probabilities.max(axis=1)
    answered = [confidence >= threshold for threshold in np.unique(confidence)[::-1]]
    coverage, accuracy = probability_metrics.coverage_curve(reference, probabilities)
    assert coverage == pytest.approx([mask.mean() for mask in answered])
    assert accuracy == pytest.approx([right[mask].mean() for mask in answered])
    assert (coverage[-1], accuracy[-1]) == (1.0, pytest.approx(right.mean()))


def test_what_cannot_be_compared() -> None:
    one, two = np.array([1]), np.array([1, 2])
    with pytest.raises(ValueError, match="equal length"):
        metrics.confusion_matrix(one, two, n_classes=3)
    with pytest.raises(ValueError, match="groups must be of the same length"):
        bootstrap.accuracy_interval(two, two, groups=one)
    with pytest.raises(ValueError, match="groups must be of the same length"):
        bootstrap.paired_difference(two, two, two, groups=one, n_classes=3)
    with pytest.raises(ValueError, match="groups must be of the same length"):
        bootstrap.bootstrap_interval(lambda rows: 0.0, groups=np.array([], dtype=np.int64))
    with pytest.raises(ValueError, match=r"not \[1, 2\] for 2"):
        probability_metrics.log_loss(two, np.array([[0.5, 0.5]]))
    with pytest.raises(ValueError, match="index the 2 columns"):
        probability_metrics.coverage_curve(two, np.full((2, 2), 0.5))
    with pytest.raises(ValueError, match="finite"):
        probability_metrics.auc(one, np.array([[0.5, np.nan]]))


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Artists with an accuracy of their own: whole artists must be drawn to cover the truth."""
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    reference = np.zeros(240, dtype=np.int64)
    covered = naive = 0
    for trial in range(200):
        skill = generator.beta(1.2, 0.8, size=60)  # mean 0.6
        estimate = (generator.random(240) > skill[groups]).astype(np.int64)
        low, high = bootstrap.accuracy_interval(reference, estimate, groups=groups, resamples=500, seed=trial)
        covered += low <= 0.6 <= high
        low, high = bootstrap.accuracy_interval(reference, estimate, groups=np.arange(240), resamples=500, seed=trial)
        naive += low <= 0.6 <= high
    assert 0.90 <= covered / 200 <= 0.99
    assert naive < covered


def test_the_accuracy_interval_is_that_of_the_drawn_artists() -> None:
    reference, estimate, groups = skilled()
    sizes = np.bincount(groups)
    right = np.bincount(groups, weights=reference == estimate)
    drawn = np.random.default_rng(7).integers(0, len(sizes), size=(2000, len(sizes)))
    low, high = np.quantile(right[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [0.05, 0.95])
    assert bootstrap.accuracy_interval(reference, estimate, groups=groups, level=0.9, seed=7) == (low, high)


@pytest.mark.parametrize("statistic", [metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1])
@pytest.mark.parametrize("block", [bootstrap.BLOCK, 100, 1])
def test_every_function_draws_the_same_artists(
    statistic: bootstrap.Statistic, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, estimate, groups = skilled()
    other = skilled(skill=0.7)[1]

    def figure(rows: Codes) -> float:
        return statistic(metrics.confusion_matrix(reference[rows], estimate[rows], n_classes=5))

    def difference(rows: Codes) -> float:
        return figure(rows) - statistic(metrics.confusion_matrix(reference[rows], other[rows], n_classes=5))

    slow = bootstrap.bootstrap_interval(figure, groups=groups, resamples=100, seed=3)
    apart = bootstrap.bootstrap_interval(difference, groups=groups, resamples=100, seed=3)
    monkeypatch.setattr(bootstrap, "BLOCK", block)
    drawing: dict[str, int] = {"n_classes": 5, "resamples": 100, "seed": 3}
    fast = bootstrap.confusion_interval(reference, estimate, groups=groups, statistic=statistic, **drawing)
    assert fast == pytest.approx(slow)
    if statistic is metrics.accuracy:
        assert bootstrap.accuracy_interval(reference, estimate, groups=groups, resamples=100, seed=3) == fast
    whole, ends = bootstrap.paired_difference(reference, estimate, other, groups=groups, statistic=statistic, **drawing)
    assert whole == pytest.approx(difference(np.arange(len(groups))))
    assert ends == pytest.approx(apart)


def test_intervals_hold_the_figure_and_follow_the_seed() -> None:
    reference, estimate, groups = skilled()
    matrix = metrics.confusion_matrix(reference, estimate, n_classes=5)
    for statistic in (metrics.accuracy, metrics.balanced_accuracy, metrics.macro_f1):
        ends = [
            bootstrap.confusion_interval(
                reference, estimate, groups=groups, n_classes=5, statistic=statistic, seed=seed
            )
            for seed in (0, 0, 1)
        ]
        assert ends[0][0] < statistic(matrix) < ends[0][1]
        assert ends[0] == ends[1] != ends[2]
    reference, probabilities = probable()
    low, high = bootstrap.bootstrap_interval(
        lambda rows: probability_metrics.macro_auc(reference[rows], probabilities[rows]),
        groups=np.repeat(np.arange(60), 5),
        resamples=100,
    )
    assert low < probability_metrics.macro_auc(reference, probabilities) < high


def test_more_tracks_of_the_same_artists_do_not_narrow_an_interval() -> None:
    once = skilled(tracks=100)
    often = [np.tile(values, 9) for values in once]
    width = {}
    for name, (reference, estimate, groups) in {"once": once, "often": often}.items():
        by_artist = bootstrap.accuracy_interval(reference, estimate, groups=groups)
        by_track = bootstrap.accuracy_interval(reference, estimate, groups=np.arange(len(groups)))
        width[name] = np.ptp(by_artist), np.ptp(by_track)
    assert width["often"][0] == width["once"][0]
    assert width["often"][1] < 0.5 * width["once"][1]


def test_a_model_is_as_good_as_itself() -> None:
    reference, estimate, groups = skilled()
    for statistic in (metrics.accuracy, metrics.balanced_accuracy):
        same = bootstrap.paired_difference(
            reference, estimate, estimate, groups=groups, n_classes=5, statistic=statistic
        )
        assert same == (0.0, (0.0, 0.0))


def test_what_is_hard_for_both_models_cancels_out() -> None:
    reference, estimate, groups = skilled()
    better = estimate.copy()
    mended = np.flatnonzero(estimate != reference)[::4]
    better[mended] = reference[mended]
    difference, (low, high) = bootstrap.paired_difference(reference, better, estimate, groups=groups, n_classes=5)
    assert difference == pytest.approx(len(mended) / len(reference))
    assert 0 < low < difference < high
    assert high - low < 0.7 * np.ptp(bootstrap.accuracy_interval(reference, estimate, groups=groups))
