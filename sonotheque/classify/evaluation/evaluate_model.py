"""Evaluate a model by name on a training set, and collect the metrics of a cross-validation in a result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque import results
from sonotheque.classify.data.folds import Fold, count_artists, default_n_folds
from sonotheque.classify.data.training_set import TrainingSet, warn_ungrouped
from sonotheque.classify.evaluation import metrics
from sonotheque.classify.evaluation.bootstrap import round_interval
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult, cross_validate, learning_curve
from sonotheque.classify.models.learners import Learner, make_learner
from sonotheque.classify.models.model_spec import Ensemble
from sonotheque.classify.models.search import HyperparameterSearch, SearchBudget
from sonotheque.types import Progress


def evaluate_model(
    training: TrainingSet,
    *,
    model: str,
    aggregation: str = "track",
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    curve: bool = False,
    budget: SearchBudget = SearchBudget(),
    seed: int = 0,
    progress: Progress | None = None,
) -> results.EvaluationResult:
    """Evaluate a model by cross-validation with artist-grouped folds, or on a given split.

    Parameters
    ----------
    training : TrainingSet
    model, aggregation : str
        See `sonotheque.classify.models.learners.make_learner`.
    folds, repeats : see `sonotheque.classify.evaluation.cross_validation.cross_validate`
    curve : bool
        Also compute the learning curve.
    budget : SearchBudget
        Budget of the search of ``auto``.
    seed : int
        Seed of the folds.
    progress : callable or None

    Returns
    -------
    EvaluationResult

    Raises
    ------
    ClassifierError
        If fewer than two genres have enough artists.
    """
    warn_ungrouped(training)
    data, groups = training.data, training.groups
    learner, fold_progress = make_evaluation_learner(
        training,
        model=model,
        aggregation=aggregation,
        folds=folds,
        repeats=repeats,
        budget=budget,
        progress=progress,
    )
    validation = cross_validate(
        data,
        training.y,
        groups=groups,
        learner=learner,
        folds=folds,
        repeats=repeats,
        seed=seed,
        progress=fold_progress,
    )
    points = []
    if curve:
        points = [
            learning_curve_point(tracks, point)
            for tracks, point in learning_curve(data, training.y, groups=groups, learner=learner, seed=seed)
        ]
    given = folds is not None and not isinstance(folds, int)
    return evaluation_result(
        training, validation, model=model, seed=seed, repeats=repeats, given_split=given, curve=points
    )


def make_evaluation_learner(
    training: TrainingSet,
    *,
    model: str,
    aggregation: str = "track",
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    budget: SearchBudget = SearchBudget(),
    progress: Progress | None = None,
) -> tuple[Learner, Progress | None]:
    """Make the learner to evaluate, and return the callback for the progress over folds.

    A search reports its own progress, so the callback is None then.
    """
    if model != "auto" or not budget:
        copies = training.data.copies is not None
        return make_learner(model, spaces=training.data.spaces, aggregation=aggregation, copies=copies), progress
    artists = count_artists(training.codes, training.groups, n_classes=int(training.codes.max()) + 1)
    count = folds or default_n_folds(training.codes, artists)
    rounds = repeats * (count if isinstance(count, int) else len(count))
    return HyperparameterSearch(spaces=training.data.spaces, budget=budget, rounds=rounds, progress=progress), None


def learning_curve_point(tracks: float, validation: CrossValidationResult) -> results.LearningCurvePoint:
    """Collect the metrics of one point of a learning curve; `tracks` is the mean number of training tracks."""
    return results.LearningCurvePoint(
        tracks=round(tracks, 1),
        accuracy=round(validation.accuracy, 6),
        accuracy_interval=round_interval(validation.accuracy_interval),
        balanced_accuracy=round(validation.balanced_accuracy, 6),
    )


def evaluation_result(
    training: TrainingSet,
    validation: CrossValidationResult,
    *,
    model: str,
    seed: int,
    repeats: int = 1,
    given_split: bool = False,
    curve: Sequence[results.LearningCurvePoint] = (),
) -> results.EvaluationResult:
    """Collect the metrics of a cross-validation."""
    codes = np.searchsorted(np.array(validation.labels), training.y)
    artists = count_artists(codes, training.groups, n_classes=len(validation.labels))
    matrix = validation.confusion
    precision, recall, f1 = metrics.precision(matrix), metrics.recall(matrix), metrics.f1(matrix)
    unevaluated = {genre.label for genre in validation.unevaluated_classes}
    auc = validation.auc
    return results.EvaluationResult(
        protocol="the given split"
        if given_split
        else describe_protocol(training, folds=validation.folds, repeats=repeats, seed=seed),
        model=model,
        chosen=[describe_ensemble(ensemble) for ensemble in validation.ensembles] if model == "auto" else [],
        spaces=list(training.data.spaces),
        folds=validation.folds,
        tracks=len(np.unique(validation.tested)),
        accuracy=round(validation.accuracy, 6),
        accuracy_interval=round_interval(validation.accuracy_interval),
        balanced_accuracy=round(validation.balanced_accuracy, 6),
        balanced_accuracy_interval=round_interval(validation.interval_of(metrics.balanced_accuracy)),
        macro_f1=round(validation.macro_f1, 6),
        macro_f1_interval=round_interval(validation.interval_of(metrics.macro_f1)),
        log_loss=round(validation.log_loss, 6),
        auc=round(float(np.nanmean(auc)), 6),
        labels=validation.labels,
        confusion=matrix.tolist(),
        genres=[
            results.GenreMetrics(
                label=label,
                tracks=int((codes == code).sum()),
                artists=int(artists[code]),
                precision=round(float(precision[code]), 6),
                recall=round(float(recall[code]), 6),
                f1=round(float(f1[code]), 6),
                auc=round(float(auc[code]), 6),
            )
            for code, label in enumerate(validation.labels)
            if label not in unevaluated
        ],
        apart=validation.unevaluated_classes,
        learning_curve=list(curve),
    )


def describe_protocol(training: TrainingSet, *, folds: int, repeats: int = 1, seed: int) -> str:
    """Name the protocol of a cross-validation. Accuracies of one model with the same protocol are equal, whatever printed them."""
    times = f", repeated {repeats} times" if repeats > 1 else ""
    known = training.n_ungrouped < len(training.tracks)
    by = "artist" if known else "nothing: no artist is known, the figures are flattering"
    return f"{folds} stratified folds grouped by {by}{times}, seed {seed}"


def describe_ensemble(ensemble: Ensemble) -> str:
    """Name what was fitted: a model, or the number of models in an ensemble.

    Examples
    --------
    >>> from sonotheque.classify.models.model_spec import FittedModel, ModelSpec
    >>> describe_ensemble(Ensemble([FittedModel(ModelSpec("knn", ("a",)), None)], [1.0]))
    'knn'
    """
    if len(ensemble.members) == 1:
        return ensemble.members[0].spec.model
    return f"mixture of {len(ensemble.members)}"
