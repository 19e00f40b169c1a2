"""Framing of a stream of mono samples: overlapping frames in batches, the same for any block size of the stream."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sonotheque.types import FloatArray


class Framer:
    """Cuts a stream of mono samples into overlapping frames.

    Parameters
    ----------
    frame_length, hop_length : int
        In samples; the hop is at most half of a frame.
    batch_size : int
        Number of frames in a batch; the last batch may be smaller.
    center : bool
        If True, frame t is centred on sample t * hop_length, and the recording is mirrored at both ends, so that an abrupt start
        or end does not sound like a click. If False, frame t starts at sample t * hop_length; samples after the last full frame
        are dropped, and a recording shorter than a frame is padded with zeros on both sides.

    Examples
    --------
    >>> framer = Framer(frame_length=4, hop_length=2, batch_size=2)
    >>> batches = [*framer.add(np.arange(1, 8, dtype=np.float32)), *framer.finish()]
    >>> [frames.tolist() for frames in batches]
    [[[3.0, 2.0, 1.0, 2.0], [1.0, 2.0, 3.0, 4.0]], [[3.0, 4.0, 5.0, 6.0], [5.0, 6.0, 7.0, 6.0]]]
    """

    def __init__(self, *, frame_length: int, hop_length: int, batch_size: int, center: bool = True) -> None:
        self.frame_length, self.hop_length = frame_length, hop_length
        self._batch_size, self._padding = batch_size, frame_length // 2 if center else 0
        self._blocks: list[FloatArray] = []
        self._buffered = 0
        self._started = self._yielded = False

    def add(self, block: FloatArray) -> Iterator[FloatArray]:
        """Append samples, float32 [n]; yield full batches, float32 [batch_size, frame_length]."""
        self._blocks.append(block)
        self._buffered += len(block)
        span = (self._batch_size - 1) * self.hop_length + self.frame_length
        if self._buffered < span:
            return
        samples = self._buffered_samples()
        while len(samples) >= span:
            yield self._frames(samples, self._batch_size)
            samples = samples[self._batch_size * self.hop_length :]
        self._blocks, self._buffered = [samples.copy()], len(samples)

    def finish(self) -> Iterator[FloatArray]:
        """Yield the remaining frames, float32 [n, frame_length]."""
        samples = np.pad(self._buffered_samples(), (0, self._padding), mode="reflect")
        missing = max(self.frame_length - len(samples), 0)
        if not self._yielded:
            samples = np.pad(samples, (missing // 2, missing - missing // 2))
        count = 1 + (len(samples) - self.frame_length) // self.hop_length
        if count > 0:
            yield self._frames(samples, count)

    def _buffered_samples(self) -> FloatArray:
        """Join the buffered blocks, mirrored at the start of the recording."""
        before = 0 if self._started else self._padding
        self._started = True
        return np.pad(np.concatenate(self._blocks), (before, 0), mode="reflect")

    def _frames(self, samples: FloatArray, count: int) -> FloatArray:
        self._yielded = True
        return np.lib.stride_tricks.sliding_window_view(samples, self.frame_length)[:: self.hop_length][:count]
