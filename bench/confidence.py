"""Whether probabilities mean what they say and promises are kept, for artists that were never heard.

    python bench/confidence.py LIBRARY [--model logreg svm] [--merge classical+orchestral --merge rock+metal]
                               [--lone] [--seeds 5] [--first-seed 0] [--targets 0.8 0.9]

LIBRARY is the folder of a library with labelled tracks. Nested: inside each grouped fold the temperature and the threshold are
learned on grouped folds of its training side, and judged on the artists left out. Each --merge makes one genre of several, for an
easier task; the folds are those of the genres as they were, so one that too few artists hold is not
tested, unless --lone deals the folds by the merged genres. A case is a fold of
a seed that gave a threshold. A case that answers few tracks falls below its target by chance too, so those are counted apart whose
accuracy, by a one-sided bound at 95 % with whole artists, is clearly below.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonotheque import Library
from sonotheque.classify import ModelSpec, TrainingSet, grouped_folds, load_training_set
from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.inference.abstention import accuracy_lower_bound, selective_threshold
from sonotheque.classify.inference.calibration import calibration_error_range, fit_temperature
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.model_spec import fit_model
from sonotheque.classify.models.temperature import apply_temperature

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """One grouped fold: the answers of inner folds that teach, and those to the artists left out."""

    inside: Floats
    taught: Codes
    teachers: Codes
    outside: Floats
    asked: Codes
    strangers: Codes


@dataclass(frozen=True)
class Case:
    """A fold that gave a threshold: which of the answers above it are right, out of how many tracks, and their artists."""

    seed: int
    right: npt.NDArray[np.bool_]
    groups: Codes
    tracks: int


def merged(y: Sequence[str], merges: Sequence[str]) -> Codes:
    """Give genres numbers, one to all that are merged."""
    names = {genre: merge for merge in merges for genre in merge.split("+")}
    return np.unique([names.get(str(label), str(label)) for label in y], return_inverse=True)[1]


def nested(spec: ModelSpec, training: TrainingSet, codes: Codes, *, dealt: Codes, seed: int) -> Iterator[Fold]:
    """Answer for artists left out, and inside the others for artists left out of them."""
    data, groups, n_classes = training.data, training.groups, int(codes.max()) + 1
    for train, test in grouped_folds(dealt, groups, folds=5, seed=seed):
        known, artists = data.take(train), groups[train]
        folds = grouped_folds(dealt[train], artists, folds=5, seed=seed)
        inside = out_of_fold_proba(
            spec, known, codes[train], groups=artists, folds=folds, n_classes=n_classes, seed=seed
        )
        member = fit_model(spec, known, codes[train], groups=artists, seed=seed)
        outside = member.predict_proba(data.take(test), n_classes=n_classes)
        counted = ~np.isnan(inside[:, 0])
        yield Fold(inside[counted], codes[train][counted], artists[counted], outside, codes[test], groups[test])


def judge(fold: Fold, *, target: float, temperature: float, seed: int) -> Case | None:
    """Learn a threshold from the inner answers and hold the outer ones against it."""
    evidence, said = apply_temperature(fold.inside, temperature), apply_temperature(fold.outside, temperature)
    found = selective_threshold(
        evidence.max(axis=1), evidence.argmax(axis=1) == fold.taught, target=target, groups=fold.teachers
    )
    if found is None:
        return None
    answered = said.max(axis=1) >= found.threshold
    return Case(seed, (said.argmax(axis=1) == fold.asked)[answered], fold.strangers[answered], len(fold.asked))


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
    codes = merged(training.y.tolist(), options.merge)
    dealt = codes if options.lone else training.codes
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    cases: list[tuple[str, float, list[Case]]] = []
    print(
        "| model | seed | accuracy | log loss before, after | calibration error before, after | range of a calibrated model "
        "| temperatures |"
    )
    print("|---|---|---|---|---|---|---|")
    for model in options.model:
        mine: dict[float, list[Case]] = {target: [] for target in options.targets}
        for seed in seeds:
            folds = list(nested(ModelSpec(model, training.data.spaces), training, codes, dealt=dealt, seed=seed))
            temperatures = [fit_temperature(fold.inside, fold.taught) for fold in folds]
            for fold, temperature in zip(folds, temperatures, strict=True):
                for target, kept in mine.items():
                    case = judge(fold, target=target, temperature=temperature, seed=seed)
                    if case is not None and len(case.right):
                        kept.append(case)
            print(_calibration_row(model, seed, folds, temperatures), flush=True)
        cases += [(model, target, kept) for target, kept in mine.items()]
    print("\n| model | target | cases | at or above | clearly below | share answered | accuracy | by seed |")
    print("|---|---|---|---|---|---|---|---|")
    for model, target, kept in cases:
        print(_case_row(model, target, kept, seeds))
    every = [(target, case) for _, target, kept in cases for case in kept]
    above = sum(case.right.mean() >= target for target, case in every)
    print(f"\n{above} of {len(every)} cases at or above, {sum(_clearly_below(*one) for one in every)} clearly below")
    pooled = [(target, _answers(kept, seed)) for _, target, kept in cases for seed in seeds]
    given = [(target, right) for target, right in pooled if len(right)]
    print(f"{sum(right.mean() >= target for target, right in given)} of {len(given)} seeds that gave one at or above")


def _calibration_row(model: str, seed: int, folds: Sequence[Fold], temperatures: Sequence[float]) -> str:
    reference = np.concatenate([fold.asked for fold in folds])
    before = np.concatenate([fold.outside for fold in folds])
    after = np.concatenate(
        [apply_temperature(fold.outside, heat) for fold, heat in zip(folds, temperatures, strict=True)]
    )
    low, high = calibration_error_range(after)
    losses = [probability_metrics.log_loss(reference, shares) for shares in (before, after)]
    errors = [probability_metrics.expected_calibration_error(reference, shares) for shares in (before, after)]
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


def _case_row(model: str, target: float, cases: Sequence[Case], seeds: Sequence[int]) -> str:
    if not cases:
        return f"| {model} | {target} | 0 | | | 0 | | |"
    right = np.concatenate([case.right for case in cases])
    above = sum(case.right.mean() >= target for case in cases)
    below = sum(_clearly_below(target, case) for case in cases)
    by_seed = [_answers(cases, seed) for seed in seeds]
    figures = ", ".join(f"{answers.mean():.3f}" if len(answers) else "none" for answers in by_seed)
    share = len(right) / sum(case.tracks for case in cases)
    return f"| {model} | {target} | {len(cases)} | {above} | {below} | {share:.2f} | {right.mean():.3f} | {figures} |"


def _answers(cases: Sequence[Case], seed: int) -> npt.NDArray[np.bool_]:
    return np.concatenate([np.zeros(0, bool), *(case.right for case in cases if case.seed == seed)])


def _clearly_below(target: float, case: Case) -> bool:
    return 1 - accuracy_lower_bound(~case.right, groups=case.groups) < target


if __name__ == "__main__":
    main()
