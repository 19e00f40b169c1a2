"""The vectors of some tracks as the classifiers use them: track vectors and segment vectors in each space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.extract.vectors import VectorPair
from sonotheque.types import FloatArray, Rows


@dataclass(frozen=True)
class AugmentedCopies:
    """Augmented copies of tracks. They follow their tracks into each training set and are used for training only.

    Attributes
    ----------
    data : EmbeddingSet
        M copies.
    track_index : int array [M]
        Row of the original track of each copy.
    """

    data: EmbeddingSet
    track_index: Rows

    def select(self, rows: Rows, count: int) -> AugmentedCopies:
        """Select the copies of some of `count` tracks, each given once, and renumber their tracks."""
        new_rows = np.full(count, -1, dtype=np.int64)
        new_rows[rows] = np.arange(len(rows))
        kept = np.flatnonzero(new_rows[self.track_index] >= 0)
        return AugmentedCopies(self.data.take(kept), new_rows[self.track_index[kept]])


@dataclass(frozen=True)
class EmbeddingSet:
    """The vectors of N tracks in one or more spaces.

    Attributes
    ----------
    tracks : mapping of space id to float32 array [N, D]
    segments : mapping of space id to N float32 arrays [S, D]
        May be empty if no model needs segments.
    copies : AugmentedCopies or None

    Examples
    --------
    >>> EmbeddingSet.from_matrix(np.zeros((3, 2), dtype=np.float32)).track_matrix(["vectors"]).shape
    (3, 2)
    """

    tracks: Mapping[str, FloatArray]
    segments: Mapping[str, Sequence[FloatArray]] = field(default_factory=dict)
    copies: AugmentedCopies | None = None

    @classmethod
    def from_matrix(cls, X: npt.NDArray[Any], *, space: str = "vectors") -> EmbeddingSet:
        """Wrap one matrix of track vectors [N, D]."""
        return cls({space: X})

    @classmethod
    def from_files(cls, vectors: Sequence[Mapping[str, VectorPair]], *, spaces: Sequence[str]) -> EmbeddingSet:
        """Stack the vectors of files, at least one, as `sonotheque.extract.get_vectors` returns them."""
        tracks = {space: np.array([file[space][0] for file in vectors]) for space in spaces}
        segments = {space: [file[space][1] for file in vectors] for space in spaces}
        complete = {
            space: [part for part in parts if part is not None]
            for space, parts in segments.items()
            if all(part is not None for part in parts)
        }
        return cls(tracks, complete)

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(next(iter(self.tracks.values())))

    @property
    def spaces(self) -> tuple[str, ...]:
        """Ids of the spaces."""
        return tuple(self.tracks)

    def take(self, rows: Rows) -> EmbeddingSet:
        """Select tracks, with their augmented copies."""
        return EmbeddingSet(
            {space: matrix[rows] for space, matrix in self.tracks.items()},
            {space: [arrays[row] for row in rows] for space, arrays in self.segments.items()},
            self.copies.select(rows, len(self)) if self.copies else None,
        )

    def track_matrix(self, spaces: Sequence[str]) -> FloatArray:
        """Concatenate the track vectors in some spaces, float32 [N, D]."""
        return np.concatenate([self.tracks[space] for space in spaces], axis=1)

    def segment_matrix(self, spaces: Sequence[str], *, limit: int | None = None) -> tuple[FloatArray, Rows]:
        """Concatenate the segment vectors in some spaces.

        Parameters
        ----------
        spaces : sequence of str
            Ids of the spaces.
        limit : int or None
            Maximum number of segments of one track, evenly spaced.

        Returns
        -------
        vectors : float32 array [M, D]
            If the last segment is too short for one of the spaces, it is left out.
        track_index : int array [M]
            Track of each segment, ascending. Each track has at least one segment.
        """
        vectors, track_index = [], []
        for row in range(len(self)):
            parts = [self.segments[space][row] for space in spaces]
            count = min(len(part) for part in parts)
            chosen = np.arange(count)
            if limit is not None and count > limit:
                chosen = np.linspace(0, count - 1, limit).round().astype(np.int64)
            vectors.append(np.concatenate([part[chosen] for part in parts], axis=1))
            track_index.append(np.full(len(chosen), row, dtype=np.int64))
        return np.concatenate(vectors), np.concatenate(track_index)
