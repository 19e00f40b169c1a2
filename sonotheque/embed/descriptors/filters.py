"""The fixed matrices of the descriptors: bins of a spectrum to bands and pitch classes, chroma to tonnetz, slopes. No audio here.

Written out after librosa 0.11, because importing librosa takes 3 s (numba compiles) where the descriptors of 30 s of music take
0.1 s; the tests hold each to librosa, but the Bark bands, which it lacks.
"""

from __future__ import annotations

from math import factorial

import numpy as np
import numpy.typing as npt

from sonotheque.types import FloatArray

Float64Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating]

BARK_EDGES = (
    0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300, 6400, 7700, 9500,
    12_000,
)  # fmt: skip
"""Edges of the first 23 critical bands in Hz (Zwicker 1961, "Subdivision of the audible frequency range into critical bands"). The
last is heard up to 11,025 Hz, half our sampling rate; the 24th band, 12 to 15.5 kHz, lies above it."""

LOWEST_A, CENTRE_OCTAVE, OCTAVES = 27.5, 5.0, 2.0
"""Chroma listens around 880 Hz, five octaves above this A in Hz, with a deviation of two octaves (Ellis 2007, "Chroma feature
analysis and synthesis")."""

RADII = (1.0, 1.0, 1.0, 1.0, 0.5, 0.5)
TURNS = (7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3)
"""Half turns for each semitone, on the circles of fifths, minor and major thirds (Harte et al. 2006, "Detecting harmonic change in
musical audio")."""

SLOPE_WIDTH = 9
"""Analysis frames to which a slope is fitted."""


def hann(n_fft: int) -> Float64Array:
    """Return the periodic Hann window, float64 [n_fft]."""
    window: Float64Array = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return window


def bin_frequencies(*, sample_rate: int, n_fft: int) -> Float64Array:
    """Return the frequency of each bin of a real spectrum in Hz, float64 [n_fft // 2 + 1]."""
    hz: Float64Array = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)
    return hz


def bark_filters(*, sample_rate: int, n_fft: int) -> FloatArray:
    """Sum a power spectrum to mean squares in critical bands.

    They add up to the mean square of the samples that the spectrum was made of, weighted by the Hann window (Parseval).

    Returns
    -------
    float32 array [23, n_fft // 2 + 1]

    Examples
    --------
    >>> (bark_filters(sample_rate=22050, n_fft=2048) > 0).sum(axis=1)[:5].tolist()
    [10, 9, 9, 10, 10]
    """
    hz = bin_frequencies(sample_rate=sample_rate, n_fft=n_fft)
    band = np.searchsorted(BARK_EDGES, hz, side="right") - 1
    sides = np.full(len(hz), 2.0)
    sides[[0, -1]] = 1.0
    weights = sides / (n_fft * np.sum(hann(n_fft) ** 2))
    filters: FloatArray = ((band == np.arange(len(BARK_EDGES) - 1)[:, None]) * weights).astype(np.float32)
    return filters


def chroma_filters(*, sample_rate: int, n_fft: int) -> FloatArray:
    """Sum a power spectrum to pitch classes, as librosa's ``filters.chroma`` does with a tuning of 440 Hz.

    Returns
    -------
    float32 array [12, n_fft // 2 + 1]
        From C upwards.
    """
    hz = np.arange(1, n_fft) * (sample_rate / n_fft)
    semitones = 12 * np.log2(hz / LOWEST_A)
    semitones = np.concatenate([[semitones[0] - 18], semitones])  # the bin at 0 Hz: an octave and a half below the next
    widths = np.append(np.maximum(np.diff(semitones), 1), 1)
    offsets = np.remainder(semitones - np.arange(12)[:, None] + 6, 12) - 6
    bumps = np.exp(-0.5 * (2 * offsets / widths) ** 2)
    weights = np.exp(-0.5 * ((semitones / 12 - CENTRE_OCTAVE) / OCTAVES) ** 2) / np.linalg.norm(bumps, axis=0)
    from_c: FloatArray = np.roll(bumps * weights, -3, axis=0)[:, : n_fft // 2 + 1].astype(np.float32)
    return from_c


def cosine_transform(*, bands: int, coefficients: int) -> FloatArray:
    """Return the first rows of the orthonormal cosine transform (type 2), float32 [coefficients, bands].

    Examples
    --------
    >>> cosine_transform(bands=2, coefficients=2).round(3).tolist()
    [[0.7070000171661377, 0.7070000171661377], [0.7070000171661377, -0.7070000171661377]]
    """
    rows = np.cos(np.pi * np.arange(coefficients)[:, None] * (2 * np.arange(bands) + 1) / (2 * bands))
    rows[0] /= np.sqrt(2)
    transform: FloatArray = (rows * np.sqrt(2 / bands)).astype(np.float32)
    return transform


def tonnetz_basis() -> FloatArray:
    """Project chroma, of sum 1, to tonal centroids: three circles, x and y of each. float32 [6, 12]."""
    shifts = np.tile([0.5, 0.0], 3)  # x is a sine, y a cosine
    angles = np.outer(TURNS, np.arange(12)) - shifts[:, None]
    basis: FloatArray = (np.array(RADII)[:, None] * np.cos(np.pi * angles)).astype(np.float32)
    return basis


def slopes(rows: Rows, *, order: int) -> Float64Array:
    """Return the first or second derivative over time of the polynomial of that order through nine values, librosa's ``delta``.

    Before the first and after the last value, that value is taken to go on.

    Parameters
    ----------
    rows : float array [n, T], T >= 1
    order : int
        1 or 2.

    Returns
    -------
    float64 array [n, T]
        Per step in time.

    Examples
    --------
    >>> slopes(np.arange(20, dtype=np.float32)[None] * 3, order=1)[0, 9].round(6)
    np.float64(3.0)
    """
    half = SLOPE_WIDTH // 2
    fit = np.linalg.pinv(np.vander(np.arange(-half, half + 1.0), order + 1, increasing=True))
    padded = np.pad(rows, ((0, 0), (half, half)), mode="edge")
    derivative: Float64Array = np.lib.stride_tricks.sliding_window_view(padded, SLOPE_WIDTH, axis=1) @ (
        factorial(order) * fit[order]
    )
    return derivative
