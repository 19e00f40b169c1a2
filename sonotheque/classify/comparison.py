"""One table of everything: spaces, models, global and local decisions, ensembles, on the same folds, with paired differences.

Rows that learn from other rows (the choice by inner folds, thresholds, ensembles) see the training side of each outer fold alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque import documents as doc
from sonotheque.classify import curves, metrics
from sonotheque.classify.calibration import Probabilities
from sonotheque.classify.ensemble import choose_members, mixture_shares, out_of_fold
from sonotheque.classify.folds import Fold, count_groups, default_folds, grouped_folds
from sonotheque.classify.learners import deep_recipes, space_sets
from sonotheque.classify.metrics import Codes, rounded
from sonotheque.classify.recipe import DECISIONS, Recipe, fit
from sonotheque.classify.recordings import Recordings
from sonotheque.embed.space import short_name
from sonotheque.errors import ClassifierError

INNER = 3
"""Folds inside each fold."""

STEPS = (1.0, 0.85, 1.2, 0.7, 1.4, 0.5, 2.0)
"""Factors that `thresholds` tries; the one that changes least wins a tie."""

Progress = Callable[[int, int], None]


def all_recipes(spaces: Sequence[str], *, models: Sequence[str], segments: bool, copies: bool = False) -> list[Recipe]:
    """List every model on each space and on all together.

    Decisions on segments other than the mean are for the first model alone; with copies, decisions on tracks come with and
    without them.
    """
    recipes = []
    for some in space_sets(spaces):
        for model in models:
            decisions = DECISIONS if model == models[0] else DECISIONS[:2]
            recipes += [Recipe(model, some, decision) for decision in (decisions if segments else DECISIONS[:1])]
            recipes += [Recipe(model, some, copies=True)] if copies else []
    for augmented in (False, True) if copies else (False,):
        recipes += deep_recipes(spaces, copies=augmented)
    return recipes


def compare(
    data: Recordings,
    y: npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    recipes: Sequence[Recipe],
    folds: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> doc.Compared:
    """Judge recipes and what is made of them together.

    Parameters
    ----------
    data : Recordings
    y : labels [N]
    groups : array [N]
        The artist of each.
    recipes : sequence of Recipe
    folds : int or None
    seed : int
    progress : callable
        Called with (fits done, fits to do).

    Raises
    ------
    ClassifierError
        If there is nothing to judge.
    """
    from joblib import Parallel, delayed

    labels, codes = np.unique(y, return_inverse=True)
    count = folds or default_folds(codes, count_groups(codes, groups, labels=len(labels)))
    splits = grouped_folds(codes, groups, folds=count, seed=seed)
    if not splits:
        raise ClassifierError(f"nothing to judge: fewer than two genres have {count} artists; label more artists")
    jobs = [(recipe, fold) for fold in splits for recipe in recipes]
    results = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_inner_and_outer)(recipe, data, codes, groups, fold, len(labels), seed) for recipe, fold in jobs
    )
    inner: list[list[Probabilities]] = [[] for _ in splits]
    outer: list[list[Probabilities]] = [[] for _ in splits]
    for number, (inside, outside) in enumerate(results):
        inner[number // len(recipes)].append(inside)
        outer[number // len(recipes)].append(outside)
        if progress:
            progress(number + 1, len(jobs))
    tested = np.concatenate([test for _, test in splits])
    rows = {recipe: np.concatenate([answers[number] for answers in outer]) for number, recipe in enumerate(recipes)}
    best = max(recipes, key=lambda recipe: float((rows[recipe].argmax(axis=1) == codes[tested]).mean()))
    together: dict[str, list[Probabilities]] = {}
    for (train, _), inside, outside in zip(splits, inner, outer, strict=True):
        for name, answers in _together(inside, outside, codes[train], recipes.index(best)).items():
            together.setdefault(name, []).append(answers)
    judged = _Judge(codes[tested], groups[tested], rows[best], len(labels))
    return doc.Compared(
        protocol=f"{count} stratified folds grouped by artist, seed {seed}",
        tracks=len(tested),
        best=describe(best),
        rows=[
            judged.row(recipe.model, recipe.spaces, recipe.decision, rows[recipe], recipe.copies) for recipe in recipes
        ]
        + [judged.row(name, (), "", np.concatenate(parts)) for name, parts in together.items()],
    )


def describe(recipe: Recipe) -> str:
    """Name a recipe in one line."""
    spaces = " + ".join(map(short_name, recipe.spaces))
    decision = "" if recipe.decision == "track" else f", segments: {recipe.decision}"
    return f"{recipe.model} on {spaces}{decision}{', with copies' if recipe.copies else ''}"


def _inner_and_outer(
    recipe: Recipe, data: Recordings, codes: Codes, groups: npt.NDArray[Any], fold: Fold, labels: int, seed: int
) -> tuple[Probabilities, Probabilities]:
    """Answers for the training side by folds inside it [N_train, C], and for the tested side [N_test, C]."""
    from threadpoolctl import threadpool_limits

    train, test = fold
    with threadpool_limits(limits=1):
        known, taught, artists = data.take(train), codes[train], groups[train]
        folds = grouped_folds(taught, artists, folds=INNER, seed=seed)
        inside = out_of_fold(recipe, known, taught, groups=artists, folds=folds, labels=labels, seed=seed)
        member = fit(recipe, known, taught, groups=artists, seed=seed)
        return inside, member.probabilities(data.take(test), labels=labels)


def _together(
    inside: Sequence[Probabilities], outside: Sequence[Probabilities], codes: Codes, best: int
) -> dict[str, Probabilities]:
    """Answers for the tested side by all recipes together, with what the training side says of each."""
    counted = ~np.isnan(inside[0][:, 0])
    chosen, shares = choose_members(inside, codes)
    scale = thresholds(inside[best][counted], codes[counted])
    free: Probabilities = np.tensordot(mixture_shares(inside, codes, prior=0), np.stack(outside), axes=1)
    mixed: Probabilities = np.tensordot(shares, np.stack([outside[number] for number in chosen]), axes=1)
    scaled = outside[best] * scale
    return {
        "best by inner folds": outside[chosen[0]],
        "best single model, thresholds": scaled / scaled.sum(axis=1, keepdims=True),
        "plain mean of all": np.mean(outside, axis=0),
        "learned shares of all": free,
        "ensemble (shrunk shares of the best 10)": mixed,
    }


def thresholds(answers: Probabilities, codes: Codes, *, rounds: int = 5) -> npt.NDArray[np.float64]:
    """Find factors for the genres' probabilities with the best balanced accuracy, one genre after the other.

    Parameters
    ----------
    answers : float64 array [N, C]
    codes : int array [N]
    rounds : int

    Returns
    -------
    float64 array [C]
    """
    factors = np.ones(answers.shape[1])

    def balanced(values: npt.NDArray[np.float64]) -> float:
        matrix = metrics.confusion(codes, (answers * values).argmax(axis=1), labels=len(values))
        return metrics.balanced_accuracy(matrix)

    for _ in range(rounds):
        for code in range(len(factors)):
            tried = [np.where(np.arange(len(factors)) == code, factors * step, factors) for step in STEPS]
            factors = max(tried, key=balanced)
    return factors


class _Judge:
    """Makes the rows of the table: figures of answers, and their paired difference to the best single recipe."""

    def __init__(self, reference: Codes, groups: npt.NDArray[Any], best: Probabilities, labels: int) -> None:
        self._reference = reference
        self._groups = groups
        self._best = best.argmax(axis=1)
        self._labels = labels

    def row(
        self, model: str, spaces: Sequence[str], decision: str, answers: Probabilities, copies: bool = False
    ) -> doc.ComparedRow:
        estimate = answers.argmax(axis=1)
        common: dict[str, Any] = {"groups": self._groups, "labels": self._labels}
        matrix = metrics.confusion(self._reference, estimate, labels=self._labels)
        interval = metrics.accuracy_interval(self._reference, estimate, groups=self._groups)
        balanced = metrics.confusion_interval(self._reference, estimate, statistic=metrics.balanced_accuracy, **common)
        difference, between = metrics.paired_difference(self._reference, estimate, self._best, **common)
        return doc.ComparedRow(
            model=model,
            spaces=list(spaces),
            decision=decision,
            copies=copies,
            accuracy=round(metrics.accuracy(matrix), 6),
            accuracy_interval=rounded(interval),
            balanced_accuracy=round(metrics.balanced_accuracy(matrix), 6),
            balanced_accuracy_interval=rounded(balanced),
            log_loss=round(curves.log_loss(self._reference, answers), 6),
            auc=round(curves.macro_auc(self._reference, answers), 6),
            difference=round(difference, 6),
            difference_interval=rounded(between),
        )
