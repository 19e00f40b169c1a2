"""Predict a genre for each track of a map.

Labelled tracks get out-of-fold predictions; the others are predicted by a model that is trained on all labelled tracks.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.models.learners import spaces_for_model
from sonotheque.classify.models.model_spec import ModelSpec, fit_model
from sonotheque.explore.label_issues.find_issues import rank_labels
from sonotheque.explore.label_issues.label_quality import compute_label_quality
from sonotheque.explore.label_issues.out_of_fold import MODEL, out_of_fold_predictions
from sonotheque.explore.map.map_data import MapData
from sonotheque.results import LabelIssue
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import BoolArray, Codes, Float64Array

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class MapPredictions:
    """Predicted genres of the N tracks of a map.

    Attributes
    ----------
    names : list of str
        Names of the genres.
    genres : int64 array [N]
        Indices into `names`; -1 for tracks without a prediction, such as the only track of a genre.
    confidence : float64 array [N]
        Probability of the predicted genre; NaN for tracks without a prediction.
    held_out : bool array [N]
        Whether the track is labelled and was held out from training.
    by_track : list of str
        Genres with too few artists for artist-grouped folds: the classifier was trained on other tracks by the same artists.
    ranked_labels : list of LabelIssue or None
        Support of each label, as `errors` computes it. None if it was not requested.
    single_track : list of str
        Genres with a single track, which cannot be judged.
    """

    names: Sequence[str]
    genres: Codes
    confidence: Float64Array
    held_out: BoolArray
    by_track: Sequence[str] = ()
    ranked_labels: Sequence[LabelIssue] | None = None
    single_track: Sequence[str] = ()


def predict_map(
    data: MapData, training: TrainingSet | None, *, catalogue: Catalogue, with_labels: bool = False, seed: int = 0
) -> MapPredictions:
    """Predict the genre of each track of a map.

    Parameters
    ----------
    data : MapData
    training : TrainingSet or None
        None if there are too few labels; then no track has a prediction.
    catalogue : Catalogue
        The vectors of unlabelled tracks are read from it.
    with_labels : bool
        Also rank the labels by their support.
    seed : int
        Seed of the folds.

    Returns
    -------
    MapPredictions
    """
    count = len(data.tracks)
    genres, confidence = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
    held_out = np.zeros(count, dtype=bool)
    if training is None:
        return MapPredictions([], genres, confidence, held_out)

    row_of = {track.id: row for row, track in enumerate(data.tracks)}
    out_of_fold = out_of_fold_predictions(training, seed=seed)
    on_map = [
        number
        for number, track in enumerate(training.tracks)
        if track.id in row_of and not out_of_fold.single_track[number]
    ]
    rows = np.array([row_of[training.tracks[number].id] for number in on_map], dtype=np.int64)
    probabilities = out_of_fold.probabilities[on_map]
    genres[rows], confidence[rows] = probabilities.argmax(axis=1), probabilities.max(axis=1)
    held_out[rows] = True

    spaces = spaces_for_model(MODEL, training.data.spaces)
    vectors = {space: dict(zip(*catalogue.vectors.matrix(space), strict=True)) for space in spaces}
    unlabelled = [
        row
        for row, track in enumerate(data.tracks)
        if not track.label and all(track.id in vector_of for vector_of in vectors.values())
    ]
    names = np.unique(training.y).tolist()
    if unlabelled:
        model = fit_model(ModelSpec(MODEL, spaces), training.data, training.codes, groups=training.groups, seed=seed)
        embeddings = EmbeddingSet(
            {
                space: np.stack([vector_of[data.tracks[row].id] for row in unlabelled])
                for space, vector_of in vectors.items()
            }
        )
        probabilities = model.predict_proba(embeddings, n_classes=len(names))
        genres[unlabelled], confidence[unlabelled] = probabilities.argmax(axis=1), probabilities.max(axis=1)
    by_track = sorted(set(training.y[out_of_fold.by_track].tolist()))
    single_track = sorted(training.y[out_of_fold.single_track].tolist())
    if single_track:
        log.info("labels that cannot be judged, because only one track has them: %s", ", ".join(single_track))
    ranked = None
    if with_labels:
        ranked = rank_labels(training, compute_label_quality(training, predictions=out_of_fold, seed=seed))
    return MapPredictions(names, genres, confidence, held_out, by_track, ranked, single_track)
