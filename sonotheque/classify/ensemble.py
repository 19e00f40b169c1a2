"""Several members together: their shares are learned from grouped out-of-fold probabilities (stacking, Wolpert 1992)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.folds import Fold, count_groups, default_folds, grouped_folds
from sonotheque.classify.metrics import Codes
from sonotheque.classify.recipe import Fitted, Probabilities, Recipe, fit
from sonotheque.classify.recordings import Recordings

LEAST_SHARE = 0.03
"""Members with less are left out: they cost time and say nothing."""

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


def mixture_shares(members: Sequence[Probabilities], codes: Codes) -> npt.NDArray[np.float64]:
    """Find the shares of a mixture with the least log loss.

    The loss is convex in the shares; expectation maximisation climbs from equal shares (Dempster, Laird & Rubin 1977). Each genre
    counts alike, however many tracks it has.

    Parameters
    ----------
    members : sequence of float64 arrays [N, C]
        Out-of-fold probabilities; rows with NaN do not count.
    codes : int array [N]

    Returns
    -------
    float64 array [number of members]
        Not below 0, of sum 1; members with less than `LEAST_SHARE` have 0.
    """
    right = np.stack([answers[np.arange(len(codes)), codes] for answers in members])
    counted = ~np.isnan(right).any(axis=0)
    right = np.maximum(right[:, counted], 1e-6)
    weights = 1 / np.bincount(codes[counted])[codes[counted]]
    weights /= weights.sum()
    shares: npt.NDArray[np.float64] = np.full(len(members), 1 / len(members))
    for _ in range(STEPS):
        shares = shares * ((right / (shares @ right)) @ weights)
    shares[shares < min(LEAST_SHARE, shares.max())] = 0
    shares /= shares.sum()
    return shares


def fit_ensemble(
    recipes: Sequence[Recipe], data: Recordings, codes: Codes, *, groups: npt.NDArray[Any], seed: int = 0
) -> Fitted:
    """Learn the shares of some recipes on grouped folds, then fit those that have one to all recordings.

    Where the recordings cannot be folded, all have the same share.
    """
    labels = int(codes.max()) + 1
    count = default_folds(codes, count_groups(codes, groups, labels=labels))
    folds = grouped_folds(codes, groups, folds=count, seed=seed)
    shares = np.full(len(recipes), 1 / len(recipes))
    if folds:
        answers = [
            out_of_fold(recipe, data, codes, groups=groups, folds=folds, labels=labels, seed=seed) for recipe in recipes
        ]
        shares = mixture_shares(answers, codes)
    kept = np.flatnonzero(shares).tolist()
    members = [fit(recipes[number], data, codes, groups=groups, seed=seed) for number in kept]
    return Fitted(members, [float(share) for share in shares[kept]])
