"""Intervals of many columns at once: means and correlations, with whole artists drawn as `sonotheque.classify.metrics` does it."""

from __future__ import annotations

import numpy as np

from sonotheque.classify.metrics import Codes, Floats, count_draws, number_groups


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
