"""Metrics of genre classification, as pure functions.

Conventions
-----------
A reference is a sequence of true labels, an estimate one of predicted labels, of the same length N >= 1, as integers
that index `labels`. A confusion matrix has a row for each true and a column for each predicted label. A genre that
never occurs in the reference has no recall: it does not count in a mean over genres.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def validate(reference: Codes, estimate: Codes) -> None:
    """Check that a pair of sequences can be compared.

    Raises
    ------
    ValueError
        If they are empty or of different length.
    """
    if len(reference) == 0 or len(reference) != len(estimate):
        raise ValueError(
            f"reference and estimate must be of equal length >= 1, not {len(reference)} and {len(estimate)}"
        )


def confusion(reference: Codes, estimate: Codes, *, labels: int) -> Matrix:
    """Count each pair of true and predicted label.

    Examples
    --------
    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), labels=2).tolist()
    [[1, 1], [0, 1]]
    """
    validate(reference, estimate)
    matrix = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(matrix, (reference, estimate), 1)
    return matrix


def accuracy(matrix: Matrix) -> float:
    """Return the share of right answers.

    Examples
    --------
    >>> accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    return float(np.trace(matrix) / matrix.sum())


def recall(matrix: Matrix) -> Floats:
    """Return the share of each true label that was found; NaN where the label never occurs."""
    with np.errstate(invalid="ignore"):
        result: Floats = np.diagonal(matrix) / matrix.sum(axis=1)
    return result


def precision(matrix: Matrix) -> Floats:
    """Return the share of each predicted label that is right; 0 where the label is never predicted."""
    result: Floats = np.diagonal(matrix) / np.maximum(matrix.sum(axis=0), 1)
    return result


def f1(matrix: Matrix) -> Floats:
    """Return the harmonic mean of precision and recall of each label; NaN where the label never occurs."""
    result: Floats = 2 * np.diagonal(matrix) / np.maximum(matrix.sum(axis=0) + matrix.sum(axis=1), 1)
    result[matrix.sum(axis=1) == 0] = np.nan
    return result


def balanced_accuracy(matrix: Matrix) -> float:
    """Return the mean recall over the labels that occur.

    Examples
    --------
    >>> balanced_accuracy(np.array([[3, 1], [0, 4]]))
    0.875
    """
    return float(np.nanmean(recall(matrix)))


def macro_f1(matrix: Matrix) -> float:
    """Return the mean F1 over the labels that occur."""
    return float(np.nanmean(f1(matrix)))


def accuracy_interval(
    reference: Codes, estimate: Codes, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the accuracy, with whole groups drawn.

    Tracks of one artist stand and fall together, so artists are drawn, not tracks (percentile bootstrap over
    clusters: Davison & Hinkley 1997, section 3.8).

    Parameters
    ----------
    reference, estimate : int arrays [N]
    groups : int array [N]
        The artist of each track.
    level : float
        Share of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float
    """
    validate(reference, estimate)
    _, members = np.unique(groups, return_inverse=True)
    sizes = np.bincount(members)
    right = np.bincount(members, weights=reference == estimate)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, len(sizes), size=(resamples, len(sizes)))
    low, high = np.quantile(right[drawn].sum(axis=1) / sizes[drawn].sum(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
