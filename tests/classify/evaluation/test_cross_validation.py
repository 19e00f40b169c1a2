"""Cross-validation: no artist is in both sets, nothing leaks, and unevaluated genres are listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sonotheque.classify import (
    CrossValidationResult,
    EmbeddingSet,
    Ensemble,
    ModelSpec,
    cross_validate,
    learning_curve,
    make_learner,
)
from sonotheque.classify.models.ensemble import fit_ensemble
from sonotheque.classify.models.search import HyperparameterSearch, SearchBudget
from sonotheque.errors import ClassifierError


def synthetic_tracks(
    *, artists: int = 12, tracks: int = 5, genres: int = 4, signal: float, seed: int = 0
) -> tuple[np.ndarray, ...]:
    """Vectors with a strong effect of the artist, and an effect of the genre of strength `signal`."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(artists * genres), tracks)
    y = groups % genres
    X = generator.standard_normal((genres, 30))[y] * signal
    X += generator.standard_normal((artists * genres, 30))[groups] * 2
    X += generator.standard_normal((len(y), 30)) * 0.3
    return X, np.array(list("abcdefgh"))[y], groups


def make_embedding_set(X: np.ndarray) -> EmbeddingSet:
    """Two spaces, and three segments for each track, whose vectors are close to the track vector."""
    offsets = np.random.default_rng(0).standard_normal((len(X), 3, X.shape[1])) * 0.2
    return EmbeddingSet({"a": X, "b": X[:, ::-1] * 2}, {space: list(X[:, None] + offsets) for space in ("a", "b")})


def evaluate(
    X: np.ndarray,
    y: np.ndarray,
    *,
    groups: np.ndarray,
    model: str = "logreg",
    aggregation: str = "track",
    **options: Any,
) -> CrossValidationResult:
    learner = make_learner(model, spaces=["a", "b"] if model == "ensemble" else ["a"], aggregation=aggregation)
    return cross_validate(make_embedding_set(X), y, groups=groups, learner=learner, **options)


@pytest.mark.parametrize(
    ("model", "aggregation", "protocol"),
    [
        *((model, "track", {}) for model in ("knn", "logreg", "svm", "mlp", "auto")),
        *(("logreg", aggregation, {}) for aggregation in ("mean", "vote", "product", "learned")),
        ("logreg", "track", {"repeats": 3}),
        ("logreg", "track", {"folds": 3}),
    ],
)
def test_uninformative_vectors_score_at_chance(model: str, aggregation: str, protocol: dict[str, Any]) -> None:
    """The artists are easy to recognise, the genres impossible, so an artist in both sets would raise the accuracy."""
    scores = []
    for seed in range(3):
        X, y, groups = synthetic_tracks(signal=0, seed=seed)
        result = evaluate(X, y, groups=groups, model=model, aggregation=aggregation, seed=seed, **protocol)
        scores.append(result.accuracy)
    assert np.mean(scores) < 0.36
    X, y, _ = synthetic_tracks(signal=0)
    ungrouped = evaluate(X, y, groups=np.arange(len(y)), model=model, aggregation=aggregation)
    assert ungrouped.accuracy > 0.6


def test_search_and_ensemble_do_not_leak() -> None:
    X, y, groups = synthetic_tracks(signal=0)
    search = HyperparameterSearch(spaces=["a", "b"], rounds=3, budget=SearchBudget(trials=5))
    assert cross_validate(make_embedding_set(X), y, groups=groups, learner=search, folds=3).accuracy < 0.4
    specs = [ModelSpec(model, (space,)) for model in ("logreg", "knn", "svm") for space in ("a", "b")]

    def learn_ensemble(data: EmbeddingSet, codes: np.ndarray, groups: np.ndarray, seed: int) -> Ensemble:
        return fit_ensemble(specs, data, codes, groups=groups, seed=seed)

    assert cross_validate(make_embedding_set(X), y, groups=groups, learner=learn_ensemble, folds=3).accuracy < 0.4


def test_given_folds_are_used() -> None:
    X, y, groups = synthetic_tracks(signal=1.5)
    train, test = np.flatnonzero(groups < 40), np.flatnonzero(groups >= 40)
    result = evaluate(X, y, groups=groups, folds=[(train, test)])
    assert result.tested.tolist() == test.tolist()
    assert result.accuracy > 0.8


def test_accuracy_rises_along_the_learning_curve() -> None:
    X, y, groups = synthetic_tracks(signal=1.2, artists=20)
    points = learning_curve(
        make_embedding_set(X), y, groups=groups, learner=make_learner("logreg", spaces=["a"]), fractions=(0.125, 1.0)
    )
    assert points[0][0] < points[1][0]
    assert points[0][1].accuracy < points[1][1].accuracy


def test_equal_points_of_the_learning_curve_are_evaluated_once() -> None:
    X, y, groups = synthetic_tracks(signal=1.2, artists=9)  # an eighth and a quarter of 7 training artists are both 2
    learner = make_learner("knn", spaces=["a"])
    points = learning_curve(make_embedding_set(X), y, groups=groups, learner=learner, fractions=(0.125, 0.25, 0.5, 1.0))
    tracks = [count for count, _ in points]
    assert tracks == sorted(set(tracks))
    assert len(tracks) < 4


def test_informative_vectors_score_above_chance() -> None:
    X, y, groups = synthetic_tracks(signal=1.5)
    result = evaluate(X, y, groups=groups, model="logreg")
    assert result.accuracy > 0.8
    low, high = result.accuracy_interval
    assert low < result.accuracy < high
    assert result.folds == 5
    assert len(result.tested) == len(y)
    assert result.confusion.sum() == len(y)


def test_genres_with_too_few_artists_are_listed() -> None:
    X, y, groups = synthetic_tracks(signal=1.5)
    y = y.astype("<U9")
    y[groups < 2] = "rare"
    result = evaluate(X, y, groups=groups, model="logreg")
    assert [(genre.label, genre.tracks, genre.artists) for genre in result.unevaluated_classes] == [("rare", 10, 2)]
    assert result.confusion[result.labels.index("rare")].sum() == 0
    assert result.confusion.sum() == len(y) - 10
    assert result.accuracy > 0.8


def test_more_folds_than_artists_is_an_error() -> None:
    X, y, groups = synthetic_tracks(artists=3, signal=1)
    with pytest.raises(ClassifierError, match="a has 3"):
        evaluate(X, y, groups=groups, folds=5)
    assert evaluate(X, y, groups=groups, model="logreg").folds == 3


def test_the_seed_determines_the_result() -> None:
    X, y, groups = synthetic_tracks(signal=0.5)
    first, second, other = (evaluate(X, y, groups=groups, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.predicted, second.predicted)
    assert first.accuracy_interval == second.accuracy_interval
    assert not np.array_equal(first.predicted, other.predicted)
