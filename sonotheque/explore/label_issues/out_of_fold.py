"""What a classifier answers for labelled tracks that it did not learn from: it shows where labels and the music disagree.

Artists are kept apart as in `evaluate` where a genre has enough of them. The tracks of the other genres are dealt one by one, or
all of them would look wrong.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.folds import Fold, default_grouped_folds
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.learners import spaces_for_model
from sonotheque.classify.models.model_spec import ModelSpec
from sonotheque.types import Codes, Probabilities, Rows

MODEL = "logreg"
"""The classifier that is asked; docs/wrong-labels.md has what others find."""

FOLDS = 5


@dataclass(frozen=True)
class OutOfFoldPredictions:
    """Answers for N labelled tracks.

    Attributes
    ----------
    probabilities : float64 array [N, C]
        Of the labels in the order of their names.
    by_track : bool array [N]
        Where the classifier knew other tracks of the same artist: the genre has too few artists for folds of artists.
    """

    probabilities: Probabilities
    by_track: npt.NDArray[np.bool_]


def out_of_fold_predictions(training: TrainingSet, *, model: str = MODEL, seed: int = 0) -> OutOfFoldPredictions:
    """Let a classifier answer for each labelled track without having learned it.

    Parameters
    ----------
    training : TrainingSet
    model : str
    seed : int
        Of the folds.
    """
    codes, groups = training.codes, training.groups
    by_artist = default_grouped_folds(codes, groups, seed=seed)
    tested = np.concatenate([test for _, test in by_artist]) if by_artist else np.empty(0, dtype=np.int64)
    rest = np.setdiff1d(np.arange(len(codes)), tested)
    probabilities = out_of_fold_proba(
        ModelSpec(model, spaces_for_model(model, training.data.spaces)),
        training.data,
        codes,
        groups=groups,
        folds=[*by_artist, *track_folds(codes, rest, seed=seed)],
        n_classes=int(codes.max()) + 1,
        seed=seed,
    )
    by_track: npt.NDArray[np.bool_] = np.isin(np.arange(len(codes)), rest)
    return OutOfFoldPredictions(probabilities, by_track)


def track_folds(codes: Codes, rows: Rows, *, seed: int) -> list[Fold]:
    """Deal some tracks one by one to folds, stratified by genre; all other tracks teach in each."""
    from sklearn.model_selection import StratifiedKFold

    largest = int(np.bincount(codes[rows]).max(initial=0))
    if largest < 2:  # each its genre's only one here
        parts = list(rows[:, None])
    else:
        splitter = StratifiedKFold(min(FOLDS, largest), shuffle=True, random_state=seed)
        with warnings.catch_warnings():  # a genre smaller than the number of folds is no news
            warnings.simplefilter("ignore", UserWarning)
            parts = [rows[part] for _, part in splitter.split(rows, codes[rows])]
    return [(np.setdiff1d(np.arange(len(codes)), part), part) for part in parts]
