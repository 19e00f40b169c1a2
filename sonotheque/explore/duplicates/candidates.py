"""Propose pairs of tracks that may be one recording: nearest neighbours in a space. Fingerprints decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np

from sonotheque.embed import musicnn
from sonotheque.index import build_knn_graph, l2_normalize
from sonotheque.types import BoolArray, Float64Array, FloatArray, IdArray, Rows

NEAR_DUPLICATE_SIMILARITY = 0.985
"""Minimum cosine similarity of near-duplicates (docs/benchmarks/label-issues.md)."""

N_NEIGHBOURS = 20
"""Number of nearest tracks that are proposed for each track."""

MIN_SIMILARITY = 0.6
"""Minimum cosine similarity of a proposed pair (docs/benchmarks/duplicates.md)."""

MAX_LENGTH_DIFFERENCE, MAX_RELATIVE_DIFFERENCE = 15.0, 0.25
"""Maximum difference in length of two files of one recording, in s and relative to the longer one."""

MAX_EXACT = 200_000
"""Maximum number of vectors that are compared exactly, as matrix products. With more, the index of the space is searched."""

BLOCK_SIZE = 1024
"""Tracks that are searched at once in the index."""


def near_duplicate_similarity(space: str) -> float:
    """Return the minimum cosine similarity of near-duplicates in a space.

    It was measured for musicnn. In other spaces, different recordings may be as similar; there, it is infinite.
    """
    return NEAR_DUPLICATE_SIMILARITY if space == musicnn.SPACE.id else float("inf")


class VectorIndex(Protocol):
    """What is needed of an index, such as `sonotheque.index.ExactIndex`."""

    def search(self, queries: FloatArray, *, k: int) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours of each query: ids [Q, k] and similarities [Q, k]. Missing ids are -1."""


def have_similar_lengths(first: Float64Array, second: Float64Array) -> BoolArray:
    """Return whether recordings with these lengths in s may be one recording, bool array of the same shape.

    Examples
    --------
    >>> have_similar_lengths(np.array([200.0, 200.0, 20.0]), np.array([190.0, 180.0, 14.0])).tolist()
    [True, False, False]
    """
    allowed = np.minimum(MAX_LENGTH_DIFFERENCE, MAX_RELATIVE_DIFFERENCE * np.maximum(first, second))
    similar: BoolArray = np.abs(first - second) <= allowed
    return similar


def propose_pairs(
    ids: IdArray,
    vectors: FloatArray,
    seconds: Float64Array,
    *,
    index: VectorIndex,
    near_duplicates: float = NEAR_DUPLICATE_SIMILARITY,
    k: int = N_NEIGHBOURS,
    max_exact: int = MAX_EXACT,
) -> tuple[Rows, Float64Array]:
    """Find the pairs of tracks of similar length in which one is among the nearest neighbours of the other.

    Near-duplicates are proposed whatever their lengths.

    Parameters
    ----------
    ids : int64 array [N]
        Track ids.
    vectors : float32 array [N, D]
        Their track vectors.
    seconds : float64 array [N]
        Their lengths.
    index : VectorIndex
        It is searched if there are more than `max_exact` vectors. Its other vectors, such as those of silent tracks, are ignored.
    near_duplicates : float
        Minimum cosine similarity of near-duplicates, see `near_duplicate_similarity`.
    k : int
        Number of neighbours of each track.
    max_exact : int

    Returns
    -------
    pairs : int64 array [P, 2]
        Rows, the lower one first; each pair once, in ascending order.
    similarities : float64 array [P]
        Cosines, rounded to six places.
    """
    blocks: list[Rows] = [np.empty((0, 2), np.int64)]
    cosines: list[Float64Array] = [np.empty(0)]
    for start, neighbours, similarities in _search(ids, vectors, index=index, k=k, max_exact=max_exact):
        first = start + np.repeat(np.arange(len(neighbours)), neighbours.shape[1])
        second, cosine = neighbours.ravel(), np.round(similarities.ravel().astype(np.float64), 6)
        similar_length = have_similar_lengths(seconds[first], seconds[second])
        kept = (second >= 0) & (first != second) & (cosine >= MIN_SIMILARITY)
        kept &= similar_length | (cosine >= near_duplicates)
        blocks.append(np.sort(np.stack([first[kept], second[kept]], axis=1), axis=1))
        cosines.append(cosine[kept])
    pairs, places = np.unique(np.concatenate(blocks), axis=0, return_index=True)
    return pairs, np.concatenate(cosines)[places]


def pair_rows(
    ids: IdArray, vectors: FloatArray, seconds: Float64Array, pairs: Sequence[tuple[int, int]]
) -> tuple[Rows, Float64Array]:
    """Return those of some pairs of tracks that have vectors and similar lengths, in the form of `propose_pairs`.

    Parameters
    ----------
    ids, vectors, seconds : see `propose_pairs`
    pairs : sequence of (track id, track id)

    Returns
    -------
    pairs : int64 array [P, 2]
    similarities : float64 array [P]
    """
    if not len(ids) or not pairs:
        return np.empty((0, 2), np.int64), np.empty(0)
    order = np.argsort(ids)
    given = np.array(pairs, dtype=np.int64)
    rows = order[np.searchsorted(ids, given, sorter=order).clip(max=len(ids) - 1)]
    known = (ids[rows] == given).all(axis=1)
    rows = np.sort(rows[known & have_similar_lengths(*seconds[rows].T)], axis=1)
    cosines = np.einsum("pd,pd->p", *(l2_normalize(vectors[column]) for column in rows.T))
    return rows, np.round(cosines.astype(np.float64), 6)


def _search(
    ids: IdArray, vectors: FloatArray, *, index: VectorIndex, k: int, max_exact: int
) -> Iterator[tuple[int, Rows, FloatArray]]:
    """Yield the first row of a block, the rows of the neighbours of its vectors, and their cosines. Row -1 is no neighbour."""
    if len(ids) <= max_exact:
        graph = build_knn_graph(vectors, k=k)
        yield 0, graph.rows, graph.similarities
        return
    order = np.argsort(ids)
    for start in range(0, len(ids), BLOCK_SIZE):
        block = vectors[start : start + BLOCK_SIZE]
        found, _ = index.search(block, k=k + 1)
        rows = order[np.searchsorted(ids, found, sorter=order).clip(max=len(ids) - 1)]
        cosines = np.einsum("qd,qkd->qk", l2_normalize(block), l2_normalize(vectors[rows]))
        yield start, np.where(ids[rows] == found, rows, -1), cosines
