"""Pool the frames of a track, or of each of its segments, into one vector.

Sums are computed in float64 and in time order, so the result does not depend on how the frames are split into blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sonotheque.embed.space import SEGMENT, Times
from sonotheque.errors import NoSamplesError, SpaceError
from sonotheque.types import FloatArray

STATISTICS = ("mean", "std", "max")


class _RunningStatistics:
    """Running sum, sum of squares and maximum of frames."""

    def __init__(self) -> None:
        self.count = 0
        self.sum: np.ndarray = np.zeros(0)
        self.squares: np.ndarray = np.zeros(0)
        self.maximum: np.ndarray = np.zeros(0)

    def add(self, frame: np.ndarray) -> None:
        if self.count == 0:
            self.sum = np.zeros(len(frame))
            self.squares = np.zeros(len(frame))
            self.maximum = np.full(len(frame), -np.inf)
        self.count += 1
        self.sum += frame
        self.squares += frame * frame
        np.maximum(self.maximum, frame, out=self.maximum)

    def vector(self, statistics: Sequence[str]) -> FloatArray:
        mean = self.sum / self.count
        parts = {
            "mean": mean,
            "std": np.sqrt(np.maximum(self.squares / self.count - mean * mean, 0)),
            "max": self.maximum,
        }
        return np.concatenate([parts[name] for name in statistics]).astype(np.float32)


def pool_frames(frames: FloatArray, *, statistics: Sequence[str] = ("mean",)) -> FloatArray:
    """Summarise the frames of one track as a single vector.

    Parameters
    ----------
    frames : float32 array [T, D], T >= 1
        One embedding per frame, in time order.
    statistics : sequence of str
        Names from `STATISTICS`, in output order.

    Returns
    -------
    float32 array [len(statistics) * D]

    Raises
    ------
    NoSamplesError
        If there are no frames.
    SpaceError
        If a statistic is unknown.

    Examples
    --------
    >>> pool_frames(np.array([[1.0, 4.0], [3.0, 4.0]], dtype=np.float32), statistics=("mean", "std"))
    array([2., 4., 1., 0.], dtype=float32)
    """
    pooler = Pooler(statistics=statistics)
    pooler.add(frames, np.zeros(len(frames)))
    return pooler.track_vector()


class Pooler:
    """Pool frames that arrive in blocks, for the whole track and for each segment of 10 s.

    A frame belongs to the segment that contains its start. A segment without frames is left out; that happens if the tail of a
    track is shorter than a frame.

    Parameters
    ----------
    statistics : sequence of str
        Names from `STATISTICS`, in output order.
    segments : bool
        Whether frames are pooled to segments; otherwise each frame is a segment.

    Examples
    --------
    >>> pooler = Pooler()
    >>> pooler.add(np.array([[1.0], [3.0], [8.0]], np.float32), np.array([0.0, 5.0, 10.0]))
    >>> pooler.track_vector(), pooler.segment_vectors().tolist()
    (array([4.], dtype=float32), [[2.0], [8.0]])
    """

    def __init__(self, *, statistics: Sequence[str] = ("mean",), segments: bool = True) -> None:
        unknown = [name for name in statistics if name not in STATISTICS]
        if unknown:
            raise SpaceError(f"unknown statistic {unknown[0]!r}; choose one of {', '.join(STATISTICS)}")
        self._statistics = tuple(statistics)
        self._pool_segments = segments
        self._track = _RunningStatistics()
        self._segment = _RunningStatistics()
        self._segment_number = 0
        self._segments: list[FloatArray] = []

    def add(self, frames: FloatArray, starts: Times) -> None:
        """Add frames [n, D] with their starts [n] in s, in time order."""
        for frame, start in zip(frames.astype(np.float64), starts, strict=True):
            number = int(start // SEGMENT) if self._pool_segments else self._track.count
            if number != self._segment_number and self._segment.count:
                self._segments.append(self._segment.vector(self._statistics))
                self._segment = _RunningStatistics()
            self._segment_number = number
            self._segment.add(frame)
            self._track.add(frame)

    def track_vector(self) -> FloatArray:
        """Return the track vector, float32 [D]."""
        if self._track.count == 0:
            raise NoSamplesError("there are no frames to pool; the recording is empty")
        return self._track.vector(self._statistics)

    def segment_vectors(self) -> FloatArray:
        """Return the segment vectors, float32 [S, D]."""
        last = [self._segment.vector(self._statistics)] if self._segment.count else []
        return np.stack(self._segments + last)
