"""Compare models, spaces, aggregations and ensembles on the same folds, with paired differences.

Combinations of models (model selection, class thresholds, ensembles) are fitted by nested cross-validation: they use only the
training set of each outer fold.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque import results
from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import Fold, count_artists, default_n_folds, grouped_folds
from sonotheque.classify.evaluation import bootstrap, metrics, probability_metrics
from sonotheque.classify.evaluation.bootstrap import round_interval
from sonotheque.classify.models.aggregation import AGGREGATIONS
from sonotheque.classify.models.ensemble import mixture_weights, out_of_fold_proba, select_members
from sonotheque.classify.models.learners import network_specs, space_subsets
from sonotheque.classify.models.model_spec import ModelSpec, fit_model
from sonotheque.embed.space import short_name
from sonotheque.errors import ClassifierError
from sonotheque.types import Codes, Float64Array, Probabilities, Progress

log = logging.getLogger("sonotheque")

N_INNER_FOLDS = 3

THRESHOLD_FACTORS = (1.0, 0.85, 1.2, 0.7, 1.4, 0.5, 2.0)
"""Factors that `class_thresholds` tries. If several are equally good, the earlier one is used."""


def all_specs(spaces: Sequence[str], *, models: Sequence[str], segments: bool, copies: bool = False) -> list[ModelSpec]:
    """List the specifications to compare: every model on each space, and on all spaces together.

    Parameters
    ----------
    spaces : sequence of str
        Ids of the spaces.
    models : sequence of str
        Names of the models.
    segments : bool
        Include models that classify segments. The first model gets all aggregations, the others only ``mean``.
    copies : bool
        Include models of track vectors, and networks, that are also trained on augmented copies.

    Returns
    -------
    list of ModelSpec
    """
    specs = []
    for subset in space_subsets(spaces):
        for model in models:
            aggregations = AGGREGATIONS if model == models[0] else AGGREGATIONS[:2]
            specs += [
                ModelSpec(model, subset, aggregation)
                for aggregation in (aggregations if segments else AGGREGATIONS[:1])
            ]
            specs += [ModelSpec(model, subset, copies=True)] if copies else []
    for with_copies in (False, True) if copies else (False,):
        specs += network_specs(spaces, copies=with_copies)
    return specs


def compare_models(
    data: EmbeddingSet,
    y: npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    specs: Sequence[ModelSpec],
    folds: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> results.ComparisonResult:
    """Evaluate models and their combinations on the same artist-grouped folds.

    Parameters
    ----------
    data : EmbeddingSet
        N tracks.
    y : labels [N]
    groups : array [N]
        Artists.
    specs : sequence of ModelSpec
    folds : int or None
        Number of folds, by default as `sonotheque.classify.data.folds.default_n_folds` chooses it.
    seed : int
        Seed of the folds and of the models.
    progress : callable or None
        Called with (fits done, number of fits).

    Returns
    -------
    ComparisonResult

    Raises
    ------
    ClassifierError
        If fewer than two genres have as many artists as there are folds.
    """
    from joblib import Parallel, delayed

    labels, codes = np.unique(y, return_inverse=True)
    count = folds or default_n_folds(codes, count_artists(codes, groups, n_classes=len(labels)))
    splits = grouped_folds(codes, groups, folds=count, seed=seed)
    if not splits:
        raise ClassifierError(f"nothing to evaluate: fewer than two genres have {count} artists; label more artists")
    jobs = [(spec, fold) for fold in splits for spec in specs]
    fits = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_predict_fold)(spec, data, codes, groups, fold, len(labels), seed) for spec, fold in jobs
    )
    inner: list[list[Probabilities]] = [[] for _ in splits]
    outer: list[list[Probabilities]] = [[] for _ in splits]
    for number, (inner_proba, test_proba) in enumerate(fits):
        inner[number // len(specs)].append(inner_proba)
        outer[number // len(specs)].append(test_proba)
        if progress:
            progress(number + 1, len(jobs))
    tested = np.concatenate([test for _, test in splits])
    single = {spec: np.concatenate([fold[number] for fold in outer]) for number, spec in enumerate(specs)}
    best = max(specs, key=lambda spec: float((single[spec].argmax(axis=1) == codes[tested]).mean()))
    combined: dict[str, list[Probabilities]] = {}
    can_combine = not any(np.isnan(inner_probas[0]).all() for inner_probas in inner)
    if not can_combine:
        log.warning("too few artists in each genre to fit the weights of ensembles; they are left out")
    for (train, _), inner_probas, test_probas in zip(splits, inner, outer, strict=True) if can_combine else ():
        for name, proba in _combine_models(inner_probas, test_probas, codes[train], specs.index(best)).items():
            combined.setdefault(name, []).append(proba)
    builder = _RowBuilder(codes[tested], groups[tested], single[best], len(labels))
    return results.ComparisonResult(
        protocol=f"{count} stratified folds grouped by artist, seed {seed}",
        tracks=len(tested),
        best=describe_spec(best),
        rows=[builder.row(spec.model, spec.spaces, spec.aggregation, single[spec], spec.copies) for spec in specs]
        + [builder.row(name, (), "", np.concatenate(parts)) for name, parts in combined.items()],
    )


def describe_spec(spec: ModelSpec) -> str:
    """Describe a specification in one line.

    Examples
    --------
    >>> describe_spec(ModelSpec("logreg", ("a", "b"), "mean", copies=True))
    'logreg on a + b, segments: mean, with copies'
    """
    spaces = " + ".join(map(short_name, spec.spaces))
    aggregation = "" if spec.aggregation == "track" else f", segments: {spec.aggregation}"
    return f"{spec.model} on {spaces}{aggregation}{', with copies' if spec.copies else ''}"


def _predict_fold(
    spec: ModelSpec, data: EmbeddingSet, codes: Codes, groups: npt.NDArray[Any], fold: Fold, n_classes: int, seed: int
) -> tuple[Probabilities, Probabilities]:
    """Predict the training set by inner cross-validation, float64 [N_train, C], and the test set, float64 [N_test, C]."""
    from threadpoolctl import threadpool_limits

    train, test = fold
    with threadpool_limits(limits=1):
        train_data, train_codes, train_groups = data.take(train), codes[train], groups[train]
        inner_folds = grouped_folds(train_codes, train_groups, folds=N_INNER_FOLDS, seed=seed)
        inner_proba = out_of_fold_proba(
            spec, train_data, train_codes, groups=train_groups, folds=inner_folds, n_classes=n_classes, seed=seed
        )
        model = fit_model(spec, train_data, train_codes, groups=train_groups, seed=seed)
        return inner_proba, model.predict_proba(data.take(test), n_classes=n_classes)


def _combine_models(
    inner_probas: Sequence[Probabilities], test_probas: Sequence[Probabilities], codes: Codes, best: int
) -> dict[str, Probabilities]:
    """Combine the test predictions of all models, by weights and thresholds that are fitted to their inner predictions."""
    valid = ~np.isnan(inner_probas[0][:, 0])
    selected, weights = select_members(inner_probas, codes)
    factors = class_thresholds(inner_probas[best][valid], codes[valid])
    free_weights = mixture_weights(inner_probas, codes, prior=0)
    free_mixture: Probabilities = np.tensordot(free_weights, np.stack(test_probas), axes=1)
    ensemble: Probabilities = np.tensordot(weights, np.stack([test_probas[number] for number in selected]), axes=1)
    scaled = test_probas[best] * factors
    return {  # these names are values in the JSON
        "best by inner folds": test_probas[selected[0]],
        "best single model, thresholds": scaled / scaled.sum(axis=1, keepdims=True),
        "plain mean of all": np.mean(test_probas, axis=0),
        "learned shares of all": free_mixture,
        "ensemble (shrunk shares of the best 10)": ensemble,
    }


def class_thresholds(probabilities: Probabilities, codes: Codes, *, rounds: int = 5) -> Float64Array:
    """Find a factor for the probability of each genre, so that the balanced accuracy becomes as large as possible.

    The factors are optimised by coordinate ascent: one genre at a time, for a number of rounds.

    Parameters
    ----------
    probabilities : float64 array [N, C]
    codes : int array [N]
        Integer-encoded true labels.
    rounds : int

    Returns
    -------
    float64 array [C]
    """
    factors: Float64Array = np.ones(probabilities.shape[1])

    def score(candidate: Float64Array) -> float:
        predicted = (probabilities * candidate).argmax(axis=1)
        return metrics.balanced_accuracy(metrics.confusion_matrix(codes, predicted, n_classes=len(candidate)))

    for _ in range(rounds):
        for code in range(len(factors)):
            candidates = [
                np.where(np.arange(len(factors)) == code, factors * step, factors) for step in THRESHOLD_FACTORS
            ]
            factors = max(candidates, key=score)
    return factors


class _RowBuilder:
    """Builds the rows of the comparison: the metrics of a model, and the paired difference from the best single model."""

    def __init__(self, reference: Codes, groups: npt.NDArray[Any], best: Probabilities, n_classes: int) -> None:
        self._reference = reference
        self._groups = groups
        self._best = best.argmax(axis=1)
        self._n_classes = n_classes

    def row(
        self, model: str, spaces: Sequence[str], aggregation: str, probabilities: Probabilities, copies: bool = False
    ) -> results.ComparisonRow:
        predicted = probabilities.argmax(axis=1)
        common: dict[str, Any] = {"groups": self._groups, "n_classes": self._n_classes}
        matrix = metrics.confusion_matrix(self._reference, predicted, n_classes=self._n_classes)
        interval = bootstrap.accuracy_interval(self._reference, predicted, groups=self._groups)
        balanced = bootstrap.confusion_interval(
            self._reference, predicted, statistic=metrics.balanced_accuracy, **common
        )
        difference, difference_interval = bootstrap.paired_difference(self._reference, predicted, self._best, **common)
        return results.ComparisonRow(
            model=model,
            spaces=list(spaces),
            decision=aggregation,
            copies=copies,
            accuracy=round(metrics.accuracy(matrix), 6),
            accuracy_interval=round_interval(interval),
            balanced_accuracy=round(metrics.balanced_accuracy(matrix), 6),
            balanced_accuracy_interval=round_interval(balanced),
            log_loss=round(probability_metrics.log_loss(self._reference, probabilities), 6),
            auc=round(probability_metrics.macro_auc(self._reference, probabilities), 6),
            difference=round(difference, 6),
            difference_interval=round_interval(difference_interval),
        )
