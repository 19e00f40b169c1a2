"""Metrics of genre probabilities, as pure functions. Metrics of predicted genres are in `sonotheque.classify.evaluation.metrics`.

ROC curves, precision-recall curves, their areas and the log loss are scikit-learn's. The functions here apply them to each genre
against the rest, and return NaN where a metric is not defined.

Conventions
-----------
`reference` holds N >= 1 true labels, integer-encoded as column indices of `probabilities` or `scores` [N, C]. The prediction
for a track is its most probable label, or the first of several equally probable ones; its confidence is the probability of the
prediction. Recall is not defined for a genre that never occurs in the reference, and the false positive rate is not defined for
a genre that always occurs. Undefined metrics are NaN and are left out of means over genres.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from sklearn import metrics as sklearn_metrics

from sonotheque.types import BoolArray, Codes, Float64Array


def validate(reference: Codes, scores: Float64Array) -> None:
    """Check that scores can be evaluated.

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


def log_loss(reference: Codes, probabilities: Float64Array) -> float:
    """Compute the mean of -ln p(true label), with p clipped to [eps, 1 - eps] (eps of float64).

    Examples
    --------
    >>> round(log_loss(np.array([0, 1]), np.array([[0.5, 0.5], [0.75, 0.25]])), 4)
    1.0397
    """
    validate(reference, probabilities)
    with _without_user_warnings():  # rows that do not sum to 1 exactly, because small probabilities were clipped
        return float(sklearn_metrics.log_loss(reference, probabilities, labels=range(probabilities.shape[1])))


def log_losses(reference: Codes, probabilities: Float64Array) -> Float64Array:
    """Compute -ln p(true label) of each track, float64 [N], with p clipped as in `log_loss`."""
    validate(reference, probabilities)
    eps = np.finfo(np.float64).eps
    true_label: Float64Array = probabilities[np.arange(len(reference)), reference]
    return -np.log(np.clip(true_label, eps, 1 - eps))


def roc_curve(reference: Codes, scores: Float64Array, *, label: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Compute the one-vs-rest ROC curve of a label, from the highest threshold to the lowest.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]
    label : int

    Returns
    -------
    false_positive_rate, true_positive_rate, thresholds : float64 arrays [T + 1]
        The point (0, 0) at the threshold inf, then one point for each of the T distinct scores. A rate is NaN if the label
        always or never occurs.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    >>> [values.tolist() for values in roc_curve(np.array([0, 0, 1, 1]), scores, label=1)]
    [[0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0], [inf, 0.8, 0.4, 0.1]]
    """
    validate(reference, scores)
    with _without_user_warnings():
        curve = sklearn_metrics.roc_curve(reference == label, scores[:, label], drop_intermediate=False)
    return curve[0], curve[1], curve[2]


def auc(reference: Codes, scores: Float64Array) -> Float64Array:
    """Compute the area under the one-vs-rest ROC curve of each label.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]

    Returns
    -------
    float64 array [C]
        NaN if the label always or never occurs.

    Examples
    --------
    >>> auc(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])).tolist()
    [0.875, 0.875]
    """

    def area(label: int) -> float:
        false_positive_rate, true_positive_rate, _ = roc_curve(reference, scores, label=label)
        return float(sklearn_metrics.auc(false_positive_rate, true_positive_rate))

    return _each_label(area, scores)


def macro_auc(reference: Codes, scores: Float64Array) -> float:
    """Compute the mean AUC over the labels for which it is defined. NaN if there is none."""
    areas = auc(reference, scores)
    defined = areas[~np.isnan(areas)]
    return float(defined.mean()) if len(defined) else float("nan")


def precision_recall_curve(
    reference: Codes, scores: Float64Array, *, label: int
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Compute the precision-recall curve of a label, from the lowest threshold to the highest.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]
    label : int

    Returns
    -------
    precision, recall : float64 arrays [T + 1]
        One point for each of the T distinct scores, then (1, 0). Recall is NaN if the label never occurs.
    thresholds : float64 array [T]

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    >>> precision, recall, thresholds = precision_recall_curve(np.array([0, 0, 1, 1]), scores, label=1)
    >>> precision.round(2).tolist(), recall.tolist(), thresholds.tolist()
    ([0.5, 0.67, 1.0, 1.0], [1.0, 1.0, 0.5, 0.0], [0.1, 0.4, 0.8])
    """
    validate(reference, scores)
    with _without_user_warnings():
        precision, recall, thresholds = sklearn_metrics.precision_recall_curve(reference == label, scores[:, label])
    if not (reference == label).any():
        recall = np.full_like(recall, np.nan)  # scikit-learn returns 1
    return precision, recall, thresholds


def average_precision(reference: Codes, scores: Float64Array) -> Float64Array:
    """Compute the average precision of each label: the area under the steps of its precision-recall curve.

    Linear interpolation between the points would be too optimistic (Davis & Goadrich 2006).

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]

    Returns
    -------
    float64 array [C]
        NaN if the label never occurs.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8]])
    >>> average_precision(np.array([0, 0, 1, 1]), scores).round(4).tolist()
    [0.8333, 0.8333]
    """
    validate(reference, scores)

    def area(label: int) -> float:
        positive = reference == label
        if not positive.any():
            return float("nan")
        return float(sklearn_metrics.average_precision_score(positive, scores[:, label]))

    return _each_label(area, scores)


def calibration_curve(
    reference: Codes, probabilities: Float64Array, *, bins: int = 10
) -> tuple[Float64Array, Float64Array, Codes]:
    """Compare the confidence of predictions with their accuracy in bins of confidence.

    The bins have equal width over [0, 1] and include their upper edges. Empty bins are left out (reliability diagram: Guo et
    al. 2017, section 2).

    Parameters
    ----------
    reference : int array [N]
    probabilities : float64 array [N, C]
    bins : int

    Returns
    -------
    confidence, accuracy : float64 arrays [B], B <= bins
        Means over the predictions of each bin, in order of confidence.
    count : int array [B]
        Number of predictions in each bin.

    Examples
    --------
    >>> probabilities = np.array([[0.875, 0.125], [0.125, 0.875], [0.375, 0.625], [0.375, 0.625]])
    >>> [values.tolist() for values in calibration_curve(np.array([0, 1, 1, 0]), probabilities)]
    [[0.625, 0.875], [0.5, 1.0], [2, 2]]
    """
    correct, confidence = _predictions(reference, probabilities)
    bin_index = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)
    count = np.bincount(bin_index, minlength=bins)
    filled = count > 0
    sums = [np.bincount(bin_index, weights=values, minlength=bins)[filled] for values in (confidence, correct)]
    return sums[0] / count[filled], sums[1] / count[filled], count[filled]


def expected_calibration_error(reference: Codes, probabilities: Float64Array, *, bins: int = 10) -> float:
    """Compute the mean distance between confidence and accuracy over all predictions (Guo et al. 2017, equation 3).

    Examples
    --------
    >>> probabilities = np.array([[0.875, 0.125], [0.125, 0.875], [0.375, 0.625], [0.375, 0.625]])
    >>> expected_calibration_error(np.array([0, 1, 1, 0]), probabilities)
    0.125
    """
    confidence, accuracy, count = calibration_curve(reference, probabilities, bins=bins)
    return float(np.average(np.abs(accuracy - confidence), weights=count))


def coverage_curve(reference: Codes, probabilities: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Compute the accuracy of the most confident predictions as a function of coverage.

    Predictions of equal confidence are added together (one minus the risk of Geifman & El-Yaniv 2017).

    Parameters
    ----------
    reference : int array [N]
    probabilities : float64 array [N, C]

    Returns
    -------
    coverage, accuracy : float64 arrays [T]
        One point for each of the T distinct confidences, from the highest. The last point is the accuracy at coverage 1.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.4, 0.6]])
    >>> [values.tolist() for values in coverage_curve(np.array([0, 1, 1, 0]), probabilities)]
    [[0.25, 0.5, 1.0], [1.0, 1.0, 0.75]]
    """
    correct, confidence = _predictions(reference, probabilities)
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    hits = np.cumsum(correct[order], dtype=np.int64)[last]
    return (last + 1) / len(correct), hits / (last + 1)


def _predictions(reference: Codes, probabilities: Float64Array) -> tuple[BoolArray, Float64Array]:
    """Return whether each prediction is correct, and its confidence, arrays [N]."""
    validate(reference, probabilities)
    return probabilities.argmax(axis=1) == reference, probabilities.max(axis=1)


def _each_label(metric: Callable[[int], float], scores: Float64Array) -> Float64Array:
    """Compute a metric of each label, float64 array [C]."""
    return np.array([metric(label) for label in range(scores.shape[1])], dtype=np.float64)


@contextmanager
def _without_user_warnings() -> Iterator[None]:
    """Silence scikit-learn's warnings, for example that a label always or never occurs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
