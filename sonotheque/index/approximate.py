"""Approximate nearest-neighbour search for libraries that are too large to compare a query with every vector.

FAISS proposes candidates, by a graph (HNSW, Malkov & Yashunin 2018) or by compressed vectors in cells (IVF with RaBitQ, Gao & Long
2024), and the candidates are compared exactly. So a similarity is the same number as in `ExactIndex`; only a neighbour can be
missing. The fraction of neighbours that are found, the recall, is measured when the index is built.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from sonotheque.errors import ParameterError
from sonotheque.index.exact import DEAD, ExactIndex, IdArray, scan_rows, sort_by_similarity
from sonotheque.index.measure import SimilarityMeasure
from sonotheque.types import FloatArray

Rows = npt.NDArray[np.int64]

EXACT_LIMIT, GRAPH_LIMIT = 200_000, 5_000_000
"""Up to so many vectors an exact index is built by default, up to so many a graph; beyond, cells."""

MAX_CANDIDATES = 1000
"""A query for more neighbours is answered exactly: it would visit much of the graph."""

MIN_APPROXIMATE = 1000
"""With fewer vectors, an approximate index saves nothing, and its cells cannot be trained."""

RECALL_QUERIES, RECALL_K = 1000, 10
"""Number of queries and of neighbours with which the recall is measured."""

HNSW_LINKS, HNSW_BUILD_DEPTH, HNSW_SEARCH_DEPTH = 32, 100, 64
"""Links of each node (M), and nodes that are kept in view while the graph is built and searched (efConstruction, efSearch)."""

IVF_PROBED_CELLS, IVF_CANDIDATES, IVF_TRAINING_VECTORS = 32, 100, 40
"""Cells that are searched, the minimum number of candidates that are compared exactly, and training vectors for each cell."""


@dataclass(frozen=True)
class IndexKind:
    """A kind of approximate index.

    Attributes
    ----------
    name : str
    create : callable
        Returns an empty FAISS index, trained on rows, float32 [N, D].
    add : callable
        Adds rows to it.
    find_candidates : callable
        ``find_candidates(index, queries, n)`` returns the row numbers of at least `n` candidates for each query,
        int64 [Q, >= n], with -1 where there are fewer.
    bytes_per_vector : callable
        Returns the memory that the index needs for each vector of D dimensions, besides the vector itself.
    holds_rows : bool
        Whether the FAISS index contains the rows.
    """

    name: str
    create: Callable[[FloatArray], Any]
    add: Callable[[Any, FloatArray], None]
    find_candidates: Callable[[Any, FloatArray, int], Rows]
    bytes_per_vector: Callable[[int], int]
    holds_rows: bool


def _create_hnsw(rows: FloatArray) -> Any:
    import faiss

    index = faiss.IndexHNSWFlat(rows.shape[1], HNSW_LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = HNSW_BUILD_DEPTH
    return index


def _add_in_one_thread(index: Any, rows: FloatArray) -> None:
    """Add rows to a graph. With several threads, its links would depend on which of them is ahead."""
    import faiss

    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        index.add(rows)
    finally:
        faiss.omp_set_num_threads(threads)


def _search_hnsw(index: Any, queries: FloatArray, n: int) -> Rows:
    import faiss

    parameters = faiss.SearchParametersHNSW(efSearch=max(HNSW_SEARCH_DEPTH, 2 * n))  # type: ignore[attr-defined]
    found: Rows = index.search(queries, n, params=parameters)[1]
    return found


def _create_ivf(rows: FloatArray) -> Any:
    import faiss

    cells = max(1, min(round(4 * math.sqrt(len(rows))), len(rows) // IVF_TRAINING_VECTORS))
    index = faiss.index_factory(rows.shape[1], f"IVF{cells},RaBitQfs", faiss.METRIC_INNER_PRODUCT)
    index.train(np.ascontiguousarray(rows[:: max(1, len(rows) // (IVF_TRAINING_VECTORS * cells))]))
    return index


def _add(index: Any, rows: FloatArray) -> None:
    index.add(rows)


def _search_ivf(index: Any, queries: FloatArray, n: int) -> Rows:
    import faiss

    parameters = faiss.IVFRaBitQSearchParameters(nprobe=max(IVF_PROBED_CELLS, n // 8))  # type: ignore[call-arg]
    found: Rows = index.search(queries, max(IVF_CANDIDATES, 4 * n), params=parameters)[1]
    return found


KINDS = {
    kind.name: kind
    for kind in (
        IndexKind(
            "hnsw",
            _create_hnsw,
            _add_in_one_thread,
            _search_hnsw,
            lambda dimensions: 8 * HNSW_LINKS + 24,
            holds_rows=True,
        ),
        IndexKind("ivf", _create_ivf, _add, _search_ivf, lambda dimensions: dimensions // 8 + 32, holds_rows=False),
    )
}
"""The kinds of approximate index, by name."""


def choose_kind(count: int, *, requested: str = "auto") -> str:
    """Choose the kind of index for a number of vectors.

    Parameters
    ----------
    count : int
    requested : str
        ``auto``, ``exact``, or a name of `KINDS`.

    Returns
    -------
    str
        ``exact`` or a name of `KINDS`.

    Raises
    ------
    ParameterError
        If the name is unknown.

    Examples
    --------
    >>> choose_kind(50_000), choose_kind(1_000_000), choose_kind(50_000, requested="hnsw")
    ('exact', 'hnsw', 'hnsw')
    """
    if requested not in {"auto", "exact", *KINDS}:
        raise ParameterError(f"index={requested!r}: the kinds of index are auto, exact, {', '.join(KINDS)}")
    if count < MIN_APPROXIMATE:
        return "exact"
    if requested != "auto":
        return requested
    return "exact" if count <= EXACT_LIMIT else "hnsw" if count <= GRAPH_LIMIT else "ivf"


def predict_memory(kind: str, count: int, dimensions: int) -> int:
    """Return the memory that an index needs while it is built, in bytes.

    Parameters
    ----------
    kind : str
        As returned by `choose_kind`.
    count, dimensions : int
        Number and length of the vectors.
    """
    rows = 4 * dimensions * count
    if kind == "exact":
        return rows
    return rows * (2 if KINDS[kind].holds_rows else 1) + KINDS[kind].bytes_per_vector(dimensions) * count


class ApproximateIndex:
    """Index that finds most of the nearest neighbours.

    Parameters
    ----------
    kind : IndexKind
    ids : int64 array [N]
        Ids of the vectors.
    rows : float32 array [N, D']
        The vectors as the measure transforms them.
    measure : SimilarityMeasure
    faiss_index : faiss.Index
        The index of the rows that proposes candidates.
    recall : float or None
        Fraction of the ten nearest neighbours that it finds.
    """

    def __init__(
        self,
        kind: IndexKind,
        ids: IdArray,
        rows: FloatArray,
        measure: SimilarityMeasure,
        faiss_index: Any,
        *,
        recall: float | None = None,
    ) -> None:
        self._kind = kind
        self._exact = ExactIndex(ids, rows, measure)
        self.faiss_index = faiss_index
        self.recall = recall

    @classmethod
    def build(cls, kind: str, ids: IdArray, vectors: FloatArray, *, measure: SimilarityMeasure | None = None) -> Self:
        """Build an index and measure its recall. It depends on the order of the vectors, but not on the number of threads.

        Parameters
        ----------
        kind : str
            A name of `KINDS`.
        ids, vectors, measure : see `ExactIndex.build`
        """
        exact = ExactIndex.build(ids, vectors, measure=measure)
        faiss_index = KINDS[kind].create(exact.rows)
        KINDS[kind].add(faiss_index, exact.rows)
        rows = view_rows(faiss_index) if KINDS[kind].holds_rows else exact.rows
        index = cls(KINDS[kind], exact.ids, rows, exact.measure, faiss_index)
        index.recall = measure_recall(index)
        return index

    @property
    def kind(self) -> str:
        """Name of the kind of index."""
        return self._kind.name

    @property
    def ids(self) -> IdArray:
        """Ids of the vectors, int64 [N]."""
        return self._exact.ids

    @property
    def rows(self) -> FloatArray:
        """The vectors as the measure transforms them, float32 [N, D']."""
        return self._exact.rows

    @property
    def measure(self) -> SimilarityMeasure:
        """The measure of similarity."""
        return self._exact.measure

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._exact)

    def extend(self, ids: IdArray, vectors: FloatArray, *, outdated: IdArray) -> Self:
        """Return the index with further vectors; it shares memory with this one, which must not be used any more.

        Parameters
        ----------
        ids : int64 array [M]
        vectors : float32 array [M, D]
            They need not be normalised.
        outdated : int64 array
            Ids of vectors that are no longer found. They may be among `ids`, with their new vectors.
        """
        kept = self.ids.copy()
        kept[self.find_rows(outdated)] = DEAD
        added = self.measure.transform_rows(vectors)
        self._kind.add(self.faiss_index, added)
        rows = view_rows(self.faiss_index) if self._kind.holds_rows else np.concatenate([self.rows, added])
        index = type(self)(self._kind, np.concatenate([kept, ids]), rows, self.measure, self.faiss_index)
        index.recall = measure_recall(index)
        return index

    def write_faiss_index(self, path: Path) -> None:
        """Write the FAISS index to a file.

        Raises
        ------
        RuntimeError
            If the file cannot be written.
        """
        import faiss

        faiss.write_index(self.faiss_index, str(path))

    def find_rows(self, ids: IdArray) -> Rows:
        """Return the row numbers of the vectors with these ids, see `ExactIndex.find_rows`."""
        return self._exact.find_rows(ids)

    def search(self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours of each query, see `ExactIndex.search`.

        The search is exact if it is restricted to some ids, and for more than `MAX_CANDIDATES` neighbours.
        """
        return self.search_transformed(self.measure.transform_queries(queries), k=k, restrict_to=restrict_to)

    def search_transformed(
        self, queries: FloatArray, *, k: int, restrict_to: IdArray | None = None, farthest: bool = False
    ) -> tuple[IdArray, FloatArray]:
        """Find the nearest neighbours or the farthest vectors, see `ExactIndex.search_transformed`. The farthest are exact."""
        k = min(k, len(self))
        if restrict_to is not None or farthest or k > MAX_CANDIDATES or not k:
            return self._exact.search_transformed(queries, k=k, restrict_to=restrict_to, farthest=farthest)
        found, products = self._search_rows(queries, k=k)
        return sort_by_similarity(self.ids[found], self.measure.similarities(products, queries=queries))

    def _search_rows(self, queries: FloatArray, *, k: int) -> tuple[Rows, FloatArray]:
        """Compare transformed queries with their candidates."""
        rows = np.empty((len(queries), k), np.int64)
        products = np.empty((len(queries), k), np.float32)
        for number, proposed in enumerate(self._kind.find_candidates(self.faiss_index, queries, k)):
            proposed = np.unique(proposed[proposed >= 0])
            query = queries[number : number + 1]
            if len(proposed) < k:
                found, values = scan_rows(query, self.rows, k=k)
            else:
                found, values = scan_rows(query, self.rows[proposed], k=k)
                found = proposed[found]
            rows[number], products[number] = found[0], values[0]
        return rows, products


def view_rows(faiss_index: Any) -> FloatArray:
    """Return the rows that a FAISS index contains, float32 [N, D], without a copy. They live as long as the index."""
    import faiss

    storage: Any = faiss.downcast_index(faiss_index.storage)
    rows: FloatArray = faiss.rev_swig_ptr(storage.get_xb(), storage.ntotal * storage.d).reshape(
        storage.ntotal, storage.d
    )
    return rows


def read_faiss_index(path: Path, *, writable: bool = False) -> Any:
    """Open a FAISS index from a file that has been checked. Unless it is `writable`, large arrays are memory-mapped."""
    import faiss

    return faiss.read_index(str(path), 0 if writable else faiss.IO_FLAG_MMAP_IFC)


def measure_recall(index: ApproximateIndex) -> float:
    """Measure the fraction of the `RECALL_K` nearest neighbours that an index finds.

    The queries are `RECALL_QUERIES` of its own vectors, evenly spread over the rows; a vector is not its own neighbour.
    """
    live = np.flatnonzero(index.ids != DEAD)
    numbers = live[np.linspace(0, len(live) - 1, min(RECALL_QUERIES, len(live))).astype(np.int64)]
    queries = np.ascontiguousarray(index.rows[numbers])
    if index.measure.settings.hub_weight:
        queries[:, -1] = 1  # a row as a query
    k = min(RECALL_K + 1, len(index))
    expected, _ = scan_with_blas(queries, index.rows, k=k)
    found, _ = index._search_rows(queries, k=k)
    hits = total = 0
    for own, ours, exact in zip(numbers, index.ids[found], index.ids[expected], strict=True):
        wanted = set(exact.tolist()) - {int(index.ids[own]), DEAD}
        hits += len(wanted & set(ours.tolist()))
        total += len(wanted)
    return hits / total if total else 1.0


def scan_with_blas(queries: FloatArray, rows: FloatArray, *, k: int) -> tuple[Rows, FloatArray]:
    """Find the rows with the largest inner products for many queries, faster than `scan_rows` and with other rounding."""
    import faiss

    products, found = faiss.knn(queries, rows, k, metric=faiss.METRIC_INNER_PRODUCT)
    return found, products
