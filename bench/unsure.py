"""Choose the margin below which a prediction is unsure, on one half of the artists, and evaluate it on the other half.

    python bench/unsure.py LIBRARY [--seeds 5] [--halves 0] [--evaluate LIBRARY]

LIBRARY is the folder of a library with labelled tracks. The out-of-fold predictions are those of artist-grouped folds, of the
models that `train` compares (logreg, knn, svm), on each space and on all spaces. The artists are divided into two halves. On the
first half, the temperature of each model is fitted, and the margin is chosen: it is the margin at which half of the predictions
are right, by logistic regression of correctness on the margin over all models and seeds, rounded to a multiple of 0.05. The second
half, and the library that --evaluate names, only serve for the figures.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.classify import ModelSpec, TrainingSet, load_training_set
from sonotheque.classify.data.folds import default_grouped_folds
from sonotheque.classify.evaluation.bootstrap import bootstrap_interval
from sonotheque.classify.inference.calibration import fit_temperature
from sonotheque.classify.inference.margin import MIN_MARGIN, probability_margin
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.learners import QUICK_MODELS, space_subsets
from sonotheque.classify.models.temperature import apply_temperature
from sonotheque.embed.space import short_name
from sonotheque.types import BoolArray, Codes, Float64Array, Interval

STEP = 0.05


def load(folder: Path) -> TrainingSet:
    with Library(folder, create=False) as library:
        spaces = [space.id for space in library.catalogue.spaces.all() if space.tracks]
        return load_training_set(library.catalogue, spaces=spaces, segments=False)


def predict(training: TrainingSet, spec: ModelSpec, *, seed: int) -> tuple[Float64Array, Codes]:
    """Return out-of-fold probabilities [M, C], and the rows [M] of the tracks."""
    folds = default_grouped_folds(training.codes, training.groups, seed=seed)
    n_classes = int(training.codes.max()) + 1
    found = out_of_fold_proba(
        spec, training.data, training.codes, groups=training.groups, folds=folds, n_classes=n_classes, seed=seed
    )
    rows = np.flatnonzero(~np.isnan(found[:, 0]))
    return found[rows], rows


def all_specs(training: TrainingSet) -> Iterator[ModelSpec]:
    for spaces in space_subsets(training.data.spaces):
        for model in QUICK_MODELS:
            yield ModelSpec(model, spaces)


def first_half(groups: Codes, *, seed: int) -> BoolArray:
    artists = np.random.default_rng(seed).permutation(np.unique(groups))
    result: BoolArray = np.isin(groups, artists[: len(artists) // 2])
    return result


def choose_margin(margins: Float64Array, correct: BoolArray) -> float:
    """Return the margin at which half of the predictions are right."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(margins[:, None], correct)
    return float(-model.intercept_[0] / model.coef_[0, 0])


def accuracy_interval(correct: BoolArray, groups: Codes) -> Interval:
    return bootstrap_interval(lambda rows: float(correct[rows].mean()), groups=groups)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--halves", type=int, default=0, help="seed of the division of the artists")
    parser.add_argument("--evaluate", type=Path)
    options = parser.parse_args()
    training = load(options.library)
    half = first_half(training.groups, seed=options.halves)
    chosen_on: list[tuple[Float64Array, BoolArray]] = []
    evaluated: dict[str, list[tuple[Float64Array, BoolArray, Codes]]] = {}
    for spec in all_specs(training):
        for seed in range(options.seeds):
            probabilities, rows = predict(training, spec, seed=seed)
            inside = half[rows]
            temperature = fit_temperature(probabilities[inside], training.codes[rows][inside])
            calibrated = apply_temperature(probabilities, temperature)
            margins = probability_margin(calibrated)
            correct = calibrated.argmax(axis=1) == training.codes[rows]
            chosen_on.append((margins[inside], correct[inside]))
            name = f"{spec.model}, {' + '.join(map(short_name, spec.spaces))}"
            evaluated.setdefault(name, []).append((margins[~inside], correct[~inside], training.groups[rows][~inside]))
    crossing = choose_margin(*(np.concatenate(part) for part in zip(*chosen_on, strict=True)))
    margin = max(STEP, STEP * round(crossing / STEP))
    print(f"first half: half of the predictions are right at a margin of {crossing:.3f}; chosen: {margin:.2f}")
    print(f"in the code: {MIN_MARGIN:.2f}\n")
    if options.evaluate:
        other = load(options.evaluate)
        for spec in all_specs(other):
            for seed in range(options.seeds):
                probabilities, rows = predict(other, spec, seed=seed)
                calibrated = apply_temperature(probabilities, fit_temperature(probabilities, other.codes[rows]))
                correct = calibrated.argmax(axis=1) == other.codes[rows]
                name = f"other library: {spec.model}, {' + '.join(map(short_name, spec.spaces))}"
                evaluated.setdefault(name, []).append((probability_margin(calibrated), correct, other.groups[rows]))
    print("| model | unsure | accuracy of the unsure, 95% interval | accuracy of the others | of all |")
    print("|---|---|---|---|---|")
    for name, parts in evaluated.items():
        margins, correct, groups = (np.concatenate(part) for part in zip(*parts, strict=True))
        unsure = margins < margin
        accuracy = ""
        if unsure.any():
            low, high = accuracy_interval(correct[unsure], groups[unsure])
            accuracy = f"{correct[unsure].mean():.2f} [{low:.2f}, {high:.2f}]"
        print(f"| {name} | {unsure.mean():.0%} | {accuracy} | {correct[~unsure].mean():.2f} | {correct.mean():.2f} |")


if __name__ == "__main__":
    main()
