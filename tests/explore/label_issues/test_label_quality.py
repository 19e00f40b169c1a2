"""Label quality ranks planted label errors first; outliers and near-duplicates are found."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import EmbeddingSet, TrainingSet
from sonotheque.explore.label_issues.label_quality import (
    compute_label_quality,
    find_near_duplicates,
    find_outliers,
    nearest_rows,
    suggest_labels,
)


def training_set(*, artists: int = 8, tracks: int = 4, genres: int = 4, seed: int = 0) -> TrainingSet:
    """Make tracks in clusters: genres are far from each other, artists of a genre less far."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(artists * genres), tracks)
    y = groups % genres
    X = 3 * generator.standard_normal((genres, 20))[y] + generator.standard_normal((artists * genres, 20))[groups]
    X += 0.5 * generator.standard_normal(X.shape)
    return TrainingSet([], EmbeddingSet({"a": X.astype(np.float32)}), np.array(list("abcd"))[y], groups, 0)


def test_planted_label_errors_rank_first() -> None:
    training = training_set()
    wrong = np.arange(0, 128, 20)
    training.y[wrong] = [{"a": "b", "b": "c", "c": "d", "d": "a"}[label] for label in training.y[wrong]]
    quality = compute_label_quality(training)
    assert np.allclose(quality.scores.sum(axis=1), 1)
    proposals, order = suggest_labels(quality, training.codes)
    assert set(order[: len(wrong)]) == set(wrong)
    true_labels = (np.arange(128) // 4 % 4)[wrong]
    assert (proposals[wrong] == true_labels).all()
    assert not quality.by_track.any()


def test_genre_of_a_single_artist_is_not_a_label_issue() -> None:
    training = training_set()
    single_artist = np.flatnonzero(training.y == "d")
    training.groups[single_artist] = training.groups[single_artist[0]]
    quality = compute_label_quality(training)
    assert set(np.flatnonzero(quality.by_track)) == set(single_artist)
    assert (quality.scores[single_artist, 3] > 0.5).mean() > 0.9


@given(count=st.integers(2, 30), equal=st.booleans(), seed=st.integers(0, 5))
@settings(max_examples=40)
def test_row_is_not_its_own_neighbour(count: int, equal: bool, seed: int) -> None:
    vectors = np.random.default_rng(seed).standard_normal((count, 4)).astype(np.float32)
    if equal:
        vectors[:] = vectors[0]
    rows, similarities = nearest_rows(vectors, space="a")
    assert rows.shape == similarities.shape == (count, min(10, count - 1))
    assert not (rows == np.arange(count)[:, None]).any()


def test_outliers_and_near_duplicates() -> None:
    generator = np.random.default_rng(0)
    vectors = (0.2 * generator.standard_normal((60, 8)) + np.eye(8)[np.arange(60) % 3]).astype(np.float32)
    vectors[7] = vectors[3] * 2
    vectors[50] = -vectors[:3].sum(axis=0)
    assert find_outliers(vectors, space="a").tolist() == [50]
    assert find_near_duplicates(vectors) == [(3, 7, 1.0)]
    assert find_near_duplicates(vectors[:1]) == []
