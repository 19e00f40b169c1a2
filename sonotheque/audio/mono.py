"""Mono float32 at the rate that a network wants, in blocks, so that hours need no more memory than minutes.

Channels are averaged, then the stream is resampled. Whole-file conveniences end with `load`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import numpy as np

from sonotheque.audio.decode import Source, open_decoder, source_name
from sonotheque.audio.resample import RESAMPLERS
from sonotheque.errors import InvalidSamplesError, NoSamplesError
from sonotheque.types import FloatArray

SILENCE = 2.0**-15
"""Peak at or below which a recording is silent: one step of 16 bits (-90 dB of full scale)."""

RATES = (1_000, 768_000)
"""Sampling rates that a file may state, in Hz; outside them its header is damaged."""


class MonoStream:
    """A recording as mono float32 blocks at one rate.

    Iterate over it once. `seconds`, `silent` and `notice` are known when the iteration ends.

    Parameters
    ----------
    source : path, or bytes of a whole file
    sample_rate : int or None
        Wanted rate in Hz; None keeps the file's own.
    resampler : str
        ``soxr``, or ``kaiser_best`` for the numbers of resampy 0.2.2.

    Attributes
    ----------
    sample_rate : int
        Rate of the blocks, in Hz.
    source_rate, channels : int
        As the file has them.
    seconds : float
        Length of what was decoded, in s.
    silent : bool
        Whether no sample exceeded `SILENCE`.
    notice : str or None
        What a person should know, such as that the file is truncated.

    Raises
    ------
    AudioError
        One of its children, on opening or while iterating.

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
        if not RATES[0] <= self.source_rate <= RATES[1]:
            self._decoder.close()
            raise InvalidSamplesError(f"{self._name}: states a sampling rate of {self.source_rate} Hz; it is damaged")
        self.sample_rate = sample_rate or self.source_rate
        self._resampler = resampler
        self.seconds = 0.0
        self.silent = True
        self.notice: str | None = None

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
            yield from self._mono()
            return
        resample = RESAMPLERS[self._resampler]
        yield from resample(self._mono(), source_rate=self.source_rate, target_rate=self.sample_rate)

    def _mono(self) -> Iterator[FloatArray]:
        count = 0
        weights = np.full(self.channels, 1 / self.channels, dtype=np.float32)
        for block in self._decoder.blocks():
            mono: FloatArray = block @ weights  # thirty times faster than mean(axis=1)
            peak = float(max(block.max(), -block.min()))
            if not np.isfinite(peak):
                raise InvalidSamplesError(
                    f"{self._name}: has NaN or infinite samples after {count / self.source_rate:.1f} s; export it again"
                )
            self.silent = self.silent and peak <= SILENCE
            count += len(mono)
            self.seconds = count / self.source_rate
            yield mono
        self.notice = self._decoder.truncated


def load(source: Source, *, sample_rate: int | None = None) -> tuple[FloatArray, int]:
    """Read a whole recording as mono samples.

    Parameters
    ----------
    source : path, or bytes of a whole file
    sample_rate : int or None
        Wanted rate in Hz; None keeps the file's own.

    Returns
    -------
    samples : float32 array [n]
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        One of its children.

    Examples
    --------
    >>> samples, rate = load("tests/data/tone.flac")
    >>> samples.shape, rate
    ((44100,), 44100)
    """
    with MonoStream(source, sample_rate=sample_rate) as stream:
        blocks = list(stream)
        if not blocks:
            raise NoSamplesError(f"{stream._name}: too short to be resampled to {sample_rate} Hz")
        return np.concatenate(blocks), stream.sample_rate
