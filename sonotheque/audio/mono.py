"""Read a recording as mono float32 samples at a given sampling rate.

The channels are averaged, then the signal is resampled. `MonoStream` works in blocks, so that memory does not grow with the
length of the recording; `load` reads a whole recording at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

import numpy as np

from sonotheque.audio.decode import SAMPLE_RATE_RANGE, open_decoder
from sonotheque.audio.resample import RESAMPLERS
from sonotheque.audio.source import Source, source_name
from sonotheque.errors import InvalidSamplesError, NoSamplesError
from sonotheque.types import FloatArray

SILENCE_PEAK = 2.0**-15
"""A recording is silent if its peak does not exceed this: one quantisation step of 16 bits (-90 dBFS)."""


class MonoStream:
    """Iterate over a recording in mono float32 blocks at one sampling rate.

    It can be iterated over once. `seconds`, `silent` and `notice` are final when the iteration ends.

    Parameters
    ----------
    source : path, or bytes of a whole file
    sample_rate : int or None
        Target sampling rate in Hz; None keeps that of the file.
    resampler : str
        ``soxr``, or ``kaiser_best`` to reproduce resampy 0.2.2.

    Attributes
    ----------
    sample_rate : int
        Sampling rate of the blocks in Hz.
    source_rate : int
        Sampling rate of the file in Hz.
    channels : int
        Number of channels of the file.
    seconds : float
        Length of the decoded audio in s.
    silent : bool
        Whether no sample exceeds `SILENCE_PEAK`.
    notice : str or None
        A notice for the user, such as that the file is truncated.
    listener : callable or None
        Called with each mono block at `source_rate`, so that a second analysis needs no second decoding. None at first.

    Raises
    ------
    AudioError
        If the recording cannot be read, on opening or while iterating; always one of its subclasses.

    Examples
    --------
    >>> with MonoStream("tests/data/tone.flac", sample_rate=16000) as stream:
    ...     samples = sum(len(block) for block in stream)
    >>> samples, stream.source_rate, stream.seconds
    (16000, 44100, 1.0)
    """

    def __init__(self, source: Source, *, sample_rate: int | None = None, resampler: str = "soxr") -> None:
        self._name = source_name(source)
        self._decoder = open_decoder(source)
        self.source_rate = self._decoder.sample_rate
        self.channels = self._decoder.channels
        if not SAMPLE_RATE_RANGE[0] <= self.source_rate <= SAMPLE_RATE_RANGE[1]:
            self._decoder.close()
            raise InvalidSamplesError(f"{self._name}: states a sampling rate of {self.source_rate} Hz; it is damaged")
        self.sample_rate = sample_rate or self.source_rate
        self._resampler = resampler
        self.seconds = 0.0
        self.silent = True
        self.notice: str | None = None
        self.listener: Callable[[FloatArray], None] | None = None

    def __enter__(self) -> Self:
        """Return the stream itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._decoder.close()

    def __iter__(self) -> Iterator[FloatArray]:
        """Yield float32 arrays [n], n >= 1."""
        if self.sample_rate == self.source_rate:
            yield from self._downmix()
            return
        resample = RESAMPLERS[self._resampler]
        yield from resample(self._downmix(), source_rate=self.source_rate, target_rate=self.sample_rate)

    def _downmix(self) -> Iterator[FloatArray]:
        count = 0
        weights = np.full(self.channels, 1 / self.channels, dtype=np.float32)
        for block in self._decoder.blocks():
            mono: FloatArray = block @ weights  # 30 times faster than block.mean(axis=1)
            peak = float(max(block.max(), -block.min()))
            if not np.isfinite(peak):
                raise InvalidSamplesError(
                    f"{self._name}: has NaN or infinite samples after {count / self.source_rate:.1f} s; export it again"
                )
            self.silent = self.silent and peak <= SILENCE_PEAK
            count += len(mono)
            self.seconds = count / self.source_rate
            if self.listener is not None:
                self.listener(mono)
            yield mono
        self.notice = self._decoder.truncated


def load(source: Source, *, sample_rate: int | None = None) -> tuple[FloatArray, int]:
    """Read a whole recording as mono samples.

    Parameters
    ----------
    source : path, or bytes of a whole file
    sample_rate : int or None
        Target sampling rate in Hz; None keeps that of the file.

    Returns
    -------
    samples : float32 array [n]
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        If the recording cannot be read; always one of its subclasses.

    Examples
    --------
    >>> samples, rate = load("tests/data/tone.flac")
    >>> samples.shape, rate
    ((44100,), 44100)
    """
    with MonoStream(source, sample_rate=sample_rate) as stream:
        blocks = list(stream)
        if not blocks:
            raise NoSamplesError(f"{source_name(source)}: too short to be resampled to {sample_rate} Hz")
        return np.concatenate(blocks), stream.sample_rate
