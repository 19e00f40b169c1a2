"""Filter banks and other fixed matrices of the descriptors: Bark bands, chroma, DCT, tonnetz, and derivatives.

They follow librosa 0.11. librosa itself is not imported because that takes 3 s (numba compiles), while the descriptors of 30 s of
music take 0.1 s. The tests compare each function with librosa, except the Bark bands, which librosa does not have.
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
last band is covered only up to 11,025 Hz, half the sampling rate; the 24th band, 12 to 15.5 kHz, lies above that."""

A0_HZ, CENTRE_OCTAVE, OCTAVE_WIDTH = 27.5, 5.0, 2.0
"""Chroma weights frequencies with a Gaussian centred five octaves above A0, at 880 Hz, with a standard deviation of two octaves
(Ellis 2007, "Chroma feature analysis and synthesis")."""

TONNETZ_RADII = (1.0, 1.0, 1.0, 1.0, 0.5, 0.5)
TONNETZ_ANGLES = (7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3)
"""Radius, and angle per semitone in half turns, of the circles of fifths, minor thirds and major thirds (Harte et al. 2006,
"Detecting harmonic change in musical audio")."""

DELTA_WIDTH = 9
"""Number of analysis frames that a derivative is estimated from."""


def hann(n_fft: int) -> Float64Array:
    """Return the periodic Hann window, float64 [n_fft]."""
    window: Float64Array = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return window


def fft_frequencies(*, sample_rate: int, n_fft: int) -> Float64Array:
    """Return the frequency of each bin of a real spectrum in Hz, float64 [n_fft // 2 + 1]."""
    hz: Float64Array = np.arange(n_fft // 2 + 1, dtype=np.float64) * (sample_rate / n_fft)
    return hz


def bark_filters(*, sample_rate: int, n_fft: int) -> FloatArray:
    """Build the filters that turn a power spectrum into the mean square of the signal in each critical band.

    The bands add up to the mean square of the samples, weighted by the Hann window (Parseval's theorem).

    Returns
    -------
    float32 array [23, n_fft // 2 + 1]

    Examples
    --------
    >>> (bark_filters(sample_rate=22050, n_fft=2048) > 0).sum(axis=1)[:5].tolist()
    [10, 9, 9, 10, 10]
    """
    hz = fft_frequencies(sample_rate=sample_rate, n_fft=n_fft)
    band = np.searchsorted(BARK_EDGES, hz, side="right") - 1
    one_sided = np.full(len(hz), 2.0)
    one_sided[[0, -1]] = 1.0
    weights = one_sided / (n_fft * np.sum(hann(n_fft) ** 2))
    filters: FloatArray = ((band == np.arange(len(BARK_EDGES) - 1)[:, None]) * weights).astype(np.float32)
    return filters


def chroma_filters(*, sample_rate: int, n_fft: int) -> FloatArray:
    """Build the filters that turn a power spectrum into 12 pitch classes, like librosa's ``filters.chroma`` for A4 = 440 Hz.

    Returns
    -------
    float32 array [12, n_fft // 2 + 1]
        Pitch classes from C upwards.
    """
    hz = np.arange(1, n_fft) * (sample_rate / n_fft)
    semitones = 12 * np.log2(hz / A0_HZ)
    semitones = np.concatenate([[semitones[0] - 18], semitones])  # as in librosa, 0 Hz lies 1.5 octaves below bin 1
    widths = np.append(np.maximum(np.diff(semitones), 1), 1)
    offsets = np.remainder(semitones - np.arange(12)[:, None] + 6, 12) - 6
    bumps = np.exp(-0.5 * (2 * offsets / widths) ** 2)
    weights = np.exp(-0.5 * ((semitones / 12 - CENTRE_OCTAVE) / OCTAVE_WIDTH) ** 2) / np.linalg.norm(bumps, axis=0)
    from_c: FloatArray = np.roll(bumps * weights, -3, axis=0)[:, : n_fft // 2 + 1].astype(np.float32)
    return from_c


def dct_matrix(*, n_mfcc: int, n_mels: int) -> FloatArray:
    """Return the first rows of the orthonormal type-2 DCT, float32 [n_mfcc, n_mels].

    Examples
    --------
    >>> dct_matrix(n_mfcc=2, n_mels=2).round(3).tolist()
    [[0.7070000171661377, 0.7070000171661377], [0.7070000171661377, -0.7070000171661377]]
    """
    rows = np.cos(np.pi * np.arange(n_mfcc)[:, None] * (2 * np.arange(n_mels) + 1) / (2 * n_mels))
    rows[0] /= np.sqrt(2)
    transform: FloatArray = (rows * np.sqrt(2 / n_mels)).astype(np.float32)
    return transform


def tonnetz_matrix() -> FloatArray:
    """Return the projection of chroma (with sum 1) to tonal centroids, x and y on each of three circles; float32 [6, 12]."""
    shifts = np.tile([0.5, 0.0], 3)  # x is a sine, y a cosine
    angles = np.outer(TONNETZ_ANGLES, np.arange(12)) - shifts[:, None]
    matrix: FloatArray = (np.array(TONNETZ_RADII)[:, None] * np.cos(np.pi * angles)).astype(np.float32)
    return matrix


def delta(rows: Rows, *, order: int) -> Float64Array:
    """Estimate the first or second derivative over time, like librosa's ``feature.delta`` with ``mode="nearest"``.

    A polynomial of the given order is fitted to nine values around each point (Savitzky-Golay filter). The first and the last value
    are repeated beyond the ends.

    Parameters
    ----------
    rows : float array [n, T], T >= 1
    order : int
        Order of the derivative, 1 or 2.

    Returns
    -------
    float64 array [n, T]
        Derivative per time step.

    Examples
    --------
    >>> delta(np.arange(20, dtype=np.float32)[None] * 3, order=1)[0, 9].round(6)
    np.float64(3.0)
    """
    half = DELTA_WIDTH // 2
    fit = np.linalg.pinv(np.vander(np.arange(-half, half + 1.0), order + 1, increasing=True))
    padded = np.pad(rows, ((0, 0), (half, half)), mode="edge")
    derivative: Float64Array = np.lib.stride_tricks.sliding_window_view(padded, DELTA_WIDTH, axis=1) @ (
        factorial(order) * fit[order]
    )
    return derivative
