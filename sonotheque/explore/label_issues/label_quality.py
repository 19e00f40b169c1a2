"""Score the labels of labelled tracks, to find those that are probably wrong. No label is changed here.

The score of a label is the mean of two estimates: the out-of-fold probability of a classifier, and the vote of the nearest tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.models.learners import spaces_for_model
from sonotheque.explore.duplicates.candidates import NEAR_DUPLICATE_SIMILARITY
from sonotheque.explore.label_issues.out_of_fold import MODEL, OutOfFoldPredictions, out_of_fold_predictions
from sonotheque.explore.map.projection import standardize_for_cosine
from sonotheque.index import build_knn_graph
from sonotheque.types import BoolArray, Codes, FloatArray, Probabilities, Rows

N_NEIGHBOURS = 10
"""Number of nearest tracks that vote."""


@dataclass(frozen=True)
class LabelQuality:
    """Scores of each label for each track.

    Attributes
    ----------
    scores : float64 array [N, C]
        Mean of the classifier's out-of-fold probability and the fraction of neighbours with the label; each row sums to 1.
    by_track : bool array [N]
        Whether the classifier was trained on other tracks by the same artist, because the genre has too few artists for
        artist-grouped folds.
    neighbours : int64 array [N, K]
        Rows of the nearest tracks, the nearest first.
    similarities : float32 array [N, K]
        Their cosine similarities after centring.
    """

    scores: Probabilities
    by_track: BoolArray
    neighbours: Rows
    similarities: FloatArray


def compute_label_quality(
    training: TrainingSet, *, model: str = MODEL, seed: int = 0, predictions: OutOfFoldPredictions | None = None
) -> LabelQuality:
    """Score every label for every labelled track.

    The self-confidence of Northcutt, Jiang & Chuang 2021, "Confident learning", on out-of-fold probabilities is averaged with
    the vote of the neighbours.

    Parameters
    ----------
    training : TrainingSet
    model : str
        Name of the classifier.
    seed : int
        Seed of the folds.
    predictions : OutOfFoldPredictions or None
        The predictions of this model with this seed, if they are known; otherwise they are computed.

    Returns
    -------
    LabelQuality
    """
    codes = training.codes
    if predictions is None:
        predictions = out_of_fold_predictions(training, model=model, seed=seed)
    space = spaces_for_model(model, training.data.spaces)[0]
    neighbours, similarities = nearest_rows(training.data.tracks[space], space=space)
    votes = np.zeros_like(predictions.probabilities)
    np.add.at(votes, (np.arange(len(codes))[:, None], codes[neighbours]), 1 / neighbours.shape[1])
    return LabelQuality((predictions.probabilities + votes) / 2, predictions.by_track, neighbours, similarities)


def nearest_rows(vectors: FloatArray, *, space: str, k: int = N_NEIGHBOURS) -> tuple[Rows, FloatArray]:
    """Find the nearest rows of each row by cosine similarity after centring. Columns with different units are standardised.

    Parameters
    ----------
    vectors : float32 array [N, D], N >= 2
    space : str
        Space id.
    k : int
        Number of neighbours.

    Returns
    -------
    rows : int64 array [N, min(k, N - 1)]
        A row is not its own neighbour.
    similarities : float32 array, same shape
    """
    standardized = standardize_for_cosine(vectors, space=space)
    graph = build_knn_graph(standardized - standardized.mean(axis=0), k=k)
    return graph.rows, graph.similarities


def suggest_labels(quality: LabelQuality, codes: Codes) -> tuple[Codes, Rows]:
    """Suggest the best alternative label for each track, and rank the tracks.

    Parameters
    ----------
    quality : LabelQuality
    codes : int64 array [N]
        The given labels.

    Returns
    -------
    proposals : int64 array [N]
        The label with the highest score other than the given one.
    order : int64 array [N]
        Rows, the one whose given label has the lowest score first.
    """
    rows = np.arange(len(codes))
    alternatives = quality.scores.copy()
    alternatives[rows, codes] = -1
    given = quality.scores[rows, codes]
    return alternatives.argmax(axis=1), np.lexsort((rows, given))


def find_outliers(vectors: FloatArray, *, space: str) -> Rows:
    """Find rows that are not similar to any other row.

    Their mean similarity to the nearest rows is more than 3 interquartile ranges below the first quartile (Tukey 1977).

    Parameters
    ----------
    vectors : float32 array [N, D]
    space : str
        Space id.

    Returns
    -------
    int64 array
        Rows, the least similar first. Empty if there are fewer than 20 rows.
    """
    if len(vectors) < 2 * N_NEIGHBOURS:
        return np.empty(0, dtype=np.int64)
    mean_similarity = nearest_rows(vectors, space=space)[1].mean(axis=1)
    first, third = np.quantile(mean_similarity, [0.25, 0.75])
    outliers = np.flatnonzero(mean_similarity < first - 3 * (third - first))
    return outliers[np.argsort(mean_similarity[outliers], kind="stable")]


def find_near_duplicates(vectors: FloatArray) -> list[tuple[int, int, float]]:
    """Find pairs of rows with a cosine similarity of at least `NEAR_DUPLICATE_SIMILARITY`.

    Parameters
    ----------
    vectors : float32 array [N, D]

    Returns
    -------
    list of (row, row, cosine similarity)
        The most similar first.
    """
    graph = build_knn_graph(vectors, k=N_NEIGHBOURS)
    pairs = {
        (min(row, int(neighbour)), max(row, int(neighbour))): round(float(similarity), 6)
        for row, (neighbours, similarities) in enumerate(zip(graph.rows, graph.similarities, strict=True))
        for neighbour, similarity in zip(neighbours, similarities, strict=True)
        if similarity >= NEAR_DUPLICATE_SIMILARITY
    }
    return sorted(((*pair, similarity) for pair, similarity in pairs.items()), key=lambda hit: (-hit[2], hit[:2]))
