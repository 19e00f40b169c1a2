"""What a report is made of, and how it is collected: out-of-fold answers, their figures, errors and their neighbours.

Nothing here is drawn or put into words, and nothing is judged otherwise than `sonotheque.classify` does it.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from sonotheque.report.importance.collected import Importance, collect_importance, documented
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, Progress

MOST_MISTAKES = 60
"""Confident errors that are looked at closely: as many as the page plays."""

NEIGHBOURS = 5


@dataclass(frozen=True)
class Near:
    """A labelled track by another artist that sounds like one that was misjudged; `similarity` is a cosine."""

    track: Track
    similarity: float


@dataclass(frozen=True)
class Mistake:
    """A wrong answer: the track with its label, what was answered and how sure, and the nearest tracks by other artists."""

    track: Track
    answer: str
    probability: float
    near: Sequence[Near] = ()


@dataclass(frozen=True)
class Decisions:
    """The same model on whole tracks and on segments, judged on the same folds."""

    model: str
    whole: CrossValidationResult
    parts: CrossValidationResult


@dataclass(frozen=True)
class Findings:
    """All that a report says or shows follows from this.

    Attributes
    ----------
    tracks : sequence of Track
        The labelled tracks, N of them.
    groups : int array [N]
        The artist of each.
    alone : int
        How many name neither artist nor album.
    evaluation : Evaluation
        Out-of-fold answers.
    evaluated : results.EvaluationResult
        Their figures, and the points of the learning curve.
    space : str
        In which `mistakes` have their neighbours.
    mistakes : sequence of Mistake
        The most confident first.
    compared : results.ComparisonResult or None
        The table of all models.
    decisions : Decisions or None
        Global against local.
    importance : Importance or None
        What the model goes by.
    failed : sequence of results.FailedFile
        What could not be used.
    """

    tracks: Sequence[Track]
    groups: npt.NDArray[np.int64]
    alone: int
    evaluation: CrossValidationResult
    evaluated: results.EvaluationResult
    space: str
    mistakes: Sequence[Mistake]
    compared: results.ComparisonResult | None = None
    decisions: Decisions | None = None
    importance: Importance | None = None
    failed: Sequence[results.FailedFile] = field(default=())


def collect(
    training: TrainingSet,
    learner: Learner,
    *,
    model: str,
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    curve: bool = True,
    decisions: bool = True,
    importance: bool = True,
    heard: FloatArray | None = None,
    compared: results.ComparisonResult | None = None,
    failed: Sequence[results.FailedFile] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Findings:
    """Judge a learner and gather what a report needs.

    Parameters
    ----------
    training : TrainingSet
    learner : Learner
    model : str
        Its name.
    folds, repeats, seed : see `sonotheque.classify.evaluate`
    curve : bool
        Judge it with fewer training artists too.
    decisions : bool
        Judge whole tracks against segments, where the training set has segments.
    importance : bool
        Ask what the model goes by; its losses are then in `evaluated` too.
    heard : float32 array [N, 200] or None
        The tracks' vectors in the space of musicnn, where the training set lacks them: they tell tags.
    compared : results.ComparisonResult or None
        As `sonotheque.classify.evaluation.model_comparison.compare` makes it.
    failed : sequence of results.FailedFile
    progress : callable
        Called with folds done and to do.

    Raises
    ------
    ClassifierError
        If fewer than two genres have enough artists.

    See Also
    --------
    write_report : makes the page.
    """
    warn_ungrouped(training)
    data, y, groups = training.data, training.y, training.groups
    judged = cross_validate(
        data, y, groups=groups, learner=learner, folds=folds, repeats=repeats, seed=seed, progress=progress
    )
    points = []
    if curve:
        points = [
            learning_curve_point(*point) for point in learning_curve(data, y, groups=groups, learner=learner, seed=seed)
        ]
    given = folds is not None and not isinstance(folds, int)
    evaluated = evaluation_result(
        training, judged, model=model, seed=seed, repeats=repeats, given_split=given, curve=points
    )
    reasons = collect_importance(training, judged, heard=heard, seed=seed) if importance else None
    if reasons is not None:
        evaluated = replace(evaluated, importance=documented(reasons))
    return Findings(
        tracks=training.tracks,
        groups=groups,
        alone=training.n_ungrouped,
        evaluation=judged,
        evaluated=evaluated,
        space=data.spaces[0],
        mistakes=find_mistakes(training, judged),
        compared=compared,
        decisions=_decisions(training, model=model, folds=folds, seed=seed) if decisions else None,
        importance=reasons,
        failed=list(failed),
    )


def find_mistakes(training: TrainingSet, judged: CrossValidationResult, *, most: int = MOST_MISTAKES) -> list[Mistake]:
    """List wrong answers, the most confident first, each track once, with its neighbours in the first space.

    Only tracks by other artists are neighbours: that an artist sounds like himself says nothing about the genre.
    """
    confidence = judged.probabilities.max(axis=1)
    wrong = np.flatnonzero(judged.predicted != judged.reference)
    ordered = sorted(wrong, key=lambda row: (-confidence[row], training.tracks[judged.tested[row]].hash))
    vectors = training.data.tracks[training.data.spaces[0]]
    numbers = np.arange(len(vectors), dtype=np.int64)
    index = ExactIndex.build(numbers, vectors)
    found: dict[int, Mistake] = {}
    for row in ordered:
        track = int(judged.tested[row])
        if track in found or len(found) == most:
            continue
        others = numbers[training.groups != training.groups[track]]
        ids, similarities = index.search(vectors[track : track + 1], k=NEIGHBOURS, restrict_to=others)
        near = [
            Near(training.tracks[number], round(float(similarity), 6))
            for number, similarity in zip(ids[0].tolist(), similarities[0], strict=True)
        ]
        answer = judged.labels[judged.predicted[row]]
        found[track] = Mistake(training.tracks[track], answer, float(confidence[row]), near)
    return list(found.values())


def _decisions(training: TrainingSet, *, model: str, folds: int | Sequence[Fold] | None, seed: int) -> Decisions | None:
    """Judge a single model both ways; None where there are no segments."""
    data = training.data
    if not all(data.segments.get(space) for space in data.spaces):
        return None
    single = model if model in MODELS else "logreg"

    def judge(decision: str) -> CrossValidationResult:
        learner = make_learner(single, spaces=data.spaces, aggregation=decision)
        return cross_validate(data, training.y, groups=training.groups, learner=learner, folds=folds, seed=seed)

    return Decisions(single, whole=judge("track"), parts=judge("mean"))
