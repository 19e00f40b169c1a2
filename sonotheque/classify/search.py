"""The search behind ``--model auto`` with a budget: models, spaces, decisions and settings, by Optuna on grouped folds.

The trials that did best are mixed, with shares learned on the same folds. So what a search says of itself is too good; the honest
score is that of `evaluate` around it, with a search of its own inside each fold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy.typing as npt

from sonotheque.classify.calibration import Probabilities
from sonotheque.classify.ensemble import choose_members, out_of_fold, score
from sonotheque.classify.folds import usual_folds
from sonotheque.classify.learners import QUICK, choice, space_sets, usable_models
from sonotheque.classify.metrics import Codes
from sonotheque.classify.recipe import Fitted, Recipe, fit
from sonotheque.classify.recordings import Recordings

DECISIONS = ("track", "mean")
"""Global and local; the other ways to combine segments gained nothing (docs/classifying.md)."""

Progress = Callable[[int, int], None]
"""Called with seconds (or trials) spent and in all."""


class Search:
    """A learner that searches, several times within one budget: once inside each fold, once for all recordings.

    Parameters
    ----------
    spaces : ids of the spaces
        Networks from scratch are left out: one of their trials takes longer than most searches.
    rounds : int
        How often it will learn.
    seconds : float or None
        For all rounds together.
    trials : int or None
        For each round; the same numbers each time, however fast the machine is.
    progress : callable
    """

    def __init__(
        self,
        *,
        spaces: Sequence[str],
        rounds: int,
        seconds: float | None = None,
        trials: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._sets = space_sets(spaces)
        self._models = usable_models()
        self._left = rounds
        self._rounds = rounds
        self._begin = time.monotonic()
        self._seconds = seconds
        self._trials = trials
        self._progress = progress or (lambda done, total: None)
        self._done = 0

    def __call__(self, data: Recordings, codes: Codes, groups: npt.NDArray[Any], seed: int) -> Fitted:
        """Learn: see `sonotheque.classify.learners.Learner`."""
        import optuna

        labels = int(codes.max()) + 1
        folds = usual_folds(codes, groups, seed=seed)
        end = self._end()
        self._left -= 1
        if not folds:
            return choice([Recipe(QUICK[0], self._sets[-1])])(data, codes, groups, seed)
        answers: dict[Recipe, Probabilities] = {}
        scores: dict[Recipe, float] = {}
        longest = 0.0

        def objective(trial: Any) -> float:
            recipe = self._suggest(trial, segments=bool(data.segments), copies=data.copies is not None)
            if recipe not in scores:
                answers[recipe] = out_of_fold(recipe, data, codes, groups=groups, folds=folds, labels=labels, seed=seed)
                scores[recipe] = score(answers[recipe], codes)
            return scores[recipe]

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        for number, _ in enumerate(self._sets):
            for model in QUICK:
                study.enqueue_trial({"model": model, "spaces": number, "decision": "track"}, skip_if_exists=True)
        for number in range(self._trials or 1_000_000):
            begin = time.monotonic()
            if end is not None and number > 0 and begin + 2 * longest > end:
                break
            study.optimize(objective, n_trials=1)
            longest = max(longest, time.monotonic() - begin)
            self._done += 1
            self._show()
        tried = list(answers)
        best, shares = choose_members(list(answers.values()), codes)
        members = [fit(tried[number], data, codes, groups=groups, seed=seed) for number in best]
        self._show()
        return Fitted(members, shares.tolist())

    def _end(self) -> float | None:
        if self._seconds is None:
            return None
        now = time.monotonic()
        return now + max(0.0, self._begin + self._seconds - now) / self._left

    def _show(self) -> None:
        if self._seconds is not None:
            self._progress(min(int(time.monotonic() - self._begin), int(self._seconds)), int(self._seconds))
        elif self._trials is not None:
            self._progress(self._done, self._trials * self._rounds)

    def _suggest(self, trial: Any, *, segments: bool, copies: bool) -> Recipe:
        model = trial.suggest_categorical("model", self._models)
        number = trial.suggest_categorical("spaces", list(range(len(self._sets))))
        decision = trial.suggest_categorical("decision", DECISIONS if segments else DECISIONS[:1])
        augmented = copies and trial.suggest_categorical("copies", [False, True])
        return Recipe(model, self._sets[number], decision, tuple(_settings(trial, model).items()), augmented)


def _settings(trial: Any, model: str) -> dict[str, Any]:
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
