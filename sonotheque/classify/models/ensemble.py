"""Fit ensembles: their weights are learned from artist-grouped out-of-fold probabilities (stacking, Wolpert 1992)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import Fold, default_grouped_folds
from sonotheque.classify.evaluation import metrics
from sonotheque.classify.models.model_spec import Ensemble, ModelSpec, fit_model
from sonotheque.types import Codes, Float64Array, Probabilities

MAX_MEMBERS = 10
"""Maximum number of members: the best on the folds."""

PRIOR = 0.3
"""Weight of equal weights against the evidence of the folds. With a few hundred tracks, unconstrained weights overfit
(docs/benchmarks/classification.md)."""

EM_STEPS = 300


def out_of_fold_proba(
    spec: ModelSpec,
    data: EmbeddingSet,
    codes: Codes,
    *,
    groups: npt.NDArray[Any],
    folds: Sequence[Fold],
    n_classes: int,
    seed: int = 0,
) -> Probabilities:
    """Predict each tested track with a model that was fitted without its artist.

    Returns
    -------
    float64 array [N, C]
        NaN in the rows of tracks that are not tested.
    """
    result = np.full((len(data), n_classes), np.nan)
    for train, test in folds:
        model = fit_model(spec, data.take(train), codes[train], groups=groups[train], seed=seed)
        result[test] = model.predict_proba(data.take(test), n_classes=n_classes)
    return result


def selection_score(probabilities: Probabilities, codes: Codes) -> float:
    """Return the mean of accuracy and balanced accuracy. Rows with NaN are ignored."""
    valid = ~np.isnan(probabilities[:, 0])
    matrix = metrics.confusion_matrix(
        codes[valid], probabilities[valid].argmax(axis=1), n_classes=probabilities.shape[1]
    )
    return (metrics.accuracy(matrix) + metrics.balanced_accuracy(matrix)) / 2


def select_members(candidates: Sequence[Probabilities], codes: Codes) -> tuple[list[int], Float64Array]:
    """Select the candidates with the best scores and learn their weights.

    Parameters
    ----------
    candidates : sequence of float64 arrays [N, C]
        Out-of-fold probabilities of each candidate.
    codes : int array [N]

    Returns
    -------
    selected : list of int
        Indices of the selected candidates, best first.
    weights : float64 array
        They sum to 1.
    """
    scores = [selection_score(candidate, codes) for candidate in candidates]
    best = sorted(range(len(candidates)), key=lambda number: -scores[number])[:MAX_MEMBERS]
    return best, mixture_weights([candidates[number] for number in best], codes)


def mixture_weights(members: Sequence[Probabilities], codes: Codes, *, prior: float = PRIOR) -> Float64Array:
    """Find the weights of a mixture that minimise the log loss.

    The loss is convex in the weights. Expectation maximisation starts from equal weights (Dempster, Laird & Rubin 1977), with a
    Dirichlet prior around them. Each genre has the same influence, whatever its number of tracks.

    Parameters
    ----------
    members : sequence of float64 arrays [N, C]
        Out-of-fold probabilities. Rows with NaN are ignored.
    codes : int array [N]
    prior : float
        Weight of the prior. All tracks together have weight 1.

    Returns
    -------
    float64 array [number of members]
        They sum to 1.
    """
    likelihood = np.stack([probabilities[np.arange(len(codes)), codes] for probabilities in members])
    valid = ~np.isnan(likelihood).any(axis=0)
    likelihood = np.maximum(likelihood[:, valid], 1e-6)
    track_weights = 1 / np.bincount(codes[valid])[codes[valid]]
    track_weights /= track_weights.sum()
    equal = 1 / len(members)
    weights: Float64Array = np.full(len(members), equal)
    for _ in range(EM_STEPS):
        weights = (weights * ((likelihood / (weights @ likelihood)) @ track_weights) + prior * equal) / (1 + prior)
    return weights


def fit_ensemble(
    specs: Sequence[ModelSpec], data: EmbeddingSet, codes: Codes, *, groups: npt.NDArray[Any], seed: int = 0
) -> Ensemble:
    """Select members and weights on artist-grouped folds, then fit the members to all tracks.

    If the tracks cannot be divided into folds, the first specifications get equal weights.
    """
    n_classes = int(codes.max()) + 1
    folds = default_grouped_folds(codes, groups, seed=seed)
    best = list(range(min(MAX_MEMBERS, len(specs))))
    weights = np.full(len(best), 1 / len(best))
    if folds:
        candidates = [
            out_of_fold_proba(spec, data, codes, groups=groups, folds=folds, n_classes=n_classes, seed=seed)
            for spec in specs
        ]
        best, weights = select_members(candidates, codes)
    members = [fit_model(specs[number], data, codes, groups=groups, seed=seed) for number in best]
    return Ensemble(members, weights.tolist())
