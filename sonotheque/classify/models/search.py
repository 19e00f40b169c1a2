"""The search behind ``--model auto`` with a budget: models, spaces, aggregation and settings, by Optuna on artist-grouped folds.

The best trials are combined in an ensemble whose weights are learned on the same folds. The search's own score is therefore too
optimistic. An unbiased score comes from a cross-validation with a separate search inside each fold.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import default_grouped_folds
from sonotheque.classify.models.ensemble import out_of_fold_proba, select_members, selection_score
from sonotheque.classify.models.learners import QUICK_MODELS, available_models, select_best, space_subsets
from sonotheque.classify.models.model_spec import Ensemble, ModelSpec, fit_model
from sonotheque.types import Codes, Probabilities, Progress

SEARCHED_AGGREGATIONS = ("track", "mean")
"""Global and local. The other aggregations gained nothing (docs/benchmarks/classification.md)."""


@dataclass(frozen=True)
class SearchBudget:
    """The budget of a search. Without minutes and trials there is no search.

    Attributes
    ----------
    minutes : float or None
        Wall time for everything.
    trials : int or None
        Trials of each search.
    """

    minutes: float | None = None
    trials: int | None = None

    def __bool__(self) -> bool:
        """Whether a search is requested."""
        return self.minutes is not None or self.trials is not None


class HyperparameterSearch:
    """A learner that runs a search, several times within one budget: once inside each fold, and once for all tracks.

    Parameters
    ----------
    spaces : sequence of str
        Ids of the spaces. Networks trained from scratch are not searched: one of their trials takes longer than most budgets.
    budget : SearchBudget
        Minutes for all rounds together, or trials for each round. With trials the result is the same on every machine.
    rounds : int
        Number of searches that will be run.
    progress : callable or None
        Called with (seconds or trials spent, total).
    """

    def __init__(
        self, *, spaces: Sequence[str], budget: SearchBudget, rounds: int, progress: Progress | None = None
    ) -> None:
        self._subsets = space_subsets(spaces)
        self._models = available_models()
        self._rounds_left = self._rounds = rounds
        self._start = time.monotonic()
        self._seconds = None if budget.minutes is None else 60 * budget.minutes
        self._trials = budget.trials
        self._progress = progress or (lambda done, total: None)
        self._trials_done = 0

    def __call__(self, data: EmbeddingSet, codes: Codes, groups: npt.NDArray[Any], seed: int) -> Ensemble:
        """Run one search: see `sonotheque.classify.models.learners.Learner`."""
        import optuna

        n_classes = int(codes.max()) + 1
        folds = default_grouped_folds(codes, groups, seed=seed)
        deadline = self._deadline()
        self._rounds_left -= 1
        if not folds:
            return select_best([ModelSpec(QUICK_MODELS[0], self._subsets[-1])])(data, codes, groups, seed)
        probabilities: dict[ModelSpec, Probabilities] = {}
        scores: dict[ModelSpec, float] = {}
        longest = 0.0

        def objective(trial: Any) -> float:
            spec = self._suggest(trial, segments=bool(data.segments), copies=data.copies is not None)
            if spec not in scores:
                probabilities[spec] = out_of_fold_proba(
                    spec, data, codes, groups=groups, folds=folds, n_classes=n_classes, seed=seed
                )
                scores[spec] = selection_score(probabilities[spec], codes)
            return scores[spec]

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        for number, _ in enumerate(self._subsets):
            for model in QUICK_MODELS:
                study.enqueue_trial({"model": model, "spaces": number, "decision": "track"}, skip_if_exists=True)
        for number in range(self._trials or 1_000_000):
            start = time.monotonic()
            if deadline is not None and number > 0 and start + 2 * longest > deadline:
                break
            study.optimize(objective, n_trials=1)
            longest = max(longest, time.monotonic() - start)
            self._trials_done += 1
            self._report_progress()
        tried = list(probabilities)
        best, weights = select_members(list(probabilities.values()), codes)
        members = [fit_model(tried[number], data, codes, groups=groups, seed=seed) for number in best]
        self._report_progress()
        return Ensemble(members, weights.tolist())

    def _deadline(self) -> float | None:
        if self._seconds is None:
            return None
        now = time.monotonic()
        return now + max(0.0, self._start + self._seconds - now) / self._rounds_left

    def _report_progress(self) -> None:
        if self._seconds is not None:
            self._progress(min(int(time.monotonic() - self._start), int(self._seconds)), int(self._seconds))
        elif self._trials is not None:
            self._progress(self._trials_done, self._trials * self._rounds)

    def _suggest(self, trial: Any, *, segments: bool, copies: bool) -> ModelSpec:
        model = trial.suggest_categorical("model", self._models)
        number = trial.suggest_categorical("spaces", list(range(len(self._subsets))))
        # the parameter keeps its old name: with another one, Optuna would draw other trials from the same seed
        aggregation = trial.suggest_categorical(
            "decision", SEARCHED_AGGREGATIONS if segments else SEARCHED_AGGREGATIONS[:1]
        )
        augmented = copies and trial.suggest_categorical("copies", [False, True])
        settings = tuple(_suggest_settings(trial, model).items())
        return ModelSpec(model, self._subsets[number], aggregation, settings, augmented)


def _suggest_settings(trial: Any, model: str) -> dict[str, Any]:
    match model:
        case "logreg":
            return {"C": trial.suggest_float("logreg.C", 1e-3, 1, log=True)}
        case "knn":
            return {
                "n_neighbors": trial.suggest_int("knn.n_neighbors", 5, 80, log=True),
                "balance": trial.suggest_float("knn.balance", 0, 1),
                "scale": trial.suggest_categorical("knn.scale", [False, True]),
            }
        case "svm":
            return {
                "C": trial.suggest_float("svm.C", 0.3, 30, log=True),
                "gamma": trial.suggest_float("svm.gamma", 0.05, 2, log=True),
            }
        case "forest":
            return {
                "min_samples_leaf": trial.suggest_int("forest.min_samples_leaf", 1, 6),
                "max_features": trial.suggest_float("forest.max_features", 0.03, 0.3, log=True),
            }
        case "lightgbm" | "xgboost":
            return {
                "trees": trial.suggest_int(f"{model}.trees", 50, 300),
                "leaves": trial.suggest_categorical(f"{model}.leaves", [4, 8, 16]),
                "learning_rate": trial.suggest_float(f"{model}.learning_rate", 0.02, 0.15, log=True),
            }
    return {"alpha": trial.suggest_float("mlp.alpha", 0.03, 30, log=True)}
