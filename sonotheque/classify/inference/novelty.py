"""Novelty detection: whether a track resembles any labelled track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.embed.space import kind_of
from sonotheque.types import Float64Array, FloatArray

N_NEIGHBOURS = 5

MAX_TRACKS = 2000
"""Labelled tracks that a `NoveltyDetector` keeps, drawn with a seed."""

MIN_TRACKS = 100
"""With fewer labelled tracks nothing is called novel: they do not show what is usual."""

INLIER_FRACTION = 0.99
"""Fraction of the labelled tracks that count as inliers, each compared without the tracks of its own artist."""


@dataclass(frozen=True)
class NoveltyDetector:
    """A local distance from the labelled tracks.

    The distance of a track is its mean distance to the nearest labelled tracks, divided by their mean radius. The radius of a
    labelled track is its mean distance to the nearest tracks by other artists (simplified local outlier factor: Breunig et al.
    2000; Schubert, Zimek & Kriegel 2014). A track in a dense region must therefore be closer than a track in a sparse region.
    This matters because a network maps silence and some noise no further from music than unusual music. The columns of a
    network's space have one unit and keep their proportions; columns of descriptors are divided by their standard deviations;
    each space has the same total variance.

    Attributes
    ----------
    spaces : list of str
        Ids of the spaces whose vectors are concatenated.
    center, scale : float64 arrays [D]
    vectors : float32 array [N, D]
        Labelled tracks, centred and scaled.
    radii : float64 array [N]
        Mean distance of each labelled track to the nearest tracks by other artists.
    threshold : float
        Distance within which a fraction `INLIER_FRACTION` of tracks by new artists is expected. It is that quantile of the labelled
        tracks' own distances, computed without their artist, at the plotting position (N + 1) `INLIER_FRACTION` (Weibull 1939: one
        more track falls between any two of N with probability 1 / (N + 1)). Infinite if there are too few tracks.
    """

    spaces: list[str]
    center: Float64Array
    scale: Float64Array
    vectors: FloatArray
    radii: Float64Array
    threshold: float

    @classmethod
    def fit(cls, data: EmbeddingSet, *, groups: npt.NDArray[Any], seed: int = 0) -> NoveltyDetector:
        """Fit a detector to labelled tracks in all of their spaces.

        Parameters
        ----------
        data : EmbeddingSet
            N tracks.
        groups : array [N]
            Artists.
        seed : int
            Selects tracks if there are more than `MAX_TRACKS`.
        """
        X = data.track_matrix(data.spaces).astype(np.float64)
        center, scale = X.mean(axis=0), np.concatenate([_scale(data.tracks[space], space) for space in data.spaces])
        rows = np.sort(np.random.default_rng(seed).permutation(len(X))[:MAX_TRACKS])
        vectors: FloatArray = ((X[rows] - center) / scale).astype(np.float32)
        distances = _distances(vectors, vectors)
        distances[groups[rows][:, None] == groups[rows]] = np.inf
        radii = np.sort(distances, axis=1)[:, :N_NEIGHBOURS].mean(axis=1)
        defined = np.isfinite(radii)  # tracks with enough neighbours by other artists
        radii[~defined] = radii[defined].mean() if defined.any() else 1.0
        radii = np.maximum(radii, 1e-9)
        own = _relative_distances(distances[defined], radii)
        enough = len(own) >= MIN_TRACKS
        threshold = float(np.quantile(own, INLIER_FRACTION, method="weibull")) if enough else np.inf
        return cls(list(data.spaces), center, scale, vectors, radii, threshold)

    def distance(self, data: EmbeddingSet) -> Float64Array:
        """Return the local distance of each track from the labelled tracks, float64 [N]."""
        X = ((data.track_matrix(self.spaces) - self.center) / self.scale).astype(np.float32)
        return _relative_distances(_distances(X, self.vectors), self.radii)

    def novelty_score(self, data: EmbeddingSet) -> Float64Array:
        """Return the distance divided by `threshold`, float64 [N]. A score above 1 means novel."""
        result: Float64Array = self.distance(data) / self.threshold
        return result


def _scale(vectors: FloatArray, space: str) -> Float64Array:
    """Return the divisors [D] that give the columns of a space a total variance of 1."""
    deviations = np.maximum(vectors.astype(np.float64).std(axis=0), 1e-6)
    if kind_of(space) != "descriptors":
        deviations[:] = np.sqrt((deviations**2).mean())
    result: Float64Array = deviations * np.sqrt(len(deviations))
    return result


def _relative_distances(distances: Float64Array, radii: Float64Array) -> Float64Array:
    """Divide the mean distance to the nearest tracks by their mean radius: [M, N] -> [M]."""
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :N_NEIGHBOURS]
    result: Float64Array = np.take_along_axis(distances, nearest, axis=1).mean(axis=1) / radii[nearest].mean(axis=1)
    return result


def _distances(a: FloatArray, b: FloatArray) -> Float64Array:
    squares = (a.astype(np.float64) ** 2).sum(axis=1)[:, None] + (b.astype(np.float64) ** 2).sum(axis=1)
    result: Float64Array = np.sqrt(np.maximum(squares - 2 * a.astype(np.float64) @ b.T.astype(np.float64), 0))
    return result
