"""The accuracy bound lies below the true accuracy, and selective thresholds keep their target."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.classify.inference.abstention import accuracy_lower_bound, selective_threshold


def calibrated_predictions(count: int, *, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Confidences of calibrated predictions, and whether the predictions are correct."""
    generator = np.random.default_rng(seed)
    probabilities = generator.dirichlet(np.full(5, spread), count)
    codes = (generator.random((count, 1)) > probabilities.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == codes


def test_accuracy_bounds() -> None:
    correct = np.arange(100) < 90
    independent = accuracy_lower_bound(correct, groups=np.arange(100))
    assert independent == pytest.approx(0.8363, abs=1e-3)  # Clopper & Pearson, one-sided, 90 of 100
    correlated = accuracy_lower_bound(correct, groups=np.arange(100) // 10)  # all errors are on one artist
    assert correlated < independent
    assert accuracy_lower_bound(np.ones(50, bool), groups=np.arange(50)) == pytest.approx(0.05 ** (1 / 50))
    assert accuracy_lower_bound(np.ones(50, bool), groups=np.zeros(50)) == pytest.approx(0.05)
    groups = np.repeat(np.arange(10), [41, *[1] * 9])
    assert accuracy_lower_bound(np.ones(50, bool), groups=groups) == pytest.approx(0.05 ** ((41**2 + 9) / 50**2))
    assert accuracy_lower_bound(np.zeros(5, bool), groups=np.arange(5)) == 0


def test_thresholds_keep_their_target() -> None:
    """On new predictions of the same kind, at least 95 % of the thresholds keep the target."""
    n_kept, n_thresholds = 0, 0
    for seed in range(60):
        confidence, correct = calibrated_predictions(400, seed=2 * seed, spread=0.2)
        selected = selective_threshold(confidence, correct, target=0.8, groups=np.arange(400))
        if selected is None:
            continue
        assert selected.lower >= 0.8
        confidence, correct = calibrated_predictions(5000, seed=2 * seed + 1, spread=0.2)
        n_kept += correct[confidence >= selected.threshold].mean() >= 0.8
        n_thresholds += 1
    assert n_thresholds > 40
    assert n_kept / n_thresholds >= 0.95


def simulated_artists(
    count: int, *, spread: float, shift: float, slope: float = 0.0, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidences, correctness, and artists. Correctness is correlated within an artist, by a random effect on the logit."""
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), generator.geometric(0.4, count))
    score = generator.standard_normal(len(groups)) + 1
    chance = 1 / (1 + np.exp(-slope * score - shift - spread * generator.standard_normal(count)[groups]))
    return score, generator.random(len(groups)) < chance, groups


@pytest.mark.parametrize(("count", "spread", "shift"), [(10, 1, 1.2), (30, 2, 1.6), (60, 4, 3)])
def test_bound_lies_below_the_true_accuracy_of_correlated_tracks(count: int, spread: float, shift: float) -> None:
    true_accuracy = simulated_artists(50_000, spread=spread, shift=shift, seed=10**6)[1].mean()
    n_too_high = 0
    for seed in range(300):
        _, correct, groups = simulated_artists(count, spread=spread, shift=shift, seed=seed)
        n_too_high += accuracy_lower_bound(correct, groups=groups) > true_accuracy
    assert n_too_high / 300 <= 0.075  # 5 %, and two standard errors of 300 rounds


@pytest.mark.parametrize(("slope", "spread", "target"), [(1.0, 1.5, 0.8), (0.1, 2.0, 0.7)])
def test_thresholds_keep_their_target_for_correlated_tracks(slope: float, spread: float, target: float) -> None:
    """One task in which the most confident predictions reach the target easily, and one in which they barely reach it."""
    all_confidence, all_correct, _ = simulated_artists(50_000, spread=spread, shift=0.3, slope=slope, seed=10**6)
    n_broken = 0
    for seed in range(100):
        confidence, correct, groups = simulated_artists(120, spread=spread, shift=0.3, slope=slope, seed=seed)
        selected = selective_threshold(confidence, correct, target=target, groups=groups)
        n_broken += selected is not None and all_correct[all_confidence >= selected.threshold].mean() < target
    assert n_broken <= 5


def test_no_threshold_reaches_the_target() -> None:
    correct = np.random.default_rng(0).random(100) < 0.5
    confidence = np.random.default_rng(1).random(100)
    assert selective_threshold(confidence, correct, target=0.9, groups=np.arange(100)) is None
