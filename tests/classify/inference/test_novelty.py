"""Tracks that differ from the labelled tracks are novel, and 1 % of tracks by new artists are."""

from __future__ import annotations

import numpy as np

from sonotheque.classify import EmbeddingSet
from sonotheque.classify.inference.novelty import NoveltyDetector


def test_different_tracks_are_novel() -> None:
    generator = np.random.default_rng(0)
    X = (generator.standard_normal((300, 20)) * np.arange(1, 21)).astype(np.float32)
    detector = NoveltyDetector.fit(EmbeddingSet.from_matrix(X), groups=np.arange(300) // 3)
    similar = (generator.standard_normal((100, 20)) * np.arange(1, 21)).astype(np.float32)
    different = similar + 8 * np.arange(1, 21, dtype=np.float32)
    assert (detector.novelty_score(EmbeddingSet.from_matrix(similar)) > 1).mean() < 0.1
    assert (detector.novelty_score(EmbeddingSet.from_matrix(different)) > 1).all()
    assert np.allclose(
        detector.distance(EmbeddingSet.from_matrix(similar)) / detector.threshold,
        detector.novelty_score(EmbeddingSet.from_matrix(similar)),
    )
    too_few_tracks = NoveltyDetector.fit(EmbeddingSet.from_matrix(X[:90]), groups=np.arange(90) // 3)
    assert (too_few_tracks.novelty_score(EmbeddingSet.from_matrix(different)) == 0).all()


def test_distance_is_relative_to_the_local_density() -> None:
    """At the same distance from a dense and from a sparse cloud, only the track beside the dense cloud is novel."""
    generator = np.random.default_rng(0)
    dense, sparse = generator.standard_normal((150, 5)) * 0.1, generator.standard_normal((150, 5)) * 3 + 40
    detector = NoveltyDetector.fit(
        EmbeddingSet.from_matrix(np.concatenate([dense, sparse]).astype(np.float32)), groups=np.arange(300)
    )
    queries = np.stack([np.full(5, 1.0), np.full(5, 41.0)]).astype(np.float32)
    near_dense, near_sparse = detector.novelty_score(EmbeddingSet.from_matrix(queries))
    assert near_sparse < 1 < near_dense


def test_columns_of_descriptors_are_standardised_and_those_of_networks_are_not() -> None:
    X = (np.random.default_rng(0).standard_normal((200, 4)) * [1, 1, 1, 0.001]).astype(np.float32)
    queries = np.array([[0, 0, 0, 0.1]], dtype=np.float32)
    for space, novel in (("musicnn@1", False), ("descriptors-librosa@1", True)):
        detector = NoveltyDetector.fit(EmbeddingSet.from_matrix(X, space=space), groups=np.arange(200))
        assert bool(detector.novelty_score(EmbeddingSet.from_matrix(queries, space=space))[0] > 1) is novel


def test_1_percent_of_new_artists_is_novel() -> None:
    flagged = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        artists = generator.standard_normal((200, 6))[np.repeat(np.arange(200), 2)]
        X = (artists + 0.5 * generator.standard_normal((400, 6))).astype(np.float32)
        groups = np.repeat(np.arange(200), 2)
        detector = NoveltyDetector.fit(EmbeddingSet.from_matrix(X[:200]), groups=groups[:200])
        flagged.append((detector.novelty_score(EmbeddingSet.from_matrix(X[200:])) > 1).mean())
    assert 0.001 < np.mean(flagged) < 0.02
