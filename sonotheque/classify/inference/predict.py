"""Predict the genres of files with a trained classifier, and find the labelled tracks that explain each prediction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque import results
from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.inference.abstention import selective_threshold
from sonotheque.classify.inference.margin import MIN_MARGIN, probability_margin
from sonotheque.classify.inference.persistence import SavedClassifier
from sonotheque.classify.models.estimators import most_frequent
from sonotheque.embed.registry import knows_space
from sonotheque.embed.space import SEGMENT
from sonotheque.errors import ClassifierError
from sonotheque.extract.vectors import FileVectors
from sonotheque.index import UpdatableIndex
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import FloatArray

log = logging.getLogger("sonotheque")

N_CHECKED = 64
"""Nearest tracks among which labelled tracks of the predicted genre are looked for, before all tracks of the genre are."""

N_NEIGHBOURS = 3
"""Labelled tracks that explain a prediction."""


def load_classifier(path: Path, *, catalogue: Catalogue) -> SavedClassifier:
    """Load the classifier of a library and check that it fits the library.

    If the library has changed since training, or the training tracks are unknown, a warning is logged.

    Raises
    ------
    ClassifierError
        If there is none, or one of its spaces is unknown or missing from the library.
    """
    saved = SavedClassifier.load(path)
    check_classifier(saved, catalogue=catalogue)
    return saved


def check_classifier(saved: SavedClassifier, *, catalogue: Catalogue) -> None:
    """Check that a classifier fits a library, see `load_classifier`.

    Raises
    ------
    ClassifierError
        If one of its spaces is unknown or missing from the library.
    """
    available = {space.id for space in catalogue.spaces.all() if space.tracks}
    for space in saved.spaces:
        if not knows_space(space):
            raise ClassifierError(f"the classifier needs {space}, which this version does not know; train again")
        if space not in available:
            raise ClassifierError(f"the classifier needs {space}, which the library does not have; train again")
    if saved.training_tracks is None:
        log.warning(
            "an older version trained the classifier and did not record which tracks it was trained on; train again to have "
            "them marked"
        )
    if saved.generation != catalogue.generation:
        log.warning("the library has changed since `train`; train again to use the changes")


def predict_genres(
    files: FileVectors,
    *,
    classifier: SavedClassifier,
    catalogue: Catalogue,
    index: UpdatableIndex,
    timeline: bool = False,
    abstain: float | None = None,
) -> results.ClassificationResult:
    """Predict the genre of each file, with the nearest labelled tracks of that genre.

    Parameters
    ----------
    files : FileVectors
    classifier : SavedClassifier
    catalogue : Catalogue
    index : UpdatableIndex
        Index of the classifier's first space.
    timeline : bool
        Also predict the genre of each segment.
    abstain : float or None
        Target accuracy of the predictions that are given. The others are marked as not answered.

    Returns
    -------
    ClassificationResult

    Raises
    ------
    ClassifierError
        If `abstain` is given and the classifier has no calibration set.
    """
    abstention = _abstention(classifier, abstain) if abstain is not None else None
    predictions = []
    if files.paths:
        data = EmbeddingSet.from_files(files.vectors, spaces=classifier.spaces)
        probabilities = classifier.predict_proba(data)
        timelines = _timelines(data, classifier) if timeline else None
        detector = classifier.novelty_detector
        scores = detector.novelty_score(data) if detector else np.zeros(len(files.paths))
        genres = [classifier.labels[int(code)] for code in probabilities.argmax(axis=1)]
        margins = probability_margin(probabilities)
        neighbours = _explaining_neighbours(
            files, data, genres, catalogue=catalogue, index=index, space=classifier.spaces[0]
        )
        for row, path in enumerate(files.paths):
            predictions.append(
                results.Prediction(
                    path=path,
                    genre=genres[row],
                    probability=round(float(probabilities[row].max()), 6),
                    probabilities=_by_label(classifier, probabilities[row]),
                    neighbours=neighbours[row],
                    timeline=timelines[row] if timelines else None,
                    answered=abstention is None
                    or (abstention.threshold is not None and probabilities[row].max() >= abstention.threshold),
                    none_of_these=bool(scores[row] > 1),
                    strangeness=round(float(scores[row]), 4),
                    margin=round(float(margins[row]), 6),
                    unsure=bool(margins[row] < MIN_MARGIN),
                    **_training_track(classifier, files.hashes[row], data.tracks[classifier.spaces[0]][row]),
                )
            )
    fallback = most_frequent(list(Counter(classifier.counts).elements()))
    return results.ClassificationResult(classifier.model, predictions, files.failed, fallback, abstention)


def _by_label(classifier: SavedClassifier, probabilities: npt.NDArray[np.floating]) -> dict[str, float]:
    return {
        label: round(float(probability), 6) for label, probability in zip(classifier.labels, probabilities, strict=True)
    }


def _training_track(classifier: SavedClassifier, content: str, vector: FloatArray) -> dict[str, Any]:
    """Return the fields of a prediction that say whether the classifier was trained on the track."""
    training = classifier.training_tracks
    if training is None:
        return {}
    row = training.find(content, vector)
    if row is None:
        return {"learned_from": False}
    probabilities = training.probabilities[row].astype(np.float64)
    out_of_fold = None
    if not np.isnan(probabilities).any():
        out_of_fold = results.OutOfFoldPrediction(
            genre=classifier.labels[int(probabilities.argmax())],
            probability=round(float(probabilities.max()), 6),
            probabilities=_by_label(classifier, probabilities),
            unsure=bool(probability_margin(probabilities[None])[0] < MIN_MARGIN),
        )
    return {"learned_from": True, "label": classifier.labels[int(training.codes[row])], "out_of_fold": out_of_fold}


def _abstention(classifier: SavedClassifier, target: float) -> results.AbstentionResult:
    calibration = classifier.calibration_set
    if calibration is None:
        raise ClassifierError(
            "too few artists in each genre to guarantee an accuracy; label more artists and train again"
        )
    found = selective_threshold(calibration.confidence, calibration.correct, target=target, groups=calibration.groups)
    if found is None:
        log.warning(
            "no probability threshold reaches an accuracy of %.2f on artist-grouped folds; no file gets a genre", target
        )
        return results.AbstentionResult(target, None, 0.0, None, None)
    values = (round(value, 6) for value in (found.coverage, found.accuracy, found.lower))
    return results.AbstentionResult(target, found.threshold, *values)


def _timelines(data: EmbeddingSet, classifier: SavedClassifier) -> list[list[results.TimelineSegment]]:
    """Predict the genre of each segment of each track."""
    result: list[list[results.TimelineSegment]] = []
    for row in range(len(data)):
        probabilities = classifier.ensemble.timeline(data.take(np.array([row])), n_classes=len(classifier.labels))
        unsure = probability_margin(probabilities) < MIN_MARGIN
        result.append(
            [
                results.TimelineSegment(
                    start=number * SEGMENT,
                    genre=classifier.labels[int(segment.argmax())],
                    probability=round(float(segment.max()), 6),
                    unsure=bool(unsure[number]),
                )
                for number, segment in enumerate(probabilities)
            ]
        )
    return result


def _explaining_neighbours(
    files: FileVectors,
    data: EmbeddingSet,
    genres: Sequence[str],
    *,
    catalogue: Catalogue,
    index: UpdatableIndex,
    space: str,
) -> list[list[results.LabelledNeighbour]]:
    """Find the nearest labelled tracks of the predicted genre of each file, without duplicates of the file itself."""
    queries = data.tracks[space]
    nearest, values = index.search(queries, k=N_CHECKED)
    labels = catalogue.labels.of_tracks(np.unique(nearest).tolist())
    result = []
    for row, genre in enumerate(genres):
        found = [
            (track, value)
            for track, value in zip(nearest[row].tolist(), values[row].tolist(), strict=True)
            if labels.get(track) == genre
        ]
        if len(found) <= N_NEIGHBOURS:  # compare with all tracks of the genre
            candidates = catalogue.labels.tracks_with(genre, space=space)
            ids, similarities = index.search(queries[row : row + 1], k=N_NEIGHBOURS + 1, restrict_to=candidates)
            found = list(zip(ids[0].tolist(), similarities[0].tolist(), strict=True))
        tracks = catalogue.tracks.read([track for track, _ in found[: N_NEIGHBOURS + 1]])
        others = [
            results.LabelledNeighbour(
                tracks[track].path, genre, round(value, 6), title=tracks[track].title, artist=tracks[track].artist
            )
            for track, value in found[: N_NEIGHBOURS + 1]
            if track in tracks and tracks[track].hash != files.hashes[row]
        ]
        result.append(others[:N_NEIGHBOURS])
    return result
