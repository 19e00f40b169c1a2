"""Predict the genres of files with a trained classifier, and find the labelled tracks that explain each prediction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sonotheque import results
from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.inference.abstention import selective_threshold
from sonotheque.classify.inference.persistence import SavedClassifier
from sonotheque.classify.models.estimators import most_frequent
from sonotheque.embed.registry import space_of
from sonotheque.embed.space import SEGMENT
from sonotheque.errors import ClassifierError, SpaceError
from sonotheque.extract.vectors import FileVectors
from sonotheque.index import ExactIndex
from sonotheque.store.catalogue import Catalogue

log = logging.getLogger("sonotheque")

N_NEIGHBOURS = 3
"""Labelled tracks that explain a prediction."""


def load_classifier(path: Path, *, catalogue: Catalogue) -> SavedClassifier:
    """Load the classifier of a library and check that it fits the library.

    If the library has changed since training, a warning is logged.

    Raises
    ------
    ClassifierError
        If there is none, or one of its spaces is unknown or missing from the library.
    """
    saved = SavedClassifier.load(path)
    available = {space.id for space in catalogue.spaces.all() if space.tracks}
    for space in saved.spaces:
        try:
            space_of(space)
        except SpaceError:
            raise ClassifierError(
                f"the classifier needs {space}, which this version does not know; train again"
            ) from None
        if space not in available:
            raise ClassifierError(f"the classifier needs {space}, which the library does not have; train again")
    if saved.generation != catalogue.generation:
        log.warning("the library has changed since `train`; train again to use the changes")
    return saved


def predict_genres(
    files: FileVectors,
    *,
    classifier: SavedClassifier,
    catalogue: Catalogue,
    index: ExactIndex,
    timeline: bool = False,
    abstain: float | None = None,
) -> results.ClassificationResult:
    """Predict the genre of each file, with the nearest labelled tracks of that genre.

    Parameters
    ----------
    files : FileVectors
    classifier : SavedClassifier
    catalogue : Catalogue
    index : ExactIndex
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
        neighbours = _explaining_neighbours(
            files, data, genres, catalogue=catalogue, index=index, space=classifier.spaces[0]
        )
        for row, path in enumerate(files.paths):
            predictions.append(
                results.Prediction(
                    path=path,
                    genre=genres[row],
                    probability=round(float(probabilities[row].max()), 6),
                    probabilities={
                        label: round(float(probability), 6)
                        for label, probability in zip(classifier.labels, probabilities[row], strict=True)
                    },
                    neighbours=neighbours[row],
                    timeline=timelines[row] if timelines else None,
                    answered=abstention is None
                    or (abstention.threshold is not None and probabilities[row].max() >= abstention.threshold),
                    none_of_these=bool(scores[row] > 1),
                    strangeness=round(float(scores[row]), 4),
                )
            )
    fallback = most_frequent(list(Counter(classifier.counts).elements()))
    return results.ClassificationResult(classifier.model, predictions, files.failed, fallback, abstention)


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
        result.append(
            [
                results.TimelineSegment(
                    number * SEGMENT, classifier.labels[int(segment.argmax())], round(float(segment.max()), 6)
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
    index: ExactIndex,
    space: str,
) -> list[list[results.LabelledNeighbour]]:
    """Find the nearest labelled tracks of the predicted genre of each file, without duplicates of the file itself."""
    embedded = catalogue.vectors.embedded([space])
    tracks = {track.id: track for track in catalogue.tracks.all() if track.label and track.id in embedded}
    result: list[list[results.LabelledNeighbour]] = [[] for _ in files.paths]
    for genre in sorted(set(genres)):
        candidates = np.array(sorted(track.id for track in tracks.values() if track.label == genre), dtype=np.int64)
        rows = [row for row, name in enumerate(genres) if name == genre]
        ids, similarities = index.search(data.tracks[space][rows], k=N_NEIGHBOURS + 1, restrict_to=candidates)
        for row, found, values in zip(rows, ids, similarities, strict=True):
            others = [
                results.LabelledNeighbour(tracks[int(track)].path, genre, round(float(value), 6))
                for track, value in zip(found, values, strict=True)
                if tracks[int(track)].hash != files.hashes[row]
            ]
            result[row] = others[:N_NEIGHBOURS]
    return result
