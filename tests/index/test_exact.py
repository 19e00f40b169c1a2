"""The index agrees with a brute-force search, and a cache file that is not exactly right is rebuilt."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.index import ExactIndex, l2_normalize, load_or_build_index
from sonotheque.index.cache import is_fresh

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


class CountingReader:
    """Return the vectors and count the calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        self.calls += 1
        return IDS, VECTORS


def same_results(one: ExactIndex, other: ExactIndex) -> bool:
    (ids, similarities), (ids_, similarities_) = one.search(VECTORS, k=3), other.search(VECTORS, k=3)
    return np.array_equal(ids, ids_) and np.array_equal(similarities, similarities_)


def test_a_fresh_file_is_used(tmp_path: Path) -> None:
    vectors, path = CountingReader(), tmp_path / "index" / "a.faiss"
    first, second = (load_or_build_index(path, stamp="1", vectors=vectors) for _ in range(2))
    assert vectors.calls == 1
    assert same_results(first, second)
    assert [file.name for file in path.parent.iterdir()] == ["a.faiss"]


@pytest.mark.parametrize(
    "damage", ["missing", "stale", "bit flip", "truncated", "no header", "garbage", "other format"]
)
def test_a_stale_or_damaged_file_is_rebuilt(tmp_path: Path, damage: str) -> None:
    vectors, path = CountingReader(), tmp_path / "a.faiss"
    expected = load_or_build_index(path, stamp="1", vectors=vectors)
    content = path.read_bytes()
    header, _, body = content.partition(b"\n")
    match damage:
        case "missing":
            path.unlink()
        case "stale":
            path.write_bytes(header.replace(b'"stamp": "1"', b'"stamp": "0"') + b"\n" + body)
        case "bit flip":
            path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "no header":
            path.write_bytes(body)
        case "garbage":
            path.write_bytes(b"\xff" * 10_000)
        case "other format":
            path.write_bytes(json.dumps({**json.loads(header), "format": 0}).encode() + b"\n" + body)
    found = load_or_build_index(path, stamp="1", vectors=vectors)
    assert vectors.calls == 2
    assert same_results(expected, found)
    assert is_fresh(path, stamp="1")
