"""From the name of a model to a learner: one model, the best of several, or an ensemble.

A learner only ever sees the training side of a fold, so whatever it selects is evaluated together with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import default_grouped_folds
from sonotheque.classify.models.ensemble import fit_ensemble, out_of_fold_proba
from sonotheque.classify.models.estimators import MODELS, NETWORKS, unavailable_models
from sonotheque.classify.models.model_spec import Ensemble, ModelSpec, fit_model
from sonotheque.classify.models.networks import require_torch, torch_installed
from sonotheque.embed.space import kind_of
from sonotheque.errors import ClassifierError
from sonotheque.types import Codes

log = logging.getLogger("sonotheque")

Learner = Callable[[EmbeddingSet, Codes, npt.NDArray[Any], int], Ensemble]
"""Fits a classifier to tracks, their integer-encoded labels and their artists, with a seed."""

QUICK_MODELS = ("logreg", "knn", "svm")
"""The models that ``auto`` compares when it has no budget for a search."""


def spaces_for_model(model: str, spaces: Sequence[str]) -> tuple[str, ...]:
    """Return the spaces that a model can use: those of one kind for networks trained from scratch, otherwise pooled vectors.

    Raises
    ------
    ClassifierError
        If there is none.

    Examples
    --------
    >>> spaces_for_model("logreg", ["musicnn-msd-penultimate-h3.0@1", "mel-64x215-h10.0@1"])
    ('musicnn-msd-penultimate-h3.0@1',)
    """
    kinds = {NETWORKS[model]} if model in NETWORKS else {"embedding", "descriptors"}
    found = tuple(space for space in spaces if kind_of(space) in kinds)
    if not found:
        needed = {"cnn": "mel", "head": "musicnn-frames"}.get(model, "musicnn")
        raise ClassifierError(
            f"model {model} cannot use {', '.join(spaces)}; it needs a space such as {needed}, "
            f"which `sonotheque add FOLDER --embedder {needed}` computes"
        )
    return found


def select_spaces(model: str, spaces: Sequence[str]) -> list[str]:
    """Return the spaces of a library that a model uses, pooled vectors first.

    An ensemble includes networks trained from scratch if PyTorch is installed; ``auto`` does not.
    """
    if model != "ensemble":
        return list(spaces_for_model(model, spaces))
    return [
        *spaces_for_model(QUICK_MODELS[0], spaces),
        *(space for spec in network_specs(spaces) for space in spec.spaces),
    ]


def space_subsets(spaces: Sequence[str]) -> list[tuple[str, ...]]:
    """Return each space of pooled vectors alone and, if there are several, all of them together.

    Examples
    --------
    >>> space_subsets(["a", "b"])
    [('a',), ('b',), ('a', 'b')]
    """
    pooled = spaces_for_model(MODELS[0], spaces)
    single: list[tuple[str, ...]] = [(space,) for space in pooled]
    return single if len(single) == 1 else [*single, pooled]


def network_specs(spaces: Sequence[str], *, copies: bool = False) -> list[ModelSpec]:
    """List a network trained from scratch for each space that one can use, if PyTorch is installed."""
    if not torch_installed():
        return []
    return [
        ModelSpec(model, (space,), "mean", copies=copies)
        for model, kind in NETWORKS.items()
        for space in spaces
        if kind_of(space) == kind
    ]


def available_models() -> list[str]:
    """Return the models that can run on this machine. The reason why others cannot is logged as a warning."""
    unavailable = unavailable_models()
    for reason in unavailable.values():
        log.warning("%s; left out", reason)
    return [model for model in MODELS if model not in unavailable]


def make_learner(model: str, *, spaces: Sequence[str], aggregation: str = "track", copies: bool = False) -> Learner:
    """Make a learner.

    Parameters
    ----------
    model : str
        One of `MODELS` or `NETWORKS`; ``auto``: the best of `QUICK_MODELS` on artist-grouped folds; ``ensemble``: all models on
        all subsets of the spaces, and networks trained from scratch if there are spaces for them, with weights learned on
        artist-grouped folds.
    spaces : sequence of str
        Ids of the spaces.
    aggregation : str
        One of `sonotheque.classify.models.aggregation.AGGREGATIONS`.
    copies : bool
        Use augmented copies for training too.

    Returns
    -------
    Learner

    Raises
    ------
    ClassifierError
        If the model or the aggregation is unknown.
    """
    if model == "auto":
        pooled = spaces_for_model(QUICK_MODELS[0], spaces)
        return select_best([ModelSpec(name, pooled, aggregation, copies=copies) for name in QUICK_MODELS])
    if model == "ensemble":
        specs = [
            ModelSpec(name, subset, aggregation, copies=copies)
            for name in available_models()
            for subset in space_subsets(spaces)
        ]
        specs += network_specs(spaces, copies=copies)
        return lambda data, codes, groups, seed: fit_ensemble(specs, data, codes, groups=groups, seed=seed)
    found = spaces_for_model(model, spaces)
    if model in NETWORKS:
        require_torch()
        if len(found) > 1:
            raise ClassifierError(f"model {model} uses one space; select one of {', '.join(found)} with --embedder")
    spec = ModelSpec(model, found, "mean" if model in NETWORKS else aggregation, copies=copies)
    return lambda data, codes, groups, seed: Ensemble([fit_model(spec, data, codes, groups=groups, seed=seed)], [1.0])


def select_best(specs: Sequence[ModelSpec]) -> Learner:
    """Make a learner that fits the specification with the best accuracy on artist-grouped folds of its training tracks."""

    def learn(data: EmbeddingSet, codes: Codes, groups: npt.NDArray[Any], seed: int) -> Ensemble:
        accuracies = compare_specs(specs, data, codes, groups=groups, seed=seed)
        best = max(specs, key=lambda spec: accuracies.get(spec, 0.0))
        return Ensemble([fit_model(best, data, codes, groups=groups, seed=seed)], [1.0])

    return learn


def compare_specs(
    specs: Sequence[ModelSpec], data: EmbeddingSet, codes: Codes, *, groups: npt.NDArray[Any], seed: int
) -> dict[ModelSpec, float]:
    """Return the accuracy of each specification on artist-grouped folds. Empty if the tracks cannot be divided into folds."""
    n_classes = int(codes.max()) + 1
    folds = default_grouped_folds(codes, groups, seed=seed)
    if not folds:
        return {}
    tested = np.concatenate([test for _, test in folds])
    result = {}
    for spec in specs:
        predicted = out_of_fold_proba(spec, data, codes, groups=groups, folds=folds, n_classes=n_classes, seed=seed)
        result[spec] = float((predicted[tested].argmax(axis=1) == codes[tested]).mean())
    return result
