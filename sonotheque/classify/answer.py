"""Files to genres with a trained classifier: vectors from the catalogue where it has them, else embedded now."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonotheque import documents as doc
from sonotheque.audio.decode import FloatArray
from sonotheque.classify.confidence import promise
from sonotheque.classify.estimators import most_frequent
from sonotheque.classify.recordings import Recordings
from sonotheque.classify.saved import SavedClassifier
from sonotheque.embed.registry import space_of
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import SEGMENT
from sonotheque.errors import AudioError, ClassifierError, SpaceError
from sonotheque.index import ExactIndex
from sonotheque.store import Catalogue, Listener
from sonotheque.store.ingest import Progress, content_hash
from sonotheque.store.records import Stamp

log = logging.getLogger("sonotheque")

NEIGHBOURS = 3
"""Labelled tracks that explain an answer."""


@dataclass(frozen=True)
class FileVectors:
    """Vectors and content hashes of files, in the order of `paths`, and the files that failed."""

    paths: Sequence[str]
    data: Recordings
    hashes: Sequence[str]
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
    segments: bool = False,
    compute: Compute = Compute(),
    progress: Progress | None = None,
) -> FileVectors:
    """Get the vectors of files in some spaces; nothing is added to the catalogue.

    Parameters
    ----------
    paths : absolute paths
    catalogue : Catalogue
        Vectors of contents that it knows are reused; files that have not changed since are not even read.
    spaces : ids of the spaces
    segments : bool
        Whether the segments' vectors are needed.
    compute : Compute
    progress : callable
        Called with (files done, files to do) where files must be embedded.
    """
    known = {space: dict(zip(*catalogue.vectors(space), strict=True)) for space in spaces}
    tracks = catalogue.hashes()
    contents = {track: content for content, track in tracks.items()}
    files = catalogue.files()
    found: dict[str, dict[str, tuple[FloatArray, FloatArray | None]]] = {}
    hashes: dict[str, str] = {}
    failed, missing = [], []
    for path in paths:
        try:
            place = files.get(path)
            unchanged = place is not None and place[0] == Stamp.of(path)
            hashes[path] = contents[place[1]] if place is not None and unchanged else content_hash(path)
        except OSError as error:
            failed.append(doc.FailedFile(path, f"cannot be read ({error.strerror or error})"))
            continue
        track = tracks.get(hashes[path])
        if track is not None and all(track in known[space] for space in spaces):
            found[path] = {
                space: (known[space][track], catalogue.segments(track, space) if segments else None) for space in spaces
            }
        else:
            missing.append(path)
    if missing:
        with Listener(files=len(missing), compute=compute) as listener:
            for done, (path, heard) in enumerate(listener.map(missing, key=lambda path: (path, spaces)), start=1):
                if isinstance(heard, AudioError):
                    failed.append(doc.FailedFile(path, str(heard).removeprefix(f"{path}: ")))
                else:
                    found[path] = {space: heard.vectors[space] for space in spaces}
                if progress:
                    progress(done, len(missing))
    usable = sorted(found)
    data = Recordings(
        {space: np.array([found[path][space][0] for path in usable]) for space in spaces},
        {space: [found[path][space][1] for path in usable] for space in spaces} if segments else {},  # type: ignore[misc]
    )
    return FileVectors(
        usable, data, [hashes[path] for path in usable], sorted(failed, key=lambda failure: failure.path)
    )


def answer(
    files: FileVectors,
    *,
    classifier: SavedClassifier,
    catalogue: Catalogue,
    index: ExactIndex,
    timeline: bool = False,
    abstain: float | None = None,
) -> doc.Classified:
    """Name the genre of each file, with the labelled tracks that speak most for it.

    Parameters
    ----------
    files : FileVectors
    classifier : SavedClassifier
    catalogue : Catalogue
    index : ExactIndex
        Of the classifier's first space.
    timeline : bool
        Name the genre of each segment too.
    abstain : float or None
        Accuracy that the answers given are to have; the others are marked.

    Raises
    ------
    ClassifierError
        If `abstain` is given and the classifier has no evidence.
    """
    promised = _promised(classifier, abstain) if abstain is not None else None
    predictions = []
    if files.paths:
        probabilities = classifier.probabilities(files.data)
        moments = _moments(files.data, classifier) if timeline else None
        strange = classifier.familiar.strangeness(files.data) if classifier.familiar else np.zeros(len(files.paths))
        genres = [classifier.labels[int(code)] for code in probabilities.argmax(axis=1)]
        speakers = _speakers(files, genres, catalogue=catalogue, index=index, space=classifier.spaces[0])
        for row, path in enumerate(files.paths):
            predictions.append(
                doc.Prediction(
                    path=path,
                    genre=genres[row],
                    probability=round(float(probabilities[row].max()), 6),
                    probabilities={
                        label: round(float(share), 6)
                        for label, share in zip(classifier.labels, probabilities[row], strict=True)
                    },
                    neighbours=speakers[row],
                    timeline=moments[row] if moments else None,
                    answered=promised is None
                    or (promised.threshold is not None and probabilities[row].max() >= promised.threshold),
                    none_of_these=bool(strange[row] > 1),
                    strangeness=round(float(strange[row]), 4),
                )
            )
    fallback = most_frequent(list(Counter(classifier.counts).elements()))
    return doc.Classified(classifier.model, predictions, files.failed, fallback, promised)


def _promised(classifier: SavedClassifier, target: float) -> doc.Promised:
    evidence = classifier.evidence
    if evidence is None:
        raise ClassifierError(
            "too few artists in each genre to promise an accuracy; label more artists and train again"
        )
    found = promise(evidence.confidence, evidence.right, target=target, groups=evidence.groups)
    if found is None:
        log.warning(
            "no threshold of probability reaches an accuracy of %.2f on grouped folds; nothing is answered", target
        )
        return doc.Promised(target, None, 0.0, None, None)
    figures = (round(value, 6) for value in (found.coverage, found.accuracy, found.lower))
    return doc.Promised(target, found.threshold, *figures)


def _moments(data: Recordings, classifier: SavedClassifier) -> list[list[doc.Moment]]:
    """Name the genre of each segment of each recording."""
    result: list[list[doc.Moment]] = []
    for row in range(len(data)):
        answers = classifier.fitted.timeline(data.take(np.array([row])), labels=len(classifier.labels))
        result.append(
            [
                doc.Moment(number * SEGMENT, classifier.labels[int(shares.argmax())], round(float(shares.max()), 6))
                for number, shares in enumerate(answers)
            ]
        )
    return result


def _speakers(
    files: FileVectors, genres: Sequence[str], *, catalogue: Catalogue, index: ExactIndex, space: str
) -> list[list[doc.LabelledNeighbour]]:
    """Find for each file the nearest labelled tracks of its genre, without those of the same content."""
    embedded = catalogue.embedded([space])
    tracks = {track.id: track for track in catalogue.tracks() if track.label and track.id in embedded}
    result: list[list[doc.LabelledNeighbour]] = [[] for _ in files.paths]
    for genre in sorted(set(genres)):
        among = np.array(sorted(track.id for track in tracks.values() if track.label == genre), dtype=np.int64)
        rows = [row for row, name in enumerate(genres) if name == genre]
        found, similarities = index.search(files.data.tracks[space][rows], k=NEIGHBOURS + 1, among=among)
        for row, ids, values in zip(rows, found, similarities, strict=True):
            others = [
                doc.LabelledNeighbour(tracks[int(track)].path, genre, round(float(value), 6))
                for track, value in zip(ids, values, strict=True)
                if tracks[int(track)].hash != files.hashes[row]
            ]
            result[row] = others[:NEIGHBOURS]
    return result
