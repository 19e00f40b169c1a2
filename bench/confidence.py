"""Measure calibration, and how often selective thresholds keep their target accuracy, on artists outside the training set.

    python bench/confidence.py LIBRARY [--model logreg svm] [--merge classical+orchestral --merge rock+metal]
                               [--lone] [--seeds 5] [--first-seed 0] [--targets 0.8 0.9]

LIBRARY is the folder of a library with labelled tracks. The cross-validation is nested: in each fold, the temperature and the
threshold are fitted to out-of-fold predictions of the training set, and evaluated on the artists of the test set. Each --merge
merges several genres into one, which makes the task easier. The folds are still made from the original genres, so a genre with
too few artists is not tested; with --lone, the folds are made from the merged genres. A case is a fold of one seed that gives a
threshold. A case with few predictions may fall below its target by chance, so cases are counted separately whose accuracy is
clearly below, by a one-sided 95% bound over artists.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.classify import ModelSpec, TrainingSet, grouped_folds, load_training_set
from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.inference.abstention import accuracy_lower_bound, selective_threshold
from sonotheque.classify.inference.calibration import calibration_error_range, fit_temperature
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.model_spec import fit_model
from sonotheque.classify.models.temperature import apply_temperature
from sonotheque.types import BoolArray, Codes, Float64Array


@dataclass(frozen=True)
class FoldPredictions:
    """Predictions for one fold: out-of-fold predictions for the training set, and predictions for the test set."""

    train_proba: Float64Array
    train_codes: Codes
    train_groups: Codes
    test_proba: Float64Array
    test_codes: Codes
    test_groups: Codes


@dataclass(frozen=True)
class Case:
    """A fold that gave a threshold: correctness and artists of the predictions above it, and the number of all test tracks."""

    seed: int
    correct: BoolArray
    groups: Codes
    tracks: int


def encode_merged(y: Sequence[str], merges: Sequence[str]) -> Codes:
    """Integer-encode genres, with the same code for all genres that are merged."""
    names = {genre: merge for merge in merges for genre in merge.split("+")}
    return np.unique([names.get(str(label), str(label)) for label in y], return_inverse=True)[1]


def predict_nested(
    spec: ModelSpec, training: TrainingSet, codes: Codes, *, fold_codes: Codes, seed: int
) -> Iterator[FoldPredictions]:
    """Predict the test set of each fold, and the training set by inner cross-validation. `fold_codes` stratify the folds."""
    data, groups, n_classes = training.data, training.groups, int(codes.max()) + 1
    for train, test in grouped_folds(fold_codes, groups, folds=5, seed=seed):
        train_data, train_groups = data.take(train), groups[train]
        folds = grouped_folds(fold_codes[train], train_groups, folds=5, seed=seed)
        train_proba = out_of_fold_proba(
            spec, train_data, codes[train], groups=train_groups, folds=folds, n_classes=n_classes, seed=seed
        )
        model = fit_model(spec, train_data, codes[train], groups=train_groups, seed=seed)
        test_proba = model.predict_proba(data.take(test), n_classes=n_classes)
        valid = ~np.isnan(train_proba[:, 0])
        yield FoldPredictions(
            train_proba[valid], codes[train][valid], train_groups[valid], test_proba, codes[test], groups[test]
        )


def evaluate_threshold(fold: FoldPredictions, *, target: float, temperature: float, seed: int) -> Case | None:
    """Derive a threshold from the training predictions, and apply it to the test predictions."""
    train_proba = apply_temperature(fold.train_proba, temperature)
    test_proba = apply_temperature(fold.test_proba, temperature)
    train_correct = train_proba.argmax(axis=1) == fold.train_codes
    selected = selective_threshold(train_proba.max(axis=1), train_correct, target=target, groups=fold.train_groups)
    if selected is None:
        return None
    above = test_proba.max(axis=1) >= selected.threshold
    test_correct = test_proba.argmax(axis=1) == fold.test_codes
    return Case(seed, test_correct[above], fold.test_groups[above], len(fold.test_codes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", nargs="+", default=["logreg"])
    parser.add_argument("--merge", action="append", default=[], metavar="GENRE+GENRE")
    parser.add_argument("--lone", action="store_true")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--targets", type=float, nargs="+", default=[0.8, 0.9])
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        training = load_training_set(library.catalogue, spaces=[space.id for space in library.catalogue.spaces.all()])
    codes = encode_merged(training.y.tolist(), options.merge)
    fold_codes = codes if options.lone else training.codes
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    cases: list[tuple[str, float, list[Case]]] = []
    print(
        "| model | seed | accuracy | log loss before, after | calibration error before, after | range of a calibrated model "
        "| temperatures |"
    )
    print("|---|---|---|---|---|---|---|")
    for model in options.model:
        model_cases: dict[float, list[Case]] = {target: [] for target in options.targets}
        for seed in seeds:
            spec = ModelSpec(model, training.data.spaces)
            folds = list(predict_nested(spec, training, codes, fold_codes=fold_codes, seed=seed))
            temperatures = [fit_temperature(fold.train_proba, fold.train_codes) for fold in folds]
            for fold, temperature in zip(folds, temperatures, strict=True):
                for target, target_cases in model_cases.items():
                    case = evaluate_threshold(fold, target=target, temperature=temperature, seed=seed)
                    if case is not None and len(case.correct):
                        target_cases.append(case)
            print(_format_calibration_row(model, seed, folds, temperatures), flush=True)
        cases += [(model, target, target_cases) for target, target_cases in model_cases.items()]
    print("\n| model | target | cases | at or above | clearly below | coverage | accuracy | by seed |")
    print("|---|---|---|---|---|---|---|---|")
    for model, target, target_cases in cases:
        print(_format_case_row(model, target, target_cases, seeds))
    all_cases = [(target, case) for _, target, target_cases in cases for case in target_cases]
    above = sum(case.correct.mean() >= target for target, case in all_cases)
    below = sum(_is_clearly_below(target, case) for target, case in all_cases)
    print(f"\n{above} of {len(all_cases)} cases at or above their target, {below} clearly below")
    by_seed = [(target, _correct_of_seed(target_cases, seed)) for _, target, target_cases in cases for seed in seeds]
    by_seed = [(target, correct) for target, correct in by_seed if len(correct)]
    above = sum(correct.mean() >= target for target, correct in by_seed)
    print(f"{above} of {len(by_seed)} seeds at or above their target, over all their cases")


def _format_calibration_row(
    model: str, seed: int, folds: Sequence[FoldPredictions], temperatures: Sequence[float]
) -> str:
    reference = np.concatenate([fold.test_codes for fold in folds])
    before = np.concatenate([fold.test_proba for fold in folds])
    after = np.concatenate(
        [apply_temperature(fold.test_proba, temperature) for fold, temperature in zip(folds, temperatures, strict=True)]
    )
    low, high = calibration_error_range(after)
    losses = [probability_metrics.log_loss(reference, proba) for proba in (before, after)]
    errors = [probability_metrics.expected_calibration_error(reference, proba) for proba in (before, after)]
    cells = [
        model,
        str(seed),
        f"{(after.argmax(axis=1) == reference).mean():.3f}",
        f"{losses[0]:.3f}, {losses[1]:.3f}{' rises' if losses[1] > losses[0] else ''}",
        f"{errors[0]:.3f}, {errors[1]:.3f}{'' if low <= errors[1] <= high else ' outside'}",
        f"{low:.3f} to {high:.3f}",
        f"{min(temperatures):.2f} to {max(temperatures):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _format_case_row(model: str, target: float, cases: Sequence[Case], seeds: Sequence[int]) -> str:
    if not cases:
        return f"| {model} | {target} | 0 | | | 0 | | |"
    correct = np.concatenate([case.correct for case in cases])
    cells = [
        model,
        str(target),
        str(len(cases)),
        str(sum(case.correct.mean() >= target for case in cases)),
        str(sum(_is_clearly_below(target, case) for case in cases)),
        f"{len(correct) / sum(case.tracks for case in cases):.2f}",
        f"{correct.mean():.3f}",
        ", ".join(
            f"{part.mean():.3f}" if len(part) else "none" for part in (_correct_of_seed(cases, s) for s in seeds)
        ),
    ]
    return f"| {' | '.join(cells)} |"


def _correct_of_seed(cases: Sequence[Case], seed: int) -> BoolArray:
    return np.concatenate([np.zeros(0, bool), *(case.correct for case in cases if case.seed == seed)])


def _is_clearly_below(target: float, case: Case) -> bool:
    return 1 - accuracy_lower_bound(~case.correct, groups=case.groups) < target


if __name__ == "__main__":
    main()
