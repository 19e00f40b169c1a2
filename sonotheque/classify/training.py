"""Train the classifier of a library: select or fit a model on all labelled tracks, and calibrate its probabilities."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from sonotheque import results
from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import count_artists, default_grouped_folds, default_n_folds
from sonotheque.classify.data.training_set import TrainingSet, warn_ungrouped
from sonotheque.classify.evaluation.cross_validation import cross_validate
from sonotheque.classify.evaluation.evaluate_model import describe_protocol, evaluation_result
from sonotheque.classify.inference.calibration import CalibrationSet, fit_temperature
from sonotheque.classify.inference.novelty import NoveltyDetector
from sonotheque.classify.inference.persistence import SavedClassifier
from sonotheque.classify.inference.training_tracks import TrainingTracks
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.learners import QUICK_MODELS, compare_specs, make_learner
from sonotheque.classify.models.model_spec import Ensemble, ModelSpec, fit_model
from sonotheque.classify.models.search import HyperparameterSearch, SearchBudget
from sonotheque.classify.models.temperature import apply_temperature
from sonotheque.embed.space import kind_of
from sonotheque.types import Probabilities, Progress, Rows

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class TrainedClassifier:
    """What `train_classifier` returns.

    Attributes
    ----------
    ensemble : Ensemble
        Calibrated on artist-grouped out-of-fold predictions if the tracks can be divided into folds.
    calibration_set : CalibrationSet or None
        Those predictions.
    out_of_fold : float64 array [N, C] or None
        Their calibrated probabilities for all training tracks; NaN in the rows of tracks that are in no test set.
    accuracies : dict of ModelSpec to float
        Accuracy of each model that was compared without a search.
    evaluation : EvaluationResult or None
        After a search, the evaluation of the same search within artist-grouped folds.
    protocol : str
        How the accuracies were measured.
    """

    ensemble: Ensemble
    calibration_set: CalibrationSet | None
    out_of_fold: Probabilities | None
    accuracies: dict[ModelSpec, float]
    evaluation: results.EvaluationResult | None
    protocol: str


def train_classifier(
    training: TrainingSet,
    *,
    model: str,
    aggregation: str = "track",
    budget: SearchBudget = SearchBudget(),
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainedClassifier:
    """Fit a classifier to all labelled tracks.

    Parameters
    ----------
    training : TrainingSet
    model : str
        See `sonotheque.classify.models.learners.make_learner`. ``auto`` with a budget runs a search.
    aggregation : str
        See `sonotheque.classify.models.aggregation.AGGREGATIONS`.
    budget : SearchBudget
    seed : int
        Seed of the folds.
    progress : callable or None
        Called with (seconds or trials done, total) during a search, otherwise with (fits done, total).

    Returns
    -------
    TrainedClassifier
    """
    from threadpoolctl import threadpool_limits

    data, codes, groups = training.data, training.codes, training.groups
    spaces, copies = data.spaces, data.copies is not None
    artists = count_artists(codes, groups, n_classes=int(codes.max()) + 1)
    protocol = describe_protocol(training, folds=default_n_folds(codes, artists), seed=seed)
    with threadpool_limits(limits=1, user_api="blas"):
        if model == "auto" and budget:
            return _train_by_search(training, budget=budget, protocol=protocol, seed=seed, progress=progress)
        if model != "auto":
            learner = make_learner(model, spaces=spaces, aggregation=aggregation, copies=copies)
            ensemble = learner(data, codes, groups, seed)
            return TrainedClassifier(*_calibrate(ensemble, training, seed=seed, progress=progress), {}, None, protocol)
        warn_ungrouped(training)
        specs = [ModelSpec(name, spaces, aggregation, copies=copies) for name in QUICK_MODELS]
        accuracies = compare_specs(specs, data, codes, groups=groups, seed=seed)
        best = max(specs, key=lambda spec: accuracies.get(spec, 0.0))
        ensemble = Ensemble([fit_model(best, data, codes, groups=groups, seed=seed)], [1.0])
        calibrated = _calibrate(ensemble, training, seed=seed, progress=progress)
    if not accuracies:
        log.warning("too few artists in each genre to compare models; using %s", best.model)
    return TrainedClassifier(*calibrated, accuracies, None, protocol)


def _train_by_search(
    training: TrainingSet, *, budget: SearchBudget, protocol: str, seed: int, progress: Progress | None
) -> TrainedClassifier:
    warn_ungrouped(training)
    data, codes, groups = training.data, training.codes, training.groups
    folds = default_n_folds(codes, count_artists(codes, groups, n_classes=int(codes.max()) + 1))
    search = HyperparameterSearch(spaces=data.spaces, budget=budget, rounds=folds + 1, progress=progress)
    validation = cross_validate(data, training.y, groups=groups, learner=search, seed=seed)
    calibrated = _with_temperature(
        search(data, codes, groups, seed), validation.probabilities, rows=validation.tested, training=training
    )
    evaluation = evaluation_result(training, validation, model="auto", seed=seed)
    return TrainedClassifier(*calibrated, {}, evaluation, protocol)


def _calibrate(
    ensemble: Ensemble, training: TrainingSet, *, seed: int, progress: Progress | None
) -> tuple[Ensemble, CalibrationSet | None, Probabilities | None]:
    """Calibrate an ensemble on the out-of-fold predictions of its own specifications and weights."""
    data, codes, groups = training.data, training.codes, training.groups
    n_classes = int(codes.max()) + 1
    folds = default_grouped_folds(codes, groups, seed=seed)
    if not folds:
        return ensemble, None, None
    probabilities = np.zeros((len(codes), n_classes))
    members = list(zip(ensemble.members, ensemble.weights, strict=True))
    total = len(folds) * len(members)
    for number, fold in enumerate(folds):
        for place, (member, weight) in enumerate(members):
            if progress:
                progress(number * len(members) + place, total)
            predicted = out_of_fold_proba(
                member.spec, data, codes, groups=groups, folds=[fold], n_classes=n_classes, seed=seed
            )
            probabilities[fold[1]] += weight * predicted[fold[1]]
    if progress:
        progress(total, total)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    return _with_temperature(ensemble, probabilities[tested], rows=tested, training=training)


def _with_temperature(
    ensemble: Ensemble, probabilities: Probabilities, *, rows: Rows, training: TrainingSet
) -> tuple[Ensemble, CalibrationSet, Probabilities]:
    """Calibrate an ensemble on the out-of-fold probabilities [M, C] of some training tracks, given by their rows [M]."""
    reference, groups = training.codes[rows], training.groups[rows]
    temperature = fit_temperature(probabilities, reference)
    calibrated = apply_temperature(probabilities, temperature)
    correct = calibrated.argmax(axis=1) == reference
    out_of_fold = np.full((len(training.codes), calibrated.shape[1]), np.nan)
    out_of_fold[rows] = calibrated
    calibration_set = CalibrationSet(calibrated.max(axis=1), correct, groups)
    return replace(ensemble, temperature=temperature), calibration_set, out_of_fold


def make_saved_classifier(
    training: TrainingSet, trained: TrainedClassifier, *, model: str, searched: bool, generation: int
) -> SavedClassifier:
    """Combine a trained classifier with a novelty detector and its origin, ready to be saved.

    Parameters
    ----------
    training : TrainingSet
    trained : TrainedClassifier
    model : str
        The model that was requested.
    searched : bool
        Whether a search ran.
    generation : int
        Generation of the library.
    """
    members = trained.ensemble.members
    name = model if model == "ensemble" or (model == "auto" and searched) else members[0].spec.model
    used = {space for member in members for space in member.spec.spaces}
    spaces = [space for space in training.data.spaces if space in used]  # pooled vectors first
    pooled = {space: training.data.tracks[space] for space in spaces if kind_of(space) in {"embedding", "descriptors"}}
    counts = dict(sorted(Counter(training.y.tolist()).items()))
    detector = NoveltyDetector.fit(EmbeddingSet(pooled), groups=training.groups) if pooled else None
    tracks = TrainingTracks.from_training(
        training, space=spaces[0], out_of_fold=trained.out_of_fold, n_classes=len(counts)
    )
    return SavedClassifier(
        name, trained.ensemble, spaces, list(counts), counts, generation, trained.calibration_set, detector, tracks
    )


def training_result(
    training: TrainingSet, trained: TrainedClassifier, saved: SavedClassifier
) -> results.TrainingResult:
    """Describe a trained classifier."""
    tested = trained.calibration_set
    is_single = len(trained.ensemble.members) == 1 and saved.model != "ensemble"
    return results.TrainingResult(
        model=saved.model,
        spaces=saved.spaces,
        tracks=len(training.tracks),
        labels=saved.counts,
        candidates=[results.Candidate(spec.model, round(accuracy, 6)) for spec, accuracy in trained.accuracies.items()],
        members=[
            results.EnsembleMember(
                model=member.spec.model,
                spaces=list(member.spec.spaces),
                decision=member.spec.aggregation,
                copies=member.spec.copies,
                share=round(weight, 6),
            )
            for member, weight in zip(trained.ensemble.members, trained.ensemble.weights, strict=True)
        ],
        evaluated=trained.evaluation,
        protocol=trained.protocol if tested else None,
        tested=len(tested.correct) if tested else 0,
        accuracy=round(float(tested.correct.mean()), 6) if tested and is_single and not trained.evaluation else None,
    )
