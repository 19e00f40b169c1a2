"""What `train` and `evaluate` make of a training set."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque import documents as doc
from sonotheque.classify import metrics
from sonotheque.classify.calibration import Probabilities, fit_temperature, soften
from sonotheque.classify.confidence import Evidence
from sonotheque.classify.ensemble import out_of_fold
from sonotheque.classify.folds import Fold, count_groups, default_folds, usual_folds
from sonotheque.classify.labelled import TrainingSet, warn_of_alone
from sonotheque.classify.learners import QUICK, Learner, compare, make_learner
from sonotheque.classify.metrics import Codes, rounded
from sonotheque.classify.protocol import Evaluation, Progress, evaluate, learning_curve
from sonotheque.classify.recipe import Fitted, Recipe, fit
from sonotheque.classify.search import Search

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class Budget:
    """What a search may take: minutes of wall time for everything, or trials for each search. Neither: no search."""

    minutes: float | None = None
    trials: int | None = None

    def __bool__(self) -> bool:
        """Whether there is to be a search."""
        return self.minutes is not None or self.trials is not None


def train(
    training: TrainingSet,
    *,
    model: str,
    decision: str = "track",
    budget: Budget = Budget(),
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Fitted, Evidence | None, dict[Recipe, float], doc.Evaluated | None]:
    """Learn from all labelled tracks.

    Parameters
    ----------
    training : TrainingSet
    model : str
        See `make_learner`. ``auto`` with a budget searches.
    decision : str
        See `sonotheque.classify.recipe.DECISIONS`.
    budget : Budget
    seed : int
        Of the folds.
    progress : callable
        Called with seconds or trials done and in all, where there is a search; else with fits done and in all.

    Returns
    -------
    fitted : Fitted
        Its probabilities calibrated on grouped out-of-fold answers, where the recordings can be folded.
    evidence : Evidence or None
        Those answers.
    accuracies : dict of Recipe to float
        Of what was compared without a search.
    evaluated : Evaluated or None
        Of the same search inside grouped folds.
    """
    from threadpoolctl import threadpool_limits

    data, codes, groups = training.data, training.codes, training.groups
    spaces, copies = data.spaces, data.copies is not None
    with threadpool_limits(limits=1, user_api="blas"):
        if model == "auto" and budget:
            warn_of_alone(training)
            folds = default_folds(codes, count_groups(codes, groups, labels=int(codes.max()) + 1))
            search = _search(spaces, budget, rounds=folds + 1, progress=progress)
            judged = evaluate(data, training.y, groups=groups, learner=search, seed=seed)
            fitted, evidence = _calibrated(
                search(data, codes, groups, seed), judged.probabilities, judged.reference, judged.groups
            )
            return fitted, evidence, {}, report(training, judged, model=model, seed=seed)
        if model != "auto":
            fitted = make_learner(model, spaces=spaces, decision=decision, copies=copies)(data, codes, groups, seed)
            return *_with_evidence(fitted, training, seed=seed, progress=progress), {}, None
        warn_of_alone(training)
        recipes = [Recipe(name, spaces, decision, copies=copies) for name in QUICK]
        accuracies = compare(recipes, data, codes, groups=groups, seed=seed)
        best = max(recipes, key=lambda recipe: accuracies.get(recipe, 0.0))
        fitted = Fitted([fit(best, data, codes, groups=groups, seed=seed)], [1.0])
        fitted, found = _with_evidence(fitted, training, seed=seed, progress=progress)
    if not accuracies:
        log.warning("too few artists in each genre to compare models; %s is taken", best.model)
    return fitted, found, accuracies, None


def _with_evidence(
    fitted: Fitted, training: TrainingSet, *, seed: int, progress: Progress | None
) -> tuple[Fitted, Evidence | None]:
    """Calibrate a classifier on the out-of-fold answers of its own recipes and shares."""
    data, codes, groups = training.data, training.codes, training.groups
    labels = int(codes.max()) + 1
    folds = usual_folds(codes, groups, seed=seed)
    if not folds:
        return fitted, None
    answers = np.zeros((len(codes), labels))
    parts = list(zip(fitted.members, fitted.shares, strict=True))
    total = len(folds) * len(parts)
    for number, (_, test) in enumerate(folds):
        for place, (member, share) in enumerate(parts):
            if progress:
                progress(number * len(parts) + place, total)
            said = out_of_fold(
                member.recipe, data, codes, groups=groups, folds=[folds[number]], labels=labels, seed=seed
            )
            answers[test] += share * said[test]
    if progress:
        progress(total, total)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    return _calibrated(fitted, answers[tested], codes[tested], groups[tested])


def _calibrated(
    fitted: Fitted, answers: Probabilities, reference: Codes, groups: npt.NDArray[Any]
) -> tuple[Fitted, Evidence]:
    temperature = fit_temperature(answers, reference)
    softened = soften(answers, temperature)
    right = softened.argmax(axis=1) == reference
    return replace(fitted, temperature=temperature), Evidence(softened.max(axis=1), right, groups)


def _search(spaces: Sequence[str], budget: Budget, *, rounds: int, progress: Progress | None) -> Search:
    seconds = None if budget.minutes is None else 60 * budget.minutes
    return Search(spaces=spaces, rounds=rounds, seconds=seconds, trials=budget.trials, progress=progress)


def judge(
    training: TrainingSet,
    *,
    model: str,
    decision: str = "track",
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    curve: bool = False,
    budget: Budget = Budget(),
    seed: int = 0,
    progress: Progress | None = None,
) -> doc.Evaluated:
    """Evaluate a model and put the figures into a document.

    Parameters
    ----------
    training, model, decision, budget, seed : see `train`
    folds, repeats : see `evaluate`
    curve : bool
        Draw the learning curve too.
    progress : callable

    Raises
    ------
    ClassifierError
        If fewer than two genres have enough artists.
    """
    warn_of_alone(training)
    data, groups = training.data, training.groups
    learner, watch = learner_of(
        training, model=model, decision=decision, folds=folds, repeats=repeats, budget=budget, progress=progress
    )
    result = evaluate(
        data, training.y, groups=groups, learner=learner, folds=folds, repeats=repeats, seed=seed, progress=watch
    )
    points = []
    if curve:
        points = [
            curve_point(tracks, point)
            for tracks, point in learning_curve(data, training.y, groups=groups, learner=learner, seed=seed)
        ]
    given = folds is not None and not isinstance(folds, int)
    return report(training, result, model=model, seed=seed, repeats=repeats, given=given, curve=points)


def learner_of(
    training: TrainingSet,
    *,
    model: str,
    decision: str = "track",
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    budget: Budget = Budget(),
    progress: Progress | None = None,
) -> tuple[Learner, Progress | None]:
    """Make the learner that is to be judged, and say who is to hear of its progress: a search tells of itself."""
    if model != "auto" or not budget:
        copies = training.data.copies is not None
        return make_learner(model, spaces=training.data.spaces, decision=decision, copies=copies), progress
    artists = count_groups(training.codes, training.groups, labels=int(training.codes.max()) + 1)
    count = folds or default_folds(training.codes, artists)
    rounds = repeats * (count if isinstance(count, int) else len(count))
    return _search(training.data.spaces, budget, rounds=rounds, progress=progress), None


def curve_point(tracks: float, judged: Evaluation) -> doc.CurvePoint:
    """Put one point of a learning curve into a document."""
    return doc.CurvePoint(
        tracks=round(tracks, 1),
        accuracy=round(judged.accuracy, 6),
        accuracy_interval=rounded(judged.accuracy_interval),
        balanced_accuracy=round(judged.balanced_accuracy, 6),
    )


def report(
    training: TrainingSet,
    result: Evaluation,
    *,
    model: str,
    seed: int,
    repeats: int = 1,
    given: bool = False,
    curve: Sequence[doc.CurvePoint] = (),
) -> doc.Evaluated:
    """Put the figures of an evaluation into a document."""
    codes = np.searchsorted(np.array(result.labels), training.y)
    artists = count_groups(codes, training.groups, labels=len(result.labels))
    precision, recall, f1 = (figure(result.confusion) for figure in (metrics.precision, metrics.recall, metrics.f1))
    apart = {genre.label for genre in result.apart}
    auc = result.auc
    times = f", repeated {repeats} times" if repeats > 1 else ""
    by = (
        "artist" if training.alone < len(training.tracks) else "nothing: no artist is known, the figures are flattering"
    )
    protocol = f"{result.folds} stratified folds grouped by {by}{times}, seed {seed}"
    return doc.Evaluated(
        protocol="the given split" if given else protocol,
        model=model,
        chosen=[chosen(fitted) for fitted in result.fitted] if model == "auto" else [],
        spaces=list(training.data.spaces),
        folds=result.folds,
        tracks=len(np.unique(result.tested)),
        accuracy=round(result.accuracy, 6),
        accuracy_interval=rounded(result.accuracy_interval),
        balanced_accuracy=round(result.balanced_accuracy, 6),
        balanced_accuracy_interval=rounded(result.interval_of(metrics.balanced_accuracy)),
        macro_f1=round(result.macro_f1, 6),
        macro_f1_interval=rounded(result.interval_of(metrics.macro_f1)),
        log_loss=round(result.log_loss, 6),
        auc=round(float(np.nanmean(auc)), 6),
        labels=result.labels,
        confusion=result.confusion.tolist(),
        genres=[
            doc.GenreFigures(
                label=label,
                tracks=int((codes == code).sum()),
                artists=int(artists[code]),
                precision=round(float(precision[code]), 6),
                recall=round(float(recall[code]), 6),
                f1=round(float(f1[code]), 6),
                auc=round(float(auc[code]), 6),
            )
            for code, label in enumerate(result.labels)
            if label not in apart
        ],
        apart=result.apart,
        learning_curve=list(curve),
    )


def chosen(fitted: Fitted) -> str:
    """Name what was learned: a model, or how many in a mixture.

    Examples
    --------
    >>> from sonotheque.classify.recipe import Member
    >>> chosen(Fitted([Member(Recipe("knn", ("a",)), None)], [1.0]))
    'knn'
    """
    if len(fitted.members) == 1:
        return fitted.members[0].recipe.model
    return f"mixture of {len(fitted.members)}"
