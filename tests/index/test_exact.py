"""The index agrees with a brute-force search."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.index import ExactIndex, l2_normalize
from sonotheque.index.exact import BLOCK_SIZE

GENERATOR = np.random.default_rng(0)
VECTORS = GENERATOR.standard_normal((60, 8)).astype(np.float32)
IDS = np.arange(100, 160)


@settings(deadline=None)
@given(k=st.integers(1, 70), n_allowed=st.one_of(st.none(), st.integers(0, 60)))
def test_neighbours_are_exact(k: int, n_allowed: int | None) -> None:
    index = ExactIndex.build(IDS, VECTORS)
    restrict_to = None if n_allowed is None else IDS[:n_allowed]
    ids, similarities = index.search(VECTORS[:21], k=k, restrict_to=restrict_to)
    allowed = l2_normalize(VECTORS) if n_allowed is None else l2_normalize(VECTORS)[:n_allowed]
    expected = l2_normalize(VECTORS[:21]) @ allowed.T
    assert ids.shape == (21, min(k, len(allowed)))
    assert np.allclose(similarities, -np.sort(-expected, axis=1)[:, :k], atol=1e-5)
    rows = np.arange(21)[:, None]
    assert np.allclose(expected[rows, ids - 100], similarities, atol=1e-5)


def test_a_similarity_does_not_depend_on_the_other_queries() -> None:
    index = ExactIndex.build(IDS, VECTORS)
    _, together = index.search(VECTORS, k=5)
    alone = np.concatenate([index.search(row[None], k=5)[1] for row in VECTORS])
    assert together.tobytes() == alone.tobytes()


def test_ties_are_ordered_by_id() -> None:
    index = ExactIndex.build(np.array([7, 3, 5]), np.ones((3, 4), np.float32))
    assert index.search(np.ones((1, 4), np.float32), k=3)[0].tolist() == [[3, 5, 7]]


def test_a_zero_vector_has_similarity_zero() -> None:
    index = ExactIndex.build(np.array([1, 2]), np.array([[0, 0], [1, 0]], np.float32))
    assert index.search(np.array([[1, 0]], np.float32), k=2)[1].tolist() == [[1.0, 0.0]]


def test_unknown_ids_are_ignored() -> None:
    index = ExactIndex.build(IDS, VECTORS)
    ids, _ = index.search(VECTORS[:1], k=5, restrict_to=np.array([3, 101, 999, 101, 100]))
    assert ids.tolist() == [[100, 101]]
    empty = ExactIndex.build(np.empty(0, np.int64), np.empty((0, 8), np.float32))
    assert empty.search(VECTORS[:2], k=5, restrict_to=IDS)[0].shape == (2, 0)


def test_blocks_are_searched_like_one_matrix() -> None:
    vectors = np.random.default_rng(1).standard_normal((2 * BLOCK_SIZE + 10, 4)).astype(np.float32)
    vectors[[3, BLOCK_SIZE + 3, 2 * BLOCK_SIZE + 3]] = 1
    ids = np.arange(len(vectors))[::-1].copy()
    found, similarities = ExactIndex.build(ids, vectors).search(vectors[:20], k=30)
    expected = -np.sort(-(l2_normalize(vectors[:20]) @ l2_normalize(vectors).T), axis=1)[:, :30]
    assert np.allclose(similarities, expected, atol=1e-6)
    assert set(found[3, :3].tolist()) == set(ids[[3, BLOCK_SIZE + 3, 2 * BLOCK_SIZE + 3]].tolist())
    assert found[3, :3].tolist() == sorted(found[3, :3].tolist())
