"""Out-of-fold predictions for all labelled tracks. They show where the labels and the music disagree.

The folds are grouped by artist, as in `evaluate`, for genres with enough artists. The tracks of the other genres are split one by
one; otherwise all of them would look wrong. A genre with a single track cannot be judged: its track is used for training only.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from sonotheque.classify.data.folds import Fold, default_grouped_folds
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.learners import spaces_for_model
from sonotheque.classify.models.model_spec import ModelSpec
from sonotheque.types import BoolArray, Codes, Probabilities, Rows

MODEL = "logreg"
"""Name of the default classifier. docs/benchmarks/label-issues.md compares it with others."""

N_FOLDS = 5


@dataclass(frozen=True)
class OutOfFoldPredictions:
    """Predictions for N labelled tracks.

    Attributes
    ----------
    probabilities : float64 array [N, C]
        Probabilities of the labels, which are sorted by name. They are equal for a track that cannot be judged.
    by_track : bool array [N]
        Whether the classifier was trained on other tracks by the same artist, because the genre has too few artists for
        artist-grouped folds.
    single_track : bool array [N]
        Whether the track is the only one of its genre, and so cannot be judged.
    """

    probabilities: Probabilities
    by_track: BoolArray
    single_track: BoolArray


def out_of_fold_predictions(training: TrainingSet, *, model: str = MODEL, seed: int = 0) -> OutOfFoldPredictions:
    """Predict each labelled track with a classifier that was trained without it.

    Parameters
    ----------
    training : TrainingSet
    model : str
        Name of the classifier.
    seed : int
        Seed of the folds.

    Returns
    -------
    OutOfFoldPredictions
    """
    codes, groups = training.codes, training.groups
    artist_folds = default_grouped_folds(codes, groups, seed=seed)
    tested = np.concatenate([test for _, test in artist_folds]) if artist_folds else np.empty(0, dtype=np.int64)
    single_track: BoolArray = np.bincount(codes)[codes] == 1
    rest = np.setdiff1d(np.flatnonzero(~single_track), tested)
    n_classes = int(codes.max()) + 1
    probabilities = out_of_fold_proba(
        ModelSpec(model, spaces_for_model(model, training.data.spaces)),
        training.data,
        codes,
        groups=groups,
        folds=[*artist_folds, *track_folds(codes, rest, seed=seed)],
        n_classes=n_classes,
        seed=seed,
    )
    probabilities[single_track] = 1 / n_classes
    by_track: BoolArray = np.isin(np.arange(len(codes)), rest)
    return OutOfFoldPredictions(probabilities, by_track, single_track)


def track_folds(codes: Codes, rows: Rows, *, seed: int) -> list[Fold]:
    """Split some tracks one by one into folds, stratified by genre. Each fold is trained on all tracks that it does not test.

    Parameters
    ----------
    codes : int64 array [N]
        Labels of all tracks.
    rows : int64 array [M]
        The tracks to test. May be empty.
    seed : int

    Returns
    -------
    list of (train, test)
    """
    from sklearn.model_selection import StratifiedKFold

    largest = int(np.bincount(codes[rows]).max(initial=0))
    if largest < 2:  # each genre has a single track in these rows
        test_rows = list(rows[:, None])
    else:
        splitter = StratifiedKFold(min(N_FOLDS, largest), shuffle=True, random_state=seed)
        with warnings.catch_warnings():  # scikit-learn warns of genres with fewer tracks than folds
            warnings.simplefilter("ignore", UserWarning)
            test_rows = [rows[test] for _, test in splitter.split(rows, codes[rows])]
    return [(np.setdiff1d(np.arange(len(codes)), test), test) for test in test_rows]
