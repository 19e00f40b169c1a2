"""Whether probabilities mean what they say and promises are kept, for artists that were never heard.

    python bench/confidence.py LIBRARY [--model logreg] [--seeds 5] [--targets 0.8 0.9]

LIBRARY is the folder of a library with labelled tracks. Nested: inside each grouped fold the temperature and the threshold are
learned on grouped folds of its training side, and judged on the artists left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.classify import Recipe, curves, grouped_folds, training_set
from sonotheque.classify.calibration import calibration_range, fit_temperature, soften
from sonotheque.classify.confidence import promise
from sonotheque.classify.ensemble import out_of_fold
from sonotheque.classify.recipe import fit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", default="logreg")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--targets", type=float, nargs="+", default=[0.8, 0.9])
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        training = training_set(library.catalogue, spaces=[space.id for space in library.catalogue.spaces()])
    data, codes, groups = training.data, training.codes, training.groups
    labels = int(codes.max()) + 1
    recipe = Recipe(options.model, data.spaces)
    print(
        "| seed | log loss before, after | calibration error before, after | range of a calibrated model | temperatures |"
    )
    print("|---|---|---|---|---|")
    promises: dict[float, list[tuple[int, float, float]]] = {target: [] for target in options.targets}
    for seed in range(options.seeds):
        raw, soft, tested, temperatures = [], [], [], []
        cases: dict[float, list[np.ndarray]] = {target: [] for target in options.targets}
        for train, test in grouped_folds(codes, groups, folds=5, seed=seed):
            known, taught, artists = data.take(train), codes[train], groups[train]
            folds = grouped_folds(taught, artists, folds=5, seed=seed)
            inside = out_of_fold(recipe, known, taught, groups=artists, folds=folds, labels=labels, seed=seed)
            temperature = fit_temperature(inside, taught)
            outside = fit(recipe, known, taught, groups=artists, seed=seed).probabilities(
                data.take(test), labels=labels
            )
            counted = ~np.isnan(inside[:, 0])
            evidence = soften(inside[counted], temperature)
            said = soften(outside, temperature)
            for target in options.targets:
                right = evidence.argmax(axis=1) == taught[counted]
                found = promise(evidence.max(axis=1), right, target=target, groups=artists[counted])
                if found is not None:
                    answered = said.max(axis=1) >= found.threshold
                    cases[target].append((said.argmax(axis=1) == codes[test])[answered])
            raw.append(outside)
            soft.append(said)
            tested.append(test)
            temperatures.append(temperature)
        reference, before, after = codes[np.concatenate(tested)], np.concatenate(raw), np.concatenate(soft)
        low, high = calibration_range(after)
        errors = [curves.expected_calibration_error(reference, shares) for shares in (before, after)]
        print(
            f"| {seed} | {curves.log_loss(reference, before):.3f}, {curves.log_loss(reference, after):.3f} | "
            f"{errors[0]:.3f}, {errors[1]:.3f} | {low:.3f} to {high:.3f} | {np.mean(temperatures):.2f} |",
            flush=True,
        )
        for target, parts in cases.items():
            if parts and sum(map(len, parts)):
                answered = np.concatenate(parts)
                promises[target].append((len(parts), len(answered) / len(reference), float(answered.mean())))
    print(
        "\n| target | seeds that gave a threshold | folds with one | share answered | accuracy among answered, by seed |"
    )
    print("|---|---|---|---|---|")
    for target, seen in promises.items():
        figures = ", ".join(f"{accuracy:.3f}" for _, _, accuracy in seen)
        share = np.mean([share for _, share, _ in seen]) if seen else 0
        print(f"| {target} | {len(seen)} of {options.seeds} | {sum(n for n, _, _ in seen)} | {share:.2f} | {figures} |")


if __name__ == "__main__":
    main()
