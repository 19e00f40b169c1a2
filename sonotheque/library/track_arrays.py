"""The arrays of what is known of all tracks: files in a library's folder, rebuilt if they are missing, stale or damaged."""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

import numpy as np

from sonotheque.errors import ClassifierError
from sonotheque.explore.search import GenrePredictions, TrackArrays, load_track_arrays
from sonotheque.index.array_cache import Arrays, load_or_build_arrays
from sonotheque.store import Catalogue
from sonotheque.types import Progress

log = logging.getLogger("sonotheque")


def open_track_arrays(
    folder: Path, catalogue: Catalogue, *, classifier: Path, progress: Progress | None = None
) -> TrackArrays:
    """Load what is known of all tracks, with the predictions of the trained classifier if there is one.

    Parameters
    ----------
    folder : path of the library
    catalogue : Catalogue
    classifier : path of the classifier
        It is read if there are tracks without a genre, and only if it or the vectors have changed since it was last used.
    progress : callable or None
        Called with (tracks done, total) while genres are predicted.

    Returns
    -------
    TrackArrays
    """
    return load_track_arrays(
        catalogue,
        folder / "index",
        predictions=lambda: _load_predictions(folder, catalogue, classifier=classifier, progress=progress),
    )


def stamp_track_arrays(catalogue: Catalogue, *, classifier: Path) -> str:
    """Return a text that changes when what `open_track_arrays` loads has changed."""
    try:
        file = classifier.stat()
        trained = f"{file.st_size} {file.st_mtime_ns}"
    except OSError:
        trained = "none"
    return f"{catalogue.attributes.last_change} {catalogue.generation} {trained}"


def _load_predictions(
    folder: Path, catalogue: Catalogue, *, classifier: Path, progress: Progress | None
) -> GenrePredictions | None:
    """Load the genre probabilities of all tracks, or predict them; None without a classifier that fits the library."""
    try:
        digest = hashlib.sha256(classifier.read_bytes()).hexdigest()
    except OSError:
        return None
    generations = ", ".join(f"{name} {number}" for name, number in catalogue.attributes.space_generations().items())

    def predict() -> Arrays:
        from sonotheque.classify import load_classifier
        from sonotheque.classify.inference.predict_library import predict_library

        saved = load_classifier(classifier, catalogue=catalogue)
        ids, probabilities = predict_library(catalogue, saved, progress=progress)
        return {
            "ids": ids,
            "probabilities": np.ascontiguousarray(probabilities.T, dtype=np.float16),
            "labels": np.frombuffer(json.dumps(saved.labels).encode(), np.uint8).copy(),
        }

    try:
        arrays = load_or_build_arrays(
            folder / "index" / "genres.arrays", stamp=f"{digest} on {generations}", build=predict
        )
    except ClassifierError as error:
        log.warning("genres are not predicted: %s", error)
        return None
    return GenrePredictions(json.loads(arrays["labels"].tobytes()), arrays["ids"], arrays["probabilities"])
