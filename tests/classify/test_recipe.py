"""Segments together, mixtures, searches and comparisons."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import AGGREGATIONS, EmbeddingSet, ModelSpec
from sonotheque.classify.evaluation.model_comparison import all_specs, class_thresholds, compare_models
from sonotheque.classify.models.aggregation import aggregate_segments
from sonotheque.classify.models.ensemble import mixture_weights
from sonotheque.classify.models.model_spec import fit_model
from sonotheque.classify.models.search import HyperparameterSearch, SearchBudget
from sonotheque.errors import ClassifierError
from sonotheque.types import FloatArray


def collection(*, segments: int = 3, seed: int = 0) -> tuple[EmbeddingSet, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    codes = np.arange(120) % 3
    groups = np.arange(120) // 2 * 2 + codes % 2
    X = generator.standard_normal((3, 12))[codes] + generator.standard_normal((120, 12))
    parts = [(x + generator.standard_normal((1 + n % segments, 12)) * 0.5).astype(np.float32) for n, x in enumerate(X)]
    vectors: FloatArray = X.astype(np.float32)
    return (
        EmbeddingSet({"a": vectors, "b": vectors[:, :5] * 3}, {"a": parts, "b": [p[:, :5] * 3 for p in parts]}),
        codes,
        groups,
    )


@settings(max_examples=50)
@given(
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    aggregation=st.sampled_from(AGGREGATIONS[1:]),
    certainty_power=st.floats(0, 4),
    seed=st.integers(0, 99),
)
def test_combinations_are_probabilities(counts: list[int], decision: str, sharpness: float, seed: int) -> None:
    track_index = np.repeat(np.arange(len(counts)), counts)
    answers = np.random.default_rng(seed).dirichlet(np.ones(4), len(track_index))
    result = aggregate_segments(answers, track_index, aggregation=decision, certainty_power=sharpness)
    assert result.shape == (len(counts), 4)
    assert np.allclose(result.sum(axis=1), 1)
    for row, count in enumerate(counts):  # segments that agree decide so, whatever the rule
        alike = np.tile(answers[track_index == row][0], (count, 1))
        one = aggregate_segments(alike, np.zeros(count, dtype=int), aggregation=decision, certainty_power=sharpness)
        assert one[0].argmax() == alike[0].argmax()


def test_learned_weights_at_0_are_the_mean() -> None:
    answers = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    track_index = np.array([0, 0, 1, 1, 1, 2])
    mean, learned = (aggregate_segments(answers, track_index, aggregation=decision) for decision in ("mean", "learned"))
    assert np.allclose(mean, learned)


@pytest.mark.parametrize("decision", AGGREGATIONS)
@pytest.mark.parametrize("spaces", [("a",), ("a", "b")])
def test_every_decision_learns(decision: str, spaces: tuple[str, ...]) -> None:
    data, codes, groups = collection()
    rows = np.arange(120)
    member = fit_model(ModelSpec("logreg", spaces, decision), data.take(rows[:80]), codes[:80], groups=groups[:80])
    answers = member.predict_proba(data.take(rows[80:]), n_classes=3)
    assert (answers.argmax(axis=1) == codes[80:]).mean() > 0.6


def test_unknown_names() -> None:
    for spec in (("trees", ("a",), "track"), ("knn", ("a",), "median")):
        with pytest.raises(ClassifierError, match="known are"):
            ModelSpec(*spec)


def test_shares_follow_what_is_right() -> None:
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 3, 300)
    good = 0.5 * np.eye(3)[codes] + 0.5 * generator.dirichlet(np.ones(3), 300)
    noise = generator.dirichlet(np.ones(3), 300)
    shares = mixture_weights([noise, good], codes)
    assert shares[1] > 0.75
    assert mixture_weights([noise, good], codes, prior=0)[1] > 0.9
    assert shares.sum() == pytest.approx(1)
    halves = mixture_weights([good, good], codes)
    assert np.allclose(halves, 0.5)
    noise[:200] = np.nan  # rows that were not tested
    assert mixture_weights([noise, good], codes)[1] > 0.7


def test_thresholds_help_the_rare() -> None:
    answers = np.array([[0.6, 0.4], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]])
    factors = class_thresholds(answers, np.array([1, 1, 0, 0]))
    assert ((answers * factors).argmax(axis=1) == [1, 1, 0, 0]).all()


def test_a_search_with_trials_gives_the_same_twice() -> None:
    data, codes, groups = collection()
    first, second = (
        HyperparameterSearch(spaces=["a", "b"], rounds=1, budget=SearchBudget(trials=10))(data, codes, groups, 0)
        for _ in range(2)
    )
    assert [member.spec for member in first.members] == [member.spec for member in second.members]
    assert np.array_equal(first.predict_proba(data, n_classes=3), second.predict_proba(data, n_classes=3))


def test_a_search_keeps_its_time() -> None:
    data, codes, groups = collection()
    seen: list[tuple[int, int]] = []
    begin = time.monotonic()
    search = HyperparameterSearch(
        spaces=["a"],
        rounds=2,
        budget=SearchBudget(minutes=0.1),
        progress=lambda done, total: seen.append((done, total)),
    )
    for _ in range(2):
        search(data, codes, groups, 0)
    assert 2 < time.monotonic() - begin < 18  # imports and a busy machine included
    assert seen[-1][1] == 6


def test_a_comparison() -> None:
    data, codes, groups = collection()
    specs = all_specs(data.spaces, models=["logreg", "knn"], segments=True)
    assert len(specs) == 3 * (5 + 2)
    table = compare_models(data, codes.astype(str), groups=groups, specs=specs)
    assert len(table.rows) == len(specs) + 5
    singles = table.rows[: len(specs)]
    best = max(singles, key=lambda row: row.accuracy)
    assert best.difference == 0
    assert best.difference_interval == (0, 0)
    assert all(row.accuracy_interval[0] <= row.accuracy <= row.accuracy_interval[1] for row in table.rows)
    for row in table.rows:
        assert row.difference == pytest.approx(row.accuracy - best.accuracy, abs=1e-5)
