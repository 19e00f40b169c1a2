"""The vectors of some recordings, as the classifiers take them: for each space a matrix of tracks and the segments of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """Augmented copies of recordings, which go wherever their originals go, and only ever teach.

    Attributes
    ----------
    data : Recordings
        M of them, without copies of their own.
    owners : int array [M]
        The row of each one's original.
    """

    data: Recordings
    owners: Rows

    def follow(self, rows: Rows, count: int) -> Copies:
        """Select the copies of some of `count` recordings, given once each, and number their owners anew."""
        places = np.full(count, -1, dtype=np.int64)
        places[rows] = np.arange(len(rows))
        kept = np.flatnonzero(places[self.owners] >= 0)
        return Copies(self.data.take(kept), places[self.owners[kept]])


@dataclass(frozen=True)
class Recordings:
    """N recordings in one or several spaces.

    Attributes
    ----------
    tracks : mapping of space id to float32 array [N, D]
    segments : mapping of space id to N float32 arrays [S, D]
        May be empty where no decision needs them.
    copies : Copies or None

    Examples
    --------
    >>> Recordings.of(np.zeros((3, 2), dtype=np.float32)).joined(["vectors"]).shape
    (3, 2)
    """

    tracks: Mapping[str, FloatArray]
    segments: Mapping[str, Sequence[FloatArray]] = field(default_factory=dict)
    copies: Copies | None = None

    @classmethod
    def of(cls, X: npt.NDArray[Any], *, space: str = "vectors") -> Recordings:
        """Wrap one matrix [N, D]."""
        return cls({space: X})

    def __len__(self) -> int:
        """Count the recordings."""
        return len(next(iter(self.tracks.values())))

    @property
    def spaces(self) -> tuple[str, ...]:
        """The ids of the spaces."""
        return tuple(self.tracks)

    def take(self, rows: Rows) -> Recordings:
        """Select recordings, with their copies."""
        return Recordings(
            {space: matrix[rows] for space, matrix in self.tracks.items()},
            {space: [arrays[row] for row in rows] for space, arrays in self.segments.items()},
            self.copies.follow(rows, len(self)) if self.copies else None,
        )

    def joined(self, spaces: Sequence[str]) -> FloatArray:
        """Put the track vectors of some spaces side by side, float32 [N, D]."""
        return np.concatenate([self.tracks[space] for space in spaces], axis=1)

    def cut(self, spaces: Sequence[str], *, most: int | None = None) -> tuple[FloatArray, Rows]:
        """Put the segments of some spaces side by side.

        Parameters
        ----------
        spaces : ids of the spaces
        most : int or None
            Segments of one recording at most, evenly spread over it.

        Returns
        -------
        vectors : float32 array [M, D]
            Where the last segment is too short for one of the spaces, it is left out.
        owners : int array [M]
            The recording of each segment, ascending; each has at least one.
        """
        vectors, owners = [], []
        for row in range(len(self)):
            parts = [self.segments[space][row] for space in spaces]
            count = min(len(part) for part in parts)
            chosen = np.arange(count)
            if most is not None and count > most:
                chosen = np.linspace(0, count - 1, most).round().astype(np.int64)
            vectors.append(np.concatenate([part[chosen] for part in parts], axis=1))
            owners.append(np.full(len(chosen), row, dtype=np.int64))
        return np.concatenate(vectors), np.concatenate(owners)
