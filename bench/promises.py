"""Test the lower bound of the accuracy, and selective thresholds, on simulated artists whose true accuracy is known.

    python bench/promises.py [--runs 500]

The difficulty of an artist is a random effect on the logit, so the predictions for tracks by one artist are correlated. The numbers
of tracks of an artist are similar (geometric, mean 2.5) or very unequal (Pareto, at most 40).

The first table shows how often the bound lies above the true accuracy of all predictions, which should happen in 5% of the runs.
The second table shows how often a threshold is given, and how often one is given whose true accuracy above the threshold is below
the target, which should happen in at most 5% of the runs. The third table divides the artists into five folds, as
`bench/confidence.py` does: even if a threshold holds in truth, the accuracy on the few tracks of a fold may be below the target.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from sonotheque.classify.inference.abstention import accuracy_lower_bound, selective_threshold
from sonotheque.types import BoolArray, Codes, Float64Array


@dataclass(frozen=True)
class Simulation:
    """A simulation of predictions whose true accuracy is known.

    Attributes
    ----------
    slope : float
        Slope of the accuracy over the confidence, both on the logit scale. 1 is calibrated; with 0 the confidence is uninformative.
    spread : float
        Standard deviation of the artists' effects.
    shift : float
        Logit of the accuracy at a confidence of one half.
    unequal : bool
        Whether a few artists have most of the tracks.
    """

    slope: float
    spread: float
    shift: float
    unequal: bool

    def draw(self, artists: int, generator: np.random.Generator) -> tuple[Float64Array, BoolArray, Codes]:
        """Draw predictions: their confidences, whether they are correct, and their artists."""
        if self.unequal:
            sizes = np.minimum(40, np.ceil(generator.pareto(1.3, artists) + 0.01)).astype(np.int64)
        else:
            sizes = generator.geometric(0.4, artists)
        groups = np.repeat(np.arange(artists), sizes)
        ease, effect = generator.standard_normal((2, artists))[:, groups]
        score = 1.5 * (0.6 * ease + 0.8 * generator.standard_normal(len(groups))) + 0.8
        chance = _sigmoid(self.slope * score + self.shift + self.spread * effect)
        return _sigmoid(score), generator.random(len(groups)) < chance, groups

    def accuracy_curve(self, *, artists: int = 200_000, seed: int = 99) -> tuple[Float64Array, Float64Array]:
        """Return descending confidences, and the true accuracy of all predictions at or above each."""
        confidence, correct, _ = self.draw(artists, np.random.default_rng(seed))
        order = np.argsort(-confidence)
        return confidence[order], np.cumsum(correct[order]) / np.arange(1, len(order) + 1)


@dataclass(frozen=True)
class ThresholdCounts:
    """Number of thresholds given, of those whose true accuracy is below the target, and of those whose test accuracy is."""

    given: int
    truly_below: int
    tested_below: int


def bound_error_rate(simulation: Simulation, *, artists: int, runs: int) -> float:
    """Return the fraction of runs in which the lower bound lies above the true accuracy of all predictions."""
    true_accuracy = simulation.accuracy_curve()[1][-1]
    n_too_high = 0
    for seed in range(runs):
        _, correct, groups = simulation.draw(artists, np.random.default_rng(seed))
        n_too_high += accuracy_lower_bound(correct, groups=groups) > true_accuracy
    return n_too_high / runs


def count_thresholds(
    simulation: Simulation, *, artists: int, target: float, runs: int, folds: int = 1
) -> ThresholdCounts:
    """Derive thresholds, and count those that miss the target. With several folds, test each one on the fold left out."""
    curve_confidence, curve_accuracy = simulation.accuracy_curve()
    given = truly_below = tested_below = 0
    for seed in range(runs):
        confidence, correct, groups = simulation.draw(artists, np.random.default_rng(seed))
        for fold in range(folds):
            test = groups % folds == fold if folds > 1 else np.zeros(len(groups), bool)
            selected = selective_threshold(confidence[~test], correct[~test], target=target, groups=groups[~test])
            if selected is None:
                continue
            given += 1
            n_above = int(np.searchsorted(-curve_confidence, -selected.threshold, side="right"))
            truly_below += bool(curve_accuracy[max(n_above, 500) - 1] < target)
            test_correct = correct[test & (confidence >= selected.threshold)]
            tested_below += bool(len(test_correct) and test_correct.mean() < target)
    return ThresholdCounts(given, truly_below, tested_below)


def _sigmoid(x: Float64Array) -> Float64Array:
    result: Float64Array = 1 / (1 + np.exp(-x))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    print("| artists | tracks of an artist | spread | true accuracy | bound too high |\n|---|---|---|---|---|")
    for unequal in (False, True):
        for artists in (10, 30, 100):
            for spread, shift in ((1.0, 1.2), (2.0, 3.5), (4.0, 3.0)):
                simulation = Simulation(0, spread, shift, unequal)
                rate = bound_error_rate(simulation, artists=artists, runs=runs)
                sizes = "unequal" if unequal else "similar"
                accuracy = simulation.accuracy_curve()[1][-1]
                print(f"| {artists} | {sizes} | {spread} | {accuracy:.3f} | {rate:.3f} |", flush=True)
    print("\n| artists | tracks of an artist | slope, spread | accuracy of all | target | given | given, but below |")
    print("|---|---|---|---|---|---|---|")
    for unequal in (False, True):
        for artists in (100, 300):
            for slope, spread, shift, target in (
                (1, 1.5, 0.3, 0.8),
                (1, 3, 0, 0.7),
                (0.1, 2, 1, 0.7),
                (0.1, 2, 2.2, 0.9),
            ):
                simulation = Simulation(slope, spread, shift, unequal)
                counts = count_thresholds(simulation, artists=artists, target=target, runs=runs)
                sizes = "unequal" if unequal else "similar"
                accuracy = simulation.accuracy_curve()[1][-1]
                print(
                    f"| {artists} | {sizes} | {slope}, {spread} | {accuracy:.3f} "
                    f"| {target} | {counts.given / runs:.3f} | {counts.truly_below / runs:.3f} |",
                    flush=True,
                )
    print("\n| accuracy of all | target | folds with a threshold | hold in truth | at or above on the fold |")
    print("|---|---|---|---|---|")
    for shift in (0.5, 1.0, 1.5, 2.0, 2.5):
        simulation = Simulation(1, 1.0, shift, unequal=False)
        counts = count_thresholds(simulation, artists=96, target=0.8, runs=runs // 5, folds=5)
        hold = 1 - counts.truly_below / max(counts.given, 1)
        at_or_above = 1 - counts.tested_below / max(counts.given, 1)
        given = counts.given / (runs // 5 * 5)
        accuracy = simulation.accuracy_curve()[1][-1]
        print(f"| {accuracy:.3f} | 0.8 | {given:.2f} | {hold:.3f} | {at_or_above:.3f} |", flush=True)


if __name__ == "__main__":
    main()
