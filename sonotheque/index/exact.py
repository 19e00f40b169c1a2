"""Exact nearest-neighbour search by cosine similarity, with FAISS.

It is suitable for up to about 200,000 vectors. Another kind of index would provide the same methods, `build` and `search`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.types import FloatArray

IdArray = npt.NDArray[np.int64]

QUERY_BATCH_SIZE = 16
"""Queries per FAISS call. From 20 queries on, FAISS uses BLAS, and a similarity could then depend on the other queries."""


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
    index : faiss.IndexIDMap2
        A FAISS index as created by `build`.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
    >>> index = ExactIndex.build(np.array([10, 11, 12]), vectors)
    >>> ids, similarities = index.search(vectors[:1], k=2)
    >>> ids.tolist(), similarities.round(3).tolist()
    ([[10, 12]], [[1.0, 0.7070000171661377]])
    """

    def __init__(self, index: Any) -> None:
        self.faiss_index = index

    @classmethod
    def build(cls, ids: IdArray, vectors: FloatArray) -> ExactIndex:
        """Build an index of vectors, float32 [N, D], with ids, int64 [N]. The vectors need not be normalised."""
        import faiss

        index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(l2_normalize(vectors), np.ascontiguousarray(ids, dtype=np.int64))
        return cls(index)

    def __len__(self) -> int:
        """Return the number of vectors."""
        return int(self.faiss_index.ntotal)

    def search(self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours of each query.

        Parameters
        ----------
        queries : float32 array [Q, D]
            Query vectors; they need not be normalised.
        k : int
            Number of neighbours.
        restrict_to : int64 array [M] or None
            Search only the vectors with these ids.

        Returns
        -------
        ids : int64 array [Q, min(k, number of vectors searched)]
            Ids of the neighbours, the nearest first; ties are ordered by id.
        similarities : float32 array, same shape
            Cosine similarities in [-1, 1].
        """
        import faiss

        available = len(self) if restrict_to is None else len(restrict_to)
        k = min(k, available)
        if k == 0:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        parameters: Any = None
        if restrict_to is not None:
            selector: Any = faiss.IDSelectorBatch(np.ascontiguousarray(restrict_to, dtype=np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        similarities, ids = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        normalized_queries = l2_normalize(queries)
        for start in range(0, len(queries), QUERY_BATCH_SIZE):
            part = slice(start, start + QUERY_BATCH_SIZE)
            similarities[part], ids[part] = self.faiss_index.search(normalized_queries[part], k, params=parameters)
        order = np.lexsort((ids, -similarities), axis=1)
        return np.take_along_axis(ids, order, 1), np.clip(np.take_along_axis(similarities, order, 1), -1, 1)
