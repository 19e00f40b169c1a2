"""Whether the bound of an accuracy and the threshold built on it hold, on simulated artists of whom the truth is known.

    python bench/promises.py [--rounds 500]

An artist is as hard as a random effect on the logit says, so that its tracks are right and wrong together; artists have one to some
tracks (geometric, mean 2.5) or very unequal ones (Pareto, 40 at most). "Too high": how often the bound of one fixed set of
answers lies above the true accuracy, to be 5 %. "Given", "broken": how often a threshold is given, and how often one is given
whose true accuracy among answered lies below the target, to be 5 % at most. The last table deals the artists to five folds as
`bench/confidence.py` does: a case that is kept in truth still falls below its target on the few tracks of a fold.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.classify.inference.abstention import accuracy_lower_bound, selective_threshold

Floats = npt.NDArray[np.float64]
Answers = tuple[Floats, npt.NDArray[np.bool_], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class World:
    """Answers of which it is known how often they are right.

    Attributes
    ----------
    slope : float
        How much more often confident answers are right, on the logit: 1 is calibrated, 0 not at all.
    spread : float
        Standard deviation of the artists' effects.
    shift : float
        Logit of an answer whose confidence is a half.
    unequal : bool
        Whether few artists have most of the tracks.
    """

    slope: float
    spread: float
    shift: float
    unequal: bool

    def draw(self, artists: int, generator: np.random.Generator) -> Answers:
        """Draw confidences, whether they are right, and the artists of the answers."""
        if self.unequal:
            sizes = np.minimum(40, np.ceil(generator.pareto(1.3, artists) + 0.01)).astype(np.int64)
        else:
            sizes = generator.geometric(0.4, artists)
        groups = np.repeat(np.arange(artists), sizes)
        ease, effect = generator.standard_normal((2, artists))[:, groups]
        score = 1.5 * (0.6 * ease + 0.8 * generator.standard_normal(len(groups))) + 0.8
        chance = _sigmoid(self.slope * score + self.shift + self.spread * effect)
        return _sigmoid(score), generator.random(len(groups)) < chance, groups

    def truth(self, *, artists: int = 200_000, seed: int = 99) -> tuple[Floats, Floats]:
        """Return confidences, the highest first, and the accuracy of all answers at or above each."""
        confidence, right, _ = self.draw(artists, np.random.default_rng(seed))
        order = np.argsort(-confidence)
        return confidence[order], np.cumsum(right[order]) / np.arange(1, len(order) + 1)


@dataclass(frozen=True)
class Kept:
    """How often a threshold was given, how often its true accuracy was below the target, and how often the tested one was."""

    given: int
    broken: int
    below: int


def too_high(world: World, *, artists: int, rounds: int) -> float:
    """Return how often the bound of the accuracy of all answers lies above the truth."""
    true = world.truth()[1][-1]
    high = 0
    for seed in range(rounds):
        _, right, groups = world.draw(artists, np.random.default_rng(seed))
        high += accuracy_lower_bound(right, groups=groups) > true
    return high / rounds


def keep(world: World, *, artists: int, target: float, rounds: int, folds: int = 1) -> Kept:
    """Promise, and look whether it is kept: by all artists, or by each fold's others to that fold."""
    true = world.truth()
    given = broken = below = 0
    for seed in range(rounds):
        confidence, right, groups = world.draw(artists, np.random.default_rng(seed))
        for fold in range(folds):
            test = groups % folds == fold if folds > 1 else np.zeros(len(groups), bool)
            found = selective_threshold(confidence[~test], right[~test], target=target, groups=groups[~test])
            if found is None:
                continue
            given += 1
            place = int(np.searchsorted(-true[0], -found.threshold, side="right"))
            broken += bool(true[1][max(place, 500) - 1] < target)
            answered = right[test & (confidence >= found.threshold)]
            below += bool(len(answered) and answered.mean() < target)
    return Kept(given, broken, below)


def _sigmoid(x: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-x))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500)
    rounds = parser.parse_args().rounds
    print("| artists | sizes | spread | true accuracy | bound too high |\n|---|---|---|---|---|")
    for unequal in (False, True):
        for artists in (10, 30, 100):
            for spread, shift in ((1.0, 1.2), (2.0, 3.5), (4.0, 3.0)):
                world = World(0, spread, shift, unequal)
                share = too_high(world, artists=artists, rounds=rounds)
                sizes = "unequal" if unequal else "alike"
                print(f"| {artists} | {sizes} | {spread} | {world.truth()[1][-1]:.3f} | {share:.3f} |", flush=True)
    print(
        "\n| artists | sizes | slope, spread | accuracy of all | target | given | broken |\n|---|---|---|---|---|---|---|"
    )
    for unequal in (False, True):
        for artists in (100, 300):
            for slope, spread, shift, target in (
                (1, 1.5, 0.3, 0.8),
                (1, 3, 0, 0.7),
                (0.1, 2, 1, 0.7),
                (0.1, 2, 2.2, 0.9),
            ):
                world = World(slope, spread, shift, unequal)
                kept = keep(world, artists=artists, target=target, rounds=rounds)
                print(
                    f"| {artists} | {'unequal' if unequal else 'alike'} | {slope}, {spread} | {world.truth()[1][-1]:.3f} "
                    f"| {target} | {kept.given / rounds:.3f} | {kept.broken / rounds:.3f} |",
                    flush=True,
                )
    print("\n| accuracy of all | target | folds that gave a threshold | kept in truth | at or above on the fold |")
    print("|---|---|---|---|---|")
    for shift in (0.5, 1.0, 1.5, 2.0, 2.5):
        world = World(1, 1.0, shift, unequal=False)
        kept = keep(world, artists=96, target=0.8, rounds=rounds // 5, folds=5)
        shares = [f"{1 - bad / max(kept.given, 1):.3f}" for bad in (kept.broken, kept.below)]
        all_ = kept.given / (rounds // 5 * 5)
        print(f"| {world.truth()[1][-1]:.3f} | 0.8 | {all_:.2f} | {shares[0]} | {shares[1]} |", flush=True)


if __name__ == "__main__":
    main()
