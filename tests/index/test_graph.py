"""All neighbours of all: the same as one search for each, whatever the threads and blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.index import ExactIndex, nearest_of_all
from sonotheque.index.graph import BLOCK


@given(count=st.integers(0, 40), k=st.integers(1, 12), equal=st.booleans(), seed=st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_nobody_is_its_own_neighbour_and_the_nearest_come_first(count: int, k: int, equal: bool, seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)
    if equal:
        vectors[: count // 2] = 1
    near = nearest_of_all(vectors, k=k)
    assert near.rows.shape == near.similarities.shape == (count, max(0, min(k, count - 1)))
    assert not (near.rows == np.arange(count)[:, None]).any()
    assert (np.diff(near.similarities, axis=1) <= 0).all()
    for row, others in enumerate(near.rows):
        assert len(set(others)) == len(others)
        cosines = vectors @ vectors[row] / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(vectors[row]))
        best = np.sort(np.delete(cosines, row))[::-1][: len(others)]
        assert near.similarities[row] == pytest.approx(best, abs=1e-5)


def test_it_agrees_with_the_index_and_not_with_the_number_of_threads() -> None:
    vectors = np.random.default_rng(0).standard_normal((2 * BLOCK + 300, 24)).astype(np.float32)
    seen: list[tuple[int, int]] = []
    one = nearest_of_all(vectors, k=7, threads=1, progress=lambda done, total: seen.append((done, total)))
    many = nearest_of_all(vectors, k=7, threads=3)
    assert one.rows.tobytes() == many.rows.tobytes()
    assert one.similarities.tobytes() == many.similarities.tobytes()
    assert seen == [(BLOCK, len(vectors)), (2 * BLOCK, len(vectors)), (len(vectors), len(vectors))]
    numbers = np.arange(len(vectors))
    ids, _ = ExactIndex.build(numbers, vectors).search(vectors[:50], k=8)
    assert ids[:, 1:].tolist() == one.rows[:50].tolist()
    assert one.nearest(3).rows.tolist() == one.rows[:, :3].tolist()
