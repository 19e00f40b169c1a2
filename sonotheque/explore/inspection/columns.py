"""Hours in the width of a picture: streams of samples to frames, and streams of values to at most so many columns of time.

What is kept does not grow with a recording's length, nor depend on how its samples come. No spectrum here, and no picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.types import FloatArray

MOST = 1400
"""Columns that a recording has at most; at least half as many as soon as it fills that many. An even number."""


@dataclass(frozen=True)
class OverTime:
    """Values that change over time, in columns of equal length.

    Attributes
    ----------
    values : float array [rows, C]
    start : float
        Of the first column, in s.
    step : float
        From one column to the next, in s.
    """

    values: npt.NDArray[np.floating]
    start: float
    step: float

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """Where the columns begin and the last one ends, float64 [C + 1], in s."""
        return self.start + self.step * np.arange(self.values.shape[1] + 1)

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """The columns' middles, float64 [C], in s."""
        return (self.edges[:-1] + self.edges[1:]) / 2


class Columns:
    """Reduces a stream of rows to at most so many columns; when they are full, every two become one.

    Parameters
    ----------
    rows : int
    reduce : ufunc
        ``np.add``, ``np.minimum`` or ``np.maximum``.
    most : int
        An even number of columns.

    Examples
    --------
    >>> columns = Columns(1, reduce=np.maximum, most=4)
    >>> columns.add(np.array([[1.0], [5.0], [2.0], [3.0], [4.0], [0.0]]))
    >>> columns.width, columns.reduced().tolist()
    (2, [[5.0, 3.0, 4.0]])
    """

    def __init__(self, rows: int, *, reduce: np.ufunc = np.add, most: int = MOST) -> None:
        self.width = 1
        self._reduce, self._most = reduce, most
        self._empty = {"add": 0.0, "minimum": np.inf, "maximum": -np.inf}[reduce.__name__]
        self._held = np.full((most, rows), self._empty)
        self._seen = 0

    def add(self, values: npt.NDArray[np.floating]) -> None:
        """Take values [n, rows] of n further steps in time."""
        while len(values):
            room = self._most * self.width - self._seen
            if room == 0:
                half = self._reduce(self._held[::2], self._held[1::2])
                self._held[: self._most // 2], self._held[self._most // 2 :] = half, self._empty
                self.width *= 2
                continue
            part, values = values[:room], values[room:]
            column = (self._seen + np.arange(len(part))) // self.width
            firsts = np.flatnonzero(np.diff(column, prepend=-1))
            places = column[firsts]
            self._held[places] = self._reduce(self._held[places], self._reduce.reduceat(part, firsts, axis=0))
            self._seen += len(part)

    def reduced(self) -> npt.NDArray[np.float64]:
        """Return what the columns hold, float64 [rows, C]."""
        return self._held[: -(-self._seen // self.width)].T.copy()

    def mean(self) -> npt.NDArray[np.float64]:
        """Return sums as means, float64 [rows, C]; the last column may be of fewer steps."""
        sums = self.reduced()
        counts = np.minimum(self.width, self._seen - self.width * np.arange(sums.shape[1]))
        means: npt.NDArray[np.float64] = sums / counts
        return means


class Framer:
    """Cuts a stream of mono samples into frames, so many at once.

    Parameters
    ----------
    length, hop : int
        Of a frame, and from one to the next, in samples; a hop is at most half a frame.
    group : int
        Frames that are given at once; the last group has fewer.
    centred : bool
        Whether frame t is centred on sample t * hop, where the recording is mirrored at both ends, so that a sudden one makes no
        sound; else it begins there, what is left behind the last one is dropped, and zeros are put around a recording that is
        shorter than a frame.

    Examples
    --------
    >>> framer = Framer(length=4, hop=2, group=2)
    >>> groups = [*framer.add(np.arange(1, 8, dtype=np.float32)), *framer.end()]
    >>> [group.tolist() for group in groups]
    [[[3.0, 2.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]], [[3.0, 4.0, 5.0, 6.0], [5.0, 6.0, 7.0, 6.0]]]
    """

    def __init__(self, *, length: int, hop: int, group: int, centred: bool = True) -> None:
        self.length, self.hop = length, hop
        self._group, self._margin = group, length // 2 if centred else 0
        self._parts: list[FloatArray] = []
        self._held = 0
        self._begun = self._given = False

    def add(self, block: FloatArray) -> Iterator[FloatArray]:
        """Take samples, float32 [n]; yield float32 arrays [group, length]."""
        self._parts.append(block)
        self._held += len(block)
        span = (self._group - 1) * self.hop + self.length
        if self._held < span:
            return
        rest = self._rest()
        while len(rest) >= span:
            yield self._cut(rest, self._group)
            rest = rest[self._group * self.hop :]
        self._parts, self._held = [rest.copy()], len(rest)

    def end(self) -> Iterator[FloatArray]:
        """Yield the frames that are left, float32 [n, length]."""
        rest = np.pad(self._rest(), (0, self._margin), mode="reflect")
        missing = max(self.length - len(rest), 0)
        if not self._given:
            rest = np.pad(rest, (missing // 2, missing - missing // 2))
        count = 1 + (len(rest) - self.length) // self.hop
        if count > 0:
            yield self._cut(rest, count)

    def _rest(self) -> FloatArray:
        before = 0 if self._begun else self._margin
        self._begun = True
        return np.pad(np.concatenate(self._parts), (before, 0), mode="reflect")

    def _cut(self, samples: FloatArray, count: int) -> FloatArray:
        self._given = True
        return np.lib.stride_tricks.sliding_window_view(samples, self.length)[:: self.hop][:count]
