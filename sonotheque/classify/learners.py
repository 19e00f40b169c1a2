"""From the name of a model to what learns: one recipe, the best of some, or an ensemble of many.

A learner sees the training side of a fold alone, so that what it chooses is judged with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.deep import installed, require
from sonotheque.classify.ensemble import fit_ensemble, out_of_fold
from sonotheque.classify.estimators import DEEP, MODELS, missing_models
from sonotheque.classify.folds import usual_folds
from sonotheque.classify.metrics import Codes
from sonotheque.classify.recipe import Fitted, Recipe, fit
from sonotheque.classify.recordings import Recordings
from sonotheque.embed.space import kind_of
from sonotheque.errors import ClassifierError

log = logging.getLogger("sonotheque")

Learner = Callable[[Recordings, Codes, npt.NDArray[Any], int], Fitted]
"""Takes recordings, codes of their genres, their artists and a seed."""

QUICK = ("logreg", "knn", "svm")
"""What `auto` compares where it is given no time to search."""


def spaces_for(model: str, spaces: Sequence[str]) -> tuple[str, ...]:
    """Return those of some spaces that a model learns from: of one kind for networks from scratch, else pooled vectors.

    Raises
    ------
    ClassifierError
        If there is none.

    Examples
    --------
    >>> spaces_for("logreg", ["musicnn-msd-penultimate-h3.0@1", "mel-64x215-h10.0@1"])
    ('musicnn-msd-penultimate-h3.0@1',)
    """
    kinds = {DEEP[model]} if model in DEEP else {"embedding", "descriptors"}
    found = tuple(space for space in spaces if kind_of(space) in kinds)
    if not found:
        needed = {"cnn": "mel", "head": "musicnn-frames"}.get(model, "musicnn")
        raise ClassifierError(
            f"model {model} cannot learn from {', '.join(spaces)}; it learns from spaces such as {needed}, "
            f"which `sonotheque add FOLDER --embedder {needed}` computes"
        )
    return found


def spaces_of(model: str, spaces: Sequence[str]) -> list[str]:
    """Return those of a library's spaces that a model learns from, pooled vectors first.

    An ensemble takes in networks from scratch where PyTorch is installed; ``auto`` does not.
    """
    if model != "ensemble":
        return list(spaces_for(model, spaces))
    return [*spaces_for(QUICK[0], spaces), *(space for recipe in deep_recipes(spaces) for space in recipe.spaces)]


def space_sets(spaces: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each space of pooled vectors alone, and where there are several, all together.

    Examples
    --------
    >>> space_sets(["a", "b"])
    [('a',), ('b',), ('a', 'b')]
    """
    pooled = spaces_for(MODELS[0], spaces)
    alone: list[tuple[str, ...]] = [(space,) for space in pooled]
    return alone if len(alone) == 1 else [*alone, pooled]


def deep_recipes(spaces: Sequence[str], *, copies: bool = False) -> list[Recipe]:
    """List a network from scratch for each space that one learns from, where PyTorch is installed."""
    if not installed():
        return []
    return [
        Recipe(model, (space,), "mean", copies=copies)
        for model, kind in DEEP.items()
        for space in spaces
        if kind_of(space) == kind
    ]


def usable_models() -> list[str]:
    """Return the models that run here; the others are mentioned with what is missing."""
    missing = missing_models()
    for reason in missing.values():
        log.warning("%s; left out", reason)
    return [model for model in MODELS if model not in missing]


def make_learner(model: str, *, spaces: Sequence[str], decision: str = "track", copies: bool = False) -> Learner:
    """Make a learner.

    Parameters
    ----------
    model : str
        One of `MODELS` or `DEEP`; ``auto``: the best of `QUICK` on grouped folds; ``ensemble``: all models on all sets of spaces,
        and networks from scratch where there are spaces for them, mixed with shares learned on grouped folds.
    spaces : ids of the spaces
    decision : str
        See `sonotheque.classify.recipe.DECISIONS`.
    copies : bool
        Learn from augmented copies too.

    Raises
    ------
    ClassifierError
        If model or decision is unknown.
    """
    if model == "auto":
        pooled = spaces_for(QUICK[0], spaces)
        return choice([Recipe(name, pooled, decision, copies=copies) for name in QUICK])
    if model == "ensemble":
        recipes = [
            Recipe(name, some, decision, copies=copies) for name in usable_models() for some in space_sets(spaces)
        ]
        recipes += deep_recipes(spaces, copies=copies)
        return lambda data, codes, groups, seed: fit_ensemble(recipes, data, codes, groups=groups, seed=seed)
    found = spaces_for(model, spaces)
    if model in DEEP:
        require()
        if len(found) > 1:
            raise ClassifierError(
                f"model {model} learns from one space; name one of {', '.join(found)} with --embedder"
            )
    recipe = Recipe(model, found, "mean" if model in DEEP else decision, copies=copies)
    return lambda data, codes, groups, seed: Fitted([fit(recipe, data, codes, groups=groups, seed=seed)], [1.0])


def choice(recipes: Sequence[Recipe]) -> Learner:
    """Make a learner that takes the recipe with the best accuracy on grouped folds of what it is given."""

    def learn(data: Recordings, codes: Codes, groups: npt.NDArray[Any], seed: int) -> Fitted:
        accuracies = compare(recipes, data, codes, groups=groups, seed=seed)
        best = max(recipes, key=lambda recipe: accuracies.get(recipe, 0.0))
        return Fitted([fit(best, data, codes, groups=groups, seed=seed)], [1.0])

    return learn


def compare(
    recipes: Sequence[Recipe], data: Recordings, codes: Codes, *, groups: npt.NDArray[Any], seed: int
) -> dict[Recipe, float]:
    """Return the accuracy of each recipe on grouped folds; empty where the recordings cannot be folded."""
    labels = int(codes.max()) + 1
    folds = usual_folds(codes, groups, seed=seed)
    if not folds:
        return {}
    tested = np.concatenate([test for _, test in folds])
    result = {}
    for recipe in recipes:
        answers = out_of_fold(recipe, data, codes, groups=groups, folds=folds, labels=labels, seed=seed)
        result[recipe] = float((answers[tested].argmax(axis=1) == codes[tested]).mean())
    return result
