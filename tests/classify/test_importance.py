"""Importance goes where the answers come from, never crosses a fold, and depends on its inputs alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from sonotheque.classify import CrossValidationResult, EmbeddingSet, Ensemble, ModelSpec, cross_validate, make_learner
from sonotheque.classify.evaluation import feature_importance
from sonotheque.classify.evaluation.feature_importance import (
    FeatureFamily,
    feature_families,
    genre_correlations,
    permutation_importance,
    permute_family,
)
from sonotheque.classify.models.model_spec import FittedModel
from sonotheque.embed import descriptors, essentia

TELLING, NOISE = FeatureFamily("vectors", "telling", slice(0, 3)), FeatureFamily("vectors", "noise", slice(3, 9))
GENRES = np.array(["folk", "jazz", "rock"])


def music(tracks: int = 120, *, artists: int = 30, seed: int = 0) -> tuple[npt.NDArray[np.float32], Any, Any]:
    """Vectors whose first three columns tell the genre, and six of noise; labels; artists, of one genre each."""
    generator = np.random.default_rng(seed)
    groups = np.arange(tracks) % artists
    codes = groups % len(GENRES)
    vectors = generator.standard_normal((tracks, 9)).astype(np.float32)
    vectors[:, :3] = np.eye(3)[codes] * 4 + 0.3 * vectors[:, :3]
    return vectors, GENRES[codes], groups


def judged(data: EmbeddingSet, y: Any, groups: Any, *, decision: str = "track") -> CrossValidationResult:
    return cross_validate(
        data, y, groups=groups, learner=make_learner("logreg", spaces=data.spaces, aggregation=decision)
    )


def test_the_family_that_tells_has_all_the_importance() -> None:
    vectors, y, groups = music()
    data = EmbeddingSet.from_matrix(vectors)
    telling, noise = permutation_importance(data, judged(data, y, groups), families=[TELLING, NOISE])
    assert telling.drop == pytest.approx(2 / 3, abs=0.08)  # exchanged among three equal genres
    assert telling.drop_interval[0] > 0.5
    assert telling.rise_interval[0] > 0.5
    assert noise.drop_interval[0] <= 0 <= noise.drop_interval[1]
    assert abs(noise.rise) < 0.02


def test_a_family_that_has_a_twin_is_not_missed() -> None:
    vectors, y, groups = music()
    data = EmbeddingSet.from_matrix(np.concatenate([vectors, vectors[:, :3]], axis=1))
    evaluation = judged(data, y, groups)
    twin, whole = permutation_importance(data, evaluation, families=[TELLING, *feature_families(data)])
    assert twin.drop < 0.6 * whole.drop
    assert whole.drop_interval[0] > 0.5


@pytest.mark.parametrize("decision", ["mean", "vote"])
def test_local_decisions_lose_through_their_segments(decision: str) -> None:
    vectors, y, groups = music()
    counts = np.random.default_rng(1).integers(1, 5, size=len(vectors))
    segments = [np.tile(vector, (count, 1)) for vector, count in zip(vectors, counts, strict=True)]
    data = EmbeddingSet({"vectors": np.zeros_like(vectors)}, {"vectors": segments})
    telling, noise = permutation_importance(data, judged(data, y, groups, decision=decision), families=[TELLING, NOISE])
    assert telling.drop_interval[0] > 0.5
    assert noise.drop == pytest.approx(0, abs=0.02)


class Spy:
    """An estimator that remembers what it was asked."""

    def __init__(self) -> None:
        self.classes_ = np.array([0, 1])
        self.seen: list[npt.NDArray[Any]] = []

    def predict_proba(self, vectors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        self.seen.append(vectors)
        return np.full((len(vectors), 2), 0.5)


def test_columns_are_exchanged_inside_a_fold_alone_and_jointly() -> None:
    vectors = np.arange(24, dtype=np.float32).reshape(12, 2) * [[1, 10]]
    folds = [(np.arange(4, 12), np.arange(4)), (np.arange(4), np.arange(4, 12))]
    spies = [Spy(), Spy()]
    tested = np.arange(12)
    evaluation = CrossValidationResult(
        folds=2, labels=["a", "b"], tested=tested, reference=tested % 2, predicted=tested * 0,
        probabilities=np.full((12, 2), 0.5), groups=tested, unevaluated_classes=[],
        ensembles=[Ensemble([FittedModel(ModelSpec("knn", ("vectors",)), spy)], [1.0]) for spy in spies], splits=folds,
    )  # fmt: skip
    permutation_importance(
        EmbeddingSet.from_matrix(vectors), evaluation, families=[FeatureFamily("vectors", "", slice(0, 2))], repeats=5
    )
    for spy, (_, test) in zip(spies, folds, strict=True):
        seen = np.concatenate(spy.seen).reshape(5, len(test), 2)
        for one in seen:
            assert sorted(map(tuple, one.tolist())) == sorted(map(tuple, vectors[test].tolist()))
        assert any(not np.array_equal(one, vectors[test]) for one in seen)


def test_the_same_seed_gives_the_same_figures_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, y, groups = music(60, artists=15)
    data = EmbeddingSet.from_matrix(vectors)
    evaluation = judged(data, y, groups)
    first = permutation_importance(data, evaluation, families=[TELLING, NOISE], seed=1)
    assert permutation_importance(data, evaluation, families=[NOISE, TELLING], seed=1) == first[::-1]
    assert permutation_importance(data, evaluation, families=[TELLING, NOISE], seed=2) != first
    monkeypatch.setattr(feature_importance, "BLOCK", 7)
    for ours, theirs in zip(
        permutation_importance(data, evaluation, families=[TELLING, NOISE], seed=1), first, strict=True
    ):
        assert ours.drop == theirs.drop
        assert ours.rise == pytest.approx(theirs.rise, abs=1e-12)


@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_an_exchange_keeps_the_rest_and_takes_from_one_other(counts: list[int], seed: int) -> None:
    tracks = np.arange(4 * len(counts), dtype=np.float32).reshape(-1, 4)
    segments = [100 * row + np.arange(count * 4, dtype=np.float32).reshape(-1, 4) for row, count in enumerate(counts)]
    data = EmbeddingSet({"a": tracks, "b": tracks}, {"a": segments, "b": segments})
    order = np.random.default_rng(seed).permutation(len(counts))
    mixed = permute_family(data, data.take(order), FeatureFamily("a", "middle", slice(1, 3)))
    assert mixed.tracks["b"] is tracks
    assert np.array_equal(mixed.tracks["a"][:, 1:3], tracks[order, 1:3])
    assert np.array_equal(mixed.tracks["a"][:, [0, 3]], tracks[:, [0, 3]])
    for row, other in enumerate(order):
        taken = mixed.segments["a"][row]
        assert np.array_equal(taken[:, [0, 3]], segments[row][:, [0, 3]])
        assert {tuple(one) for one in taken[:, 1:3]} <= {tuple(one) for one in segments[other][:, 1:3]}
        if len(taken) >= len(segments[other]):
            assert len({tuple(one) for one in taken[:, 1:3]}) == len(segments[other])
    assert np.array_equal(tracks, np.arange(tracks.size).reshape(tracks.shape))  # nothing is changed in place


def test_families_cover_their_space() -> None:
    for space, names in ((descriptors.SPACE, descriptors.column_names()), (essentia.SPACE, essentia.column_names())):
        whole, *families = feature_families(EmbeddingSet.from_matrix(np.zeros((1, space.dimensions)), space=space.id))
        assert whole == FeatureFamily(space.id, "", slice(0, space.dimensions))
        places = [place for family in families for place in range(*family.columns.indices(len(names)))]
        assert places == list(range(space.dimensions))


def test_figures_that_vary_with_an_answer_are_found() -> None:
    vectors, y, groups = music()
    data = EmbeddingSet.from_matrix(vectors)
    evaluation = judged(data, y, groups)
    figures = np.column_stack([vectors, np.zeros(len(vectors))]).astype(np.float64)
    found, low, high = genre_correlations(evaluation, figures)
    for code in range(3):
        for column in range(9):
            theirs = spearmanr(evaluation.probabilities[:, code], figures[evaluation.tested, column]).statistic
            assert found[code, column] == pytest.approx(theirs)
        assert found[code].argmax() == code
        assert low[code, code] > 0
    assert np.all(low[:, :9] <= found[:, :9] + 0.02)
    assert np.all(found[:, :9] - 0.02 <= high[:, :9])
    assert np.all(found[:, 9] == 0)
