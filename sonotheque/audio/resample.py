"""Resampling of a stream, in two ways: soxr for speed, and the filter of resampy 0.2.2 for numbers.

OpenL3's spectrogram keeps 160 dB of range, so its vectors show a resampler's stop band; the official code used
resampy 0.2.2 with ``kaiser_best``. Here that filter is one matrix product for each block: same table, same linear
interpolation, same truncations (J. O. Smith, "Digital audio resampling", and resampy 0.2.2, `interpn.py` and `filters.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np

from sonotheque.types import FloatArray

PRECISION, ZEROS = 512, 64
ROLLOFF, BETA = 0.9475937167399596, 14.769656459379492
"""The filter ``kaiser_best``: table steps and zero crossings on one side, cut-off as a share of Nyquist, Kaiser's beta."""

ROWS = 256
"""Blocks of the polyphase matrix that are multiplied at once."""

NARROW = 64
"""Outputs that a block has at least, where it may have more than the ratio needs: a narrow matrix multiplies slowly."""


def soxr_blocks(blocks: Iterable[FloatArray], *, source_rate: int, target_rate: int) -> Iterator[FloatArray]:
    """Resample mono blocks with soxr, quality HQ.

    Parameters
    ----------
    blocks : iterable of float32 arrays [any]
    source_rate, target_rate : int
        In Hz.

    Yields
    ------
    float32 arrays [n], n >= 1
    """
    import soxr

    stream: Any = soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality="HQ")
    for block in blocks:
        resampled: FloatArray = stream.resample_chunk(block)
        if len(resampled):
            yield resampled
    rest: FloatArray = stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)
    if len(rest):
        yield rest


def kaiser_blocks(
    blocks: Iterable[np.ndarray[Any, Any]], *, source_rate: int, target_rate: int
) -> Iterator[FloatArray]:
    """Resample mono blocks as resampy 0.2.2 does with ``kaiser_best``.

    Products run in float64. The length is ``int(n * target_rate / source_rate)``, as there.

    Parameters
    ----------
    blocks : iterable of float arrays [any]
    source_rate, target_rate : int
        In Hz.

    Yields
    ------
    float32 arrays [n], n >= 1
    """
    down, up, reach, matrix, below = _polyphase(source_rate, target_rate)
    width = len(matrix)
    clock = _Clock(source_rate, target_rate, up)
    samples = np.zeros(reach)  # what lies before the first sample
    received = given = 0
    exhausted = False
    source = iter(blocks)
    while True:
        rows = (len(samples) - width) // down + 1
        while rows < ROWS and not exhausted:
            block = next(source, None)
            if block is None:
                exhausted = True
                rows = -(-(int(received * (target_rate / source_rate)) - given) // up)
                samples = np.concatenate([samples, np.zeros(max(0, rows * down + width - len(samples)))])
            else:
                received += len(block)
                samples = np.concatenate([samples, np.asarray(block, dtype=np.float64)])
                rows = (len(samples) - width) // down + 1
        count = rows if exhausted else ROWS
        for start in range(0, count, ROWS):
            part = min(ROWS, count - start)
            windows = np.lib.stride_tricks.sliding_window_view(samples, width)[start * down :: down][:part]
            output = windows @ matrix
            for row in clock.early(part):
                output[row, 0] = windows[row] @ below
            end = min(output.size, int(received * (target_rate / source_rate)) - given)
            if end > 0:
                yield output.reshape(-1)[:end].astype(np.float32)
                given += end
        if exhausted:
            return
        samples = samples[count * down :]


RESAMPLERS = {"soxr": soxr_blocks, "kaiser_best": kaiser_blocks}


class _Clock:
    """resampy adds up its time in float64, one output after another; the sum may fall just short of a whole input sample.

    There the output is made from the sample before. That matters only where the truncated table step makes the
    filter asymmetric: for rates above the target whose ratio to it is no multiple of 1 / 512.
    """

    def __init__(self, source_rate: int, target_rate: int, up: int) -> None:
        ratio = float(target_rate) / source_rate
        self._needed = _asymmetric(ratio)
        self._increment = 1.0 / ratio
        self._up = up
        self._time = 0.0
        self._whole = 0
        self._down = source_rate // gcd(source_rate, target_rate)

    def early(self, rows: int) -> list[int]:
        """Advance by so many blocks and say which of them begin early."""
        if not self._needed:
            return []
        steps = np.full(rows * self._up + 1, self._increment)
        steps[0] = self._time
        times = np.cumsum(steps)
        self._time = float(times[-1])
        begins = times[: -1 : self._up]
        whole = self._whole + self._down * np.arange(rows)
        self._whole += self._down * rows
        return [int(row) for row in np.flatnonzero(begins < whole)]


def _asymmetric(ratio: float) -> bool:
    return ratio < 1 and not (ratio * PRECISION).is_integer()


@lru_cache(maxsize=8)
def _polyphase(source_rate: int, target_rate: int) -> tuple[int, int, int, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Lay out the filter as a matrix that turns one block of inputs with its surroundings into one of outputs.

    Returns
    -------
    down, up : int
        Inputs and outputs of a block.
    reach : int
        Inputs that the matrix sees before the block.
    matrix : float64 array [reach + down + reach + 2, up]
    below : float64 array [reach + down + reach + 2]
        The first output where resampy's clock falls short of it.
    """
    ratio = float(target_rate) / source_rate
    divisor = gcd(source_rate, target_rate)
    up, down = target_rate // divisor, source_rate // divisor
    if not _asymmetric(ratio):
        repeats = -(-NARROW // up)
        up, down = up * repeats, down * repeats
    scale = min(1.0, ratio)
    step = int(scale * PRECISION)
    points = np.linspace(0, ZEROS, PRECISION * ZEROS + 1)
    window = ROLLOFF * np.sinc(ROLLOFF * points) * np.kaiser(2 * len(points) - 1, BETA)[len(points) - 1 :] * scale
    delta = np.append(np.diff(window), 0.0)
    reach = len(window) // step + 1
    matrix = np.zeros((down + 2 * reach + 2, up + 1))

    def lay(column: int, sample: int, fraction: float, direction: int) -> None:
        offset = int(fraction * PRECISION)
        taps = np.arange((len(window) - offset) // step)
        table = offset + taps * step
        weights = window[table] + (fraction * PRECISION - offset) * delta[table]
        matrix[sample + reach + direction * taps, column] += weights

    for output in range(up):
        sample = output * down // up
        fraction = scale * ((output * down % up) / up)
        lay(output, sample, fraction, -1)
        lay(output, sample + 1, scale - fraction, 1)
    lay(up, -1, scale, -1)
    lay(up, 0, 0.0, 1)
    return down, up, reach, np.ascontiguousarray(matrix[:, :up]), np.ascontiguousarray(matrix[:, up])
