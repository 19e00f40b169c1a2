"""Projection, layout, clustering and projection quality: reproducible, and compared with umap-learn and scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from sonotheque.explore.map.clustering import NO_CLUSTER, find_clusters
from sonotheque.explore.map.layout import MapSettings, compute_layout, layout_parameters, rotate_to_widest
from sonotheque.explore.map.projection import (
    default_n_neighbours,
    principal_components,
    project,
    standardize_for_cosine,
    transform_one,
)
from sonotheque.explore.map.projection_quality import measure_projection_quality, trustworthiness
from sonotheque.index import KnnGraph, build_knn_graph, l2_normalize
from sonotheque.types import FloatArray


def make_groups(*, sizes: tuple[int, ...] = (60, 40, 30), seed: int = 0) -> tuple[FloatArray, np.ndarray]:
    """Make vectors around a few centres, and the number of each vector's centre."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    centres = 3 * generator.standard_normal((len(sizes), 16))
    return (centres[labels] + generator.standard_normal((len(labels), 16))).astype(np.float32), labels


def test_same_vectors_give_the_same_bytes() -> None:
    vectors, _ = make_groups()
    steps: list[tuple[int, int]] = []
    first = compute_layout(vectors, space="a", progress=lambda done, total: steps.append((done, total)))
    second = compute_layout(vectors, space="a")
    assert first.positions.tobytes() == second.positions.tobytes()
    assert first.clusters.labels.tobytes() == second.clusters.labels.tobytes()
    assert first.clusters.membership.tobytes() == second.clusters.membership.tobytes()
    assert (
        compute_layout(vectors, space="a", settings=MapSettings(seed=1)).positions.tobytes()
        != first.positions.tobytes()
    )
    assert steps == sorted(steps)
    assert steps[-1] == (1000, 1000)
    assert len({done for done, _ in steps}) > 4


def test_groups_are_preserved_and_found() -> None:
    vectors, labels = make_groups()
    layout = compute_layout(vectors, space="a")
    clusters = layout.clusters
    assert (clusters.labels != NO_CLUSTER).mean() > 0.6
    for number in range(clusters.n_clusters):
        assert len(set(labels[clusters.labels == number])) == 1
    assert len({labels[clusters.labels == number][0] for number in range(clusters.n_clusters)}) == 3
    quality = measure_projection_quality(vectors, layout.positions, labels=[str(label) for label in labels])
    assert quality.trustworthiness is not None
    assert quality.trustworthiness > 0.8
    assert quality.same_label_map is not None
    assert quality.same_label_chance is not None
    assert quality.same_label_map > 0.95 > quality.same_label_chance


def test_clusters_are_numbered_by_size_and_membership_is_a_fraction() -> None:
    clusters = compute_layout(make_groups()[0], space="a").clusters
    sizes = np.bincount(clusters.labels[clusters.labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    assert ((clusters.membership >= 0) & (clusters.membership <= 1)).all()
    assert (clusters.membership.sum(axis=1) <= 1 + 1e-5).all()
    clustered = clusters.labels != NO_CLUSTER
    assert (clusters.membership.argmax(axis=1) == clusters.labels)[clustered].mean() > 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9, 10, 11, 16])
@pytest.mark.parametrize("equal", [False, True])
def test_layout_of_few_or_equal_vectors(count: int, equal: bool) -> None:
    vectors = np.random.default_rng(0).standard_normal((count, 6)).astype(np.float32)
    if equal:
        vectors[:] = 1
    layout = compute_layout(vectors, space="a")
    assert layout.positions.shape == (count, 2)
    assert np.isfinite(layout.positions).all()
    assert layout.clusters.labels.shape == (count,)
    assert layout.clusters.membership.shape[0] == count


def test_zero_vectors_have_finite_positions() -> None:
    vectors, _ = make_groups()
    vectors[:2] = 0
    assert np.isfinite(compute_layout(vectors, space="a").positions).all()


@pytest.mark.slow
def test_transform_one_matches_umap_learn() -> None:
    vectors, _ = make_groups()
    known, later = l2_normalize(vectors[6:]), l2_normalize(vectors[:6])
    distances = np.maximum(1 - later @ known.T, 0).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        model = umap.UMAP(metric="precomputed", init="random", random_state=0, n_jobs=1)
        model.fit(np.maximum(1 - known @ known.T, 0))
        expected = [model.transform(row[None])[0] for row in distances]
    for row, position in zip(distances, expected, strict=True):
        nearest = np.argsort(row)[:15]
        neighbours = KnnGraph(nearest[None], (1 - row[nearest][None]).astype(np.float32))
        actual = transform_one(neighbours, model.embedding_, seed=42)
        assert actual == pytest.approx(position, abs=0.02 * float(np.ptp(model.embedding_)))


def test_new_vectors_are_placed_in_their_group() -> None:
    vectors, labels = make_groups()
    known = np.arange(len(vectors)) % 5 > 0
    positions = project(vectors[known], build_knn_graph(vectors[known], k=14))
    before = positions.copy()
    cosines = l2_normalize(vectors[~known]) @ l2_normalize(vectors[known]).T
    correct = 0
    for row, label in zip(cosines, labels[~known], strict=True):
        nearest = np.argsort(-row)[:15]
        position = transform_one(KnnGraph(nearest[None], row[nearest][None]), positions)
        nearest_on_map = np.argsort(np.linalg.norm(positions - position, axis=1))[:5]
        correct += (labels[known][nearest_on_map] == label).all()
    assert correct / (~known).sum() > 0.9
    assert positions.tobytes() == before.tobytes()


@given(count=st.integers(22, 60), k=st.integers(1, 10), seed=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_trustworthiness_equals_scikit_learn(count: int, k: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.standard_normal((count, 5)).astype(np.float32)
    positions = generator.standard_normal((count, 2)).astype(np.float32)
    actual = trustworthiness(vectors, positions, k=k)
    assert actual == pytest.approx(
        sklearn_trustworthiness(vectors, positions, n_neighbors=k, metric="cosine"), abs=1e-6
    )


def test_trustworthiness_of_a_sample() -> None:
    vectors, _ = make_groups(sizes=(300, 200, 200))
    positions = principal_components(vectors, dimensions=2)
    whole = trustworthiness(vectors, positions)
    sampled = trustworthiness(vectors, positions, sample_size=150)
    assert whole is not None
    assert sampled == pytest.approx(whole, abs=0.02)
    assert trustworthiness(vectors[:20], positions[:20]) is None
    assert measure_projection_quality(vectors, positions, labels=[None] * 700).same_label_map is None


@given(seed=st.integers(0, 50))
def test_rotation_preserves_distances_and_makes_the_map_wide(seed: int) -> None:
    positions = np.random.default_rng(seed).standard_normal((30, 2)).astype(np.float32) * [1, 3]
    wide = rotate_to_widest(positions.astype(np.float32))
    before, after = (np.linalg.norm(p[:, None] - p, axis=2) for p in (positions, wide))
    assert after == pytest.approx(before, abs=1e-4)
    assert wide.var(axis=0)[0] >= wide.var(axis=0)[1]
    assert wide.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)


def test_descriptors_are_standardized() -> None:
    generator = np.random.default_rng(0)
    vectors = (generator.standard_normal((50, 4)) * [1, 1, 1000, 1]).astype(np.float32)
    scaled = standardize_for_cosine(vectors, space="descriptors-librosa-v1-h10.0@1")
    assert scaled.std(axis=0) == pytest.approx([1, 1, 1, 1], abs=1e-3)
    fitted = standardize_for_cosine(vectors[:3], space="descriptors-librosa-v1-h10.0@1", fit_on=vectors)
    assert fitted == pytest.approx(scaled[:3], abs=1e-5)
    assert standardize_for_cosine(vectors, space="musicnn-msd-penultimate-h3.0@1") is vectors


def test_layout_parameters() -> None:
    parameters = layout_parameters(MapSettings(neighbours=20), 100_000)
    assert (parameters["seed"], parameters["neighbours"], parameters["epochs"]) == (0, 20, 200)
    assert "umap-learn" in parameters
    assert default_n_neighbours(1) == 15
    assert default_n_neighbours(1_000_000) == 45


def test_no_clusters_with_few_vectors() -> None:
    assert find_clusters(np.zeros((4, 2), np.float32), min_size=5).n_clusters == 0


def test_compiled_code_of_umap_is_kept_on_disk() -> None:
    """Otherwise each process compiles it again, for some 15 s."""
    from umap import umap_

    vectors = np.random.default_rng(0).standard_normal((30, 8)).astype(np.float32)
    project(vectors, build_knn_graph(vectors, k=5))
    for function in (umap_.smooth_knn_dist, umap_.compute_membership_strengths):
        assert function.stats.cache_hits or function.stats.cache_misses
