"""Bootstrap confidence intervals that resample artists instead of tracks.

Tracks by one artist are correlated. So each resample draws as many artists as there are, with replacement, and includes all
tracks of each drawn artist. An interval is bounded by two quantiles of the statistic over the resamples (percentile bootstrap
over clusters: Davison & Hinkley 1997, section 3.8). With the same groups, number of resamples and seed, all functions of this
module draw the same artists.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from sonotheque.classify.evaluation import metrics
from sonotheque.types import BoolArray, Codes, Float64Array, Interval

Statistic = Callable[[Codes], float]
"""A statistic of a confusion matrix."""

BLOCK_SIZE = 1 << 20
"""Number of draws in memory at a time."""


def bootstrap_interval(
    statistic: Callable[[Codes], float], *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Compute a bootstrap interval of any statistic, over whole groups.

    Parameters
    ----------
    statistic : callable
        Takes an int array of rows, of any length and with repetitions, and returns the statistic of these tracks.
    groups : int array [N], N >= 1
        The artist of each track.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float
        NaN if the statistic of any resample is NaN.

    See Also
    --------
    accuracy_interval, confusion_interval : the same draws, but much faster, for statistics of a confusion matrix.

    Examples
    --------
    >>> seconds = np.array([180.0, 200.0, 240.0, 260.0])
    >>> bootstrap_interval(lambda rows: seconds[rows].mean(), groups=np.array([0, 0, 1, 1]))
    (190.0, 250.0)
    """
    group_index, sizes = group_sizes(groups, tracks=len(groups))
    rows = np.split(np.argsort(group_index, kind="stable"), np.cumsum(sizes)[:-1])
    values = [
        statistic(np.concatenate([rows[group] for group in drawn]))
        for block in _draw_groups(len(sizes), resamples=resamples, seed=seed)
        for drawn in block
    ]
    return _percentile_interval(np.array(values), level=level)


def accuracy_interval(
    reference: Codes, estimate: Codes, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Compute a bootstrap interval of the accuracy, over whole groups.

    Parameters
    ----------
    reference, estimate : int arrays [N]
    groups : int array [N]
        The artist of each track.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float

    Examples
    --------
    >>> accuracy_interval(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), groups=np.array([0, 0, 1, 1]))
    (0.5, 1.0)
    """
    metrics.validate(reference, estimate)
    group_index, sizes = group_sizes(groups, tracks=len(reference))
    correct = np.bincount(group_index, weights=reference == estimate).astype(np.int64)
    sums = _sum_drawn_groups(np.column_stack([correct, sizes]), resamples=resamples, seed=seed)
    return _percentile_interval(sums[:, 0] / sums[:, 1], level=level)


def confusion_interval(
    reference: Codes,
    estimate: Codes,
    *,
    groups: Codes,
    n_classes: int,
    statistic: Statistic,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Compute a bootstrap interval of a statistic of the confusion matrix, over whole groups.

    Parameters
    ----------
    reference, estimate : int arrays [N]
    groups : int array [N]
        The artist of each track.
    n_classes : int
    statistic : callable
        Takes a confusion matrix, for example `balanced_accuracy`, `macro_f1` or `accuracy`. A genre whose artists are not drawn
        does not occur in that resample.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float
        NaN if the statistic of any resample is NaN.

    Examples
    --------
    >>> reference, estimate = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    >>> confusion_interval(reference, estimate, groups=np.array([0, 0, 1, 1]), n_classes=2, statistic=metrics.balanced_accuracy)
    (0.5, 1.0)
    """
    matrices = _resampled_confusion_matrices(
        reference, estimate, groups=groups, n_classes=n_classes, resamples=resamples, seed=seed
    )
    return _percentile_interval(np.array([statistic(matrix) for matrix in matrices]), level=level)


def paired_difference(
    reference: Codes,
    estimate_a: Codes,
    estimate_b: Codes,
    *,
    groups: Codes,
    n_classes: int,
    statistic: Statistic = metrics.accuracy,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, Interval]:
    """Compare two models on the same tracks by the difference of a statistic and its bootstrap interval.

    Each resample evaluates both models on the same artists, so tracks that are difficult for both cancel out.

    Parameters
    ----------
    reference, estimate_a, estimate_b : int arrays [N]
    groups : int array [N]
        The artist of each track.
    n_classes : int
    statistic : callable
        Takes a confusion matrix, for example `accuracy`, `balanced_accuracy` or `macro_f1`.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    difference : float
        Statistic of a minus statistic of b, on all tracks.
    (low, high) : (float, float)
        Interval of the difference.

    Examples
    --------
    >>> reference, artists = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    >>> paired_difference(reference, reference, np.array([0, 1, 1, 1]), groups=artists, n_classes=2)
    (0.25, (0.0, 0.5))
    """
    values = []
    for estimate in (estimate_a, estimate_b):
        matrices = _resampled_confusion_matrices(
            reference, estimate, groups=groups, n_classes=n_classes, resamples=resamples, seed=seed
        )
        whole_sample = metrics.confusion_matrix(reference, estimate, n_classes=n_classes)
        values.append(np.array([statistic(matrix) for matrix in (whole_sample, *matrices)]))
    differences = values[0] - values[1]
    return float(differences[0]), _percentile_interval(differences[1:], level=level)


def round_interval(interval: Interval) -> Interval:
    """Round an interval to six decimals, as in the results."""
    return round(interval[0], 6), round(interval[1], 6)


def group_sizes(groups: Codes, *, tracks: int) -> tuple[Codes, Codes]:
    """Encode the groups as integers from 0, and count their tracks.

    Returns
    -------
    group_index : int array [N]
        Number of the group of each track.
    sizes : int array [G]
        Number of tracks of each group.

    Raises
    ------
    ValueError
        If there is no track, or if `groups` does not have one value for each track.
    """
    if tracks == 0 or len(groups) != tracks:
        raise ValueError(f"groups must be of the same length >= 1 as the tracks, not {len(groups)} for {tracks}")
    _, group_index, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return group_index, sizes


def _draw_groups(groups: int, *, resamples: int, seed: int) -> Iterator[Codes]:
    """Draw groups with replacement, and yield int arrays [R, groups] of a limited size, `resamples` rows in total."""
    generator = np.random.default_rng(seed)
    rows = max(1, BLOCK_SIZE // groups)
    for start in range(0, resamples, rows):
        yield generator.integers(0, groups, size=(min(rows, resamples - start), groups))


def resample_counts(groups: int, *, resamples: int, seed: int) -> Iterator[Float64Array]:
    """Count how often each group is drawn in each resample.

    Yields
    ------
    float64 array [R, groups]
        For R of the resamples at a time.
    """
    for drawn in _draw_groups(groups, resamples=resamples, seed=seed):
        cells = drawn + groups * np.arange(len(drawn))[:, None]
        yield np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape).astype(np.float64)


def _sum_drawn_groups(values: Codes, *, resamples: int, seed: int) -> Codes:
    """Sum the values [G, K] of the groups drawn in each resample. Returns int array [resamples, K]."""
    sums = [
        counts @ values.astype(np.float64) for counts in resample_counts(len(values), resamples=resamples, seed=seed)
    ]
    return np.concatenate(sums).astype(np.int64)  # float64 is exact below 2**53, and BLAS has no integer product


def _resampled_confusion_matrices(
    reference: Codes, estimate: Codes, *, groups: Codes, n_classes: int, resamples: int, seed: int
) -> Codes:
    """Compute the confusion matrix of each resample. Returns int array [resamples, n_classes, n_classes]."""
    metrics.validate(reference, estimate)
    group_index, sizes = group_sizes(groups, tracks=len(reference))
    matrices = np.zeros((len(sizes), n_classes, n_classes), dtype=np.int64)
    np.add.at(matrices, (group_index, reference, estimate), 1)
    sums = _sum_drawn_groups(matrices.reshape(len(sizes), -1), resamples=resamples, seed=seed)
    return sums.reshape(-1, n_classes, n_classes)


def _percentile_interval(values: Float64Array, *, level: float) -> Interval:
    """Compute the central interval that contains a fraction `level` of the values."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_interval(
    values: Float64Array, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Compute bootstrap intervals of the means of columns, over whole groups, with the same draws for all columns.

    Parameters
    ----------
    values : float64 array [N, K]
        K values of each track.
    groups : int array [N]
        The artist of each track.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float64 arrays [K]

    Examples
    --------
    >>> low, high = mean_interval(np.array([[180.0], [200.0], [240.0], [260.0]]), groups=np.array([0, 0, 1, 1]))
    >>> low.tolist(), high.tolist()
    ([190.0], [250.0])
    """
    group_index, sizes = group_sizes(groups, tracks=len(values))
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, group_index, values)
    blocks = resample_counts(len(sizes), resamples=resamples, seed=seed)
    means = np.concatenate([(counts @ sums) / (counts @ sizes)[:, None] for counts in blocks])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def correlation_interval(
    x: Float64Array, y: Float64Array, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Compute bootstrap intervals of Pearson's correlation between columns, over whole groups.

    With ranks as input, they are intervals of Spearman's correlation.

    Parameters
    ----------
    x : float64 array [N, J]
    y : float64 array [N, K]
    groups : int array [N]
        The artist of each track.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float64 arrays [J, K]
        0 if a column is constant.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [1.0], [2.0]])
    >>> [bound.tolist() for bound in correlation_interval(x, -x, groups=np.array([0, 0, 1, 1]))]
    [[[-1.0]], [[-1.0]]]
    """
    group_index, sizes = group_sizes(groups, tracks=len(x))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    products = (x[:, :, None] * y[:, None, :]).reshape(len(x), -1)
    sums = np.zeros((len(sizes), 2 * x.shape[1] + 2 * y.shape[1] + products.shape[1]))
    np.add.at(sums, group_index, np.concatenate([x, y, x**2, y**2, products], axis=1))
    correlations = []
    for counts in resample_counts(len(sizes), resamples=resamples, seed=seed):
        means = (counts @ sums) / (counts @ sizes)[:, None]
        ends = np.cumsum([x.shape[1], y.shape[1], x.shape[1], y.shape[1]])
        mx, my, mxx, myy, mxy = np.split(means, ends, axis=1)
        deviations = np.sqrt(np.maximum(mxx - mx**2, 0)[:, :, None] * np.maximum(myy - my**2, 0)[:, None, :])
        covariance = mxy.reshape(deviations.shape) - mx[:, :, None] * my[:, None, :]
        correlations.append(np.where(deviations > 1e-12, covariance / np.maximum(deviations, 1e-12), 0).clip(-1, 1))
    low, high = np.quantile(np.concatenate(correlations), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def auc_intervals(
    reference: Codes, scores: Float64Array, *, groups: Codes, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Compute bootstrap intervals of the AUC of each label and of the mean AUC, over whole groups.

    If a label has no track in a resample, or has all of them, its AUC is undefined there and is left out, also of the mean.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]
    groups : int array [N]
        The artist of each track.
    level : float
        Fraction of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float64 arrays [C + 1]
        The last value belongs to the mean. NaN if the AUC is undefined in all resamples.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    >>> [bound.tolist() for bound in auc_intervals(np.array([0, 0, 1, 1]), scores, groups=np.array([0, 0, 1, 1]))]
    [[0.75, 0.75, 0.75], [0.75, 0.75, 0.75]]
    """
    group_index, sizes = group_sizes(groups, tracks=len(reference))
    rows = max(1, BLOCK_SIZE // len(reference))
    areas = []
    for block in resample_counts(len(sizes), resamples=resamples, seed=seed):
        for counts in np.split(block, range(rows, len(block), rows)):
            weights = counts[:, group_index]
            areas.append(
                np.stack([_weighted_auc(reference == label, column, weights) for label, column in enumerate(scores.T)])
            )
    by_label = np.concatenate(areas, axis=1)
    with warnings.catch_warnings():  # NumPy warns if a label is NaN in all resamples
        warnings.simplefilter("ignore", RuntimeWarning)
        values = np.concatenate([by_label, np.nanmean(by_label, axis=0, keepdims=True)])
        low, high = np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return low, high


def _weighted_auc(positive: BoolArray, scores: Float64Array, weights: Float64Array) -> Float64Array:
    """Compute the AUC of weighted tracks. Ties count one half.

    Parameters
    ----------
    positive : bool array [N]
    scores : float64 array [N]
    weights : float64 array [R, N]

    Returns
    -------
    float64 array [R]
        NaN if the positive or the negative tracks have no weight.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(scores[order]) > 0))
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    misses = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(misses, axis=1) - misses / 2
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    with np.errstate(invalid="ignore"):
        result: Float64Array = (hits * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    return result
