"""The measure by which the vectors of a space are compared: cosine similarity after centring, corrected for hubs.

Conventions
-----------
A measure is fitted on the vectors of a library, ordered by content hash, and uses only the first `SAMPLE_SIZE` of them. As hashes
are random, these are a random sample, which does not depend on the order in which tracks were added. So a library with more tracks
can grow without changing its measure, unless a new track is among that sample.

The similarity of a query x and a row y is

    s(x, y) = cos(x', y') + w (r(x) - r(y)),    x' = (x - c) / d,

where c is the mean of the vectors, d the deviation of each column (1 if columns are not scaled), and r(x) the mean cosine of x' to
its k nearest vectors of the sample, without x itself. With w = 1/2 it ranks like CSLS, the cross-domain similarity local scaling of
Conneau, Lample, Ranzato, Denoyer & Jegou 2018, "Word translation without parallel data": a hub, which is near to everything, has a
large r and moves down in every list. The term r(x) does not change a list; it makes the similarity of a sound to itself 1.

For an inner-product index, a row is (y', -w r(y)) and a query is (x', 1).

With few vectors, neither their mean nor their density is known. So c and w are multiplied by n / (n + `PRIOR_SIZE`), n being the
size of the sample: one track is compared by the plain cosine, and identical vectors never become 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from sonotheque.embed.space import kind_of
from sonotheque.types import Float64Array, FloatArray

Result = TypeVar("Result")

SAMPLE_SIZE = 4_000
"""Number of vectors that a measure is fitted on."""

PRIOR_SIZE = 10
"""Number of vectors at which the mean and the correction for hubs have half of their effect."""

SAME_VECTOR = 1 - 1e-6
"""Cosine from which a vector of the sample is taken for the vector itself."""

BLOCK_SIZE = 256
"""Vectors that are transformed at a time. With larger blocks, their cosines do not fit into the cache and take twice as long."""

FEW = 16
"""Vectors up to which no BLAS is used: its threads cost a single query up to 16 ms on a busy machine, instead of 0.5 ms."""


@dataclass(frozen=True)
class MeasureSettings:
    """How vectors are compared.

    Attributes
    ----------
    center : bool
        Subtract the mean of the vectors.
    scale : bool
        Divide each column by its deviation, for columns with different units.
    hub_weight : float
        w in the formula of this module; 0 does not correct for hubs, 0.5 is CSLS.
    n_neighbors : int
        k in the formula.
    """

    center: bool = True
    scale: bool = False
    hub_weight: float = 0.5
    n_neighbors: int = 20


COSINE = MeasureSettings(center=False, scale=False, hub_weight=0.0)
"""The plain cosine."""

DEFAULT_SETTINGS: Mapping[str, MeasureSettings] = {
    "embedding": MeasureSettings(hub_weight=0.35),
    "descriptors": MeasureSettings(scale=True, hub_weight=0.5),
    "frames": MeasureSettings(hub_weight=0.35),
    "spectrogram": MeasureSettings(hub_weight=0.35),
}
"""The settings for each kind of space, chosen by measurement (docs/benchmarks/similarity.md)."""


def default_measure(space: str) -> MeasureSettings:
    """Return the settings by which the vectors of a space are compared.

    Parameters
    ----------
    space : str
        Space id.

    Examples
    --------
    >>> default_measure("descriptors-librosa-v1-h10.0@1").scale
    True
    """
    return DEFAULT_SETTINGS[kind_of(space)]


@dataclass(frozen=True, eq=False)
class SimilarityMeasure:
    """A fitted measure, made by `fit`.

    Attributes
    ----------
    settings : MeasureSettings
    center : float64 array [D]
        c in the formula of this module.
    deviation : float64 array [D]
        d in the formula.
    sample : float32 array [M, D]
        Unit vectors x' of the sample that hubs are recognised by. M is 0 if hubs are not corrected for.
    hub_weight : float
        w in the formula, for the size of this sample.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], np.float32)
    >>> measure = SimilarityMeasure.fit(vectors, settings=MeasureSettings())
    >>> queries = measure.transform_queries(vectors[:1])
    >>> measure.similarities(queries @ measure.transform_rows(vectors).T, queries=queries).round(2)
    array([[ 1.  ,  0.99, -0.19]], dtype=float32)
    """

    settings: MeasureSettings
    center: Float64Array
    deviation: Float64Array
    sample: FloatArray
    hub_weight: float

    @classmethod
    def fit(
        cls, vectors: FloatArray, *, settings: MeasureSettings, sample_size: int = SAMPLE_SIZE
    ) -> SimilarityMeasure:
        """Fit a measure.

        Parameters
        ----------
        vectors : float32 array [N, D]
            Ordered by content hash. N may be 0.
        settings : MeasureSettings
        sample_size : int
            Maximum number of vectors that are used, from the first one.

        Returns
        -------
        SimilarityMeasure
        """
        sample = vectors[:sample_size].astype(np.float64)
        trust = len(sample) / (len(sample) + PRIOR_SIZE)
        center = np.zeros(vectors.shape[1])
        deviation = np.ones(vectors.shape[1])
        if settings.center and len(sample):
            center = trust * sample.mean(axis=0)
        if settings.scale and len(sample):
            root_mean_square = np.sqrt(np.square(sample - center).mean(axis=0))
            deviation = np.where(root_mean_square > 0, root_mean_square, 1.0)
        hub_weight = trust * settings.hub_weight
        directions = _directions(sample if hub_weight else sample[:0], center, deviation)
        return cls(settings, center, deviation, directions, hub_weight)

    @property
    def dimensions(self) -> int:
        """D', the number of dimensions of transformed vectors."""
        return len(self.center) + bool(self.settings.hub_weight)

    def transform_rows(self, vectors: FloatArray) -> FloatArray:
        """Transform vectors into the rows of an inner-product index.

        Parameters
        ----------
        vectors : float32 array [N, D]

        Returns
        -------
        float32 array [N, D']
            Each row depends on its own vector only.
        """
        return self._transform(vectors, rows=True)

    def transform_queries(self, vectors: FloatArray) -> FloatArray:
        """Transform vectors into queries of an inner-product index.

        Parameters
        ----------
        vectors : float32 array [Q, D]

        Returns
        -------
        float32 array [Q, D']
            Their inner products with `transform_rows` rank rows as the measure does.
        """
        return self._transform(vectors, rows=False)

    def center_directions(self, vectors: FloatArray) -> FloatArray:
        """Return the unit vectors x' of the formula of this module, float32 [N, D], without the correction for hubs."""
        return _directions(vectors, self.center, self.deviation)

    def average_queries(self, queries: FloatArray, *, weights: Sequence[float] | None = None) -> FloatArray:
        """Average the directions of several queries.

        Parameters
        ----------
        queries : float32 array [Q, D'], Q >= 1
            As returned by `transform_queries`.
        weights : sequence of float, length Q, or None
            A negative weight leads away from a query. By default, all weights are equal.

        Returns
        -------
        float32 array [1, D']
            A single query with a positive weight is returned unchanged.
        """
        factors = np.ones(len(queries)) if weights is None else np.asarray(weights, dtype=np.float64)
        if len(queries) == 1 and factors[0] > 0:
            return queries
        size = len(self.center)
        result = np.ones((1, self.dimensions), dtype=np.float32)
        zeros, ones = np.zeros(size), np.ones(size)
        result[:, :size] = _directions(factors[None] @ queries[:, :size].astype(np.float64), zeros, ones)
        return result

    def similarities(self, inner_products: FloatArray, *, queries: FloatArray) -> FloatArray:
        """Convert inner products into similarities.

        Parameters
        ----------
        inner_products : float32 array [Q, K]
            Of each query with some rows.
        queries : float32 array [Q, D']
            As returned by `transform_queries`.

        Returns
        -------
        float32 array [Q, K]
            In [-1, 1], in the same order for each query; 1 for the same sound.
        """
        corrected = inner_products.astype(np.float64)
        if self.settings.hub_weight:
            corrected += self.hub_weight * self.local_similarity(queries[:, :-1])[:, None]
        result: FloatArray = np.clip(corrected, -1, 1).astype(np.float32)
        return result

    def local_similarity(self, directions: FloatArray) -> Float64Array:
        """Return the mean cosine of unit vectors to their nearest vectors of the sample: r in the formula of this module.

        A vector of the sample that is the same as the unit vector is left out, once.

        Parameters
        ----------
        directions : float32 array [N, D]

        Returns
        -------
        float64 array [N]
            0 if the sample has no other vector.
        """

        def average(block: slice) -> Float64Array:
            wide = directions[block].astype(np.float64)
            few = len(wide) <= FEW
            cosines = np.einsum("qd,nd->qn", wide, self._sample) if few else wide @ self._sample.T
            return _mean_of_nearest(cosines, self.settings.n_neighbors)

        return np.concatenate([np.empty(0), *_map_blocks(average, len(directions))])

    def to_arrays(self) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
        """Return what `from_arrays` needs: arrays by name, and values that JSON can hold."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "center": self.center,
            "deviation": self.deviation,
            "sample": self.sample,
        }
        return arrays, {**asdict(self.settings), "fitted_hub_weight": self.hub_weight}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], values: Mapping[str, Any]) -> SimilarityMeasure:
        """Restore a measure from the result of `to_arrays`."""
        settings = MeasureSettings(**{name: value for name, value in values.items() if name != "fitted_hub_weight"})
        return cls(
            settings,
            np.asarray(arrays["center"], dtype=np.float64),
            np.asarray(arrays["deviation"], dtype=np.float64),
            np.asarray(arrays["sample"], dtype=np.float32),
            float(values["fitted_hub_weight"]),
        )

    @cached_property
    def _sample(self) -> Float64Array:
        """The sample as float64, so that sums do not depend on how BLAS divides them."""
        return self.sample.astype(np.float64)

    def _transform(self, vectors: FloatArray, *, rows: bool) -> FloatArray:
        result = np.ones((len(vectors), self.dimensions), dtype=np.float32)
        size = len(self.center)

        def transform(block: slice) -> None:
            result[block, :size] = _directions(vectors[block], self.center, self.deviation)

        for _ in _map_blocks(transform, len(vectors)):
            pass
        if rows and self.settings.hub_weight:
            result[:, -1] = -self.hub_weight * self.local_similarity(result[:, :size])
        return result


def _map_blocks(function: Callable[[slice], Result], count: int) -> Iterator[Result]:
    """Call a function with blocks of rows, several in parallel, each in one thread. The results are in order."""
    from threadpoolctl import threadpool_limits

    from sonotheque.embed.runtime import count_cores

    blocks = [slice(start, min(start + BLOCK_SIZE, count)) for start in range(0, count, BLOCK_SIZE)]
    if len(blocks) < 2:
        yield from map(function, blocks)
        return
    with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(count_cores()) as pool:
        yield from pool.map(function, blocks)


def _directions(vectors: npt.NDArray[np.floating], center: Float64Array, deviation: Float64Array) -> FloatArray:
    """Center, scale and normalise vectors, float32 [N, D]. A vector that equals the center becomes 0."""
    centered = (vectors.astype(np.float64) - center) / deviation
    norms = np.linalg.norm(centered, axis=1, keepdims=True)
    result: FloatArray = (centered / np.where(norms > 0, norms, 1)).astype(np.float32)
    return result


def _mean_of_nearest(cosines: Float64Array, k: int) -> Float64Array:
    """Average the k largest values of each row, float64 [N]. A largest value of 1 is left out: it is the vector itself."""
    kept = min(k + 1, cosines.shape[1])
    if kept == 0:
        return np.zeros(len(cosines))
    nearest = np.sort(np.partition(cosines, cosines.shape[1] - kept, axis=1)[:, -kept:], axis=1)[:, ::-1]
    own = nearest[:, 0] >= SAME_VECTOR
    others = np.where(own[:, None], np.roll(nearest, -1, axis=1), nearest)
    counts = np.minimum(kept - own, k)
    chosen = np.arange(kept) < counts[:, None]
    result: Float64Array = (others * chosen).sum(axis=1) / np.maximum(counts, 1)
    return result
