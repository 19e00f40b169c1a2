"""Exact nearest-neighbour search with FAISS, by a similarity measure. It suits up to about 200,000 vectors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt

from sonotheque.index.measure import COSINE, SimilarityMeasure
from sonotheque.types import FloatArray

IdArray = npt.NDArray[np.int64]

DEAD = -1
"""The id of a row whose vector has been deleted or replaced."""

QUERY_BATCH_SIZE = 16
"""Queries per FAISS call. From 20 queries on, FAISS uses BLAS, and a similarity could then depend on the other queries."""

BLOCK_SIZE = 25_000
"""Vectors per FAISS call. Blocks are searched in parallel; their size does not depend on the number of threads."""


def l2_normalize(vectors: FloatArray) -> FloatArray:
    """Scale vectors to unit L2 norm. A zero vector stays zero.

    Parameters
    ----------
    vectors : float32 array [..., D]

    Returns
    -------
    float32 array [..., D]

    Examples
    --------
    >>> l2_normalize(np.array([3.0, 4.0], np.float32))
    array([0.6, 0.8], dtype=float32)
    """
    norms = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
    result: FloatArray = (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)
    return result


class ExactIndex:
    """Index that compares a query with every vector.

    Parameters
    ----------
    ids : int64 array [N]
        Ids of the vectors.
    rows : float32 array [N, D']
        The vectors as the measure transforms them, C-contiguous. A memory-mapped array is searched without a copy.
    measure : SimilarityMeasure

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
    >>> index = ExactIndex.build(np.array([10, 11, 12]), vectors)
    >>> ids, similarities = index.search(vectors[:1], k=2)
    >>> ids.tolist(), similarities.round(3).tolist()
    ([[10, 12]], [[1.0, 0.7070000171661377]])
    """

    kind = "exact"
    recall: float | None = None

    def __init__(self, ids: IdArray, rows: FloatArray, measure: SimilarityMeasure) -> None:
        self.ids = ids
        self.rows = rows
        self.measure = measure

    @classmethod
    def build(cls, ids: IdArray, vectors: FloatArray, *, measure: SimilarityMeasure | None = None) -> ExactIndex:
        """Build an index.

        Parameters
        ----------
        ids : int64 array [N]
        vectors : float32 array [N, D]
            They need not be normalised.
        measure : SimilarityMeasure or None
            By default, the cosine.
        """
        measure = measure or SimilarityMeasure.fit(vectors, settings=COSINE)
        return cls(np.ascontiguousarray(ids, dtype=np.int64), measure.transform_rows(vectors), measure)

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.ids)

    def search(self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours of each query.

        Parameters
        ----------
        queries : float32 array [Q, D]
            Query vectors; they need not be normalised.
        k : int
            Number of neighbours.
        restrict_to : int64 array [M] or None
            Search only the vectors with these ids. Unknown ids are ignored.

        Returns
        -------
        ids : int64 array [Q, min(k, number of vectors searched)]
            Ids of the neighbours, the nearest first; ties are ordered by id.
        similarities : float32 array, same shape
            Similarities in [-1, 1].
        """
        return self.search_transformed(self.measure.transform_queries(queries), k=k, restrict_to=restrict_to)

    def search_transformed(
        self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None, farthest: bool = False
    ) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours of each query, or the farthest vectors.

        Parameters
        ----------
        queries : float32 array [Q, D']
            As returned by `SimilarityMeasure.transform_queries` or `average_queries`.
        k, restrict_to : see `search`
        farthest : bool
            Find the vectors with the smallest similarities, the smallest first.

        Returns
        -------
        ids, similarities : see `search`
        """
        if restrict_to is None:
            ids, rows = self.ids, self.rows
        else:
            selected = self.find_rows(restrict_to)
            ids, rows = self.ids[selected], self.rows[selected]
        sign = -1 if farthest else 1
        found, products = scan_rows(sign * queries, rows, k=k)
        similarities = self.measure.similarities(sign * products, queries=queries)
        return sort_by_similarity(ids[found], similarities, farthest=farthest)

    def find_rows(self, ids: IdArray) -> npt.NDArray[np.int64]:
        """Return the row numbers of the vectors with these ids, in ascending order. Unknown ids are left out."""
        order, sorted_ids = self._rows_by_id
        if not len(sorted_ids):
            return np.empty(0, np.int64)
        positions = np.minimum(np.searchsorted(sorted_ids, ids), len(sorted_ids) - 1)
        return np.unique(order[positions[sorted_ids[positions] == ids]])

    @cached_property
    def _rows_by_id(self) -> tuple[npt.NDArray[np.int64], IdArray]:
        order = np.argsort(self.ids, kind="stable")
        return order, np.asarray(self.ids)[order]


def scan_rows(queries: FloatArray, rows: FloatArray, *, k: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Find the rows of a matrix with the largest inner products. The result does not depend on the number of threads.

    Parameters
    ----------
    queries : float32 array [Q, D]
    rows : float32 array [N, D]
    k : int

    Returns
    -------
    found : int64 array [Q, min(k, N)]
        Row numbers, the largest product first.
    products : float32 array, same shape
    """
    import faiss

    k = min(k, len(rows))
    if k == 0 or not len(queries):
        return np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)

    def scan(start: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
        faiss.omp_set_num_threads(1)  # applies to this thread only
        block = rows[start : start + BLOCK_SIZE]
        size = min(k, len(block))
        products, found = np.empty((len(queries), size), np.float32), np.empty((len(queries), size), np.int64)
        for first in range(0, len(queries), QUERY_BATCH_SIZE):
            part = slice(first, first + QUERY_BATCH_SIZE)
            products[part], found[part] = faiss.knn(queries[part], block, size, metric=faiss.METRIC_INNER_PRODUCT)
        return found + start, products

    starts = range(0, len(rows), BLOCK_SIZE)
    if len(starts) == 1:
        return scan(0)
    blocks = list(_threads().map(scan, starts))
    found, products = (np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True))
    order = np.lexsort((found, -products), axis=1)[:, :k]
    return np.take_along_axis(found, order, 1), np.take_along_axis(products, order, 1)


@cache
def _threads() -> ThreadPoolExecutor:
    """Return the threads that search blocks. Starting them anew for each query would take as long as a small search."""
    from sonotheque.embed.runtime import count_cores

    return ThreadPoolExecutor(count_cores(), thread_name_prefix="index")


def sort_by_similarity(ids: IdArray, similarities: FloatArray, *, farthest: bool = False) -> tuple[IdArray, FloatArray]:
    """Sort the neighbours of each query, [Q, K]: the nearest or the farthest first, ties by id."""
    order = np.lexsort((ids, similarities if farthest else -similarities), axis=1)
    return np.take_along_axis(ids, order, 1), np.take_along_axis(similarities, order, 1)
