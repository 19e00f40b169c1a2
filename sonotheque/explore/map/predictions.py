"""Predicted genres for the tracks of a map: out-of-fold for labelled tracks, by a model trained on all labelled tracks for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.models.learners import spaces_for_model
from sonotheque.classify.models.model_spec import ModelSpec, fit_model
from sonotheque.explore.label_issues.out_of_fold import MODEL, out_of_fold_predictions
from sonotheque.explore.map.map_data import MapData
from sonotheque.store.catalogue import Catalogue


@dataclass(frozen=True)
class MapPredictions:
    """What a classifier says of the N tracks of an atlas.

    Attributes
    ----------
    names : list of str
        Of the genres.
    genres : int array [N]
        Codes of `names`; -1 where nothing is known.
    confidence : float64 array [N]
        Probability of that genre; NaN where nothing is known.
    judged : bool array [N]
        Where the track is labelled and was not learned from.
    by_track : list of str
        Genres with too few artists: there other tracks of the same artist were learned.
    """

    names: Sequence[str]
    genres: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    judged: npt.NDArray[np.bool_]
    by_track: Sequence[str] = ()


def predict_map(atlas: MapData, training: TrainingSet | None, *, catalogue: Catalogue, seed: int = 0) -> MapPredictions:
    """Let a classifier name the genre of each track: labelled ones without having learned them, the others having learned all.

    Parameters
    ----------
    atlas : Atlas
    training : TrainingSet or None
        None where there is nothing to learn from.
    catalogue : Catalogue
    seed : int
        Of the folds.
    """
    count = len(atlas.tracks)
    genres, confidence = np.full(count, -1, dtype=np.int64), np.full(count, np.nan)
    judged = np.zeros(count, dtype=bool)
    if training is None:
        return MapPredictions([], genres, confidence, judged)
    row_of = {track.id: row for row, track in enumerate(atlas.tracks)}
    found = out_of_fold_predictions(training, seed=seed)
    held_out = found.probabilities
    numbers = [number for number, track in enumerate(training.tracks) if track.id in row_of]
    rows = np.array([row_of[training.tracks[number].id] for number in numbers], dtype=np.int64)
    genres[rows], confidence[rows] = held_out[numbers].argmax(axis=1), held_out[numbers].max(axis=1)
    judged[rows] = True
    spaces = spaces_for_model(MODEL, training.data.spaces)
    held = {space: dict(zip(*catalogue.vectors.matrix(space), strict=True)) for space in spaces}
    others = [
        row
        for row, track in enumerate(atlas.tracks)
        if not track.label and all(track.id in vectors for vectors in held.values())
    ]
    names = np.unique(training.y).tolist()
    if others:
        member = fit_model(ModelSpec(MODEL, spaces), training.data, training.codes, groups=training.groups, seed=seed)
        asked = {space: np.stack([vectors[atlas.tracks[row].id] for row in others]) for space, vectors in held.items()}
        shares = member.predict_proba(EmbeddingSet(asked), n_classes=len(names))
        genres[others], confidence[others] = shares.argmax(axis=1), shares.max(axis=1)
    return MapPredictions(names, genres, confidence, judged, sorted(set(training.y[found.by_track].tolist())))
