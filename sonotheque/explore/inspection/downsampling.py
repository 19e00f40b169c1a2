"""Downsampling of a stream of values to a bounded number of time columns, so that hours fit in the width of a figure.

Memory does not grow with the length of the recording. The result does not depend on the block size of the stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MAX_COLUMNS = 1400
"""Maximum number of columns; an even number. A recording that is long enough to fill them has at least half as many."""


@dataclass(frozen=True)
class TimeSeries:
    """Values that change over time, in columns of equal duration.

    Attributes
    ----------
    values : float array [rows, C]
    start : float
        Start of the first column, in s.
    step : float
        Time from one column to the next, in s.
    """

    values: npt.NDArray[np.floating]
    start: float
    step: float

    @property
    def edges(self) -> npt.NDArray[np.float64]:
        """Start of each column and end of the last one, float64 [C + 1], in s."""
        return self.start + self.step * np.arange(self.values.shape[1] + 1)

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Centre of each column, float64 [C], in s."""
        return (self.edges[:-1] + self.edges[1:]) / 2


class Downsampler:
    """Reduces a stream of time steps to at most `max_columns` columns; when they are full, pairs of columns are merged.

    Parameters
    ----------
    rows : int
        Number of values in each time step.
    reduce : ufunc
        ``np.add``, ``np.minimum`` or ``np.maximum``.
    max_columns : int
        An even number.

    Attributes
    ----------
    steps_per_column : int
        A power of two.

    Examples
    --------
    >>> downsampler = Downsampler(1, reduce=np.maximum, max_columns=4)
    >>> downsampler.add(np.array([[1.0], [5.0], [2.0], [3.0], [4.0], [0.0]]))
    >>> downsampler.steps_per_column, downsampler.reduced().tolist()
    (2, [[5.0, 3.0, 4.0]])
    """

    def __init__(self, rows: int, *, reduce: np.ufunc = np.add, max_columns: int = MAX_COLUMNS) -> None:
        self.steps_per_column = 1
        self._reduce, self._max_columns = reduce, max_columns
        self._identity = {"add": 0.0, "minimum": np.inf, "maximum": -np.inf}[reduce.__name__]
        self._columns = np.full((max_columns, rows), self._identity)
        self._steps = 0

    def add(self, values: npt.NDArray[np.floating]) -> None:
        """Append the values of n time steps, float array [n, rows]."""
        while len(values):
            room = self._max_columns * self.steps_per_column - self._steps
            if room == 0:
                self._merge_pairs()
                continue
            part, values = values[:room], values[room:]
            column = (self._steps + np.arange(len(part))) // self.steps_per_column
            firsts = np.flatnonzero(np.diff(column, prepend=-1))
            targets = column[firsts]
            self._columns[targets] = self._reduce(self._columns[targets], self._reduce.reduceat(part, firsts, axis=0))
            self._steps += len(part)

    def reduced(self) -> npt.NDArray[np.float64]:
        """Return the reduced values, float64 [rows, C]."""
        return self._columns[: -(-self._steps // self.steps_per_column)].T.copy()

    def mean(self) -> npt.NDArray[np.float64]:
        """Return the mean of each column, float64 [rows, C], where `reduce` is ``np.add``; the last column may have fewer steps."""
        sums = self.reduced()
        counts = np.minimum(self.steps_per_column, self._steps - self.steps_per_column * np.arange(sums.shape[1]))
        means: npt.NDArray[np.float64] = sums / counts
        return means

    def _merge_pairs(self) -> None:
        half = self._max_columns // 2
        merged = self._reduce(self._columns[::2], self._columns[1::2])
        self._columns[:half], self._columns[half:] = merged, self._identity
        self.steps_per_column *= 2
