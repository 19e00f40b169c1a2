"""The labelled tracks of a catalogue with their vectors, genres and artists, for training and evaluation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.augment import VERSION
from sonotheque.classify.data.embedding_set import AugmentedCopies, EmbeddingSet
from sonotheque.classify.data.folds import folders_as_artists, group_tracks
from sonotheque.errors import ClassifierError
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import Codes

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class TrainingSet:
    """Labelled tracks, ordered by content hash.

    Attributes
    ----------
    tracks : list of Track
    data : EmbeddingSet
    y : str array [N]
        Genre of each track.
    groups : int array [N]
        Artist of each track.
    n_ungrouped : int
        Number of tracks whose artist is unknown, see `sonotheque.classify.data.folds.group_tracks`.
    """

    tracks: list[Track]
    data: EmbeddingSet
    y: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    n_ungrouped: int

    @property
    def codes(self) -> Codes:
        """Integer-encoded genres in alphabetical order, int array [N]."""
        return np.unique(self.y, return_inverse=True)[1]


def load_training_set(
    catalogue: Catalogue, *, spaces: Sequence[str], copies: int = 0, segments: bool = True
) -> TrainingSet:
    """Load the labelled tracks that have a vector in every space.

    Parameters
    ----------
    catalogue : Catalogue
    spaces : sequence of str
        Ids of the spaces.
    copies : int
        Maximum number of stored augmented copies of each track to load.
    segments : bool
        Whether to load the vectors of segments. Models that classify track vectors do not need them.

    Returns
    -------
    TrainingSet

    Raises
    ------
    ClassifierError
        If there are fewer than two genres.
    """
    labelled = catalogue.tracks.labelled()
    columns: dict[str, dict[int, Any]] = {}
    for space in spaces:
        ids, vectors = catalogue.vectors.read(space, [track.id for track in labelled])
        columns[space] = {int(id_): vector for id_, vector in zip(ids, vectors, strict=True)}
    tracks = sorted(
        (t for t in labelled if all(t.id in column for column in columns.values())), key=lambda track: track.hash
    )
    if len(tracks) < len(labelled):
        log.warning(
            "left out: %s (of %d) without a vector in %s; `sonotheque add` computes the missing vectors",
            pluralize(len(labelled) - len(tracks), "labelled track"),
            len(labelled),
            " and ".join(spaces),
        )
    n_genres = len({track.label for track in tracks})
    if n_genres < 2:
        raise ClassifierError(
            f"{pluralize(len(tracks), 'labelled track')} in {pluralize(n_genres, 'genre')}, but two genres are needed; "
            "set labels with `sonotheque label FILE.csv` or `sonotheque add --labels`"
        )
    folders = folders_as_artists(
        [track.path for track in tracks],
        [str(track.label) for track in tracks],
        [not (track.artist or track.album) for track in tracks],
    )
    groups, n_ungrouped = group_tracks(
        [track.artist for track in tracks], [track.album for track in tracks], folders=folders
    )
    return TrainingSet(
        tracks=tracks,
        data=EmbeddingSet(
            {space: np.stack([column[track.id] for track in tracks]) for space, column in columns.items()},
            {space: [catalogue.vectors.segments(track.id, space) for track in tracks] for space in columns}
            if segments
            else {},
            _load_copies(catalogue, [track.id for track in tracks], spaces=spaces, limit=copies) if copies else None,
        ),
        y=np.array([track.label for track in tracks]),
        groups=groups,
        n_ungrouped=n_ungrouped,
    )


def _load_copies(catalogue: Catalogue, tracks: Sequence[int], *, spaces: Sequence[str], limit: int) -> AugmentedCopies:
    """Load the augmented copies of some tracks, given by their ids, that have a vector in every space."""
    stored = {
        space: {
            (track, number): vector_pair
            for track, number, *vector_pair in catalogue.augmented_copies.read(space, version=VERSION, limit=limit)
        }
        for space in spaces
    }
    rows = {track: row for row, track in enumerate(tracks)}
    keys = [key for key in stored[spaces[0]] if key[0] in rows and all(key in column for column in stored.values())]
    data = EmbeddingSet(
        {
            space: np.stack([column[key][0] for key in keys])
            if keys
            else np.empty((0, catalogue.spaces.get(space).dimensions), dtype=np.float32)
            for space, column in stored.items()
        },
        {space: [column[key][1] for key in keys] for space, column in stored.items()},
    )
    return AugmentedCopies(data, np.array([rows[track] for track, _ in keys], dtype=np.int64))


def warn_ungrouped(training: TrainingSet) -> None:
    """Log a warning if artists are unknown, because scores are then too optimistic."""
    if training.n_ungrouped:
        log.warning(
            "neither artist nor album is known for %s (of %d); if tracks by one artist are in both the training and the test set, "
            "scores are too optimistic. Add an artist column to the labels",
            pluralize(training.n_ungrouped, "labelled track"),
            len(training.tracks),
        )
