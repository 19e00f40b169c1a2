"""The kNN graph equals one search per vector, for any number of threads and blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.index import ExactIndex, build_knn_graph
from sonotheque.index.knn_graph import BLOCK_SIZE


@given(count=st.integers(0, 40), k=st.integers(1, 12), equal=st.booleans(), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_neighbours_are_sorted_and_exclude_the_vector_itself(count: int, k: int, equal: bool, seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)
    if equal:
        vectors[: count // 2] = 1
    graph = build_knn_graph(vectors, k=k)
    assert graph.rows.shape == graph.similarities.shape == (count, max(0, min(k, count - 1)))
    assert not (graph.rows == np.arange(count)[:, None]).any()
    assert (np.diff(graph.similarities, axis=1) <= 0).all()
    for row, others in enumerate(graph.rows):
        assert len(set(others)) == len(others)
        cosines = vectors @ vectors[row] / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[row]))
        best = np.sort(np.delete(cosines, row))[::-1][: len(others)]
        assert graph.similarities[row] == pytest.approx(best, abs=1e-5)


def test_the_graph_agrees_with_the_index_for_any_number_of_threads() -> None:
    vectors = np.random.default_rng(0).standard_normal((2 * BLOCK_SIZE + 300, 24)).astype(np.float32)
    seen: list[tuple[int, int]] = []
    single = build_knn_graph(vectors, k=7, threads=1, progress=lambda done, total: seen.append((done, total)))
    parallel = build_knn_graph(vectors, k=7, threads=3)
    assert single.rows.tobytes() == parallel.rows.tobytes()
    assert single.similarities.tobytes() == parallel.similarities.tobytes()
    assert seen == [(BLOCK_SIZE, len(vectors)), (2 * BLOCK_SIZE, len(vectors)), (len(vectors), len(vectors))]
    numbers = np.arange(len(vectors))
    ids, _ = ExactIndex.build(numbers, vectors).search(vectors[:50], k=8)
    assert ids[:, 1:].tolist() == single.rows[:50].tolist()
    assert single.nearest(3).rows.tolist() == single.rows[:, :3].tolist()
