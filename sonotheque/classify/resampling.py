"""Intervals of many columns at once: means, correlations, AUC; whole artists are drawn, as in `sonotheque.classify.metrics`."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from sonotheque.classify.metrics import BLOCK, Codes, Floats, count_draws, number_groups

Bools = npt.NDArray[np.bool_]


def mean_interval(
    values: Floats, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Floats, Floats]:
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
    members, sizes = number_groups(groups, tracks=len(values))
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, members, values)
    drawn = count_draws(len(sizes), resamples=resamples, seed=seed)
    means = np.concatenate([(times @ sums) / (times @ sizes)[:, None] for times in drawn])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def correlation_interval(
    x: Floats, y: Floats, *, groups: Codes, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[Floats, Floats]:
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
    members, sizes = number_groups(groups, tracks=len(x))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    products = (x[:, :, None] * y[:, None, :]).reshape(len(x), -1)
    sums = np.zeros((len(sizes), 2 * x.shape[1] + 2 * y.shape[1] + products.shape[1]))
    np.add.at(sums, members, np.concatenate([x, y, x**2, y**2, products], axis=1))
    figures = []
    for times in count_draws(len(sizes), resamples=resamples, seed=seed):
        means = (times @ sums) / (times @ sizes)[:, None]
        cuts = np.cumsum([x.shape[1], y.shape[1], x.shape[1], y.shape[1]])
        mx, my, mxx, myy, mxy = np.split(means, cuts, axis=1)
        spread = np.sqrt(np.maximum(mxx - mx**2, 0)[:, :, None] * np.maximum(myy - my**2, 0)[:, None, :])
        covariance = mxy.reshape(spread.shape) - mx[:, :, None] * my[:, None, :]
        figures.append(np.where(spread > 1e-12, covariance / np.maximum(spread, 1e-12), 0).clip(-1, 1))
    low, high = np.quantile(np.concatenate(figures), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def auc_intervals(
    reference: Codes, scores: Floats, *, groups: Codes, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[Floats, Floats]:
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
    members, sizes = number_groups(groups, tracks=len(reference))
    rows = max(1, BLOCK // len(reference))
    areas = []
    for drawn in count_draws(len(sizes), resamples=resamples, seed=seed):
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


def _areas(positive: Bools, scores: Floats, weights: Floats) -> Floats:
    """AUC of weighted tracks, ties half, float64 [R] of weights [R, N]; NaN where one side weighs nothing."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(scores[order]) > 0))
    hits = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    misses = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    below = np.cumsum(misses, axis=1) - misses / 2
    pairs = hits.sum(axis=1) * misses.sum(axis=1)
    with np.errstate(invalid="ignore"):
        result: Floats = (hits * below).sum(axis=1) / np.where(pairs > 0, pairs, np.nan)
    return result
