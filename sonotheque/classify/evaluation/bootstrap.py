"""Bootstrap confidence intervals in which artists, not tracks, are resampled.

Tracks by one artist are correlated. A resample therefore draws as many artists as there are, with replacement, each with all of their
tracks. An interval lies between two quantiles of the statistic over the resamples (percentile bootstrap over clusters: Davison &
Hinkley 1997, section 3.8). With equal groups, number of resamples and seed, every function here draws the same artists.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from sonotheque.classify.evaluation import metrics
from sonotheque.types import BoolArray, Codes, Float64Array, Interval

Statistic = Callable[[Codes], float]
"""A statistic of a confusion matrix."""

BLOCK = 1 << 20
"""Draws that are held in memory at a time."""


def bootstrap_interval(
    statistic: Callable[[Codes], float], *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
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
    >>> bootstrap_interval(lambda rows: seconds[rows].mean(), groups=np.array([0, 0, 1, 1]))
    (190.0, 250.0)
    """
    members, sizes = group_sizes(groups, tracks=len(groups))
    rows = np.split(np.argsort(members, kind="stable"), np.cumsum(sizes)[:-1])
    figures = [
        statistic(np.concatenate([rows[group] for group in drawn]))
        for block in _draws(len(sizes), resamples=resamples, seed=seed)
        for drawn in block
    ]
    return _between(np.array(figures), level=level)


def accuracy_interval(
    reference: Codes, estimate: Codes, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
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
    metrics.validate(reference, estimate)
    members, sizes = group_sizes(groups, tracks=len(reference))
    right = np.bincount(members, weights=reference == estimate).astype(np.int64)
    sums = _sums(np.column_stack([right, sizes]), resamples=resamples, seed=seed)
    return _between(sums[:, 0] / sums[:, 1], level=level)


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
    """Bootstrap interval of a figure that a confusion matrix decides, with whole groups drawn.

    Parameters
    ----------
    reference, estimate : int arrays [N]
    groups : int array [N]
        The artist of each track.
    n_classes : int
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
    >>> confusion_interval(reference, estimate, groups=np.array([0, 0, 1, 1]), n_classes=2, statistic=metrics.balanced_accuracy)
    (0.5, 1.0)
    """
    matrices = _confusions(reference, estimate, groups=groups, n_classes=n_classes, resamples=resamples, seed=seed)
    return _between(np.array([statistic(matrix) for matrix in matrices]), level=level)


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
    """Compare two models on the same tracks: by how much a is better than b, and the bootstrap interval of that.

    Each resample judges both models on the same artists, so that what is hard for both cancels out.

    Parameters
    ----------
    reference, estimate_a, estimate_b : int arrays [N]
    groups : int array [N]
        The artist of each track.
    n_classes : int
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
    >>> paired_difference(reference, reference, np.array([0, 1, 1, 1]), groups=artists, n_classes=2)
    (0.25, (0.0, 0.5))
    """
    figures = []
    for estimate in (estimate_a, estimate_b):
        matrices = _confusions(reference, estimate, groups=groups, n_classes=n_classes, resamples=resamples, seed=seed)
        whole = metrics.confusion_matrix(reference, estimate, n_classes=n_classes)
        figures.append(np.array([statistic(matrix) for matrix in (whole, *matrices)]))
    differences = figures[0] - figures[1]
    return float(differences[0]), _between(differences[1:], level=level)


def round_interval(interval: Interval) -> Interval:
    """Round an interval to six digits, as documents have it."""
    return round(interval[0], 6), round(interval[1], 6)


def group_sizes(groups: Codes, *, tracks: int) -> tuple[Codes, Codes]:
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


def resample_counts(groups: int, *, resamples: int, seed: int) -> Iterator[Float64Array]:
    """Count how often each group is drawn in each resample.

    Yields
    ------
    float64 array [any, groups]
        Some resamples at a time.
    """
    for drawn in _draws(groups, resamples=resamples, seed=seed):
        cells = drawn + groups * np.arange(len(drawn))[:, None]
        yield np.bincount(cells.ravel(), minlength=cells.size).reshape(cells.shape).astype(np.float64)


def _sums(counts: Codes, *, resamples: int, seed: int) -> Codes:
    """Sum the counts [G, K] of the groups drawn in each resample, int array [resamples, K]."""
    sums = [times @ counts.astype(np.float64) for times in resample_counts(len(counts), resamples=resamples, seed=seed)]
    return np.concatenate(sums).astype(np.int64)  # exact below 2**53, and BLAS has no integers


def _confusions(
    reference: Codes, estimate: Codes, *, groups: Codes, n_classes: int, resamples: int, seed: int
) -> Codes:
    """Confusion matrix of each resample, int array [resamples, n_classes, n_classes]."""
    metrics.validate(reference, estimate)
    members, sizes = group_sizes(groups, tracks=len(reference))
    counts = np.zeros((len(sizes), n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (members, reference, estimate), 1)
    sums = _sums(counts.reshape(len(sizes), -1), resamples=resamples, seed=seed)
    return sums.reshape(-1, n_classes, n_classes)


def _between(figures: Float64Array, *, level: float) -> Interval:
    """Quantiles that hold a share of the resamples' figures between them."""
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_interval(
    values: Float64Array, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Bootstrap intervals of the means of columns, with whole groups drawn; the same draws for all of them.

    Parameters
    ----------
    values : float64 array [N, K]
        K figures of each track.
    groups : int array [N]
        The artist of each track.
    level : float
        Share of the resamples inside the interval.
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
    members, sizes = group_sizes(groups, tracks=len(values))
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, members, values)
    drawn = resample_counts(len(sizes), resamples=resamples, seed=seed)
    means = np.concatenate([(times @ sums) / (times @ sizes)[:, None] for times in drawn])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def correlation_interval(
    x: Float64Array, y: Float64Array, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Bootstrap intervals of Pearson's correlation of columns, with whole groups drawn; of ranks, Spearman's.

    Parameters
    ----------
    x : float64 array [N, J]
    y : float64 array [N, K]
    groups : int array [N]
        The artist of each track.
    level : float
        Share of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float64 arrays [J, K]
        0 where a column does not change.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [1.0], [2.0]])
    >>> [bound.tolist() for bound in correlation_interval(x, -x, groups=np.array([0, 0, 1, 1]))]
    [[[-1.0]], [[-1.0]]]
    """
    members, sizes = group_sizes(groups, tracks=len(x))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    products = (x[:, :, None] * y[:, None, :]).reshape(len(x), -1)
    sums = np.zeros((len(sizes), 2 * x.shape[1] + 2 * y.shape[1] + products.shape[1]))
    np.add.at(sums, members, np.concatenate([x, y, x**2, y**2, products], axis=1))
    figures = []
    for times in resample_counts(len(sizes), resamples=resamples, seed=seed):
        means = (times @ sums) / (times @ sizes)[:, None]
        cuts = np.cumsum([x.shape[1], y.shape[1], x.shape[1], y.shape[1]])
        mx, my, mxx, myy, mxy = np.split(means, cuts, axis=1)
        spread = np.sqrt(np.maximum(mxx - mx**2, 0)[:, :, None] * np.maximum(myy - my**2, 0)[:, None, :])
        covariance = mxy.reshape(spread.shape) - mx[:, :, None] * my[:, None, :]
        figures.append(np.where(spread > 1e-12, covariance / np.maximum(spread, 1e-12), 0).clip(-1, 1))
    low, high = np.quantile(np.concatenate(figures), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def auc_intervals(
    reference: Codes, scores: Float64Array, *, groups: Codes, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[Float64Array, Float64Array]:
    """Bootstrap intervals of the area under each label's ROC curve and of their mean, with whole groups drawn.

    A resample in which a label has no track, or nothing else has one, does not count for it; the mean is over the others.

    Parameters
    ----------
    reference : int array [N]
    scores : float64 array [N, C]
    groups : int array [N]
        The artist of each track.
    level : float
        Share of the resamples inside the interval.
    resamples, seed : int

    Returns
    -------
    low, high : float64 arrays [C + 1]
        The last is the mean's. NaN where no resample counts.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    >>> [bound.tolist() for bound in auc_intervals(np.array([0, 0, 1, 1]), scores, groups=np.array([0, 0, 1, 1]))]
    [[0.75, 0.75, 0.75], [0.75, 0.75, 0.75]]
    """
    members, sizes = group_sizes(groups, tracks=len(reference))
    rows = max(1, BLOCK // len(reference))
    areas = []
    for drawn in resample_counts(len(sizes), resamples=resamples, seed=seed):
        for times in np.split(drawn, range(rows, len(drawn), rows)):
            weights = times[:, members]
            areas.append(
                np.stack([_areas(reference == label, column, weights) for label, column in enumerate(scores.T)])
            )
    each = np.concatenate(areas, axis=1)
    with warnings.catch_warnings():  # labels without a figure are NaN
        warnings.simplefilter("ignore", RuntimeWarning)
        figures = np.concatenate([each, np.nanmean(each, axis=0, keepdims=True)])
        low, high = np.nanquantile(figures, [(1 - level) / 2, (1 + level) / 2], axis=1)
    return low, high


def _areas(positive: BoolArray, scores: Float64Array, weights: Float64Array) -> Float64Array:
    """AUC of weighted tracks, ties half, float64 [R] of weights [R, N]; NaN where one side weighs nothing."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(scores[order]) > 0))
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    misses = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(misses, axis=1) - misses / 2
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    with np.errstate(invalid="ignore"):
        result: Float64Array = (hits * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    return result
