"""Spectral features of the analysis frames of a window: MFCCs, centroid, contrast, chroma and so on. No statistics over frames.

All features come from one short-time Fourier transform, except the chroma for the key, which needs a finer frequency resolution.
Definitions and constants are those of librosa 0.11, and the tests compare with it. Harmonic-percussive separation, the constant-Q
transform and tuning estimation are left out, because each of them takes longer than everything here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sonotheque.audio.mel import mel_filters
from sonotheque.embed.descriptors.filters import (
    Float64Array,
    Rows,
    bark_filters,
    chroma_filters,
    dct_matrix,
    delta,
    fft_frequencies,
    hann,
    tonnetz_matrix,
)
from sonotheque.types import FloatArray

SAMPLE_RATE, N_FFT, HOP = 22_050, 2048, 512
FRAME_RATE = SAMPLE_RATE / HOP
"""Analysis frames per second."""

KEY_N_FFT, KEY_HOP = 8192, 4096
"""FFT length and hop in samples for the chroma of the key. With 2048 samples the bins are 11 Hz wide, and notes below 350 Hz leak
into neighbouring pitch classes."""

N_MELS, N_MFCC = 128, 20

AMIN = 1e-10
"""Lowest power of a bin (``amin`` in librosa): that of white noise 28 dB below the quantisation noise of 16 bits. It also applies
to the contrast. librosa has no floor there, so that its contrast mainly shows which bins a codec has set to 0."""

TOP_DB = 80.0
"""Levels are limited to this many dB below the highest one of their window, as in librosa."""

AUDIBLE_RATIO = 1e-6
"""Frames whose power is below this fraction of the loudest frame's (-60 dB) are ignored by features of the spectral shape."""

CONTRAST_EDGES = (0, 200, 400, 800, 1600, 3200, 6400, SAMPLE_RATE / 2)
CONTRAST_QUANTILE = 0.02
"""Band edges in Hz, and the fraction of the bins of a band that its peaks and its valleys are averaged over (Jiang et al. 2002,
"Music type classification by spectral contrast feature")."""

ROLL_PERCENT = 0.85

ZERO_THRESHOLD = 1e-10
"""Absolute sample values up to this count as 0 for zero crossings, as in librosa."""

MAX_AMPLITUDE = 1e6
"""Samples are clipped to this, so that powers do not overflow; full scale is 1."""


@dataclass(frozen=True)
class AnalysisFrames:
    """Features of the T analysis frames of a window.

    Attributes
    ----------
    features : mapping of family name to float array [parts, T]
        Features of the spectral shape have fewer columns: they leave out frames below `AUDIBLE_RATIO`, but never all frames.
    rms : float64 array [T]
        Root mean square of the samples of each frame; full scale is 1.
    key_chroma : float64 array [12]
        Mean chroma with the finer frequency resolution; zeros for silence.
    """

    features: dict[str, Rows]
    rms: Float64Array
    key_chroma: Float64Array


class SpectralAnalysis:
    """Compute the features of analysis frames of 93 ms with a hop of 23 ms, all of which lie inside the window."""

    def __init__(self) -> None:
        self._hz = fft_frequencies(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._mel = mel_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS)
        self._dct = dct_matrix(n_mfcc=N_MFCC, n_mels=N_MELS)
        self._bark = bark_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._chroma = chroma_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._key_chroma = chroma_filters(sample_rate=SAMPLE_RATE, n_fft=KEY_N_FFT)
        self._tonnetz = tonnetz_matrix()

    def __call__(self, samples: FloatArray) -> AnalysisFrames:
        """Analyse a window.

        Parameters
        ----------
        samples : float32 array [n], n >= 1
            Mono at 22,050 Hz. A window shorter than a frame is padded with zeros on both sides.
        """
        samples = np.clip(samples, -MAX_AMPLITUDE, MAX_AMPLITUDE)
        frames = cut_frames(samples, N_FFT, HOP)
        power = np.maximum(power_spectrum(frames), AMIN)
        mean_square = np.einsum("tn,tn->t", frames, frames, dtype=np.float64) / N_FFT
        audible = mean_square >= AUDIBLE_RATIO * mean_square.max()

        mel = power_to_db(self._mel @ power.T)
        mfcc = self._dct @ mel
        increase = np.maximum(np.diff(mel, axis=1, prepend=mel[:, :1]), 0)
        features = {
            "mfcc": mfcc,
            "mfcc_delta": delta(mfcc, order=1),
            "mfcc_delta2": delta(mfcc, order=2),
            "bark": power_to_db(self._bark @ power.T),
            "rms": power_to_db(mean_square[None]),
            "onset": increase.mean(axis=0, keepdims=True),
            "zero_crossings": zero_crossing_rate(frames[audible]),
        }
        features |= self._spectral_shape(power[audible])
        return AnalysisFrames(features, np.sqrt(mean_square), self._mean_chroma(samples))

    def _spectral_shape(self, power: FloatArray) -> dict[str, Rows]:
        """Compute the features of power spectra [T, 1025] that do not depend on the level."""
        magnitude = np.sqrt(power)
        chroma = self._chroma @ power.T
        flatness = np.log(power).mean(axis=1) - np.log(power.mean(axis=1))
        return {
            "flatness": flatness[None] * (10 / np.log(10)),
            "contrast": spectral_contrast(magnitude, self._hz),
            "chroma": chroma / chroma.max(axis=0),
            "tonnetz": self._tonnetz @ (chroma / chroma.sum(axis=0)),
            **self._spectral_moments(magnitude.astype(np.float64)),
        }

    def _spectral_moments(self, magnitude: Float64Array) -> dict[str, Rows]:
        """Compute centroid, bandwidth and roll-off of magnitude spectra [T, 1025], in log2 of Hz."""
        sums = np.cumsum(magnitude, axis=1)
        total = sums[:, -1]
        centroid = magnitude @ self._hz / total
        variance = magnitude @ self._hz**2 / total - centroid**2
        rolloff = self._hz[np.argmax(sums >= ROLL_PERCENT * total[:, None], axis=1)]
        moments = {"centroid": centroid, "bandwidth": np.sqrt(np.maximum(variance, 0)), "rolloff": rolloff}
        return {name: np.log2(np.maximum(hz, self._hz[1]))[None] for name, hz in moments.items()}

    def _mean_chroma(self, samples: FloatArray) -> Float64Array:
        """Average the chroma of the audible frames with the finer resolution, each normalised to a maximum of 1."""
        frames = cut_frames(samples, KEY_N_FFT, KEY_HOP)
        chroma = self._key_chroma @ power_spectrum(frames).T
        maximum = chroma.max(axis=0)
        audible = (maximum > 0) & (maximum >= AUDIBLE_RATIO * maximum.max())
        if not audible.any():
            return np.zeros(12)
        mean: Float64Array = (chroma[:, audible] / maximum[audible]).mean(axis=1, dtype=np.float64)
        return mean


def cut_frames(samples: FloatArray, length: int, hop: int) -> FloatArray:
    """Cut samples [n], n >= 1, into frames [T, length], T >= 1; fewer than `length` samples are padded on both sides."""
    missing = max(length - len(samples), 0)
    padded = np.pad(samples, (missing // 2, missing - missing // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def power_spectrum(frames: FloatArray) -> FloatArray:
    """Return the power spectrum of frames [T, n] with a Hann window, float32 [T, n // 2 + 1]."""
    window = hann(frames.shape[1]).astype(np.float32)
    spectrum = np.fft.rfft(frames * window, axis=1)
    power: FloatArray = np.square(spectrum.real) + np.square(spectrum.imag)
    return power


def power_to_db(power: Rows) -> Rows:
    """Convert powers to dB, limited to `AMIN` and to `TOP_DB` below the largest one."""
    level: Rows = 10 * np.log10(np.maximum(power, AMIN))
    limited: Rows = np.maximum(level, level.max() - TOP_DB)
    return limited


def spectral_contrast(magnitude: FloatArray, hz: Float64Array) -> Rows:
    """Return the difference between the peaks and the valleys of each band in dB (10 log10 of magnitudes, as in librosa).

    A band begins with the last bin below its lower edge and ends with the second-last bin below its upper edge, as in librosa.

    Parameters
    ----------
    magnitude : float32 array [T, F]
    hz : float64 array [F]
        Frequency of each bin.

    Returns
    -------
    float32 array [7, T]
    """
    starts = [0, *(np.searchsorted(hz, CONTRAST_EDGES[1:-1]) - 1)]
    peaks, valleys = [], []
    for first, last in zip(starts, [*starts[1:], len(hz)], strict=True):
        ordered = np.sort(magnitude[:, first:last], axis=1)
        n_bins = max(round(CONTRAST_QUANTILE * (last - first + (last < len(hz)))), 1)
        valleys.append(ordered[:, :n_bins].mean(axis=1))
        peaks.append(ordered[:, -n_bins:].mean(axis=1))
    return power_to_db(np.array(peaks)) - power_to_db(np.array(valleys))


def zero_crossing_rate(frames: FloatArray) -> Float64Array:
    """Return the fraction of samples in each frame whose sign differs from that of the previous sample.

    Parameters
    ----------
    frames : float32 array [T, n]

    Returns
    -------
    float64 array [1, T]

    Examples
    --------
    >>> zero_crossing_rate(np.array([[1, -1, -1, 1]], np.float32))
    array([[0.5]])
    """
    negative = frames < -ZERO_THRESHOLD
    rate: Float64Array = np.sum(negative[:, 1:] != negative[:, :-1], axis=1)[None] / frames.shape[1]
    return rate
