"""Several members together: their shares are learned from grouped out-of-fold probabilities (stacking, Wolpert 1992)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify import metrics
from sonotheque.classify.calibration import Probabilities
from sonotheque.classify.folds import Fold, usual_folds
from sonotheque.classify.metrics import Codes
from sonotheque.classify.recipe import Fitted, Recipe, fit
from sonotheque.classify.recordings import Recordings

MEMBERS = 10
"""The best on the folds are mixed, so many at most."""

PRIOR = 0.3
"""Weight of equal shares against what the folds say: on some hundred recordings free shares follow chance (docs/classifying.md)."""

STEPS = 300


def out_of_fold(
    recipe: Recipe,
    data: Recordings,
    codes: Codes,
    *,
    groups: npt.NDArray[Any],
    folds: Sequence[Fold],
    labels: int,
    seed: int = 0,
) -> Probabilities:
    """Answer for each tested recording by a member that has learned without its artist.

    Returns
    -------
    float64 array [N, C]
        NaN in the rows of recordings that are not tested.
    """
    result = np.full((len(data), labels), np.nan)
    for train, test in folds:
        member = fit(recipe, data.take(train), codes[train], groups=groups[train], seed=seed)
        result[test] = member.probabilities(data.take(test), labels=labels)
    return result


def score(answers: Probabilities, codes: Codes) -> float:
    """Return the mean of accuracy and balanced accuracy; rows with NaN do not count."""
    counted = ~np.isnan(answers[:, 0])
    matrix = metrics.confusion(codes[counted], answers[counted].argmax(axis=1), labels=answers.shape[1])
    return (metrics.accuracy(matrix) + metrics.balanced_accuracy(matrix)) / 2


def choose_members(answers: Sequence[Probabilities], codes: Codes) -> tuple[list[int], npt.NDArray[np.float64]]:
    """Choose the members with the best scores and find their shares.

    Parameters
    ----------
    answers : sequence of float64 arrays [N, C]
        Out-of-fold probabilities of each candidate.
    codes : int array [N]

    Returns
    -------
    numbers : list of int
        Of the candidates chosen, the best first.
    shares : float64 array
        Of sum 1.
    """
    scores = [score(candidate, codes) for candidate in answers]
    best = sorted(range(len(answers)), key=lambda number: -scores[number])[:MEMBERS]
    return best, mixture_shares([answers[number] for number in best], codes)


def mixture_shares(members: Sequence[Probabilities], codes: Codes, *, prior: float = PRIOR) -> npt.NDArray[np.float64]:
    """Find the shares of a mixture with the least log loss.

    The loss is convex in the shares; expectation maximisation climbs from equal shares (Dempster, Laird & Rubin 1977), with a
    Dirichlet prior around them. Each genre counts alike, however many tracks it has.

    Parameters
    ----------
    members : sequence of float64 arrays [N, C]
        Out-of-fold probabilities; rows with NaN do not count.
    codes : int array [N]
    prior : float
        Weight of equal shares; the recordings together weigh 1.

    Returns
    -------
    float64 array [number of members]
        Of sum 1.
    """
    right = np.stack([answers[np.arange(len(codes)), codes] for answers in members])
    counted = ~np.isnan(right).any(axis=0)
    right = np.maximum(right[:, counted], 1e-6)
    weights = 1 / np.bincount(codes[counted])[codes[counted]]
    weights /= weights.sum()
    equal = 1 / len(members)
    shares: npt.NDArray[np.float64] = np.full(len(members), equal)
    for _ in range(STEPS):
        shares = (shares * ((right / (shares @ right)) @ weights) + prior * equal) / (1 + prior)
    return shares


def fit_ensemble(
    recipes: Sequence[Recipe], data: Recordings, codes: Codes, *, groups: npt.NDArray[Any], seed: int = 0
) -> Fitted:
    """Choose members and shares among some recipes on grouped folds, then fit those to all recordings.

    Where the recordings cannot be folded, the first recipes have equal shares.
    """
    labels = int(codes.max()) + 1
    folds = usual_folds(codes, groups, seed=seed)
    best = list(range(min(MEMBERS, len(recipes))))
    shares = np.full(len(best), 1 / len(best))
    if folds:
        answers = [
            out_of_fold(recipe, data, codes, groups=groups, folds=folds, labels=labels, seed=seed) for recipe in recipes
        ]
        best, shares = choose_members(answers, codes)
    members = [fit(recipes[number], data, codes, groups=groups, seed=seed) for number in best]
    return Fitted(members, shares.tolist())
