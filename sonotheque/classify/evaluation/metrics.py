"""Metrics of predicted genres, as pure functions of a confusion matrix or of labels.

Metrics of probabilities are in `sonotheque.classify.evaluation.probability_metrics`.

Conventions
-----------
`reference` holds N >= 1 true labels and `estimate` as many predicted labels, both integer-encoded. A confusion matrix has a row for
each true and a column for each predicted label. A genre that never occurs in the reference has no recall and is left out of means
over genres. `sonotheque.classify.evaluation.bootstrap` computes confidence intervals.
"""

from __future__ import annotations

import numpy as np

from sonotheque.types import Codes, Float64Array


def validate(reference: Codes, estimate: Codes) -> None:
    """Check that two label sequences can be compared.

    Raises
    ------
    ValueError
        If they are empty or of different length.
    """
    if len(reference) == 0 or len(reference) != len(estimate):
        raise ValueError(
            f"reference and estimate must be of equal length >= 1, not {len(reference)} and {len(estimate)}"
        )


def confusion_matrix(reference: Codes, estimate: Codes, *, n_classes: int) -> Codes:
    """Count each pair of true and predicted label, int array [C, C].

    Examples
    --------
    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), n_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    validate(reference, estimate)
    matrix = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(matrix, (reference, estimate), 1)
    return matrix


def accuracy(matrix: Codes) -> float:
    """Compute the fraction of correct predictions from a confusion matrix.

    Examples
    --------
    >>> accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    return float(np.trace(matrix) / matrix.sum())


def recall(matrix: Codes) -> Float64Array:
    """Compute the recall of each label, [C]. NaN if the label never occurs."""
    with np.errstate(invalid="ignore"):
        result: Float64Array = np.diagonal(matrix) / matrix.sum(axis=1)
    return result


def precision(matrix: Codes) -> Float64Array:
    """Compute the precision of each label, [C]. 0 if the label is never predicted."""
    result: Float64Array = np.diagonal(matrix) / np.maximum(matrix.sum(axis=0), 1)
    return result


def f1(matrix: Codes) -> Float64Array:
    """Compute the F1 score of each label, [C]. NaN if the label never occurs."""
    result: Float64Array = 2 * np.diagonal(matrix) / np.maximum(matrix.sum(axis=0) + matrix.sum(axis=1), 1)
    result[matrix.sum(axis=1) == 0] = np.nan
    return result


def balanced_accuracy(matrix: Codes) -> float:
    """Compute the mean recall over the labels that occur.

    Examples
    --------
    >>> balanced_accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    return float(np.nanmean(recall(matrix)))


def macro_f1(matrix: Codes) -> float:
    """Compute the mean F1 score over the labels that occur."""
    return float(np.nanmean(f1(matrix)))
