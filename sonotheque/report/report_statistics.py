"""Statistics that the figures and the text of a report share, computed from its data.

Pure functions of `ReportData`. The metrics themselves are those of `sonotheque.classify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sonotheque.classify.evaluation import bootstrap, probability_metrics
from sonotheque.classify.evaluation.bootstrap import auc_intervals
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.classify.inference.calibration import calibration_error_range
from sonotheque.report.report_data import AggregationComparison, Misclassification, ReportData
from sonotheque.types import Codes, Float64Array

Interval = tuple[float, float]

COVERAGES = tuple(step / 10 for step in range(1, 11))
"""Fractions of the predictions, the most confident first, for which the accuracy is computed."""

HALF_COVERAGE = COVERAGES.index(0.5)

FEW_ARTISTS = 10
"""With fewer artists than this, a genre is said to have few artists."""

HARD_GENRE_MARGIN = 0.05
"""A genre is called hard if its F1 is below macro F1 by more than this."""

MAX_HARD_GENRES = 3

RISING_GAIN = 0.02
"""The learning curve is called flat if its last step adds less accuracy than this."""

CalibrationVerdict = Literal["calibrated", "overconfident", "underconfident", "uneven"]

LearningCurveVerdict = Literal["rising", "uncertain", "flat"]


@dataclass(frozen=True)
class Estimate:
    """A metric with its 95% confidence interval; the interval is None with fewer than two artists."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class GenreStatistics:
    """Statistics of a genre that was evaluated.

    Attributes
    ----------
    label : str
    n_tracks, n_artists : int
    precision, recall, f1 : Estimate
    auc : float
    auc_interval : Interval or None
    average_precision : float
    predicted_as : sequence of (label, n_predictions)
        Wrong predictions for tracks of this genre, the most frequent first.
    n_artists_always_correct, n_artists_never_correct : int
        Artists of whom all tracks, and of whom no tracks, were predicted correctly.
    n_errors : int
    max_errors_per_artist : int
    """

    label: str
    n_tracks: int
    n_artists: int
    precision: Estimate
    recall: Estimate
    f1: Estimate
    auc: float
    auc_interval: Interval | None
    average_precision: float
    predicted_as: Sequence[tuple[str, int]]
    n_artists_always_correct: int
    n_artists_never_correct: int
    n_errors: int
    max_errors_per_artist: int


@dataclass(frozen=True)
class ConfusedGenres:
    """Two genres that are confused with each other.

    Attributes
    ----------
    first, second : str
    n_errors : int
        In both directions.
    error_fraction : float
        Fraction of all errors.
    merged_accuracy : float
        Accuracy if the two genres were one.
    """

    first: str
    second: str
    n_errors: int
    error_fraction: float
    merged_accuracy: float


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions with similar probabilities.

    Attributes
    ----------
    confidence : float
        Mean probability.
    accuracy : Estimate
    count : int
    consistency_interval : Interval
        95% of the accuracies that exact probabilities would give.
    """

    confidence: float
    accuracy: Estimate
    count: int
    consistency_interval: Interval


@dataclass(frozen=True)
class ReportStatistics:
    """Statistics of a report.

    Attributes
    ----------
    n_predictions, n_errors, n_correct : int
    n_repeats : int
        Repetitions of the cross-validation.
    n_artists, n_tested_artists : int
        Artists of all labelled tracks, and of the tested tracks.
    majority_accuracy : float
        Accuracy of always predicting the most frequent genre.
    log_loss : Estimate
    genres : sequence of GenreStatistics
        Ordered by name.
    confused_genres : sequence of ConfusedGenres
        Most errors first.
    calibration_bins : sequence of CalibrationBin
    auc : Estimate
        Mean over genres.
    calibration_error : float
        Expected calibration error.
    calibration_range : Interval
        95% of the calibration errors that a perfectly calibrated model with these probabilities would have.
    mean_confidence : float
        Mean probability of the predicted genres.
    coverage : sequence of (fraction of the predictions, accuracy)
        Accuracy of the most confident predictions.
    segment_difference : (float, Interval) or None
        Accuracy of segment aggregation minus that of track aggregation.
    possible_label_issues : sequence of Misclassification
        Confident errors whose nearest tracks mostly have the predicted label.
    """

    n_predictions: int
    n_errors: int
    n_correct: int
    n_repeats: int
    n_artists: int
    n_tested_artists: int
    majority_accuracy: float
    log_loss: Estimate
    genres: Sequence[GenreStatistics]
    confused_genres: Sequence[ConfusedGenres]
    calibration_bins: Sequence[CalibrationBin]
    auc: Estimate
    calibration_error: float
    calibration_range: Interval
    mean_confidence: float
    coverage: Sequence[tuple[float, Estimate]]
    segment_difference: tuple[float, Interval] | None
    possible_label_issues: Sequence[Misclassification]


def compute_statistics(data: ReportData) -> ReportStatistics:
    """Compute the statistics of a report."""
    cv = data.cross_validation
    matrix = cv.confusion
    losses = -np.log(np.clip(cv.probabilities[np.arange(len(cv.reference)), cv.reference], 1e-15, 1))
    n_predictions, n_correct = len(cv.tested), int(np.trace(matrix))
    lows, highs = auc_intervals(cv.reference, cv.probabilities, groups=cv.groups)
    intervals = [None if np.isnan(low) else (float(low), float(high)) for low, high in zip(lows, highs, strict=True)]
    return ReportStatistics(
        n_predictions=n_predictions,
        n_errors=n_predictions - n_correct,
        n_correct=n_correct,
        n_repeats=max(1, round(n_predictions / len(np.unique(cv.tested)))),
        n_artists=len(np.unique(data.groups)),
        n_tested_artists=len(np.unique(cv.groups)),
        majority_accuracy=float(matrix.sum(axis=1).max() / matrix.sum()),
        log_loss=Estimate(
            cv.log_loss, bootstrap.bootstrap_interval(lambda rows: float(losses[rows].mean()), groups=cv.groups)
        ),
        genres=_genre_statistics(data, intervals),
        confused_genres=_confused_genres(matrix, cv.labels),
        calibration_bins=_calibration_bins(cv),
        auc=Estimate(data.evaluation.auc, intervals[-1]),
        calibration_error=probability_metrics.expected_calibration_error(cv.reference, cv.probabilities),
        calibration_range=calibration_error_range(cv.probabilities),
        mean_confidence=float(cv.probabilities.max(axis=1).mean()),
        coverage=_coverage(cv),
        segment_difference=_segment_difference(data.aggregation),
        possible_label_issues=[one for one in data.misclassifications if _is_possible_label_issue(one)],
    )


def accuracy_estimate(cv: CrossValidationResult, rows: Codes) -> Estimate:
    """Compute the accuracy of some predictions, with an interval over their artists."""
    reference, predicted, groups = cv.reference[rows], cv.predicted[rows], cv.groups[rows]
    value = float((reference == predicted).mean()) if len(rows) else 0.0
    if len(np.unique(groups)) < 2:
        return Estimate(value, None)
    return Estimate(value, bootstrap.accuracy_interval(reference, predicted, groups=groups))


def find_hard_genres(data: ReportData, statistics: ReportStatistics) -> list[GenreStatistics]:
    """Find the genres whose F1 is far below the mean, the lowest first."""
    ordered = sorted(statistics.genres, key=lambda genre: (-genre.f1.value, genre.label), reverse=True)
    threshold = data.evaluation.macro_f1 - HARD_GENRE_MARGIN
    return [genre for genre in ordered if genre.f1.value < threshold][:MAX_HARD_GENRES]


def judge_calibration(statistics: ReportStatistics, *, accuracy: float) -> CalibrationVerdict:
    """Decide from the expected calibration error alone whether the probabilities can be trusted.

    They are called calibrated if the error is not larger than that of 97.5% of the simulated models with exact probabilities
    (`ReportStatistics.calibration_range`). Everything that the report says about the probabilities follows from this verdict, so
    that no two sentences contradict each other. Only if the error is larger is the direction of the error named: too high or
    too low if at least half of it remains when all predictions are taken together, otherwise uneven.

    Parameters
    ----------
    statistics : ReportStatistics
    accuracy : float
        Fraction of the predictions that are correct.

    Returns
    -------
    ``calibrated``, ``overconfident``, ``underconfident`` or ``uneven``
    """
    if statistics.calibration_error <= statistics.calibration_range[1]:
        return "calibrated"
    gap = statistics.mean_confidence - accuracy
    if 2 * abs(gap) < statistics.calibration_error:
        return "uneven"
    return "overconfident" if gap > 0 else "underconfident"


def judge_learning_curve(data: ReportData) -> LearningCurveVerdict | None:
    """Decide from the last step of the learning curve whether more artists help; None if it has fewer than two points.

    The curve is rising if the step is larger than half the confidence interval of the last point, flat if it is smaller than
    `RISING_GAIN`, and otherwise uncertain.
    """
    points = data.evaluation.learning_curve
    if len(points) < 2:
        return None
    low, high = points[-1].accuracy_interval
    gain = points[-1].accuracy - points[-2].accuracy
    if gain < RISING_GAIN:
        return "flat"
    return "rising" if 2 * gain > high - low else "uncertain"


def roc_points(cv: CrossValidationResult, code: int) -> tuple[Float64Array, Float64Array]:
    """Compute the false and true positive rates of a genre."""
    false_positive_rate, true_positive_rate, _ = probability_metrics.roc_curve(
        cv.reference, cv.probabilities, label=code
    )
    return false_positive_rate, true_positive_rate


def precision_recall_points(cv: CrossValidationResult, code: int) -> tuple[Float64Array, Float64Array]:
    """Compute the recall and precision of a genre, from the highest probability to the lowest."""
    precision, recall, _ = probability_metrics.precision_recall_curve(cv.reference, cv.probabilities, label=code)
    return recall[::-1], precision[::-1]


def _genre_statistics(data: ReportData, auc_intervals: Sequence[Interval | None]) -> list[GenreStatistics]:
    cv = data.cross_validation
    matrix = cv.confusion
    aucs, average_precisions = cv.auc, probability_metrics.average_precision(cv.reference, cv.probabilities)
    result = []
    for genre in data.evaluation.genres:
        code = cv.labels.index(genre.label)
        rows = np.flatnonzero(cv.reference == code)
        counts = [(label, int(count)) for label, count in zip(cv.labels, matrix[code], strict=True)]
        wrong = [(label, count) for label, count in counts if label != genre.label and count]
        correct = cv.predicted[rows] == code
        by_artist = [correct[cv.groups[rows] == artist] for artist in np.unique(cv.groups[rows])]
        result.append(
            GenreStatistics(
                label=genre.label,
                n_tracks=genre.tracks,
                n_artists=genre.artists,
                precision=accuracy_estimate(cv, np.flatnonzero(cv.predicted == code)),
                recall=accuracy_estimate(cv, rows),
                f1=_f1_estimate(cv, code),
                auc=float(aucs[code]),
                auc_interval=auc_intervals[code] if len(by_artist) > 1 else None,
                average_precision=float(average_precisions[code]),
                predicted_as=sorted(wrong, key=lambda pair: (-pair[1], pair[0])),
                n_artists_always_correct=sum(bool(tracks.all()) for tracks in by_artist),
                n_artists_never_correct=sum(not tracks.any() for tracks in by_artist),
                n_errors=int((~correct).sum()),
                max_errors_per_artist=max(int((~tracks).sum()) for tracks in by_artist),
            )
        )
    return result


def _f1_estimate(cv: CrossValidationResult, code: int) -> Estimate:
    """Compute the F1 of a genre from the predictions that concern it: of its tracks, and of this genre."""
    rows = np.flatnonzero((cv.reference == code) | (cv.predicted == code))

    def f1(matrix: Codes) -> float:
        return float(2 * matrix[code, code] / (matrix[code].sum() + matrix[:, code].sum()))

    value = f1(cv.confusion)
    if len(np.unique(cv.groups[rows])) < 2:
        return Estimate(value, None)
    interval = bootstrap.confusion_interval(
        cv.reference[rows],
        cv.predicted[rows],
        groups=cv.groups[rows],
        n_classes=len(cv.labels),
        statistic=f1,
    )
    return Estimate(value, interval)


def _confused_genres(matrix: Codes, labels: Sequence[str]) -> list[ConfusedGenres]:
    n_correct, n_predictions = int(np.trace(matrix)), int(matrix.sum())
    pairs = []
    for first in range(len(labels)):
        for second in range(first + 1, len(labels)):
            n_errors = int(matrix[first, second] + matrix[second, first])
            if n_errors:
                error_fraction = n_errors / (n_predictions - n_correct)
                merged_accuracy = (n_correct + n_errors) / n_predictions
                pairs.append(ConfusedGenres(labels[first], labels[second], n_errors, error_fraction, merged_accuracy))
    return sorted(pairs, key=lambda pair: (-pair.n_errors, pair.first, pair.second))


def _calibration_bins(cv: CrossValidationResult, *, n_bins: int = 10) -> list[CalibrationBin]:
    confidences, _, counts = probability_metrics.calibration_curve(cv.reference, cv.probabilities, bins=n_bins)
    probabilities = cv.probabilities.max(axis=1)
    bins = np.searchsorted(np.linspace(0, 1, n_bins + 1)[1:-1], probabilities)
    result = []
    for number, confidence, count in zip(np.unique(bins), confidences, counts, strict=True):
        rows = np.flatnonzero(bins == number)
        accuracy, consistency = accuracy_estimate(cv, rows), _consistency_interval(probabilities[rows])
        result.append(CalibrationBin(float(confidence), accuracy, int(count), consistency))
    return result


def _consistency_interval(probabilities: Float64Array, *, n_resamples: int = 1000, seed: int = 0) -> Interval:
    """Compute 95% of the accuracies that exact probabilities would give (consistency bars: Bröcker & Smith 2007)."""
    correct = np.random.default_rng(seed).random((n_resamples, len(probabilities))) < probabilities
    low, high = np.quantile(correct.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _coverage(cv: CrossValidationResult) -> list[tuple[float, Estimate]]:
    order = np.argsort(-cv.probabilities.max(axis=1), kind="stable")
    return [(coverage, accuracy_estimate(cv, order[: max(1, round(coverage * len(order)))])) for coverage in COVERAGES]


def _segment_difference(aggregation: AggregationComparison | None) -> tuple[float, Interval] | None:
    if aggregation is None:
        return None
    track, segment = aggregation.track, aggregation.segment
    return bootstrap.paired_difference(
        track.reference, segment.predicted, track.predicted, groups=track.groups, n_classes=len(track.labels)
    )


def _is_possible_label_issue(misclassification: Misclassification) -> bool:
    nearest = misclassification.nearest
    n_agreeing = sum(one.track.label == misclassification.predicted_label for one in nearest)
    return misclassification.probability >= 0.6 and 2 * n_agreeing > len(nearest) > 0
