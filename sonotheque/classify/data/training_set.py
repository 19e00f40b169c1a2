"""The labelled tracks of a catalogue, with their vectors, genres and artists: what is learned from and judged by."""

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
    data : Recordings
    y : str array [N]
    groups : int array [N]
        The artist of each track.
    n_ungrouped : int
        How many tracks name neither artist nor album, nor have a folder of their own kind.
    """

    tracks: list[Track]
    data: EmbeddingSet
    y: npt.NDArray[Any]
    groups: npt.NDArray[np.int64]
    n_ungrouped: int

    @property
    def codes(self) -> Codes:
        """The genres as numbers in the order of their names, int array [N]."""
        return np.unique(self.y, return_inverse=True)[1]


def load_training_set(
    catalogue: Catalogue, *, spaces: Sequence[str], copies: int = 0, segments: bool = True
) -> TrainingSet:
    """Collect the labelled tracks that have a vector in every space.

    Parameters
    ----------
    catalogue : Catalogue
    spaces : ids of the spaces
    segments : bool
        Whether the segments' vectors are read too; what decides on whole tracks does without.
    copies : int
        Augmented copies of each track to teach with, as far as the catalogue holds them.

    Raises
    ------
    ClassifierError
        If they have fewer than two genres.
    """
    columns: dict[str, dict[int, Any]] = {}
    for space in spaces:
        ids, vectors = catalogue.vectors.matrix(space)
        columns[space] = {int(id_): vector for id_, vector in zip(ids, vectors, strict=True)}
    labelled = [track for track in catalogue.tracks.all() if track.label]
    tracks = sorted(
        (t for t in labelled if all(t.id in column for column in columns.values())), key=lambda track: track.hash
    )
    if len(tracks) < len(labelled):
        log.warning(
            "%d of %d labelled tracks have no vector in %s and are left out; `sonotheque add` fills them in",
            len(labelled) - len(tracks),
            len(labelled),
            " and ".join(spaces),
        )
    genres = len({track.label for track in tracks})
    if genres < 2:
        raise ClassifierError(
            f"{len(tracks)} labelled tracks of {genres} genre{'s' * (genres != 1)}, two genres are needed; "
            "`sonotheque label FILE.csv` or `add --labels` give labels"
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
    """Collect the augmented copies of some tracks that have a vector in every space."""
    held = {
        space: {
            (track, number): both
            for track, number, *both in catalogue.augmented_copies.read(space, version=VERSION, limit=limit)
        }
        for space in spaces
    }
    rows = {track: row for row, track in enumerate(tracks)}
    keys = [key for key in held[spaces[0]] if key[0] in rows and all(key in column for column in held.values())]
    data = EmbeddingSet(
        {
            space: np.stack([column[key][0] for key in keys])
            if keys
            else np.empty((0, catalogue.spaces.get(space).dimensions), dtype=np.float32)
            for space, column in held.items()
        },
        {space: [column[key][1] for key in keys] for space, column in held.items()},
    )
    return AugmentedCopies(data, np.array([rows[track] for track, _ in keys], dtype=np.int64))


def warn_ungrouped(training: TrainingSet) -> None:
    """Say so where artists are unknown: then a figure is flattering."""
    if training.n_ungrouped:
        log.warning(
            "%d of %d labelled tracks name neither artist nor album; where one of their artists stands on both sides of "
            "a fold the figures are flattering. An artist column in the labels mends it",
            training.n_ungrouped,
            len(training.tracks),
        )
