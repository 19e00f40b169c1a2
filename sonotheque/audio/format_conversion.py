"""Convert blocks of samples to one sampling rate and number of channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sonotheque.types import FloatArray


def convert_blocks(
    blocks: Iterable[tuple[FloatArray, int]], *, sample_rate: int, channels: int
) -> Iterator[FloatArray]:
    """Convert blocks of changing sampling rates and numbers of channels to one format.

    A block with another number of channels is averaged, and every channel gets the average, so that its mean over the channels
    stays what it was. Blocks that already have the format are passed on unchanged.

    Parameters
    ----------
    blocks : iterable of (float32 array [n, c], int)
        Samples and their sampling rate in Hz.
    sample_rate : int
        In Hz.
    channels : int

    Yields
    ------
    float32 arrays [n, channels], n >= 1
    """
    import soxr

    stream: Any = None
    current = None
    for block, rate in blocks:
        if rate != current:
            yield from _flush(stream, channels)
            current = rate
            stream = None if rate == sample_rate else soxr.ResampleStream(rate, sample_rate, channels, dtype="float32")
        if block.shape[1] != channels:
            block = np.repeat(block.mean(axis=1, keepdims=True), channels, axis=1)
        if stream is not None:
            block = stream.resample_chunk(block)
        if len(block):
            yield block
    yield from _flush(stream, channels)


def _flush(stream: Any, channels: int) -> Iterator[FloatArray]:
    if stream is not None:
        rest: FloatArray = stream.resample_chunk(np.zeros((0, channels), dtype=np.float32), last=True)
        if len(rest):
            yield rest
