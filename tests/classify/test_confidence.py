"""Probabilities mean what they say, promises are kept, and what is strange is said to be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import EmbeddingSet
from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.inference.abstention import accuracy_lower_bound, selective_threshold
from sonotheque.classify.inference.calibration import (
    TEMPERATURES,
    calibration_error_range,
    fit_temperature,
)
from sonotheque.classify.inference.novelty import NoveltyDetector
from sonotheque.classify.models.temperature import apply_temperature


def answers(
    temperature: float, *, count: int = 600, seed: int = 0, spread: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Genres drawn from known probabilities, and what a model with the wrong temperature says."""
    generator = np.random.default_rng(seed)
    true = generator.dirichlet(np.full(5, spread), count)
    codes = (generator.random((count, 1)) > true.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return apply_temperature(true, temperature), codes


@settings(max_examples=30)
@given(temperature=st.floats(0.3, 4), seed=st.integers(0, 20))
def test_softening_keeps_the_order_and_the_sum(temperature: float, seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(4), 5)
    softened = apply_temperature(shares, temperature)
    assert np.allclose(softened.sum(axis=1), 1)
    assert np.array_equal(softened.argmax(axis=1), shares.argmax(axis=1))
    assert (softened.max(axis=1) <= shares.max(axis=1) + 1e-9).all() == (temperature >= 1) or temperature == 1


@pytest.mark.parametrize("wrong", [0.4, 1.0, 2.5])
def test_the_temperature_is_found(wrong: float) -> None:
    said, codes = answers(wrong, count=4000)
    found = fit_temperature(said, codes)
    assert found * wrong == pytest.approx(1, rel=0.12)
    assert probability_metrics.log_loss(codes, apply_temperature(said, found)) <= probability_metrics.log_loss(
        codes, said
    )
    assert 1.0 in TEMPERATURES


def test_answers_of_no_probability_do_not_make_a_temperature() -> None:
    said, codes = answers(1.0, count=300)
    said[0] = np.eye(5)[(codes[0] + 1) % 5]
    assert fit_temperature(said, codes) == fit_temperature(np.maximum(said, 1e-9), codes)
    sure = np.eye(5)[codes]
    sure[0] = np.eye(5)[(codes[0] + 1) % 5]
    assert probability_metrics.log_loss(
        codes, apply_temperature(sure, fit_temperature(sure, codes))
    ) < probability_metrics.log_loss(codes, sure)


def test_the_range_holds_a_calibrated_model_and_no_other() -> None:
    said, codes = answers(1.0)
    low, high = calibration_error_range(said, resamples=300)
    assert low <= probability_metrics.expected_calibration_error(codes, said) <= high
    said, codes = answers(0.4)
    assert probability_metrics.expected_calibration_error(codes, said) > calibration_error_range(said, resamples=300)[1]


def test_bounds() -> None:
    right = np.arange(100) < 90
    alone = accuracy_lower_bound(right, groups=np.arange(100))
    assert alone == pytest.approx(0.8363, abs=1e-3)  # Clopper & Pearson, one-sided, 90 of 100
    together = accuracy_lower_bound(right, groups=np.arange(100) // 10)  # one artist is wrong in everything
    assert together < alone
    assert accuracy_lower_bound(np.ones(50, bool), groups=np.arange(50)) == pytest.approx(0.05 ** (1 / 50))
    assert accuracy_lower_bound(np.ones(50, bool), groups=np.zeros(50)) == pytest.approx(0.05)
    sizes = np.repeat(np.arange(10), [41, *[1] * 9])
    assert accuracy_lower_bound(np.ones(50, bool), groups=sizes) == pytest.approx(0.05 ** ((41**2 + 9) / 50**2))
    assert accuracy_lower_bound(np.zeros(5, bool), groups=np.arange(5)) == 0


def test_promises_are_kept() -> None:
    """On fresh answers of the same kind, at least 95 % of the thresholds keep the target."""
    kept, given = 0, 0
    for seed in range(60):
        said, codes = answers(1.0, count=400, seed=2 * seed, spread=0.2)
        right = said.argmax(axis=1) == codes
        found = selective_threshold(said.max(axis=1), right, target=0.8, groups=np.arange(400))
        if found is None:
            continue
        assert found.lower >= 0.8
        fresh, truth = answers(1.0, count=5000, seed=2 * seed + 1, spread=0.2)
        answered = fresh.max(axis=1) >= found.threshold
        kept += (fresh.argmax(axis=1) == truth)[answered].mean() >= 0.8
        given += 1
    assert given > 40
    assert kept / given >= 0.95


def artists(
    count: int, *, spread: float, shift: float, slope: float = 0.0, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidences, whether they are right, and artists whose tracks are right and wrong together: a random effect on the logit."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), generator.geometric(0.4, count))
    score = generator.standard_normal(len(groups)) + 1
    chance = 1 / (1 + np.exp(-slope * score - shift - spread * generator.standard_normal(count)[groups]))
    return score, generator.random(len(groups)) < chance, groups


@pytest.mark.parametrize(("count", "spread", "shift"), [(10, 1, 1.2), (30, 2, 1.6), (60, 4, 3)])
def test_the_bound_lies_below_the_truth_for_artists_that_stand_together(
    count: int, spread: float, shift: float
) -> None:
    true = artists(50_000, spread=spread, shift=shift, seed=10**6)[1].mean()
    high = 0
    for seed in range(300):
        _, right, groups = artists(count, spread=spread, shift=shift, seed=seed)
        high += accuracy_lower_bound(right, groups=groups) > true
    assert high / 300 <= 0.075  # 5 %, and two standard errors of 300 rounds


@pytest.mark.parametrize(("slope", "spread", "target"), [(1.0, 1.5, 0.8), (0.1, 2.0, 0.7)])
def test_few_thresholds_are_broken_where_artists_stand_together(slope: float, spread: float, target: float) -> None:
    """One task on which the target is within reach for the surest answers, and one on which it is at its edge."""
    fresh, truth, _ = artists(50_000, spread=spread, shift=0.3, slope=slope, seed=10**6)
    broken = 0
    for seed in range(100):
        confidence, right, groups = artists(120, spread=spread, shift=0.3, slope=slope, seed=seed)
        found = selective_threshold(confidence, right, target=target, groups=groups)
        broken += found is not None and truth[fresh >= found.threshold].mean() < target
    assert broken <= 5


def test_no_threshold_reaches_it() -> None:
    right = np.random.default_rng(0).random(100) < 0.5
    confidence = np.random.default_rng(1).random(100)
    assert selective_threshold(confidence, right, target=0.9, groups=np.arange(100)) is None


def test_strangers() -> None:
    generator = np.random.default_rng(0)
    X = (generator.standard_normal((300, 20)) * np.arange(1, 21)).astype(np.float32)
    familiar = NoveltyDetector.fit(EmbeddingSet.from_matrix(X), groups=np.arange(300) // 3)
    like = (generator.standard_normal((100, 20)) * np.arange(1, 21)).astype(np.float32)
    unlike = like + 8 * np.arange(1, 21, dtype=np.float32)
    assert (familiar.novelty_score(EmbeddingSet.from_matrix(like)) > 1).mean() < 0.1
    assert (familiar.novelty_score(EmbeddingSet.from_matrix(unlike)) > 1).all()
    assert np.allclose(
        familiar.distance(EmbeddingSet.from_matrix(like)) / familiar.threshold,
        familiar.novelty_score(EmbeddingSet.from_matrix(like)),
    )
    few = NoveltyDetector.fit(EmbeddingSet.from_matrix(X[:90]), groups=np.arange(90) // 3)
    assert (few.novelty_score(EmbeddingSet.from_matrix(unlike)) == 0).all()


def test_what_lies_in_a_crowd_must_lie_nearer() -> None:
    """Between two clouds of unlike density: near the dense one is far, and as near the wide one is usual."""
    generator = np.random.default_rng(0)
    dense, wide = generator.standard_normal((150, 5)) * 0.1, generator.standard_normal((150, 5)) * 3 + 40
    familiar = NoveltyDetector.fit(
        EmbeddingSet.from_matrix(np.concatenate([dense, wide]).astype(np.float32)), groups=np.arange(300)
    )
    asked = np.stack([np.full(5, 1.0), np.full(5, 41.0)]).astype(np.float32)
    near_dense, near_wide = familiar.novelty_score(EmbeddingSet.from_matrix(asked))
    assert near_wide < 1 < near_dense


def test_columns_of_a_network_keep_their_proportions_and_those_of_descriptors_do_not() -> None:
    X = (np.random.default_rng(0).standard_normal((200, 4)) * [1, 1, 1, 0.001]).astype(np.float32)
    asked = np.array([[0, 0, 0, 0.1]], dtype=np.float32)
    for space, strange in (("musicnn@1", False), ("descriptors-librosa@1", True)):
        familiar = NoveltyDetector.fit(EmbeddingSet.from_matrix(X, space=space), groups=np.arange(200))
        assert bool(familiar.novelty_score(EmbeddingSet.from_matrix(asked, space=space))[0] > 1) is strange


def test_one_in_a_hundred_of_new_artists_is_strange() -> None:
    flagged = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        artists = generator.standard_normal((200, 6))[np.repeat(np.arange(200), 2)]
        X = (artists + 0.5 * generator.standard_normal((400, 6))).astype(np.float32)
        groups = np.repeat(np.arange(200), 2)
        familiar = NoveltyDetector.fit(EmbeddingSet.from_matrix(X[:200]), groups=groups[:200])
        flagged.append((familiar.novelty_score(EmbeddingSet.from_matrix(X[200:])) > 1).mean())
    assert 0.001 < np.mean(flagged) < 0.02
