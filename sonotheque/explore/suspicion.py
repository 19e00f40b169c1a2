"""Labels that are probably wrong: every labelled track, by how little speaks for its label. Nothing is relabelled here.

Two witnesses are asked, and their mean is a label's support: a classifier that learned without the track, and the nearest tracks.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.classify.folds import Fold, usual_folds
from sonotheque.classify.labelled import TrainingSet
from sonotheque.classify.learners import spaces_for
from sonotheque.classify.metrics import Codes
from sonotheque.classify.recipe import Recipe, fit
from sonotheque.embed.space import kind_of
from sonotheque.index import ExactIndex

NEIGHBOURS = 10
"""Nearest tracks that testify."""

MODEL = "logreg"
"""The classifier that testifies; docs/wrong-labels.md has what others find."""

FOLDS = 5


@dataclass(frozen=True)
class Support:
    """What speaks for each label of each track.

    Attributes
    ----------
    shares : float64 array [N, C]
        Mean of the classifier's probability and the share of the neighbours; rows add up to 1.
    by_track : bool array [N]
        Where the classifier knew other tracks of the same artist: the genre has too few artists for folds of artists.
    neighbours : int array [N, K]
        Rows of the nearest tracks, the nearest first.
    similarities : float32 array [N, K]
        Cosine, around the mean of all.
    """

    shares: npt.NDArray[np.float64]
    by_track: npt.NDArray[np.bool_]
    neighbours: npt.NDArray[np.int64]
    similarities: FloatArray


def label_support(training: TrainingSet, *, model: str = MODEL, seed: int = 0) -> Support:
    """Ask both witnesses about each labelled track.

    Self-confidence (Northcutt, Jiang & Chuang 2021, "Confident learning") on out-of-fold probabilities, joined with the vote of the
    neighbours. Artists are kept apart as in `evaluate` where a genre has enough of them; the other genres' tracks are dealt one by
    one, or all of them would look wrong.

    Parameters
    ----------
    training : TrainingSet
    model : str
    seed : int
        Of the folds.
    """
    data, codes, groups = training.data, training.codes, training.groups
    count, labels = len(codes), int(codes.max()) + 1
    spaces = spaces_for(model, data.spaces)
    by_artist = usual_folds(codes, groups, seed=seed)
    tested = np.concatenate([test for _, test in by_artist]) if by_artist else np.empty(0, dtype=np.int64)
    rest = np.setdiff1d(np.arange(count), tested)
    shares = np.zeros((count, labels))
    for train, test in [*by_artist, *folds_of_tracks(codes, rest, seed=seed)]:
        member = fit(Recipe(model, spaces), data.take(train), codes[train], groups=groups[train], seed=seed)
        shares[test] = member.probabilities(data.take(test), labels=labels)
    neighbours, similarities = near(data.tracks[spaces[0]], space=spaces[0])
    votes = np.zeros((count, labels))
    np.add.at(votes, (np.arange(count)[:, None], codes[neighbours]), 1 / neighbours.shape[1])
    by_track: npt.NDArray[np.bool_] = np.isin(np.arange(count), rest)
    return Support((shares + votes) / 2, by_track, neighbours, similarities)


def folds_of_tracks(codes: Codes, rows: npt.NDArray[np.int64], *, seed: int) -> list[Fold]:
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


def near(vectors: FloatArray, *, space: str, k: int = NEIGHBOURS) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Find the nearest rows of each row, by cosine around the mean; columns of different units are scaled first.

    Parameters
    ----------
    vectors : float32 array [N, D], N >= 2
    space : id of their space
    k : int

    Returns
    -------
    rows : int array [N, min(k, N - 1)]
        Without the row itself.
    similarities : float32 array, same shape
    """
    centred = vectors - vectors.mean(axis=0)
    if kind_of(space) == "descriptors":
        centred /= np.maximum(vectors.std(axis=0), 1e-9)
    numbers = np.arange(len(vectors), dtype=np.int64)
    wanted = min(k, len(vectors) - 1)
    ids, similarities = ExactIndex.build(numbers, centred).search(centred, k=wanted + 1)
    own = ids == numbers[:, None]
    own[~own.any(axis=1), -1] = True  # among many equal vectors a row may not find itself
    return ids[~own].reshape(-1, wanted), similarities[~own].reshape(-1, wanted)


def proposals(support: Support, codes: Codes) -> tuple[Codes, npt.NDArray[np.int64]]:
    """Propose for each track the label other than its own that most speaks for, and rank the tracks.

    Returns
    -------
    proposal : int array [N]
    order : int array [N]
        Rows, the least supported label first.
    """
    rows = np.arange(len(codes))
    others = support.shares.copy()
    others[rows, codes] = -1
    own = support.shares[rows, codes]
    return others.argmax(axis=1), np.lexsort((rows, own))


def outliers(vectors: FloatArray, *, space: str) -> npt.NDArray[np.int64]:
    """Find rows that resemble nothing.

    Their mean similarity to the nearest lies far out: 3 quartile ranges below the first quartile (Tukey 1977).

    Returns
    -------
    int array
        Rows, the strangest first.
    """
    if len(vectors) < 2 * NEIGHBOURS:
        return np.empty(0, dtype=np.int64)
    likeness = near(vectors, space=space)[1].mean(axis=1)
    low, high = np.quantile(likeness, [0.25, 0.75])
    far = np.flatnonzero(likeness < low - 3 * (high - low))
    return far[np.argsort(likeness[far], kind="stable")]


SAME = 0.985
"""Cosine from which two tracks are called near-duplicates (docs/wrong-labels.md)."""


def near_duplicates(vectors: FloatArray) -> list[tuple[int, int, float]]:
    """Find pairs of rows that are nearly the same vector.

    Returns
    -------
    list of (row, row, cosine)
        The most alike first.
    """
    if len(vectors) < 2:
        return []
    numbers = np.arange(len(vectors), dtype=np.int64)
    ids, similarities = ExactIndex.build(numbers, vectors).search(vectors, k=NEIGHBOURS + 1)
    found = {
        (min(row, int(other)), max(row, int(other))): round(float(cosine), 6)
        for row in range(len(vectors))
        for other, cosine in zip(ids[row], similarities[row], strict=True)
        if cosine >= SAME and other != row
    }
    return sorted(((*pair, cosine) for pair, cosine in found.items()), key=lambda hit: (-hit[2], hit[:2]))
