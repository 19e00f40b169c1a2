"""Labels that are probably wrong: every labelled track, by how little speaks for its label. Nothing is relabelled here.

Two witnesses are asked, and their mean is a label's support: a classifier that learned without the track, and the nearest tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.models.learners import spaces_for_model
from sonotheque.explore.label_issues.out_of_fold import MODEL, out_of_fold_predictions
from sonotheque.explore.map.projection import standardize_for_cosine
from sonotheque.index import build_knn_graph
from sonotheque.types import Codes, FloatArray

NEIGHBOURS = 10
"""Nearest tracks that testify."""


@dataclass(frozen=True)
class LabelQuality:
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


def compute_label_quality(training: TrainingSet, *, model: str = MODEL, seed: int = 0) -> LabelQuality:
    """Ask both witnesses about each labelled track.

    Self-confidence (Northcutt, Jiang & Chuang 2021, "Confident learning") on out-of-fold probabilities, joined with the vote of the
    neighbours.

    Parameters
    ----------
    training : TrainingSet
    model : str
    seed : int
        Of the folds.
    """
    codes = training.codes
    answers = out_of_fold_predictions(training, model=model, seed=seed)
    space = spaces_for_model(model, training.data.spaces)[0]
    neighbours, similarities = nearest_rows(training.data.tracks[space], space=space)
    votes = np.zeros_like(answers.probabilities)
    np.add.at(votes, (np.arange(len(codes))[:, None], codes[neighbours]), 1 / neighbours.shape[1])
    return LabelQuality((answers.probabilities + votes) / 2, answers.by_track, neighbours, similarities)


def nearest_rows(vectors: FloatArray, *, space: str, k: int = NEIGHBOURS) -> tuple[npt.NDArray[np.int64], FloatArray]:
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
    compared = standardize_for_cosine(vectors, space=space)
    found = build_knn_graph(compared - compared.mean(axis=0), k=k)
    return found.rows, found.similarities


def suggest_labels(support: LabelQuality, codes: Codes) -> tuple[Codes, npt.NDArray[np.int64]]:
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


def find_outliers(vectors: FloatArray, *, space: str) -> npt.NDArray[np.int64]:
    """Find rows that resemble nothing.

    Their mean similarity to the nearest lies far out: 3 quartile ranges below the first quartile (Tukey 1977).

    Returns
    -------
    int array
        Rows, the strangest first.
    """
    if len(vectors) < 2 * NEIGHBOURS:
        return np.empty(0, dtype=np.int64)
    likeness = nearest_rows(vectors, space=space)[1].mean(axis=1)
    low, high = np.quantile(likeness, [0.25, 0.75])
    far = np.flatnonzero(likeness < low - 3 * (high - low))
    return far[np.argsort(likeness[far], kind="stable")]


SAME = 0.985
"""Cosine from which two tracks are called near-duplicates (docs/wrong-labels.md)."""


def find_near_duplicates(vectors: FloatArray) -> list[tuple[int, int, float]]:
    """Find pairs of rows that are nearly the same vector.

    Returns
    -------
    list of (row, row, cosine)
        The most alike first.
    """
    nearest = build_knn_graph(vectors, k=NEIGHBOURS)
    found = {
        (min(row, int(other)), max(row, int(other))): round(float(cosine), 6)
        for row, (others, cosines) in enumerate(zip(nearest.rows, nearest.similarities, strict=True))
        for other, cosine in zip(others, cosines, strict=True)
        if cosine >= SAME
    }
    return sorted(((*pair, cosine) for pair, cosine in found.items()), key=lambda hit: (-hit[2], hit[:2]))
