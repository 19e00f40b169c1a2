"""No artist stands on both sides; nothing leaks; what cannot be judged is said apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import (
    CrossValidationResult,
    EmbeddingSet,
    Ensemble,
    ModelSpec,
    group_tracks,
    grouped_folds,
    learning_curve,
    make_learner,
)
from sonotheque.classify import cross_validate as evaluate_recordings
from sonotheque.classify.data.folds import default_n_folds, folders_as_artists
from sonotheque.classify.models.ensemble import fit_ensemble
from sonotheque.classify.models.search import HyperparameterSearch, SearchBudget
from sonotheque.errors import ClassifierError


def collection(
    *, artists: int = 12, tracks: int = 5, genres: int = 4, signal: float, seed: int = 0
) -> tuple[np.ndarray, ...]:
    """Artists with a strong sound of their own, and genres with as much sound as `signal` says."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(artists * genres), tracks)
    y = groups % genres
    X = generator.standard_normal((genres, 30))[y] * signal
    X += generator.standard_normal((artists * genres, 30))[groups] * 2
    X += generator.standard_normal((len(y), 30)) * 0.3
    return X, np.array(list("abcdefgh"))[y], groups


def recordings(X: np.ndarray) -> EmbeddingSet:
    """Tracks of three segments each, which lie around the track's vector."""
    offsets = np.random.default_rng(0).standard_normal((len(X), 3, X.shape[1])) * 0.2
    return EmbeddingSet({"a": X, "b": X[:, ::-1] * 2}, {space: list(X[:, None] + offsets) for space in ("a", "b")})


def evaluate(
    X: np.ndarray, y: np.ndarray, *, groups: np.ndarray, model: str = "logreg", decision: str = "track", **rest: Any
) -> CrossValidationResult:
    learner = make_learner(model, spaces=["a", "b"] if model == "ensemble" else ["a"], aggregation=decision)
    return evaluate_recordings(recordings(X), y, groups=groups, learner=learner, **rest)


@pytest.mark.parametrize(
    ("model", "decision", "protocol"),
    [
        *((model, "track", {}) for model in ("knn", "logreg", "svm", "mlp", "auto")),
        *(("logreg", decision, {}) for decision in ("mean", "vote", "product", "learned")),
        ("logreg", "track", {"repeats": 3}),
        ("logreg", "track", {"folds": 3}),
    ],
)
def test_labels_without_sound_score_at_chance(model: str, decision: str, protocol: dict[str, Any]) -> None:
    """The artists are easily recognised, the genres not at all: any artist on both sides would show."""
    scores = []
    for seed in range(3):
        X, y, groups = collection(signal=0, seed=seed)
        scores.append(evaluate(X, y, groups=groups, model=model, aggregation=decision, seed=seed, **protocol).accuracy)
    assert np.mean(scores) < 0.36
    X, y, _ = collection(signal=0)
    alone = evaluate(X, y, groups=np.arange(len(y)), model=model, aggregation=decision)
    assert alone.accuracy > 0.6  # the same without groups


def test_what_a_search_or_an_ensemble_chooses_does_not_leak() -> None:
    X, y, groups = collection(signal=0)
    search = HyperparameterSearch(spaces=["a", "b"], rounds=3, budget=SearchBudget(trials=5))
    assert evaluate_recordings(recordings(X), y, groups=groups, learner=search, folds=3).accuracy < 0.4
    specs = [ModelSpec(model, (space,)) for model in ("logreg", "knn", "svm") for space in ("a", "b")]

    def ensemble(data: EmbeddingSet, codes: np.ndarray, groups: np.ndarray, seed: int) -> Ensemble:
        return fit_ensemble(specs, data, codes, groups=groups, seed=seed)

    assert evaluate_recordings(recordings(X), y, groups=groups, learner=ensemble, folds=3).accuracy < 0.4


def test_a_given_split() -> None:
    X, y, groups = collection(signal=1.5)
    train, test = np.flatnonzero(groups < 40), np.flatnonzero(groups >= 40)
    result = evaluate(X, y, groups=groups, folds=[(train, test)])
    assert result.tested.tolist() == test.tolist()
    assert result.accuracy > 0.8


def test_a_learning_curve_rises() -> None:
    X, y, groups = collection(signal=1.2, artists=20)
    points = learning_curve(
        recordings(X), y, groups=groups, learner=make_learner("logreg", spaces=["a"]), fractions=(0.125, 1.0)
    )
    assert points[0][0] < points[1][0]
    assert points[0][1].accuracy < points[1][1].accuracy


@settings(max_examples=20, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 3)), min_size=10, max_size=80),
    folds=st.integers(2, 4),
    seed=st.integers(0, 5),
)
def test_no_artist_stands_on_both_sides(pairs: list[tuple[int, int]], folds: int, seed: int) -> None:
    groups, codes = np.array(pairs).T
    tested: list[int] = []
    for train, test in grouped_folds(codes, groups, folds=folds, seed=seed):
        assert not set(groups[train]) & set(groups[test])
        tested += test.tolist()
    assert len(set(tested)) == len(tested)


def test_genres_with_sound_are_told() -> None:
    X, y, groups = collection(signal=1.5)
    result = evaluate(X, y, groups=groups, model="logreg")
    assert result.accuracy > 0.8
    low, high = result.accuracy_interval
    assert low < result.accuracy < high
    assert result.folds == 5
    assert len(result.tested) == len(y)
    assert result.confusion.sum() == len(y)


def test_a_genre_with_too_few_artists_is_apart() -> None:
    X, y, groups = collection(signal=1.5)
    y = y.astype("<U9")
    y[groups < 2] = "rare"
    result = evaluate(X, y, groups=groups, model="logreg")
    assert [(genre.label, genre.tracks, genre.artists) for genre in result.unevaluated_classes] == [("rare", 10, 2)]
    assert result.confusion[result.labels.index("rare")].sum() == 0
    assert result.confusion.sum() == len(y) - 10
    assert result.accuracy > 0.8


def test_more_folds_than_artists() -> None:
    X, y, groups = collection(artists=3, signal=1)
    with pytest.raises(ClassifierError, match="a has 3"):
        evaluate(X, y, groups=groups, folds=5)
    assert evaluate(X, y, groups=groups, model="logreg").folds == 3


def test_the_number_of_folds_follows_the_artists() -> None:
    codes = np.repeat([0, 1, 2], [50, 30, 20])
    assert default_n_folds(codes, np.array([9, 9, 9])) == 5
    assert default_n_folds(codes, np.array([9, 9, 1])) == 5  # 80 % of the tracks can be judged
    assert default_n_folds(codes, np.array([9, 4, 1])) == 4
    assert default_n_folds(codes, np.array([9, 1, 3])) == 3
    assert default_n_folds(codes, np.array([9, 1, 1])) == 2


def test_the_same_seed_gives_the_same_figures() -> None:
    X, y, groups = collection(signal=0.5)
    first, second, other = (evaluate(X, y, groups=groups, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.predicted, second.predicted)
    assert first.accuracy_interval == second.accuracy_interval
    assert not np.array_equal(first.predicted, other.predicted)


def test_folders_stand_for_artists_only_where_they_tell() -> None:
    albums = [f"/music/artist{number}/{track}.mp3" for number in range(10) for track in range(3)]
    labels = ["pop", "rock"] * 15
    folders = folders_as_artists(albums, labels, [True] * 30)
    assert folders is not None
    groups, alone = group_tracks([None] * 30, [None] * 30, folders=folders)
    assert (len(set(groups)), alone) == (10, 0)
    assert (
        folders_as_artists([f"/music/{label}/{n}.mp3" for n, label in enumerate(labels)], labels, [True] * 30) is None
    )
    assert folders_as_artists(albums, labels, [False] * 30) is None


def test_groups() -> None:
    groups, alone = group_tracks(["A", " a", None, None, None, ""], [None, "x", "x", "X ", None, None])
    assert groups.tolist() == [0, 0, 1, 1, 2, 3]
    assert alone == 2
