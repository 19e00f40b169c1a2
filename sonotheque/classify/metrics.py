"""Metrics of genre classification, as pure functions of answers; `sonotheque.classify.curves` has those of probabilities.

Conventions
-----------
A reference is a sequence of true labels, an estimate one of predicted labels, of the same length N >= 1, as integers
that index `labels`. A confusion matrix has a row for each true and a column for each predicted label. A genre that
never occurs in the reference has no recall: it does not count in a mean over genres.

Intervals
---------
Tracks of one artist stand and fall together, so artists are drawn, not tracks. A resample is as many groups as there
are, drawn with replacement, each with all of its tracks; an interval lies between two quantiles of the resamples'
figures (percentile bootstrap over clusters: Davison & Hinkley 1997, section 3.8). With equal groups, resamples and
seed every function here draws the same artists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Statistic = Callable[[Matrix], float]

BLOCK = 1 << 20
"""Draws of a group that are held at a time."""


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


def interval(
    statistic: Callable[[Codes], float], *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of any figure, with whole groups drawn.

    Parameters
    ----------
    statistic : callable
        Takes rows, an int array of any length in which a row may stand more than once; returns the figure of those tracks.
    groups : int array [N], N >= 1
        The artist of each track.
    level : float
        Share of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float
        NaN if the figure of any resample is NaN.

    See Also
    --------
    accuracy_interval, confusion_interval : the same draws, far faster, for figures that a confusion matrix decides.

    Examples
    --------
    >>> seconds = np.array([180.0, 200.0, 240.0, 260.0])
    >>> interval(lambda rows: seconds[rows].mean(), groups=np.array([0, 0, 1, 1]))
    (190.0, 250.0)
    """
    members, sizes = number_groups(groups, tracks=len(groups))
    rows = np.split(np.argsort(members, kind="stable"), np.cumsum(sizes)[:-1])
    figures = [
        statistic(np.concatenate([rows[group] for group in drawn]))
        for block in _draws(len(sizes), resamples=resamples, seed=seed)
        for drawn in block
    ]
    return _between(np.array(figures), level=level)


def accuracy_interval(
    reference: Codes, estimate: Codes, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of the accuracy, with whole groups drawn.

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

    Examples
    --------
    >>> accuracy_interval(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), groups=np.array([0, 0, 1, 1]))
    (0.5, 1.0)
    """
    validate(reference, estimate)
    members, sizes = number_groups(groups, tracks=len(reference))
    right = np.bincount(members, weights=reference == estimate).astype(np.int64)
    sums = _sums(np.column_stack([right, sizes]), resamples=resamples, seed=seed)
    return _between(sums[:, 0] / sums[:, 1], level=level)


def confusion_interval(
    reference: Codes,
    estimate: Codes,
    *,
    groups: Codes,
    labels: int,
    statistic: Statistic,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Bootstrap interval of a figure that a confusion matrix decides, with whole groups drawn.

    Parameters
    ----------
    reference, estimate : int arrays [N]
    groups : int array [N]
        The artist of each track.
    labels : int
        How many there are.
    statistic : callable
        Takes a confusion matrix: `balanced_accuracy`, `macro_f1`, `accuracy` or another. A genre whose artists are not
        drawn does not occur in that resample.
    level : float
        Share of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float
        NaN if the figure of any resample is NaN.

    Examples
    --------
    >>> reference, estimate = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    >>> confusion_interval(reference, estimate, groups=np.array([0, 0, 1, 1]), labels=2, statistic=balanced_accuracy)
    (0.5, 1.0)
    """
    matrices = _confusions(reference, estimate, groups=groups, labels=labels, resamples=resamples, seed=seed)
    return _between(np.array([statistic(matrix) for matrix in matrices]), level=level)


def paired_difference(
    reference: Codes,
    estimate_a: Codes,
    estimate_b: Codes,
    *,
    groups: Codes,
    labels: int,
    statistic: Statistic = accuracy,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, tuple[float, float]]:
    """Compare two models on the same tracks: by how much a is better than b, and the bootstrap interval of that.

    Each resample judges both models on the same artists, so that what is hard for both cancels out.

    Parameters
    ----------
    reference, estimate_a, estimate_b : int arrays [N]
    groups : int array [N]
        The artist of each track.
    labels : int
        How many there are.
    statistic : callable
        Takes a confusion matrix: `accuracy`, `balanced_accuracy`, `macro_f1` or another.
    level : float
        Share of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    difference : float
        Figure of a minus figure of b, on all tracks.
    (low, high) : (float, float)

    Examples
    --------
    >>> reference, artists = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    >>> paired_difference(reference, reference, np.array([0, 1, 1, 1]), groups=artists, labels=2)
    (0.25, (0.0, 0.5))
    """
    figures = []
    for estimate in (estimate_a, estimate_b):
        matrices = _confusions(reference, estimate, groups=groups, labels=labels, resamples=resamples, seed=seed)
        whole = confusion(reference, estimate, labels=labels)
        figures.append(np.array([statistic(matrix) for matrix in (whole, *matrices)]))
    differences = figures[0] - figures[1]
    return float(differences[0]), _between(differences[1:], level=level)


def rounded(interval: tuple[float, float]) -> tuple[float, float]:
    """Round an interval to six digits, as documents have it."""
    return round(interval[0], 6), round(interval[1], 6)


def number_groups(groups: Codes, *, tracks: int) -> tuple[Codes, Codes]:
    """Return the group of each track, counted from 0, int array [N], and the groups' sizes, int array [G].

    Raises
    ------
    ValueError
        If there is no track, or another number of groups than of tracks.
    """
    if tracks == 0 or len(groups) != tracks:
        raise ValueError(f"groups must be of the same length >= 1 as the tracks, not {len(groups)} for {tracks}")
    _, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return members, sizes


def _draws(groups: int, *, resamples: int, seed: int) -> Iterator[Codes]:
    """Draw groups with replacement: in all `resamples` rows of as many numbers as there are groups, some rows at a time."""
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK // groups)
    for start in range(0, resamples, rows):
        yield generator.integers(0, groups, size=(min(rows, resamples - start), groups))


def count_draws(groups: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Count how often each group is drawn in each resample.

    Yields
    ------
    float64 array [any, groups]
        Some resamples at a time.
    """
    for drawn in _draws(groups, resamples=resamples, seed=seed):
        cells = drawn + groups * np.arange(len(drawn))[:, None]
        yield np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape).astype(np.float64)


def _sums(counts: Matrix, *, resamples: int, seed: int) -> Matrix:
    """Sum the counts [G, K] of the groups drawn in each resample, int array [resamples, K]."""
    sums = [times @ counts.astype(np.float64) for times in count_draws(len(counts), resamples=resamples, seed=seed)]
    return np.concatenate(sums).astype(np.int64)  # exact below 2**53, and BLAS has no integers


def _confusions(reference: Codes, estimate: Codes, *, groups: Codes, labels: int, resamples: int, seed: int) -> Matrix:
    """Confusion matrix of each resample, int array [resamples, labels, labels]."""
    validate(reference, estimate)
    members, sizes = number_groups(groups, tracks=len(reference))
    counts = np.zeros((len(sizes), labels, labels), dtype=np.int64)
    np.add.at(counts, (members, reference, estimate), 1)
    sums = _sums(counts.reshape(len(sizes), -1), resamples=resamples, seed=seed)
    return sums.reshape(-1, labels, labels)


def _between(figures: Floats, *, level: float) -> tuple[float, float]:
    """Quantiles that hold a share of the resamples' figures between them."""
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
