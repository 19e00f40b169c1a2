"""Resample a signal that arrives in blocks: with soxr, or with the filter of resampy 0.2.2.

soxr is fast and the default. OpenL3 needs the other one: its spectrogram has a dynamic range of 160 dB, so its embeddings depend
on the stop band of the resampler, and the official code used resampy 0.2.2 with ``kaiser_best``. This module computes that filter
as matrix products, with the same table, the same linear interpolation and the same truncations (J. O. Smith, "Digital audio
resampling"; resampy 0.2.2, `interpn.py` and `filters.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import gcd
from typing import Any

import numpy as np

from sonotheque.types import FloatArray

TABLE_STEPS, NUM_ZEROS = 512, 64
ROLLOFF, KAISER_BETA = 0.9475937167399596, 14.769656459379492
"""Parameters of ``kaiser_best``: table entries per zero crossing, zero crossings on each side, cut-off as a fraction of the Nyquist
frequency, and beta of the Kaiser window."""

BATCH_ROWS = 256
"""Input windows that are multiplied with the polyphase matrix at once."""

MIN_OUTPUTS = 64
"""Least number of output samples per window, where the rates allow it: products with narrow matrices are slow."""


def resample_soxr(blocks: Iterable[FloatArray], *, source_rate: int, target_rate: int) -> Iterator[FloatArray]:
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


def resample_kaiser_best(
    blocks: Iterable[np.ndarray[Any, Any]], *, source_rate: int, target_rate: int
) -> Iterator[FloatArray]:
    """Resample mono blocks like resampy 0.2.2 with ``kaiser_best``.

    Products are computed in float64. As in resampy, n samples become ``int(n * target_rate / source_rate)``.

    Parameters
    ----------
    blocks : iterable of float arrays [any]
    source_rate, target_rate : int
        In Hz.

    Yields
    ------
    float32 arrays [n], n >= 1
    """
    down, up, context, matrix, early_weights = _polyphase_matrix(source_rate, target_rate)
    width = len(matrix)
    clock = _ResampyClock(source_rate, target_rate, up)
    samples = np.zeros(context)  # zeros before the first sample
    n_received = n_yielded = 0
    exhausted = False
    source = iter(blocks)
    while True:
        rows = (len(samples) - width) // down + 1
        while rows < BATCH_ROWS and not exhausted:
            block = next(source, None)
            if block is None:
                exhausted = True
                rows = -(-(int(n_received * (target_rate / source_rate)) - n_yielded) // up)
                samples = np.concatenate([samples, np.zeros(max(0, rows * down + width - len(samples)))])
            else:
                n_received += len(block)
                samples = np.concatenate([samples, np.asarray(block, dtype=np.float64)])
                rows = (len(samples) - width) // down + 1
        count = rows if exhausted else BATCH_ROWS
        for start in range(0, count, BATCH_ROWS):
            batch = min(BATCH_ROWS, count - start)
            windows = np.lib.stride_tricks.sliding_window_view(samples, width)[start * down :: down][:batch]
            output = windows @ matrix
            for row in clock.early_rows(batch):
                output[row, 0] = windows[row] @ early_weights
            end = min(output.size, int(n_received * (target_rate / source_rate)) - n_yielded)
            if end > 0:
                yield output.reshape(-1)[:end].astype(np.float32)
                n_yielded += end
        if exhausted:
            return
        samples = samples[count * down :]


RESAMPLERS = {"soxr": resample_soxr, "kaiser_best": resample_kaiser_best}


class _ResampyClock:
    """Reproduce the rounding of resampy's output times.

    resampy accumulates the time of its outputs in float64, so a time may fall just short of a whole input sample. The output is
    then computed from the sample before. The difference matters only if the truncated table step makes the filter asymmetric:
    when downsampling, if target_rate / source_rate is not a multiple of 1 / 512.
    """

    def __init__(self, source_rate: int, target_rate: int, up: int) -> None:
        ratio = float(target_rate) / source_rate
        self._needed = _is_asymmetric(ratio)
        self._increment = 1.0 / ratio
        self._up = up
        self._time = 0.0
        self._whole = 0
        self._down = source_rate // gcd(source_rate, target_rate)

    def early_rows(self, rows: int) -> list[int]:
        """Advance by a number of windows; return those whose first output falls short of a whole input sample."""
        if not self._needed:
            return []
        steps = np.full(rows * self._up + 1, self._increment)
        steps[0] = self._time
        times = np.cumsum(steps)
        self._time = float(times[-1])
        first_times = times[: -1 : self._up]
        whole = self._whole + self._down * np.arange(rows)
        self._whole += self._down * rows
        return [int(row) for row in np.flatnonzero(first_times < whole)]


def _is_asymmetric(ratio: float) -> bool:
    return ratio < 1 and not (ratio * TABLE_STEPS).is_integer()


@lru_cache(maxsize=8)
def _polyphase_matrix(
    source_rate: int, target_rate: int
) -> tuple[int, int, int, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Build the matrix that turns a window of input samples into the output samples of its centre.

    Returns
    -------
    down, up : int
        Input samples between two windows, and output samples of each window.
    context : int
        Input samples that a window has before its centre.
    matrix : float64 array [context + down + context + 2, up]
    early_weights : float64 array [context + down + context + 2]
        Replaces the first column where resampy's time falls short of a whole input sample.
    """
    ratio = float(target_rate) / source_rate
    divisor = gcd(source_rate, target_rate)
    up, down = target_rate // divisor, source_rate // divisor
    if not _is_asymmetric(ratio):
        repeats = -(-MIN_OUTPUTS // up)
        up, down = up * repeats, down * repeats
    scale = min(1.0, ratio)
    step = int(scale * TABLE_STEPS)
    points = np.linspace(0, NUM_ZEROS, TABLE_STEPS * NUM_ZEROS + 1)
    kaiser = np.kaiser(2 * len(points) - 1, KAISER_BETA)[len(points) - 1 :]
    window = ROLLOFF * np.sinc(ROLLOFF * points) * kaiser * scale
    delta = np.append(np.diff(window), 0.0)
    context = len(window) // step + 1
    matrix = np.zeros((down + 2 * context + 2, up + 1))

    def add_taps(column: int, sample: int, fraction: float, direction: int) -> None:
        offset = int(fraction * TABLE_STEPS)
        taps = np.arange((len(window) - offset) // step)
        table = offset + taps * step
        weights = window[table] + (fraction * TABLE_STEPS - offset) * delta[table]
        matrix[sample + context + direction * taps, column] += weights

    for output in range(up):
        sample = output * down // up
        fraction = scale * ((output * down % up) / up)
        add_taps(output, sample, fraction, -1)
        add_taps(output, sample + 1, scale - fraction, 1)
    add_taps(up, -1, scale, -1)
    add_taps(up, 0, 0.0, 1)
    return down, up, context, np.ascontiguousarray(matrix[:, :up]), np.ascontiguousarray(matrix[:, up])
