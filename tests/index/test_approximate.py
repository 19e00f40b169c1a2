"""An approximate index finds most neighbours, gives exact similarities, and can be extended."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.errors import ParameterError
from sonotheque.index import ApproximateIndex, ExactIndex
from sonotheque.index.approximate import KINDS, MAX_CANDIDATES, MIN_APPROXIMATE, choose_kind, predict_memory
from sonotheque.index.exact import DEAD
from sonotheque.types import FloatArray


def make_vectors(count: int, *, seed: int = 0) -> FloatArray:
    """Make vectors around 50 centres."""
    generator = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((50, 24))
    noise = 0.7 * generator.standard_normal((count, 24))
    return (centres[generator.integers(0, 50, count)] + noise).astype(np.float32)


VECTORS = make_vectors(4000)
IDS = 3 * np.arange(4000)[::-1].copy()
EXACT = ExactIndex.build(IDS, VECTORS)


@pytest.fixture(params=list(KINDS), scope="module")
def index(request: pytest.FixtureRequest) -> ApproximateIndex:
    return ApproximateIndex.build(request.param, IDS, VECTORS)


def test_most_neighbours_are_found_with_exact_similarities(index: ApproximateIndex) -> None:
    queries = make_vectors(200, seed=1)
    ids, similarities = index.search(queries, k=10)
    expected_ids, expected = EXACT.search(queries, k=10)
    found = np.array([[id_ in row for id_ in ours] for ours, row in zip(ids, expected_ids, strict=True)])
    assert found.mean() > 0.95
    same = ids == expected_ids
    assert same.mean() > 0.9
    assert np.array_equal(similarities[same], expected[same])
    assert (np.diff(similarities, axis=1) <= 0).all()


def test_the_measured_recall_is_that_of_its_own_vectors(index: ApproximateIndex) -> None:
    assert index.recall is not None
    queries = VECTORS[::4]
    ids, _ = index.search(queries, k=11)
    expected, _ = EXACT.search(queries, k=11)
    hits = np.mean(
        [len((set(a) & set(b)) - {own}) for a, b, own in zip(ids.tolist(), expected.tolist(), IDS[::4], strict=True)]
    )
    assert index.recall == pytest.approx(hits / 10, abs=0.01)
    assert index.recall > 0.95


def test_many_neighbours_and_restricted_searches_are_exact(index: ApproximateIndex) -> None:
    queries = make_vectors(3, seed=2)
    for k, restrict_to in ((MAX_CANDIDATES + 1, None), (10, IDS[100:700]), (0, None)):
        found, expected = (one.search(queries, k=k, restrict_to=restrict_to) for one in (index, EXACT))
        assert np.array_equal(found[0], expected[0])
        assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_same_vectors_give_the_same_answers(kind: str, index: ApproximateIndex) -> None:
    if index.kind != kind:
        pytest.skip("built for the other kind")
    queries = make_vectors(300, seed=3)
    again = ApproximateIndex.build(kind, IDS, VECTORS)
    assert np.array_equal(again.search(queries, k=10)[0], index.search(queries, k=10)[0])


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_extended_index_finds_new_vectors_and_no_outdated_ones(kind: str) -> None:
    index = ApproximateIndex.build(kind, IDS, VECTORS)
    new = make_vectors(100, seed=4)
    ids = np.concatenate([IDS[:10], 100_000 + np.arange(90)])  # ten vectors have changed
    extended = index.extend(ids, new, outdated=IDS[:20])
    assert len(extended) == 4100
    assert (extended.ids == DEAD).sum() == 20
    found, similarities = extended.search(new, k=1)
    assert (found[:, 0] == ids).mean() > 0.95
    assert similarities[found[:, 0] == ids, 0] == pytest.approx(1, abs=1e-5)
    assert extended.recall is not None
    assert extended.recall > 0.95


def test_the_kind_follows_from_the_number_of_vectors() -> None:
    chosen = {count: choose_kind(count) for count in (0, 10_000, 200_000, 200_001, 5_000_000, 50_000_000)}
    assert list(chosen.values()) == ["exact", "exact", "exact", "hnsw", "hnsw", "ivf"]
    assert choose_kind(MIN_APPROXIMATE - 1, requested="ivf") == "exact"
    assert choose_kind(MIN_APPROXIMATE, requested="ivf") == "ivf"
    with pytest.raises(ParameterError, match="the kinds of index are auto, exact, hnsw, ivf"):
        choose_kind(10, requested="tree")


def test_the_predicted_memory_covers_what_is_built(index: ApproximateIndex) -> None:
    import faiss

    built = len(faiss.serialize_index(index.faiss_index))
    assert built < predict_memory(index.kind, len(index), VECTORS.shape[1]) < 5 * built
