"""Maps: the same twice, true to their neighbours, held to umap-learn and scikit-learn; tracks that come later move nobody."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness as reference

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


def groups(*, sizes: tuple[int, ...] = (60, 40, 30), seed: int = 0) -> tuple[FloatArray, np.ndarray]:
    """Directions around a few centres."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(sizes)), sizes)
    centres = 3 * generator.standard_normal((len(sizes), 16))
    return (centres[labels] + generator.standard_normal((len(labels), 16))).astype(np.float32), labels


def test_the_same_vectors_give_the_same_map_and_clusters_byte_for_byte() -> None:
    vectors, _ = groups()
    seen: list[tuple[int, int]] = []
    one = compute_layout(vectors, space="a", progress=lambda done, total: seen.append((done, total)))
    other = compute_layout(vectors, space="a")
    assert one.positions.tobytes() == other.positions.tobytes()
    assert one.clusters.labels.tobytes() == other.clusters.labels.tobytes()
    assert one.clusters.membership.tobytes() == other.clusters.membership.tobytes()
    assert (
        compute_layout(vectors, space="a", settings=MapSettings(seed=1)).positions.tobytes() != one.positions.tobytes()
    )
    assert seen == sorted(seen)
    assert seen[-1] == (1000, 1000)
    assert len({done for done, _ in seen}) > 4


def test_groups_stay_together_and_are_found() -> None:
    vectors, labels = groups()
    layout = compute_layout(vectors, space="a")
    found = layout.clusters
    kept = found.labels != NO_CLUSTER
    assert kept.mean() > 0.6
    for number in range(found.count):
        assert len(set(labels[found.labels == number])) == 1
    assert len({labels[found.labels == number][0] for number in range(found.count)}) == 3
    truth = measure_projection_quality(vectors, layout.positions, labels=[str(label) for label in labels])
    assert truth.trustworthiness is not None
    assert truth.trustworthiness > 0.8
    assert truth.same_label_map is not None
    assert truth.same_label_chance is not None
    assert truth.same_label_map > 0.95 > truth.same_label_chance


def test_clusters_are_numbered_by_size_and_membership_is_a_share() -> None:
    found = compute_layout(groups()[0], space="a").clusters
    sizes = np.bincount(found.labels[found.labels >= 0])
    assert (np.diff(sizes) <= 0).all()
    assert ((found.membership >= 0) & (found.membership <= 1)).all()
    assert (found.membership.sum(axis=1) <= 1 + 1e-5).all()
    inside = found.labels != NO_CLUSTER
    assert (found.membership.argmax(axis=1) == found.labels)[inside].mean() > 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 9, 10, 11, 16])
@pytest.mark.parametrize("equal", [False, True])
def test_few_or_equal_tracks_have_a_map_too(count: int, equal: bool) -> None:
    vectors = np.random.default_rng(0).standard_normal((count, 6)).astype(np.float32)
    if equal:
        vectors[:] = 1
    layout = compute_layout(vectors, space="a")
    assert layout.positions.shape == (count, 2)
    assert np.isfinite(layout.positions).all()
    assert layout.clusters.labels.shape == (count,)
    assert layout.clusters.membership.shape[0] == count


def test_silence_among_sounds_does_no_harm() -> None:
    vectors, _ = groups()
    vectors[:2] = 0
    assert np.isfinite(compute_layout(vectors, space="a").positions).all()


def test_a_later_vector_is_put_where_umap_learn_puts_it() -> None:
    vectors, _ = groups()
    known, later = l2_normalize(vectors[6:]), l2_normalize(vectors[:6])
    distances = np.maximum(1 - later @ known.T, 0).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import umap

        model = umap.UMAP(metric="precomputed", init="random", random_state=0, n_jobs=1)
        model.fit(np.maximum(1 - known @ known.T, 0))
        theirs = [model.transform(one[None])[0] for one in distances]
    for one, place_of in zip(distances, theirs, strict=True):
        rows = np.argsort(one)[:15]
        ours = transform_one(KnnGraph(rows[None], (1 - one[rows][None]).astype(np.float32)), model.embedding_, seed=42)
        assert ours == pytest.approx(place_of, abs=0.02 * float(np.ptp(model.embedding_)))


def test_a_later_vector_comes_to_its_group_whatever_comes_with_it() -> None:
    vectors, labels = groups()
    known = np.arange(len(vectors)) % 5 > 0
    near = build_knn_graph(vectors[known], k=14)
    places = project(vectors[known], near)
    before = places.copy()
    cosines = l2_normalize(vectors[~known]) @ l2_normalize(vectors[known]).T
    right = 0
    for one, label in zip(cosines, labels[~known], strict=True):
        rows = np.argsort(-one)[:15]
        put = transform_one(KnnGraph(rows[None], one[rows][None]), places)
        nearest = np.argsort(np.linalg.norm(places - put, axis=1))[:5]
        right += (labels[known][nearest] == label).all()
    assert right / (~known).sum() > 0.9
    assert places.tobytes() == before.tobytes()


@given(count=st.integers(22, 60), k=st.integers(1, 10), seed=st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_trustworthiness_is_scikit_learns(count: int, k: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.standard_normal((count, 5)).astype(np.float32)
    places = generator.standard_normal((count, 2)).astype(np.float32)
    ours = trustworthiness(vectors, places, k=k)
    assert ours == pytest.approx(reference(vectors, places, n_neighbors=k, metric="cosine"), abs=1e-6)


def test_a_sample_tells_nearly_what_all_tell() -> None:
    vectors, _ = groups(sizes=(300, 200, 200))
    places = principal_components(vectors, dimensions=2)
    whole = trustworthiness(vectors, places)
    part = trustworthiness(vectors, places, sample=150)
    assert whole is not None
    assert part == pytest.approx(whole, abs=0.02)
    assert trustworthiness(vectors[:20], places[:20]) is None
    assert measure_projection_quality(vectors, places, labels=[None] * 700).same_label_map is None


@given(seed=st.integers(0, 50))
def test_turning_keeps_distances_and_makes_the_map_wide(seed: int) -> None:
    places = np.random.default_rng(seed).standard_normal((30, 2)).astype(np.float32) * [1, 3]
    wide = rotate_to_widest(places.astype(np.float32))
    before, after = (np.linalg.norm(p[:, None] - p, axis=2) for p in (places, wide))
    assert after == pytest.approx(before, abs=1e-4)
    assert wide.var(axis=0)[0] >= wide.var(axis=0)[1]
    assert wide.mean(axis=0) == pytest.approx([0, 0], abs=1e-4)


def test_columns_of_different_units_count_alike() -> None:
    generator = np.random.default_rng(0)
    vectors = (generator.standard_normal((50, 4)) * [1, 1, 1000, 1]).astype(np.float32)
    scaled = standardize_for_cosine(vectors, space="descriptors-librosa-v1-h10.0@1")
    assert scaled.std(axis=0) == pytest.approx([1, 1, 1, 1], abs=1e-3)
    later = standardize_for_cosine(vectors[:3], space="descriptors-librosa-v1-h10.0@1", among=vectors)
    assert later == pytest.approx(scaled[:3], abs=1e-5)
    assert standardize_for_cosine(vectors, space="musicnn-msd-penultimate-h3.0@1") is vectors


def test_what_a_map_was_made_with_is_written_down() -> None:
    parameters = layout_parameters(MapSettings(neighbours=20), 100_000)
    assert (parameters["seed"], parameters["neighbours"], parameters["epochs"]) == (0, 20, 200)
    assert "umap-learn" in parameters
    assert default_n_neighbours(1) == 15
    assert default_n_neighbours(1_000_000) == 45


def test_no_clusters_among_few() -> None:
    assert find_clusters(np.zeros((4, 2), np.float32), size=5).count == 0
