"""Collect the data of an evaluation report: cross-validation results, metrics, confident errors and their nearest tracks.

The metrics come from `sonotheque.classify`. Text and figures are made in other modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from sonotheque import results
from sonotheque.classify.data.folds import Fold
from sonotheque.classify.data.training_set import TrainingSet, warn_ungrouped
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult, cross_validate, learning_curve
from sonotheque.classify.evaluation.evaluate_model import evaluation_result, learning_curve_point
from sonotheque.classify.models.estimators import MODELS
from sonotheque.classify.models.learners import Learner, make_learner
from sonotheque.index.exact import ExactIndex
from sonotheque.report.feature_importance.importance_data import ImportanceData, collect_importance, importance_results
from sonotheque.store.records import Track
from sonotheque.types import Float64Array, Progress

MAX_MISCLASSIFICATIONS = 60
"""Misclassified tracks that the page lists and plays."""

N_NEAREST = 5
"""Nearest tracks of each misclassified track."""


@dataclass(frozen=True)
class NearestTrack:
    """A labelled track by another artist that is close to a misclassified track; `similarity` is the cosine."""

    track: Track
    similarity: float


@dataclass(frozen=True)
class Misclassification:
    """A misclassified track, the predicted label with its probability, and the nearest tracks by other artists."""

    track: Track
    predicted_label: str
    probability: float
    nearest: Sequence[NearestTrack] = ()


@dataclass(frozen=True)
class AggregationComparison:
    """The same model on whole tracks and on segments, evaluated on the same folds."""

    model: str
    track: CrossValidationResult
    segment: CrossValidationResult


@dataclass(frozen=True)
class ReportData:
    """Everything that a report is made from.

    Attributes
    ----------
    tracks : sequence of Track
        The N labelled tracks.
    groups : int array [N]
        The artist of each track.
    n_ungrouped : int
        Number of tracks without artist and album.
    cross_validation : Evaluation
        Out-of-fold predictions.
    evaluation : results.EvaluationResult
        The metrics of these predictions and the learning curve.
    given_split : bool
        Whether the training and test tracks were given, instead of folds grouped by artist.
    space : str
        Space in which the nearest tracks of `misclassifications` were searched.
    misclassifications : sequence of Misclassification
        Highest probability first.
    comparison : results.ComparisonResult or None
        Table of all models.
    aggregation : AggregationComparison or None
        Track against segment aggregation.
    importance : ImportanceData or None
        Feature importance.
    failed : sequence of results.FailedFile
        Files that could not be used.
    genre_colours : mapping of str to int
        Slots of the genres that the library remembers, see `sonotheque.report.genre_colours`.
    """

    tracks: Sequence[Track]
    groups: npt.NDArray[np.int64]
    n_ungrouped: int
    cross_validation: CrossValidationResult
    evaluation: results.EvaluationResult
    given_split: bool
    space: str
    misclassifications: Sequence[Misclassification]
    comparison: results.ComparisonResult | None = None
    aggregation: AggregationComparison | None = None
    importance: ImportanceData | None = None
    failed: Sequence[results.FailedFile] = field(default=())
    genre_colours: Mapping[str, int] = field(default_factory=dict)


def collect_report_data(
    training: TrainingSet,
    learner: Learner,
    *,
    model: str,
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    with_learning_curve: bool = True,
    with_aggregation: bool = True,
    with_importance: bool = True,
    tag_logits: Float64Array | None = None,
    comparison: results.ComparisonResult | None = None,
    failed: Sequence[results.FailedFile] = (),
    genre_colours: Mapping[str, int] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> ReportData:
    """Evaluate a model and collect what a report needs.

    Parameters
    ----------
    training : TrainingSet
    learner : Learner
    model : str
        Name of the model.
    folds, repeats, seed : see `sonotheque.classify.evaluate`
        A sequence of folds is a given split.
    with_learning_curve : bool
        Also evaluate models that are trained on fewer artists.
    with_aggregation : bool
        Also compare track and segment aggregation, if the training set has segments.
    with_importance : bool
        Also compute the feature importance, which is then part of `evaluation` too.
    tag_logits : float64 array [N, 50] or None
        The tracks' auto-tags; needed only if the training set has no musicnn vectors.
    comparison : results.ComparisonResult or None
        Result of `sonotheque.classify.evaluation.model_comparison.compare`.
    failed : sequence of results.FailedFile
    genre_colours : mapping of str to int or None
        From `sonotheque.report.genre_colours.load_genre_colours`.
    progress : callable
        Called with the numbers of finished folds and of all folds.

    Raises
    ------
    ClassifierError
        If fewer than two genres have enough artists.

    See Also
    --------
    write_report : writes the page.
    """
    warn_ungrouped(training)
    data, y, groups = training.data, training.y, training.groups
    cross_validation = cross_validate(
        data, y, groups=groups, learner=learner, folds=folds, repeats=repeats, seed=seed, progress=progress
    )
    curve = []
    if with_learning_curve:
        curve = [
            learning_curve_point(*point) for point in learning_curve(data, y, groups=groups, learner=learner, seed=seed)
        ]
    given_split = folds is not None and not isinstance(folds, int)
    evaluation = evaluation_result(
        training, cross_validation, model=model, seed=seed, repeats=repeats, given_split=given_split, curve=curve
    )
    importance = None
    if with_importance:
        importance = collect_importance(training, cross_validation, tag_logits=tag_logits, seed=seed)
        evaluation = replace(evaluation, importance=importance_results(importance))
    return ReportData(
        tracks=training.tracks,
        groups=groups,
        n_ungrouped=training.n_ungrouped,
        cross_validation=cross_validation,
        evaluation=evaluation,
        given_split=given_split,
        space=data.spaces[0],
        misclassifications=find_misclassifications(training, cross_validation),
        comparison=comparison,
        aggregation=_compare_aggregation(training, model=model, folds=folds, seed=seed) if with_aggregation else None,
        importance=importance,
        failed=list(failed),
        genre_colours=genre_colours or {},
    )


def find_misclassifications(
    training: TrainingSet, cross_validation: CrossValidationResult, *, limit: int = MAX_MISCLASSIFICATIONS
) -> list[Misclassification]:
    """List the misclassified tracks with the highest probabilities, and their nearest tracks in the first space.

    Each track is listed once. The nearest tracks are by other artists, because similarity to the same artist says nothing about
    the genre.
    """
    confidence = cross_validation.probabilities.max(axis=1)
    wrong = np.flatnonzero(cross_validation.predicted != cross_validation.reference)
    ordered = sorted(wrong, key=lambda row: (-confidence[row], training.tracks[cross_validation.tested[row]].hash))
    vectors = training.data.tracks[training.data.spaces[0]]
    numbers = np.arange(len(vectors), dtype=np.int64)
    index = ExactIndex.build(numbers, vectors)
    found: dict[int, Misclassification] = {}
    for row in ordered:
        track = int(cross_validation.tested[row])
        if track in found or len(found) == limit:
            continue
        other_artists = numbers[training.groups != training.groups[track]]
        ids, similarities = index.search(vectors[track : track + 1], k=N_NEAREST, restrict_to=other_artists)
        nearest = [
            NearestTrack(training.tracks[number], round(float(similarity), 6))
            for number, similarity in zip(ids[0].tolist(), similarities[0], strict=True)
        ]
        predicted_label = cross_validation.labels[cross_validation.predicted[row]]
        found[track] = Misclassification(training.tracks[track], predicted_label, float(confidence[row]), nearest)
    return list(found.values())


def _compare_aggregation(
    training: TrainingSet, *, model: str, folds: int | Sequence[Fold] | None, seed: int
) -> AggregationComparison | None:
    """Evaluate one model with track and with segment aggregation; None if there are no segments."""
    data = training.data
    if not all(data.segments.get(space) for space in data.spaces):
        return None
    single_model = model if model in MODELS else "logreg"

    def evaluate_with(aggregation: str) -> CrossValidationResult:
        learner = make_learner(single_model, spaces=data.spaces, aggregation=aggregation)
        return cross_validate(data, training.y, groups=training.groups, learner=learner, folds=folds, seed=seed)

    return AggregationComparison(single_model, track=evaluate_with("track"), segment=evaluate_with("mean"))
