"""No artist stands on both sides; nothing leaks; what cannot be judged is said apart."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.classify import evaluate, group_tracks
from sonotheque.classify.protocol import default_folds
from sonotheque.errors import ClassifierError


def collection(
    *, artists: int = 12, tracks: int = 5, genres: int = 4, signal: float, seed: int = 0
) -> tuple[np.ndarray, ...]:
    """Artists with a strong sound of their own, and genres with as much sound as `signal` says."""
    tracks, genres = 5, 4
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(artists * genres), tracks)
    y = groups % genres
    X = generator.standard_normal((genres, 30))[y] * signal
    X += generator.standard_normal((artists * genres, 30))[groups] * 2
    X += generator.standard_normal((len(y), 30)) * 0.3
    return X, np.array(list("abcdefgh"))[y], groups


@pytest.mark.parametrize("model", ["knn", "logreg", "auto"])
def test_labels_without_sound_score_at_chance(model: str) -> None:
    """The artists are easily recognised, the genres not at all: any artist on both sides would show."""
    scores = []
    for seed in range(5):
        X, y, groups = collection(signal=0, seed=seed)
        scores.append(evaluate(X, y, groups=groups, model=model, seed=seed).accuracy)
    assert np.mean(scores) < 0.33
    X, y, _ = collection(signal=0)
    assert evaluate(X, y, groups=np.arange(len(y)), model=model).accuracy > 0.6  # the same without groups


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
    assert [(genre.label, genre.tracks, genre.artists) for genre in result.apart] == [("rare", 10, 2)]
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
    assert default_folds(codes, np.array([9, 9, 9])) == 5
    assert default_folds(codes, np.array([9, 9, 1])) == 5  # 80 % of the tracks can be judged
    assert default_folds(codes, np.array([9, 4, 1])) == 4
    assert default_folds(codes, np.array([9, 1, 3])) == 3
    assert default_folds(codes, np.array([9, 1, 1])) == 2


def test_the_same_seed_gives_the_same_figures() -> None:
    X, y, groups = collection(signal=0.5)
    first, second, other = (evaluate(X, y, groups=groups, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.predicted, second.predicted)
    assert first.accuracy_interval == second.accuracy_interval
    assert not np.array_equal(first.predicted, other.predicted)


def test_groups() -> None:
    groups, alone = group_tracks(["A", " a", None, None, None, ""], [None, "x", "x", "X ", None, None])
    assert groups.tolist() == [0, 0, 1, 1, 2, 3]
    assert alone == 2
