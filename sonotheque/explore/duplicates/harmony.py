"""Compare the chord sequences of two recordings: covers and live versions keep them, in another key or tempo perhaps.

The method is Qmax (Serrà, Serra & Andrzejak 2009, "Cross recurrence quantification for cover song identification") on chroma: both
sequences are transposed to the same key, embedded in time, and the longest path of mutual nearest neighbours is found, which may
bend where the tempo differs and be interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from sonotheque.audio.fingerprint import FINGERPRINT_SECONDS, Fingerprint, FingerprintMethod, read_start
from sonotheque.audio.source import Source
from sonotheque.embed.descriptors.filters import chroma_filters
from sonotheque.types import BoolArray, Float64Array, FloatArray

SAMPLE_RATE, N_FFT, HOP = 11_025, 8192, 4096
"""In samples: the frame is 0.74 s, the hop 0.37 s."""

EMBEDDED_FRAMES = 9
"""Frames that are compared together (m of Serrà et al.): 3.7 s."""

NEAREST = 0.095
"""Fraction of the frames that count as nearest (kappa)."""

PENALTY = 0.5
"""Cost of a frame at which a path is interrupted (gamma)."""

N_TRANSPOSITIONS = 2
"""Transpositions that are tried: those with the most similar mean chroma."""

MIN_FRAMES = 3 * EMBEDDED_FRAMES
"""Shortest chroma sequence that is compared: 10 s."""


def compute_chroma(source: Source) -> Fingerprint:
    """Compute the chroma of the first two minutes of a recording.

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    uint32 array [3 * T]
        The 12 pitch classes of each frame of 0.37 s, one byte each, so that they are stored like fingerprints; see `unpack_chroma`.

    Raises
    ------
    AudioError
        If the recording cannot be read.
    """
    samples = read_start(source, sample_rate=SAMPLE_RATE, seconds=FINGERPRINT_SECONDS)
    if len(samples) < N_FFT:
        return np.zeros(0, np.uint32)
    import scipy.fft

    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    spectrum = scipy.fft.rfft(frames * np.hanning(N_FFT + 1)[:-1].astype(np.float32), axis=1)
    magnitude = np.sqrt(np.square(spectrum.real) + np.square(spectrum.imag))
    chroma = magnitude @ _filters()
    maximum = chroma.max(axis=1, keepdims=True)
    quantised = np.round(255 * chroma / np.where(maximum > 0, maximum, 1)).astype(np.uint8)
    packed: Fingerprint = np.ascontiguousarray(quantised).view("<u4").astype(np.uint32).ravel()
    return packed


@cache
def _filters() -> FloatArray:
    return chroma_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT).T.copy()


def unpack_chroma(packed: Fingerprint) -> Float64Array:
    """Return the chroma that `compute_chroma` has packed, float64 [T, 12], with a maximum of 1 in each frame that is not silent."""
    return packed.astype("<u4").view(np.uint8).reshape(-1, 12) / 255


CHROMA = FingerprintMethod("chroma@1", HOP / SAMPLE_RATE, compute_chroma)


@dataclass(frozen=True)
class HarmonyMatch:
    """How similar two chord sequences are.

    Attributes
    ----------
    score : float
        Length of the longest common path relative to the shorter sequence, from 0 to 1.
    transposition : int
        Semitones from the first to the second, from -5 to 6.
    """

    score: float
    transposition: int


def match_harmony(first: Float64Array, second: Float64Array) -> HarmonyMatch | None:
    """Find the longest common chord sequence of two recordings.

    Parameters
    ----------
    first, second : float64 arrays [T, 12] and [U, 12]
        Chroma.

    Returns
    -------
    HarmonyMatch or None
        None if one has fewer than `MIN_FRAMES` frames that are not silent.
    """
    first, second = (chroma[chroma.any(axis=1)] for chroma in (first, second))
    if min(len(first), len(second)) < MIN_FRAMES:
        return None
    means = first.mean(axis=0), second.mean(axis=0)
    similar = np.array([np.roll(means[0], shift) @ means[1] for shift in range(12)])
    best = HarmonyMatch(-1.0, 0)
    for shift in np.argsort(-similar, kind="stable")[:N_TRANSPOSITIONS].tolist():
        score = _longest_path(_recurrence(np.roll(first, shift, axis=1), second)) / min(len(first), len(second))
        if score > best.score:
            best = HarmonyMatch(score, shift - 12 if shift > 6 else shift)
    return HarmonyMatch(round(min(best.score, 1.0), 4), best.transposition)


def _recurrence(first: Float64Array, second: Float64Array) -> BoolArray:
    """Return which embedded frames are mutual nearest neighbours, bool [T', U']."""
    from scipy.spatial.distance import cdist

    one, two = (_embed(chroma) for chroma in (first, second))
    distance = cdist(one, two)
    rows = np.quantile(distance, NEAREST, axis=1, keepdims=True)
    columns = np.quantile(distance, NEAREST, axis=0, keepdims=True)
    mutual: BoolArray = (distance <= rows) & (distance <= columns)
    return mutual


def _embed(chroma: Float64Array) -> npt.NDArray[np.float64]:
    windows = np.lib.stride_tricks.sliding_window_view(chroma, EMBEDDED_FRAMES, axis=0)
    return windows.reshape(len(windows), -1)


def _longest_path(recurrence: BoolArray) -> float:
    """Return Qmax: the length of the longest path, with tempo changes up to a factor of two and penalised interruptions."""
    before, last = np.zeros((2, recurrence.shape[1] + 2))  # two rows, with two columns of zeros to the left
    longest = 0.0
    for row in recurrence:
        reached = np.maximum(np.maximum(last[1:-1], before[1:-1]), last[:-2])
        path = np.where(row, reached + 1, np.maximum(reached - PENALTY, 0))
        longest = max(longest, float(path.max()))
        before, last = last, np.concatenate([[0, 0], path])
    return longest
