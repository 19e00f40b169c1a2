"""Numbers that both the figures and the sentences of a report rest on, derived from its findings.

Pure functions of `Findings`; the metrics themselves are `sonotheque.classify`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.classify.evaluation import bootstrap, probability_metrics
from sonotheque.classify.evaluation.bootstrap import auc_intervals
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.classify.inference.calibration import calibration_error_range
from sonotheque.report.findings import Decisions, Findings, Mistake
from sonotheque.types import Codes, Float64Array

Interval = tuple[float, float]

SHARES = tuple(step / 10 for step in range(1, 11))
"""Shares of the tracks at which the accuracy of the surest answers gets an interval."""


@dataclass(frozen=True)
class Measured:
    """A figure and its 95 % interval; None where fewer than two artists speak for it."""

    value: float
    interval: Interval | None


@dataclass(frozen=True)
class Genre:
    """What is known of a genre that was judged.

    Attributes
    ----------
    label : str
    tracks, artists : int
    precision, recall, f1 : Measured
    auc, average_precision : float
    auc_interval : Interval or None
    taken_for : sequence of (genre, answers)
        Wrong answers to its tracks, the most frequent first.
    always, never : int
        Artists of whom every track, and no track, was recognised.
    errors : int
    worst : int
        Most errors that fall on one artist.
    """

    label: str
    tracks: int
    artists: int
    precision: Measured
    recall: Measured
    f1: Measured
    auc: float
    auc_interval: Interval | None
    average_precision: float
    taken_for: Sequence[tuple[str, int]]
    always: int
    never: int
    errors: int
    worst: int


@dataclass(frozen=True)
class Pair:
    """Two genres that are taken for each other: how often, as a share of all errors, and the accuracy if they were one."""

    first: str
    second: str
    errors: int
    share: float
    merged: float


@dataclass(frozen=True)
class Bin:
    """Answers of similar confidence, how often they are right, and between what shares they would be if probabilities were kept."""

    confidence: float
    accuracy: Measured
    count: int
    kept: Interval


@dataclass(frozen=True)
class Evidence:
    """All of it.

    Attributes
    ----------
    answers, errors, right : int
    repeats : int
    artists, tested : int
        Of all labelled tracks, and of those that were tested.
    majority : float
        Accuracy of the constant answer that is best.
    log_loss : Measured
    genres : sequence of Genre
        In the order of their names.
    pairs : sequence of Pair
        The most errors first.
    bins : sequence of Bin
    auc : Measured
        Mean over the genres.
    calibration_error : float
    calibration_range : Interval
        In which it lies for a perfectly calibrated model with these probabilities, in 95 % of the cases.
    confidence : float
        Its mean over all answers.
    covered : sequence of (share of the tracks, Measured)
        Accuracy of the surest answers.
    difference : (float, Interval) or None
        In accuracy, of segments over whole tracks.
    doubtful : sequence of Mistake
        Confident errors whose neighbours mostly bear the label that was answered.
    """

    answers: int
    errors: int
    right: int
    repeats: int
    artists: int
    tested: int
    majority: float
    log_loss: Measured
    genres: Sequence[Genre]
    pairs: Sequence[Pair]
    bins: Sequence[Bin]
    auc: Measured
    calibration_error: float
    calibration_range: Interval
    confidence: float
    covered: Sequence[tuple[float, Measured]]
    difference: tuple[float, Interval] | None
    doubtful: Sequence[Mistake]


def weigh(findings: Findings) -> Evidence:
    """Derive the numbers."""
    judged = findings.evaluation
    matrix = judged.confusion
    losses = -np.log(np.clip(judged.probabilities[np.arange(len(judged.reference)), judged.reference], 1e-15, 1))
    confidence = judged.probabilities.max(axis=1)
    right = int(np.trace(matrix))
    lows, highs = auc_intervals(judged.reference, judged.probabilities, groups=judged.groups)
    areas = [None if np.isnan(low) else (float(low), float(high)) for low, high in zip(lows, highs, strict=True)]
    return Evidence(
        answers=len(judged.tested),
        errors=len(judged.tested) - right,
        right=right,
        repeats=max(1, round(len(judged.tested) / len(np.unique(judged.tested)))),
        artists=len(np.unique(findings.groups)),
        tested=len(np.unique(judged.groups)),
        majority=float(matrix.sum(axis=1).max() / matrix.sum()),
        log_loss=Measured(
            judged.log_loss, bootstrap.bootstrap_interval(lambda rows: float(losses[rows].mean()), groups=judged.groups)
        ),
        genres=_genres(findings, areas),
        pairs=_pairs(matrix, judged.labels),
        bins=_bins(judged),
        auc=Measured(findings.evaluated.auc, areas[-1]),
        calibration_error=probability_metrics.expected_calibration_error(judged.reference, judged.probabilities),
        calibration_range=calibration_error_range(judged.probabilities),
        confidence=float(confidence.mean()),
        covered=_covered(judged),
        difference=_difference(findings.decisions),
        doubtful=[mistake for mistake in findings.mistakes if _looks_mislabelled(mistake)],
    )


def share_right(judged: CrossValidationResult, rows: Codes) -> Measured:
    """Accuracy of some answers, with an interval over their artists."""
    reference, predicted, groups = judged.reference[rows], judged.predicted[rows], judged.groups[rows]
    value = float((reference == predicted).mean()) if len(rows) else 0.0
    if len(np.unique(groups)) < 2:
        return Measured(value, None)
    return Measured(value, bootstrap.accuracy_interval(reference, predicted, groups=groups))


def _genres(findings: Findings, intervals: Sequence[Interval | None]) -> list[Genre]:
    judged = findings.evaluation
    matrix = judged.confusion
    areas, precisions = judged.auc, probability_metrics.average_precision(judged.reference, judged.probabilities)
    result = []
    for figures in findings.evaluated.genres:
        code = judged.labels.index(figures.label)
        mine = np.flatnonzero(judged.reference == code)
        row = [(label, int(count)) for label, count in zip(judged.labels, matrix[code], strict=True)]
        wrong = [(label, count) for label, count in row if label != figures.label and count]
        found = judged.predicted[mine] == code
        artists = [found[judged.groups[mine] == artist] for artist in np.unique(judged.groups[mine])]
        result.append(
            Genre(
                label=figures.label,
                tracks=figures.tracks,
                artists=figures.artists,
                precision=share_right(judged, np.flatnonzero(judged.predicted == code)),
                recall=share_right(judged, mine),
                f1=_f1(judged, code),
                auc=float(areas[code]),
                auc_interval=intervals[code] if len(artists) > 1 else None,
                average_precision=float(precisions[code]),
                taken_for=sorted(wrong, key=lambda pair: (-pair[1], pair[0])),
                always=sum(bool(tracks.all()) for tracks in artists),
                never=sum(not tracks.any() for tracks in artists),
                errors=int((~found).sum()),
                worst=max(int((~tracks).sum()) for tracks in artists),
            )
        )
    return result


def _f1(judged: CrossValidationResult, code: int) -> Measured:
    """F1 of a genre, over the answers that concern it: those by it and those for it."""
    rows = np.flatnonzero((judged.reference == code) | (judged.predicted == code))

    def figure(matrix: Codes) -> float:
        return float(2 * matrix[code, code] / (matrix[code].sum() + matrix[:, code].sum()))

    value = figure(judged.confusion)
    if len(np.unique(judged.groups[rows])) < 2:
        return Measured(value, None)
    between = bootstrap.confusion_interval(
        judged.reference[rows],
        judged.predicted[rows],
        groups=judged.groups[rows],
        n_classes=len(judged.labels),
        statistic=figure,
    )
    return Measured(value, between)


def _pairs(matrix: Codes, labels: Sequence[str]) -> list[Pair]:
    right, total = int(np.trace(matrix)), int(matrix.sum())
    result = []
    for first in range(len(labels)):
        for second in range(first + 1, len(labels)):
            errors = int(matrix[first, second] + matrix[second, first])
            if errors:
                share, merged = errors / (total - right), (right + errors) / total
                result.append(Pair(labels[first], labels[second], errors, share, merged))
    return sorted(result, key=lambda pair: (-pair.errors, pair.first, pair.second))


def _bins(judged: CrossValidationResult, *, bins: int = 10) -> list[Bin]:
    confidences, _, counts = probability_metrics.calibration_curve(judged.reference, judged.probabilities, bins=bins)
    chances = judged.probabilities.max(axis=1)
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], chances)
    result = []
    for place, confidence, count in zip(np.unique(places), confidences, counts, strict=True):
        rows = np.flatnonzero(places == place)
        result.append(Bin(float(confidence), share_right(judged, rows), int(count), _consistent(chances[rows])))
    return result


def _consistent(chances: Float64Array, *, resamples: int = 1000, seed: int = 0) -> Interval:
    """Range of the share that is right where each is so with its own chance (consistency bars: Bröcker & Smith 2007)."""
    drawn = np.random.default_rng(seed).random((resamples, len(chances))) < chances
    low, high = np.quantile(drawn.mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _covered(judged: CrossValidationResult) -> list[tuple[float, Measured]]:
    order = np.argsort(-judged.probabilities.max(axis=1), kind="stable")
    return [(share, share_right(judged, order[: max(1, round(share * len(order)))])) for share in SHARES]


def _difference(decisions: Decisions | None) -> tuple[float, Interval] | None:
    if decisions is None:
        return None
    whole, parts = decisions.whole, decisions.parts
    return bootstrap.paired_difference(
        whole.reference, parts.predicted, whole.predicted, groups=whole.groups, n_classes=len(whole.labels)
    )


def _looks_mislabelled(mistake: Mistake) -> bool:
    agree = sum(near.track.label == mistake.answer for near in mistake.near)
    return mistake.probability >= 0.6 and 2 * agree > len(mistake.near) > 0


def roc(judged: CrossValidationResult, code: int) -> tuple[Float64Array, Float64Array]:
    """Trace false and true positive rates of a genre."""
    false, true, _ = probability_metrics.roc_curve(judged.reference, judged.probabilities, label=code)
    return false, true


def precision_recall(judged: CrossValidationResult, code: int) -> tuple[Float64Array, Float64Array]:
    """Trace recall and precision of a genre, from the surest answers on."""
    precision, recall, _ = probability_metrics.precision_recall_curve(
        judged.reference, judged.probabilities, label=code
    )
    return recall[::-1], precision[::-1]
