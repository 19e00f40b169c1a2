"""Metrics of genre probabilities, as pure functions; `sonotheque.classify.metrics` has those of answers.

Conventions
-----------
A reference is a sequence of N >= 1 true labels, as integers that index the columns of probabilities [N, C]. The answer
to a track is its most probable label, the first where several are; its confidence is the probability of the answer.
Curves and areas see one label against the rest, and ask of the scores only their order. A genre that never occurs in
the reference has no recall, one that always occurs no false positives: what needs them is NaN, and does not count in a
mean over genres. The figures are scikit-learn's, where it defines them.

`sonotheque.classify.metrics.interval` gives any of these figures a bootstrap interval over artists.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sonotheque.classify.metrics import Codes, Floats

Bools = npt.NDArray[np.bool_]


def validate(reference: Codes, scores: Floats) -> None:
    """Check that scores can be judged.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]

    Raises
    ------
    ValueError
        If they are empty, of different length or not finite, or if a label has no column.
    """
    if scores.ndim != 2 or len(reference) == 0 or len(reference) != len(scores):
        raise ValueError(f"scores must be [N, C] for N >= 1 labels, not {list(scores.shape)} for {len(reference)}")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite")
    if reference.min() < 0 or reference.max() >= scores.shape[1]:
        raise ValueError(f"labels must index the {scores.shape[1]} columns of the scores")


def log_loss(reference: Codes, probabilities: Floats) -> float:
    """Return the mean of -ln p(true label), p clipped to [eps, 1 - eps] with the eps of float64.

    Examples
    --------
    >>> round(log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.75, 0.25]])), 4)
    1.0397
    """
    return float(log_losses(reference, probabilities).mean())


def log_losses(reference: Codes, probabilities: Floats) -> Floats:
    """Return -ln p(true label) of each track, float64 [N], p clipped as in `log_loss`."""
    validate(reference, probabilities)
    eps = np.finfo(np.float64).eps
    given: Floats = probabilities[np.arange(len(reference)), reference]
    return -np.log(np.clip(given, eps, 1 - eps))


def roc_curve(reference: Codes, scores: Floats, *, label: int) -> tuple[Floats, Floats, Floats]:
    """Trace a label's true against its false positives, from the highest threshold to the lowest.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]
    label : int

    Returns
    -------
    false_positive_rate, true_positive_rate, thresholds : float64 arrays [T + 1]
        One point for each of the T different scores, behind (0, 0) at the threshold inf. A rate is NaN where the label
        always or never occurs.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    >>> [values.tolist() for values in roc_curve(np.array([0, 0, 1, 1]), scores, label=1)]
    [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0], [inf, 0.8, 0.4, 0.1]]
    """
    validate(reference, scores)
    hits, misses, thresholds = _cumulated(reference == label, scores[:, label])
    with np.errstate(invalid="ignore"):
        rates = [np.append(0, counts) / counts[-1] for counts in (misses, hits)]
    return rates[0], rates[1], np.append(np.inf, thresholds)


def auc(reference: Codes, scores: Floats) -> Floats:
    """Return the area under the ROC curve of each label: how often a track of it scores above one of the rest.

    Ties count half (Fawcett 2006, section 7).

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]

    Returns
    -------
    float64 array [C]
        NaN where the label always or never occurs.

    Examples
    --------
    >>> auc(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])).tolist()
    [0.875, 0.875]
    """

    def area(label: int) -> float:
        false_positive_rate, true_positive_rate, _ = roc_curve(reference, scores, label=label)
        return float(np.trapezoid(true_positive_rate, false_positive_rate))

    return _each(area, scores)


def macro_auc(reference: Codes, scores: Floats) -> float:
    """Return the mean AUC over the labels that have one; NaN if none has."""
    return _mean(auc(reference, scores))


def precision_recall_curve(reference: Codes, scores: Floats, *, label: int) -> tuple[Floats, Floats, Floats]:
    """Trace a label's precision and recall, from the lowest threshold to the highest.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]
    label : int

    Returns
    -------
    precision, recall : float64 arrays [T + 1]
        One point for each of the T different scores, then (1, 0). Recall is NaN where the label never occurs.
    thresholds : float64 array [T]

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    >>> precision, recall, thresholds = precision_recall_curve(np.array([0, 0, 1, 1]), scores, label=1)
    >>> precision.round(2).tolist(), recall.tolist(), thresholds.tolist()
    ([0.5, 0.67, 1.0, 1.0], [1.0, 1.0, 0.5, 0.0], [0.1, 0.4, 0.8])
    """
    validate(reference, scores)
    hits, misses, thresholds = _cumulated(reference == label, scores[:, label])
    with np.errstate(invalid="ignore"):
        recall = np.append(0, hits) / hits[-1]
    precision = np.append(1, hits / (hits + misses))
    return precision[::-1], recall[::-1], thresholds[::-1]


def average_precision(reference: Codes, scores: Floats) -> Floats:
    """Return the area under the steps of each label's precision over recall.

    Steps, for a line between two points would flatter (Davis & Goadrich 2006).

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]

    Returns
    -------
    float64 array [C]
        NaN where the label never occurs.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    >>> average_precision(np.array([0, 0, 1, 1]), scores).round(4).tolist()
    [0.8333, 0.8333]
    """

    def area(label: int) -> float:
        precision, recall, _ = precision_recall_curve(reference, scores, label=label)
        return float(np.sum(precision[:-1] * -np.diff(recall)))

    return _each(area, scores)


def macro_average_precision(reference: Codes, scores: Floats) -> float:
    """Return the mean average precision over the labels that occur."""
    return _mean(average_precision(reference, scores))


def calibration(reference: Codes, probabilities: Floats, *, bins: int = 10) -> tuple[Floats, Floats, Codes]:
    """Hold the confidence of answers against how often they are right.

    The bins are equally wide over [0, 1] and include their upper ends; those that hold no answer are left out
    (reliability diagram: Guo et al. 2017, section 2).

    Parameters
    ----------
    reference : int array [N]
    probabilities : float64 array [N, C]
    bins : int

    Returns
    -------
    confidence, accuracy : float64 arrays [B], B <= bins
        Means over the answers of each bin, the least confident first.
    count : int array [B]
        How many these are.

    Examples
    --------
    >>> probabilities = np.array([[0.875, 0.125], [0.125, 0.875], [0.375, 0.625], [0.375, 0.625]])
    >>> [values.tolist() for values in calibration(np.array([0, 1, 1, 0]), probabilities)]
    [[0.625, 0.875], [0.5, 1.0], [2, 2]]
    """
    right, confidence = _answers(reference, probabilities)
    places = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    count = np.bincount(places, minlength=bins)
    held = count > 0
    sums = [np.bincount(places, weights=values, minlength=bins)[held] for values in (confidence, right)]
    return sums[0] / count[held], sums[1] / count[held], count[held]


def expected_calibration_error(reference: Codes, probabilities: Floats, *, bins: int = 10) -> float:
    """Return how far confidence and accuracy lie apart, in the mean over all answers (Guo et al. 2017, equation 3).

    Examples
    --------
    >>> probabilities = np.array([[0.875, 0.125], [0.125, 0.875], [0.375, 0.625], [0.375, 0.625]])
    >>> expected_calibration_error(np.array([0, 1, 1, 0]), probabilities)
    0.125
    """
    confidence, accuracy, count = calibration(reference, probabilities, bins=bins)
    return float(np.average(np.abs(accuracy - confidence), weights=count))


def coverage_curve(reference: Codes, probabilities: Floats) -> tuple[Floats, Floats]:
    """Trace the accuracy among the most confident answers, over the share of tracks that get one.

    Answers of equal confidence are given together (one minus the risk of Geifman & El-Yaniv 2017).

    Parameters
    ----------
    reference : int array [N]
    probabilities : float64 array [N, C]

    Returns
    -------
    coverage, accuracy : float64 arrays [T]
        One point for each of the T different confidences, the highest first; the last is the accuracy at coverage 1.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.4, 0.6]])
    >>> [values.tolist() for values in coverage_curve(np.array([0, 1, 1, 0]), probabilities)]
    [[0.25, 0.5, 1.0], [1.0, 1.0, 0.75]]
    """
    right, confidence = _answers(reference, probabilities)
    hits, misses, _ = _cumulated(right, confidence)
    return (hits + misses) / len(right), hits / (hits + misses)


def _answers(reference: Codes, probabilities: Floats) -> tuple[Bools, Floats]:
    """Whether each answer is right, and its confidence, arrays [N]."""
    validate(reference, probabilities)
    return probabilities.argmax(axis=1) == reference, probabilities.max(axis=1)


def _cumulated(positive: Bools, scores: Floats) -> tuple[Codes, Codes, Floats]:
    """Positives and negatives that score at least each of the T different scores, the highest first, arrays [T]."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    hits = np.cumsum(positive[order], dtype=np.int64)[last]
    return hits, last + 1 - hits, ranked[last]


def _each(figure: Callable[[int], float], scores: Floats) -> Floats:
    """Figure of each label, float64 array [C]."""
    return np.array([figure(label) for label in range(scores.shape[1])], dtype=np.float64)


def _mean(figures: Floats) -> float:
    """Mean of the figures that are defined."""
    defined = figures[~np.isnan(figures)]
    return float(defined.mean()) if len(defined) else float("nan")
