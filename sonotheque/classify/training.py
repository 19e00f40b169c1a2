"""The labelled tracks of a catalogue as arrays, and the honest figures of a model on them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque import documents as doc
from sonotheque.audio.decode import FloatArray
from sonotheque.classify import metrics
from sonotheque.classify.estimators import make_classifier
from sonotheque.classify.protocol import count_groups, evaluate, group_tracks
from sonotheque.errors import ClassifierError
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class TrainingSet:
    """Labelled tracks, ordered by content hash.

    Attributes
    ----------
    tracks : list of Track
    X : float32 array [N, D]
        Track vectors of the spaces, joined.
    y : str array [N]
    groups : int array [N]
        The artist of each track.
    alone : int
        How many tracks name neither artist nor album.
    spaces : list of str
    """

    tracks: list[Track]
    X: FloatArray
    y: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    alone: int
    spaces: list[str]


def training_set(catalogue: Catalogue, *, spaces: Sequence[str]) -> TrainingSet:
    """Collect the labelled tracks that have a vector in every space.

    Raises
    ------
    ClassifierError
        If they have fewer than two genres.
    """
    columns = []
    for space in spaces:
        ids, vectors = catalogue.vectors(space)
        columns.append({int(id_): vector for id_, vector in zip(ids, vectors, strict=True)})
    labelled = (track for track in catalogue.tracks() if track.label)
    tracks = sorted((t for t in labelled if all(t.id in column for column in columns)), key=lambda track: track.hash)
    genres = len({track.label for track in tracks})
    if genres < 2:
        raise ClassifierError(
            f"{len(tracks)} labelled tracks of {genres} genre{'s' * (genres != 1)}, two genres are needed; "
            "`sonotheque label FILE.csv` or `add --labels` give labels"
        )
    groups, alone = group_tracks([track.artist for track in tracks], [track.album for track in tracks])
    return TrainingSet(
        tracks=tracks,
        X=np.stack([np.concatenate([column[track.id] for column in columns]) for track in tracks]),
        y=np.array([track.label for track in tracks]),
        groups=groups,
        alone=alone,
        spaces=list(spaces),
    )


def warn_of_alone(training: TrainingSet) -> None:
    """Say so where artists are unknown: then a figure is flattering."""
    if training.alone:
        log.warning(
            "%d of %d labelled tracks name neither artist nor album; where one of their artists stands on both sides of "
            "a fold the figures are flattering. An artist column in the labels mends it",
            training.alone,
            len(training.tracks),
        )


@dataclass(frozen=True)
class Fitted:
    """A model that has learned, and the accuracy on grouped folds of each that was compared."""

    model: str
    estimator: Any
    accuracies: dict[str, float]


def train(training: TrainingSet, *, model: str, seed: int) -> Fitted:
    """Fit a model on all labelled tracks.

    Parameters
    ----------
    training : TrainingSet
    model : str
        See `make_classifier`; ``auto`` takes the one that wins on grouped folds.
    seed : int
        Of the folds.
    """
    from threadpoolctl import threadpool_limits

    estimator = make_classifier(model, seed=seed)
    with threadpool_limits(limits=1, user_api="blas"):
        if model != "auto":
            return Fitted(model, estimator.fit(training.X, training.y), {})
        warn_of_alone(training)
        estimator.fit(training.X, training.y, groups=training.groups)
    if not estimator.accuracies_:
        log.warning("too few artists in each genre to compare models; %s is taken", estimator.model_)
    return Fitted(estimator.model_, estimator.estimator_, estimator.accuracies_)


def judge(training: TrainingSet, *, model: str, folds: int | None, seed: int) -> doc.Evaluated:
    """Evaluate a model and put the figures into a document.

    Raises
    ------
    ClassifierError
        If fewer than two genres have enough artists.
    """
    warn_of_alone(training)
    result = evaluate(training.X, training.y, groups=training.groups, model=model, folds=folds, seed=seed)
    codes = np.searchsorted(np.array(result.labels), training.y)
    artists = count_groups(codes, training.groups, labels=len(result.labels))
    precision, recall, f1 = (figure(result.confusion) for figure in (metrics.precision, metrics.recall, metrics.f1))
    apart = {genre.label for genre in result.apart}
    low, high = result.accuracy_interval
    return doc.Evaluated(
        protocol=f"{result.folds} stratified folds grouped by artist, seed {seed}",
        model=model,
        chosen=result.chosen,
        spaces=training.spaces,
        folds=result.folds,
        tracks=len(result.tested),
        accuracy=round(result.accuracy, 6),
        accuracy_interval=(round(low, 6), round(high, 6)),
        balanced_accuracy=round(result.balanced_accuracy, 6),
        macro_f1=round(result.macro_f1, 6),
        labels=result.labels,
        confusion=result.confusion.tolist(),
        genres=[
            doc.GenreFigures(
                label=label,
                tracks=int((codes == code).sum()),
                artists=int(artists[code]),
                precision=round(float(precision[code]), 6),
                recall=round(float(recall[code]), 6),
                f1=round(float(f1[code]), 6),
            )
            for code, label in enumerate(result.labels)
            if label not in apart
        ],
        apart=result.apart,
    )
