"""The similarity measure: its inner products rank as its formula does, and its similarities are bounded for any vectors."""

from __future__ import annotations

import io
import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.embed.space import kind_of
from sonotheque.explore.retrieval.metrics import count_occurrences, measure_skewness
from sonotheque.index import (
    COSINE,
    MeasureSettings,
    SimilarityMeasure,
    build_knn_graph,
    default_measure,
    l2_normalize,
)
from sonotheque.index.measure import BLOCK_SIZE, DEFAULT_SETTINGS, PRIOR_SIZE
from sonotheque.types import Float64Array, FloatArray

SETTINGS = st.builds(
    MeasureSettings,
    center=st.booleans(),
    scale=st.booleans(),
    hub_weight=st.sampled_from([0.0, 0.5, 1.0]),
    n_neighbors=st.integers(1, 12),
)


def similarities_of(measure: SimilarityMeasure, queries: FloatArray, rows: FloatArray) -> FloatArray:
    transformed = measure.transform_queries(queries)
    return measure.similarities(transformed @ measure.transform_rows(rows).T, queries=transformed)


def similarities_by_formula(vectors: FloatArray, chosen: MeasureSettings) -> Float64Array:
    """The formula of the module, for all pairs of vectors of the sample, with loops."""
    x = vectors.astype(np.float64)
    trust = len(x) / (len(x) + PRIOR_SIZE)
    if chosen.center:
        x = x - trust * x.mean(axis=0)
    if chosen.scale:
        x = x / np.sqrt((x**2).mean(axis=0))
    cosines = np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in x] for a in x])
    local = np.zeros(len(x))
    for row in range(len(x)):
        others = sorted(np.delete(cosines[row], row), reverse=True)[: chosen.n_neighbors]
        local[row] = np.mean(others) if others else 0
    result: Float64Array = cosines + trust * chosen.hub_weight * (local[:, None] - local[None, :])
    return result


@given(count=st.integers(1, 25), chosen=SETTINGS, seed=st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_inner_products_give_the_formula(count: int, chosen: MeasureSettings, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(loc=1.0, size=(count, 6)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=chosen)
    expected = similarities_by_formula(vectors, chosen)
    assert similarities_of(measure, vectors, vectors) == pytest.approx(expected.clip(-1, 1), abs=1e-5)
    products = measure.transform_queries(vectors) @ measure.transform_rows(vectors).T
    better = expected[:, :, None] > expected[:, None, :] + 1e-4
    assert (products[:, :, None] > products[:, None, :])[
        better
    ].all()  # ranked as by the formula, also where it is clipped


@given(
    count=st.integers(0, 6),
    kind=st.sampled_from(["random", "identical", "zero", "one zero", "huge", "tiny"]),
    chosen=SETTINGS,
    seed=st.integers(0, 20),
)
@settings(max_examples=80, deadline=None)
def test_similarities_are_bounded_and_1_for_the_same_sound(
    count: int, kind: str, chosen: MeasureSettings, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(count, 4)).astype(np.float32)
    if kind == "identical":
        vectors[:] = generator.normal(size=4)
    elif kind == "zero":
        vectors[:] = 0
    elif kind == "one zero":
        vectors[:1] = 0
    else:
        vectors *= {"random": 1.0, "huge": 1e18, "tiny": 1e-18}[kind]
    unknown = np.concatenate([generator.normal(size=(2, 4)).astype(np.float32), vectors])
    measure = SimilarityMeasure.fit(vectors, settings=chosen)
    found = similarities_of(measure, unknown, np.concatenate([vectors, unknown]))
    assert found.dtype == np.float32
    assert found.shape == (count + 2, 2 * count + 2)
    assert (np.abs(found) <= 1).all()  # also false for NaN
    own = found[np.arange(count + 2), count + np.arange(count + 2)]
    has_direction = np.linalg.norm(measure.transform_queries(unknown)[:, :4], axis=1) > 0
    assert has_direction[:2].all()
    assert has_direction[2:].all() or kind in {"zero", "one zero"}
    assert own[has_direction] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("chosen", set(DEFAULT_SETTINGS.values()), ids=str)
def test_the_order_of_the_vectors_and_later_ones_do_not_matter(chosen: MeasureSettings) -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(loc=1.0, size=(80, 10)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=chosen)
    shuffled = SimilarityMeasure.fit(generator.permutation(vectors), settings=chosen)
    assert similarities_of(measure, vectors, vectors) == pytest.approx(
        similarities_of(shuffled, vectors, vectors), abs=1e-6
    )
    partial = SimilarityMeasure.fit(vectors[:50], settings=chosen)
    same = SimilarityMeasure.fit(vectors, settings=chosen, sample_size=50)
    assert [array.tobytes() for array in partial.to_arrays()[0].values()] == [
        array.tobytes() for array in same.to_arrays()[0].values()
    ]


def test_a_row_does_not_depend_on_other_rows_or_threads() -> None:
    vectors = np.random.default_rng(1).normal(size=(2 * BLOCK_SIZE + 10, 12)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=MeasureSettings())
    rows = measure.transform_rows(vectors)
    some = np.arange(0, len(vectors), 97)
    assert [measure.transform_rows(vectors[row : row + 1]).tobytes() for row in some] == [
        rows[row : row + 1].tobytes() for row in some
    ]
    assert rows.shape == (len(vectors), measure.dimensions)


def test_a_measure_is_stored_as_plain_arrays_and_json() -> None:
    vectors = np.random.default_rng(2).normal(size=(40, 5)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=MeasureSettings(scale=True, n_neighbors=3))
    arrays, values = measure.to_arrays()
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as loaded:
        restored = SimilarityMeasure.from_arrays(loaded, json.loads(json.dumps(values)))
    assert restored.settings == measure.settings
    assert restored.transform_rows(vectors).tobytes() == measure.transform_rows(vectors).tobytes()
    assert similarities_of(restored, vectors, vectors).tobytes() == similarities_of(measure, vectors, vectors).tobytes()


@pytest.mark.parametrize("chosen", [COSINE, MeasureSettings()], ids=str)
def test_queries_are_averaged_as_directions(chosen: MeasureSettings) -> None:
    vectors = np.random.default_rng(6).normal(size=(50, 4)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=chosen)
    queries = measure.transform_queries(vectors[:3])
    assert measure.average_queries(queries[:1]).tobytes() == queries[:1].tobytes()
    towards, away = queries[0, :4].astype(np.float64), queries[1, :4].astype(np.float64)
    query = measure.average_queries(queries[:2], weights=[2, -1])
    expected = (2 * towards - away) / np.linalg.norm(2 * towards - away)
    assert query[0, :4] == pytest.approx(expected, abs=1e-6)
    assert query[0, 4:].tolist() == [1.0] * bool(chosen.hub_weight)
    similarities = measure.similarities(query @ measure.transform_rows(vectors).T, queries=query)
    assert similarities[0, 0] > similarities[0, 1]


def test_the_plain_cosine_is_a_measure() -> None:
    vectors = np.random.default_rng(3).normal(size=(30, 7)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=COSINE)
    assert measure.transform_rows(vectors).tobytes() == l2_normalize(vectors).tobytes()
    assert measure.transform_queries(vectors).tobytes() == l2_normalize(vectors).tobytes()
    assert measure.dimensions == 7


def test_one_track_is_compared_by_nearly_the_plain_cosine() -> None:
    vectors: npt.NDArray[np.float32] = np.array([[1.0, 0.2], [0.5, 1.0]], np.float32)
    measure = SimilarityMeasure.fit(vectors[:1], settings=MeasureSettings())
    cosine = float(l2_normalize(vectors)[0] @ l2_normalize(vectors)[1])
    assert similarities_of(measure, vectors[1:], vectors[:1])[0, 0] == pytest.approx(cosine, abs=0.1)


def test_hubs_are_in_fewer_lists() -> None:
    vectors = np.random.default_rng(4).normal(loc=0.3, size=(1000, 60)).astype(np.float32)
    skewness = {}
    for name, chosen in {"plain": COSINE, "default": MeasureSettings()}.items():
        measure = SimilarityMeasure.fit(vectors, settings=chosen)
        graph = build_knn_graph(vectors, k=10, measure=measure)
        skewness[name] = measure_skewness(count_occurrences(graph.rows, tracks=len(vectors)))
    assert skewness["default"] < skewness["plain"] / 2


def test_the_graph_has_the_similarities_of_the_measure() -> None:
    vectors = np.random.default_rng(5).normal(loc=0.5, size=(60, 8)).astype(np.float32)
    measure = SimilarityMeasure.fit(vectors, settings=MeasureSettings())
    graph = build_knn_graph(vectors, k=4, measure=measure)
    similarities = similarities_of(measure, vectors, vectors)
    np.fill_diagonal(similarities, -np.inf)
    assert graph.rows.tolist() == np.argsort(-similarities, axis=1)[:, :4].tolist()
    assert graph.similarities == pytest.approx(-np.sort(-similarities, axis=1)[:, :4], abs=1e-6)


def test_every_kind_of_space_has_a_default() -> None:
    spaces = ("musicnn-msd-penultimate-h3.0@1", "descriptors-librosa-v1-h10.0@1", "mel-64x215-h10.0@1")
    assert {kind_of(space) for space in (*spaces, spaces[0].replace("@", "-frames@"))} == set(DEFAULT_SETTINGS)
    assert default_measure(spaces[1]).scale
