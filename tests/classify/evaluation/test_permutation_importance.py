"""Permutation importance identifies the informative columns, stays within a fold, and depends only on its inputs."""

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

INFORMATIVE, NOISE = (
    FeatureFamily("vectors", "informative", slice(0, 3)),
    FeatureFamily("vectors", "noise", slice(3, 9)),
)
GENRES = np.array(["folk", "jazz", "rock"])


def synthetic_tracks(
    tracks: int = 120, *, artists: int = 30, seed: int = 0
) -> tuple[npt.NDArray[np.float32], Any, Any]:
    """Vectors with three informative columns and six columns of noise, labels, and artists with one genre each."""
    generator = np.random.default_rng(seed)
    groups = np.arange(tracks) % artists
    codes = groups % len(GENRES)
    vectors = generator.standard_normal((tracks, 9)).astype(np.float32)
    vectors[:, :3] = np.eye(3)[codes] * 4 + 0.3 * vectors[:, :3]
    return vectors, GENRES[codes], groups


def validate(data: EmbeddingSet, y: Any, groups: Any, *, aggregation: str = "track") -> CrossValidationResult:
    return cross_validate(
        data, y, groups=groups, learner=make_learner("logreg", spaces=data.spaces, aggregation=aggregation)
    )


def test_informative_family_has_all_the_importance() -> None:
    vectors, y, groups = synthetic_tracks()
    data = EmbeddingSet.from_matrix(vectors)
    informative, noise = permutation_importance(data, validate(data, y, groups), families=[INFORMATIVE, NOISE])
    assert informative.drop == pytest.approx(2 / 3, abs=0.08)  # three equally frequent genres
    assert informative.drop_interval[0] > 0.5
    assert informative.rise_interval[0] > 0.5
    assert noise.drop_interval[0] <= 0 <= noise.drop_interval[1]
    assert abs(noise.rise) < 0.02


def test_duplicated_family_shares_its_importance() -> None:
    vectors, y, groups = synthetic_tracks()
    data = EmbeddingSet.from_matrix(np.concatenate([vectors, vectors[:, :3]], axis=1))
    validation = validate(data, y, groups)
    family, whole_space = permutation_importance(data, validation, families=[INFORMATIVE, *feature_families(data)])
    assert family.drop < 0.6 * whole_space.drop
    assert whole_space.drop_interval[0] > 0.5


@pytest.mark.parametrize("aggregation", ["mean", "vote"])
def test_segments_are_permuted_if_the_model_classifies_segments(aggregation: str) -> None:
    vectors, y, groups = synthetic_tracks()
    counts = np.random.default_rng(1).integers(1, 5, size=len(vectors))
    segments = [np.tile(vector, (count, 1)) for vector, count in zip(vectors, counts, strict=True)]
    data = EmbeddingSet({"vectors": np.zeros_like(vectors)}, {"vectors": segments})
    informative, noise = permutation_importance(
        data, validate(data, y, groups, aggregation=aggregation), families=[INFORMATIVE, NOISE]
    )
    assert informative.drop_interval[0] > 0.5
    assert noise.drop == pytest.approx(0, abs=0.02)


class RecordingEstimator:
    """An estimator that records its inputs."""

    def __init__(self) -> None:
        self.classes_ = np.array([0, 1])
        self.inputs: list[npt.NDArray[Any]] = []

    def predict_proba(self, vectors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        self.inputs.append(vectors)
        return np.full((len(vectors), 2), 0.5)


def test_columns_are_permuted_together_and_only_within_a_fold() -> None:
    vectors = np.arange(24, dtype=np.float32).reshape(12, 2) * [[1, 10]]
    folds = [(np.arange(4, 12), np.arange(4)), (np.arange(4), np.arange(4, 12))]
    estimators = [RecordingEstimator(), RecordingEstimator()]
    tested = np.arange(12)
    ensembles = [Ensemble([FittedModel(ModelSpec("knn", ("vectors",)), estimator)], [1.0]) for estimator in estimators]
    validation = CrossValidationResult(
        folds=2, labels=["a", "b"], tested=tested, reference=tested % 2, predicted=tested * 0,
        probabilities=np.full((12, 2), 0.5), groups=tested, unevaluated_classes=[],
        ensembles=ensembles, splits=folds,
    )  # fmt: skip
    permutation_importance(
        EmbeddingSet.from_matrix(vectors), validation, families=[FeatureFamily("vectors", "", slice(0, 2))], repeats=5
    )
    for estimator, (_, test) in zip(estimators, folds, strict=True):
        inputs = np.concatenate(estimator.inputs).reshape(5, len(test), 2)
        for permuted in inputs:
            assert sorted(map(tuple, permuted.tolist())) == sorted(map(tuple, vectors[test].tolist()))
        assert any(not np.array_equal(permuted, vectors[test]) for permuted in inputs)


def test_the_seed_determines_the_result_for_any_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, y, groups = synthetic_tracks(60, artists=15)
    data = EmbeddingSet.from_matrix(vectors)
    validation = validate(data, y, groups)
    expected = permutation_importance(data, validation, families=[INFORMATIVE, NOISE], seed=1)
    assert permutation_importance(data, validation, families=[NOISE, INFORMATIVE], seed=1) == expected[::-1]
    assert permutation_importance(data, validation, families=[INFORMATIVE, NOISE], seed=2) != expected
    monkeypatch.setattr(feature_importance, "BLOCK_SIZE", 7)
    in_small_blocks = permutation_importance(data, validation, families=[INFORMATIVE, NOISE], seed=1)
    for small, large in zip(in_small_blocks, expected, strict=True):
        assert small.drop == large.drop
        assert small.rise == pytest.approx(large.rise, abs=1e-12)


@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 9))
@settings(max_examples=50, deadline=None)
def test_permuting_changes_one_family_and_takes_it_from_one_other_track(counts: list[int], seed: int) -> None:
    tracks = np.arange(4 * len(counts), dtype=np.float32).reshape(-1, 4)
    segments = [100 * row + np.arange(count * 4, dtype=np.float32).reshape(-1, 4) for row, count in enumerate(counts)]
    data = EmbeddingSet({"a": tracks, "b": tracks}, {"a": segments, "b": segments})
    order = np.random.default_rng(seed).permutation(len(counts))
    permuted = permute_family(data, data.take(order), FeatureFamily("a", "middle", slice(1, 3)))
    assert permuted.tracks["b"] is tracks
    assert np.array_equal(permuted.tracks["a"][:, 1:3], tracks[order, 1:3])
    assert np.array_equal(permuted.tracks["a"][:, [0, 3]], tracks[:, [0, 3]])
    for row, other in enumerate(order):
        result = permuted.segments["a"][row]
        assert np.array_equal(result[:, [0, 3]], segments[row][:, [0, 3]])
        assert {tuple(row) for row in result[:, 1:3]} <= {tuple(row) for row in segments[other][:, 1:3]}
        if len(result) >= len(segments[other]):
            assert len({tuple(row) for row in result[:, 1:3]}) == len(segments[other])
    assert np.array_equal(tracks, np.arange(tracks.size).reshape(tracks.shape))  # the input is unchanged


def test_families_cover_the_whole_space() -> None:
    for space, names in ((descriptors.SPACE, descriptors.column_names()), (essentia.SPACE, essentia.column_names())):
        whole, *families = feature_families(EmbeddingSet.from_matrix(np.zeros((1, space.dimensions)), space=space.id))
        assert whole == FeatureFamily(space.id, "", slice(0, space.dimensions))
        indices = [index for family in families for index in range(*family.columns.indices(len(names)))]
        assert indices == list(range(space.dimensions))


def test_values_correlated_with_a_genre_are_identified() -> None:
    vectors, y, groups = synthetic_tracks()
    data = EmbeddingSet.from_matrix(vectors)
    validation = validate(data, y, groups)
    values = np.column_stack([vectors, np.zeros(len(vectors))]).astype(np.float64)
    correlations, low, high = genre_correlations(validation, values)
    for code in range(3):
        for column in range(9):
            expected = spearmanr(validation.probabilities[:, code], values[validation.tested, column]).statistic
            assert correlations[code, column] == pytest.approx(expected)
        assert correlations[code].argmax() == code
        assert low[code, code] > 0
    assert np.all(low[:, :9] <= correlations[:, :9] + 0.02)
    assert np.all(correlations[:, :9] - 0.02 <= high[:, :9])
    assert np.all(correlations[:, 9] == 0)
