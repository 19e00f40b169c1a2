"""When to answer at all: a threshold that keeps a promised accuracy, and whether a recording is like anything labelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.classify.recordings import Recordings
from sonotheque.embed.space import kind_of

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
NEIGHBOURS = 5
MOST = 2000
"""Labelled recordings that `Familiar` keeps, drawn with a seed."""

LEAST = 100
"""Labelled recordings without which nothing is called strange: fewer do not show what is usual."""

TYPICAL = 0.99
"""Share of the labelled recordings that are familiar, judged without those of their own artist."""


@dataclass(frozen=True)
class Promise:
    """A threshold of confidence above which answers are given.

    Attributes
    ----------
    threshold : float
    coverage : float
        Share of the out-of-fold answers at or above it.
    accuracy : float
        Of those.
    lower : float
        One-sided 95 % lower bound of that accuracy.
    """

    threshold: float
    coverage: float
    accuracy: float
    lower: float


def lower_bound(right: npt.NDArray[np.bool_], *, groups: npt.NDArray[Any], level: float = LEVEL) -> float:
    """Return a one-sided lower bound of the accuracy.

    Clopper & Pearson's bound on effective counts, after Korn & Graubard (1998): tracks of one artist are right and wrong together,
    so the count N is divided by the design effect, where it is above 1 (the variance of the accuracy over artists, by the
    delete-one-artist jackknife, by that of independent tracks), and multiplied by (t_{N-1} / t_{K-1})^2, the quantiles of Student's
    t at `level`, because that effect is itself estimated. K is the effective number of artists, N^2 by the sum of the squares of
    their tracks (Kish 1965), so that one artist with many tracks does not pass for many. Where every answer is right nothing can
    be estimated, and the artists stand for the tracks: the count is K.

    Parameters
    ----------
    right : bool array [N], N >= 1
    groups : array [N]
        The artist of each.
    level : float

    Returns
    -------
    float

    Notes
    -----
    On simulated artists the bound lies above the true accuracy in 0 to 7 % of the cases, and in 9 % at worst where few artists have
    most of the tracks (``bench/promises.py``); Korn & Graubard's own, with as many degrees of freedom as artists less one and the
    linearised variance, in up to 11 %.
    """
    from scipy.stats import beta, t

    count, share = len(right), float(right.mean())
    if share == 0:
        return 0.0
    _, members, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    artists = count**2 / float((sizes**2).sum())
    effective = artists
    if share < 1 and len(sizes) > 1:
        off = (np.bincount(members, weights=right) - share * sizes) / (count - sizes)
        variance = (len(sizes) - 1) / len(sizes) * float((off**2).sum())
        effect = max(1.0, variance * count / (share * (1 - share)))
        quantiles = t.ppf(level, [count - 1, max(artists - 1, 1.0)])
        effective = count / effect * float(quantiles[0] / quantiles[1]) ** 2
    return float(beta.ppf(1 - level, share * effective, (1 - share) * effective + 1))


def promise(
    confidence: Floats, right: npt.NDArray[np.bool_], *, target: float, groups: npt.NDArray[Any], level: float = LEVEL
) -> Promise | None:
    """Find the threshold with most answers whose accuracy is at least a target, with confidence.

    Selection with guaranteed risk (Geifman & El-Yaniv 2017, algorithm 1): a bisection over the answers, ordered by confidence, in
    which each of its ceil(log2 N) bounds has its part of the error probability.

    Parameters
    ----------
    confidence : float64 array [N]
        Probability of each out-of-fold answer.
    right : bool array [N]
    target : float
    groups : array [N]
        The artist of each.
    level : float

    Returns
    -------
    Promise or None
        None where no threshold reaches the target.
    """
    order = np.sort(confidence)[::-1]
    steps = int(np.ceil(np.log2(len(order)))) if len(order) > 1 else 1
    each = 1 - (1 - level) / steps
    few, many = 0, len(order)
    best: Promise | None = None
    for _ in range(steps):
        size = -(-(few + many) // 2)
        threshold = float(order[size - 1])
        answered = confidence >= threshold
        lower = lower_bound(right[answered], groups=groups[answered], level=each)
        if lower >= target:
            few = size
            best = Promise(threshold, float(answered.mean()), float(right[answered].mean()), lower)
        else:
            many = size
    return best


@dataclass(frozen=True)
class Evidence:
    """Out-of-fold answers on grouped folds: what a promise rests on.

    Attributes
    ----------
    confidence : float64 array [N]
        Calibrated probability of each answer.
    right : bool array [N]
    groups : int array [N]
        The artist of each.
    """

    confidence: Floats
    right: npt.NDArray[np.bool_]
    groups: npt.NDArray[Any]


@dataclass(frozen=True)
class Familiar:
    """Knows what the labelled recordings are like, and how far apart they lie where they lie.

    The distance of a recording is its mean distance to the nearest labelled ones, divided by the mean radius of those: the distance
    of each to the nearest by other artists (simplified local outlier factor: Breunig et al. 2000; Schubert, Zimek & Kriegel 2014).
    So what lies by a crowd must lie nearer than what lies among the sparse: a network's answers to silence and some noise are no
    further from music than unusual music is. Columns of one space of a network have one unit and keep their proportions; columns of
    descriptors are divided by their deviations; each space has the same total variance.

    Attributes
    ----------
    spaces : list of str
        Ids of the spaces whose vectors are joined.
    center, scale : float64 arrays [D]
    vectors : float32 array [N, D]
        Less `center`, divided by `scale`.
    radii : float64 array [N]
        Mean distance of each to the nearest by other artists.
    limit : float
        Distance that a share `TYPICAL` of recordings by new artists can be expected to keep: that quantile of the labelled ones',
        judged without their own artist, at the place (N + 1) `TYPICAL` (Weibull 1939: as one recording more falls between
        any two of N with probability 1 / (N + 1)); infinite where there are too few.
    """

    spaces: list[str]
    center: Floats
    scale: Floats
    vectors: FloatArray
    radii: Floats
    limit: float

    @classmethod
    def of(cls, data: Recordings, *, groups: npt.NDArray[Any], seed: int = 0) -> Familiar:
        """Learn from labelled recordings, in all of their spaces, and their artists.

        Parameters
        ----------
        data : Recordings
            N of them.
        groups : array [N]
            The artist of each.
        seed : int
            Of the draw, where they are more than `MOST`.
        """
        X = data.joined(data.spaces).astype(np.float64)
        center, scale = X.mean(axis=0), np.concatenate([_scale(data.tracks[space], space) for space in data.spaces])
        rows = np.sort(np.random.default_rng(seed).permutation(len(X))[:MOST])
        vectors: FloatArray = ((X[rows] - center) / scale).astype(np.float32)
        distances = _distances(vectors, vectors)
        distances[groups[rows][:, None] == groups[rows]] = np.inf
        radii = np.sort(distances, axis=1)[:, :NEIGHBOURS].mean(axis=1)
        strangers = np.isfinite(radii)  # those with enough recordings by other artists
        radii[~strangers] = radii[strangers].mean() if strangers.any() else 1.0
        radii = np.maximum(radii, 1e-9)
        own = _relative(distances[strangers], radii)
        limit = float(np.quantile(own, TYPICAL, method="weibull")) if len(own) >= LEAST else np.inf
        return cls(list(data.spaces), center, scale, vectors, radii, limit)

    def distance(self, data: Recordings) -> Floats:
        """Return how far recordings lie from the labelled ones, as a multiple of what is usual there, float64 [N]."""
        X = ((data.joined(self.spaces) - self.center) / self.scale).astype(np.float32)
        return _relative(_distances(X, self.vectors), self.radii)

    def strangeness(self, data: Recordings) -> Floats:
        """Return the distance of recordings as a multiple of `limit`, float64 [N]: above 1 is strange."""
        result: Floats = self.distance(data) / self.limit
        return result


def _scale(vectors: FloatArray, space: str) -> Floats:
    """Return what the columns of a space are divided by, for a total variance of 1, float64 [D]."""
    deviations = np.maximum(vectors.astype(np.float64).std(axis=0), 1e-6)
    if kind_of(space) != "descriptors":
        deviations[:] = np.sqrt((deviations**2).mean())
    result: Floats = deviations * np.sqrt(len(deviations))
    return result


def _relative(distances: Floats, radii: Floats) -> Floats:
    """Divide the mean distance to the nearest by their mean radius, float64 [M] of [M, N]."""
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :NEIGHBOURS]
    result: Floats = np.take_along_axis(distances, nearest, axis=1).mean(axis=1) / radii[nearest].mean(axis=1)
    return result


def _distances(a: FloatArray, b: FloatArray) -> Floats:
    squares = (a.astype(np.float64) ** 2).sum(axis=1)[:, None] + (b.astype(np.float64) ** 2).sum(axis=1)
    result: Floats = np.sqrt(np.maximum(squares - 2 * a.astype(np.float64) @ b.T.astype(np.float64), 0))
    return result
