"""Exact nearest neighbours by cosine, with FAISS.

Right up to about 200,000 vectors. Another kind of index would offer the same two methods.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.types import FloatArray

IdArray = npt.NDArray[np.int64]

QUERIES = 16
"""Queries searched at once: below FAISS's switch to BLAS at 20, so that a similarity never depends on the other queries."""


def unit(vectors: FloatArray) -> FloatArray:
    """Scale vectors to length 1; a zero vector stays zero.

    Parameters
    ----------
    vectors : float32 array [..., D]

    Returns
    -------
    float32 array [..., D]

    Examples
    --------
    >>> unit(np.array([3.0, 4.0], np.float32))
    array([0.6, 0.8], dtype=float32)
    """
    length = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
    result: FloatArray = (vectors / np.where(length > 0, length, 1)).astype(np.float32)
    return result


class ExactIndex:
    """All vectors of one space, compared one by one.

    Parameters
    ----------
    index : faiss.IndexIDMap2
        As `build` makes it.

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
        """Index vectors [N, D] of any length under ids [N]."""
        import faiss

        index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(unit(vectors), np.ascontiguousarray(ids, dtype=np.int64))
        return cls(index)

    def __len__(self) -> int:
        """Count the vectors."""
        return int(self.faiss_index.ntotal)

    def search(self, queries: FloatArray, *, k: int, among: IdArray | None = None) -> tuple[IdArray, FloatArray]:
        """Find the nearest vectors of each query.

        Parameters
        ----------
        queries : float32 array [Q, D], any length
        k : int
            Wanted neighbours; fewer come back where there are fewer.
        among : int64 array [M] or None
            Search only these ids.

        Returns
        -------
        ids : int64 array [Q, min(k, available)]
            Nearest first; of equal ones the smaller id first.
        similarities : float32 array, same shape
            Cosine, in [-1, 1].
        """
        import faiss

        available = len(self) if among is None else len(among)
        k = min(k, available)
        if k == 0:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        parameters: Any = None
        if among is not None:
            selector: Any = faiss.IDSelectorBatch(np.ascontiguousarray(among, dtype=np.int64))
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        similarities, ids = np.empty((len(queries), k), np.float32), np.empty((len(queries), k), np.int64)
        wanted = unit(queries)
        for start in range(0, len(queries), QUERIES):
            part = slice(start, start + QUERIES)
            similarities[part], ids[part] = self.faiss_index.search(wanted[part], k, params=parameters)
        order = np.lexsort((ids, -similarities), axis=1)
        return np.take_along_axis(ids, order, 1), np.clip(np.take_along_axis(similarities, order, 1), -1, 1)
