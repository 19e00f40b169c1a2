"""Evaluate a model and write the report about it."""

from __future__ import annotations

from collections.abc import Sequence

from sonotheque import results
from sonotheque.classify.data.folds import Fold
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.evaluation.evaluate_model import make_evaluation_learner
from sonotheque.classify.models.search import SearchBudget
from sonotheque.output_files import OutputFile
from sonotheque.report.feature_importance.importance_data import load_logits_of_tracks
from sonotheque.report.genre_colours import load_genre_colours
from sonotheque.report.page import write_report
from sonotheque.report.report_data import collect_report_data
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import PathLike, Progress


def write_evaluation_report(
    training: TrainingSet,
    folder: PathLike | OutputFile,
    *,
    model: str,
    aggregation: str,
    folds: int | Sequence[Fold] | None,
    repeats: int,
    budget: SearchBudget,
    catalogue: Catalogue,
    failed: Sequence[results.FailedFile],
    compared: results.ComparisonResult | None,
    lang: str,
    seed: int,
    progress: Progress | None,
) -> results.EvaluationResult:
    """Evaluate a model as `sonotheque.classify.evaluate_model` does, and write the report to a folder.

    The learning curve is included unless the model is found by a search or the split is given.

    Parameters
    ----------
    training : TrainingSet
    folder : path, or OutputFile
        Folder of ``report.html`` and its figures, see `sonotheque.report.write_report`.
    model, aggregation, folds, repeats, budget, seed, progress
        See `sonotheque.classify.evaluate_model`.
    catalogue : Catalogue
        Provides musicnn's vectors for the auto-tags of each genre.
    failed : sequence of FailedFile
        Files that could not be used.
    compared : ComparisonResult or None
        A comparison of models to include.
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    EvaluationResult
    """
    learner, fold_progress = make_evaluation_learner(
        training,
        model=model,
        aggregation=aggregation,
        folds=folds,
        repeats=repeats,
        budget=budget,
        progress=progress,
    )
    given = folds is not None and not isinstance(folds, int)
    data = collect_report_data(
        training,
        learner,
        model=model,
        folds=folds,
        repeats=repeats,
        with_learning_curve=not budget and not given,
        comparison=compared,
        tag_logits=load_logits_of_tracks(catalogue, training.tracks),
        failed=failed,
        genre_colours=load_genre_colours(catalogue),
        seed=seed,
        progress=fold_progress,
    )
    write_report(data, folder, lang=lang)
    return data.evaluation
