"""One table of everything: spaces, models, global and local decisions, ensembles, on the same folds, with paired differences.

Rows that learn from other rows (the choice by inner folds, thresholds, ensembles) see the training side of each outer fold alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from sonotheque.types import Codes, Probabilities

INNER_FOLDS = 3
"""Folds inside each fold."""

THRESHOLD_FACTORS = (1.0, 0.85, 1.2, 0.7, 1.4, 0.5, 2.0)
"""Factors that `thresholds` tries; the one that changes least wins a tie."""

Progress = Callable[[int, int], None]


def all_specs(spaces: Sequence[str], *, models: Sequence[str], segments: bool, copies: bool = False) -> list[ModelSpec]:
    """List every model on each space and on all together.

    Decisions on segments other than the mean are for the first model alone; with copies, decisions on tracks come with and
    without them.
    """
    specs = []
    for some in space_subsets(spaces):
        for model in models:
            decisions = AGGREGATIONS if model == models[0] else AGGREGATIONS[:2]
            specs += [ModelSpec(model, some, decision) for decision in (decisions if segments else AGGREGATIONS[:1])]
            specs += [ModelSpec(model, some, copies=True)] if copies else []
    for augmented in (False, True) if copies else (False,):
        specs += network_specs(spaces, copies=augmented)
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
    """Judge specs and what is made of them together.

    Parameters
    ----------
    data : Recordings
    y : labels [N]
    groups : array [N]
        The artist of each.
    specs : sequence of Recipe
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
    count = folds or default_n_folds(codes, count_artists(codes, groups, n_classes=len(labels)))
    splits = grouped_folds(codes, groups, folds=count, seed=seed)
    if not splits:
        raise ClassifierError(f"nothing to judge: fewer than two genres have {count} artists; label more artists")
    jobs = [(spec, fold) for fold in splits for spec in specs]
    fits = Parallel(n_jobs=-1, return_as="generator")(
        delayed(_inner_and_outer)(spec, data, codes, groups, fold, len(labels), seed) for spec, fold in jobs
    )
    inner: list[list[Probabilities]] = [[] for _ in splits]
    outer: list[list[Probabilities]] = [[] for _ in splits]
    for number, (inside, outside) in enumerate(fits):
        inner[number // len(specs)].append(inside)
        outer[number // len(specs)].append(outside)
        if progress:
            progress(number + 1, len(jobs))
    tested = np.concatenate([test for _, test in splits])
    rows = {spec: np.concatenate([answers[number] for answers in outer]) for number, spec in enumerate(specs)}
    best = max(specs, key=lambda spec: float((rows[spec].argmax(axis=1) == codes[tested]).mean()))
    together: dict[str, list[Probabilities]] = {}
    for (train, _), inside, outside in zip(splits, inner, outer, strict=True):
        for name, answers in _together(inside, outside, codes[train], specs.index(best)).items():
            together.setdefault(name, []).append(answers)
    judged = _RowBuilder(codes[tested], groups[tested], rows[best], len(labels))
    return results.ComparisonResult(
        protocol=f"{count} stratified folds grouped by artist, seed {seed}",
        tracks=len(tested),
        best=describe_spec(best),
        rows=[judged.row(spec.model, spec.spaces, spec.aggregation, rows[spec], spec.copies) for spec in specs]
        + [judged.row(name, (), "", np.concatenate(parts)) for name, parts in together.items()],
    )


def describe_spec(spec: ModelSpec) -> str:
    """Name a spec in one line."""
    spaces = " + ".join(map(short_name, spec.spaces))
    decision = "" if spec.aggregation == "track" else f", segments: {spec.aggregation}"
    return f"{spec.model} on {spaces}{decision}{', with copies' if spec.copies else ''}"


def _inner_and_outer(
    spec: ModelSpec, data: EmbeddingSet, codes: Codes, groups: npt.NDArray[Any], fold: Fold, n_classes: int, seed: int
) -> tuple[Probabilities, Probabilities]:
    """Answers for the training side by folds inside it [N_train, C], and for the tested side [N_test, C]."""
    from threadpoolctl import threadpool_limits

    train, test = fold
    with threadpool_limits(limits=1):
        known, taught, artists = data.take(train), codes[train], groups[train]
        folds = grouped_folds(taught, artists, folds=INNER_FOLDS, seed=seed)
        inside = out_of_fold_proba(spec, known, taught, groups=artists, folds=folds, n_classes=n_classes, seed=seed)
        member = fit_model(spec, known, taught, groups=artists, seed=seed)
        return inside, member.predict_proba(data.take(test), n_classes=n_classes)


def _together(
    inside: Sequence[Probabilities], outside: Sequence[Probabilities], codes: Codes, best: int
) -> dict[str, Probabilities]:
    """Answers for the tested side by all specs together, with what the training side says of each."""
    counted = ~np.isnan(inside[0][:, 0])
    chosen, shares = select_members(inside, codes)
    scale = class_thresholds(inside[best][counted], codes[counted])
    free: Probabilities = np.tensordot(mixture_weights(inside, codes, prior=0), np.stack(outside), axes=1)
    mixed: Probabilities = np.tensordot(shares, np.stack([outside[number] for number in chosen]), axes=1)
    scaled = outside[best] * scale
    return {
        "best by inner folds": outside[chosen[0]],
        "best single model, thresholds": scaled / scaled.sum(axis=1, keepdims=True),
        "plain mean of all": np.mean(outside, axis=0),
        "learned shares of all": free,
        "ensemble (shrunk shares of the best 10)": mixed,
    }


def class_thresholds(answers: Probabilities, codes: Codes, *, rounds: int = 5) -> npt.NDArray[np.float64]:
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
        matrix = metrics.confusion_matrix(codes, (answers * values).argmax(axis=1), n_classes=len(values))
        return metrics.balanced_accuracy(matrix)

    for _ in range(rounds):
        for code in range(len(factors)):
            tried = [np.where(np.arange(len(factors)) == code, factors * step, factors) for step in THRESHOLD_FACTORS]
            factors = max(tried, key=balanced)
    return factors


class _RowBuilder:
    """Makes the rows of the table: figures of answers, and their paired difference to the best single spec."""

    def __init__(self, reference: Codes, groups: npt.NDArray[Any], best: Probabilities, n_classes: int) -> None:
        self._reference = reference
        self._groups = groups
        self._best = best.argmax(axis=1)
        self._n_classes = n_classes

    def row(
        self, model: str, spaces: Sequence[str], decision: str, answers: Probabilities, copies: bool = False
    ) -> results.ComparisonRow:
        estimate = answers.argmax(axis=1)
        common: dict[str, Any] = {"groups": self._groups, "n_classes": self._n_classes}
        matrix = metrics.confusion_matrix(self._reference, estimate, n_classes=self._n_classes)
        interval = bootstrap.accuracy_interval(self._reference, estimate, groups=self._groups)
        balanced = bootstrap.confusion_interval(
            self._reference, estimate, statistic=metrics.balanced_accuracy, **common
        )
        difference, between = bootstrap.paired_difference(self._reference, estimate, self._best, **common)
        return results.ComparisonRow(
            model=model,
            spaces=list(spaces),
            decision=decision,
            copies=copies,
            accuracy=round(metrics.accuracy(matrix), 6),
            accuracy_interval=round_interval(interval),
            balanced_accuracy=round(metrics.balanced_accuracy(matrix), 6),
            balanced_accuracy_interval=round_interval(balanced),
            log_loss=round(probability_metrics.log_loss(self._reference, answers), 6),
            auc=round(probability_metrics.macro_auc(self._reference, answers), 6),
            difference=round(difference, 6),
            difference_interval=round_interval(between),
        )
