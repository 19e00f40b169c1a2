"""Files to genres with a trained classifier: vectors from the catalogue where it has them, else embedded now."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonotheque import documents as doc
from sonotheque.audio.decode import FloatArray
from sonotheque.classify.estimators import most_frequent
from sonotheque.classify.saved import SavedClassifier
from sonotheque.embed.registry import space_of
from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError, ClassifierError, SpaceError
from sonotheque.index import ExactIndex
from sonotheque.store import Catalogue, Listener
from sonotheque.store.ingest import Progress, content_hash

log = logging.getLogger("sonotheque")

NEIGHBOURS = 3
"""Labelled tracks that explain an answer."""


@dataclass(frozen=True)
class FileVectors:
    """Joined vectors [D] and content hashes of files, and the files that failed."""

    vectors: Mapping[str, FloatArray]
    hashes: Mapping[str, str]
    failed: Sequence[doc.FailedFile]


def fitting_classifier(path: Path, *, catalogue: Catalogue) -> SavedClassifier:
    """Load a library's classifier and check that it fits. A library that only changed since then is worth a notice.

    Raises
    ------
    ClassifierError
        If there is none, or one of its spaces is unknown or not held by the library.
    """
    saved = SavedClassifier.load(path)
    have = {space.id for space in catalogue.spaces() if space.tracks}
    for space in saved.spaces:
        try:
            space_of(space)
        except SpaceError:
            raise ClassifierError(f"the classifier needs {space}, unknown to this version; train again") from None
        if space not in have:
            raise ClassifierError(f"the classifier needs {space}, which the library does not hold; train again")
    if saved.generation != catalogue.generation:
        log.warning("the library has changed since `train`; train again to use what is new")
    return saved


def vectors_of(
    paths: Sequence[str],
    *,
    catalogue: Catalogue,
    spaces: Sequence[str],
    compute: Compute = Compute(),
    progress: Progress | None = None,
) -> FileVectors:
    """Get the vectors of files in some spaces; nothing is added to the catalogue.

    Parameters
    ----------
    paths : absolute paths
    catalogue : Catalogue
        Vectors of contents that it knows are reused.
    spaces : ids of the spaces, joined in this order
    compute : Compute
    progress : callable
        Called with (files done, files to do) where files must be embedded.
    """
    known = {space: dict(zip(*catalogue.vectors(space), strict=True)) for space in spaces}
    tracks = catalogue.hashes()
    vectors: dict[str, FloatArray] = {}
    hashes: dict[str, str] = {}
    failed, missing = [], []
    for path in paths:
        try:
            hashes[path] = content_hash(path)
        except OSError as error:
            failed.append(doc.FailedFile(path, f"cannot be read ({error.strerror or error})"))
            continue
        track = tracks.get(hashes[path])
        if track is not None and all(track in known[space] for space in spaces):
            vectors[path] = np.concatenate([known[space][track] for space in spaces])
        else:
            missing.append(path)
    if missing:
        with Listener(files=len(missing), compute=compute) as listener:
            for done, (path, heard) in enumerate(listener.map(missing, key=lambda path: (path, spaces)), start=1):
                if isinstance(heard, AudioError):
                    failed.append(doc.FailedFile(path, str(heard).removeprefix(f"{path}: ")))
                else:
                    vectors[path] = np.concatenate([heard.vectors[space][0] for space in spaces])
                if progress:
                    progress(done, len(missing))
    return FileVectors(vectors, hashes, sorted(failed, key=lambda failure: failure.path))


def answer(
    files: FileVectors, *, classifier: SavedClassifier, catalogue: Catalogue, index: ExactIndex
) -> doc.Classified:
    """Name the genre of each file, with the labelled tracks that speak most for it.

    Parameters
    ----------
    files : FileVectors
    classifier : SavedClassifier
    catalogue : Catalogue
    index : ExactIndex
        Of the classifier's first space.
    """
    paths = sorted(files.vectors)
    predictions = []
    if paths:
        probabilities = classifier.probabilities(np.stack([files.vectors[path] for path in paths]))
        speakers = _Speakers(catalogue, index, space=classifier.spaces[0])
        for path, row in zip(paths, probabilities, strict=True):
            best = int(row.argmax())
            predictions.append(
                doc.Prediction(
                    path=path,
                    genre=classifier.labels[best],
                    probability=round(float(row[best]), 6),
                    probabilities={
                        label: round(float(share), 6) for label, share in zip(classifier.labels, row, strict=True)
                    },
                    neighbours=speakers.of(files.vectors[path], files.hashes[path], classifier.labels[best]),
                )
            )
    fallback = most_frequent(list(Counter(classifier.counts).elements()))
    return doc.Classified(classifier.model, predictions, files.failed, fallback)


class _Speakers:
    """Finds the labelled tracks of a genre that lie nearest to a vector."""

    def __init__(self, catalogue: Catalogue, index: ExactIndex, *, space: str) -> None:
        self._index = index
        self._dimensions = catalogue.space(space).dimensions
        embedded = catalogue.embedded([space])
        self._tracks = {track.id: track for track in catalogue.tracks() if track.label and track.id in embedded}
        self._by_genre: dict[str, list[int]] = {}
        for track in sorted(self._tracks.values(), key=lambda track: track.hash):
            self._by_genre.setdefault(str(track.label), []).append(track.id)

    def of(self, vector: FloatArray, content: str, genre: str) -> list[doc.LabelledNeighbour]:
        """Return the nearest tracks of a genre, without those of the same content."""
        among = np.array([t for t in self._by_genre.get(genre, []) if self._tracks[t].hash != content], dtype=np.int64)
        found, similarities = self._index.search(vector[None, : self._dimensions], k=NEIGHBOURS, among=among)
        return [
            doc.LabelledNeighbour(self._tracks[int(track)].path, genre, round(float(similarity), 6))
            for track, similarity in zip(found[0], similarities[0], strict=True)
        ]
