"""A window of samples to its analysis frames: what can be read off one short-time spectrum at a time. No statistics.

One Fourier transform serves all but the key, which needs a finer one. Definitions and constants are librosa's (0.11), to which the
tests hold them. Left out: harmonic-percussive separation, constant-Q and the search for a tuning, each of which costs more than
all that is here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sonotheque.audio.mel import mel_filters
from sonotheque.embed.descriptors.filters import (
    Float64Array,
    Rows,
    bark_filters,
    bin_frequencies,
    chroma_filters,
    cosine_transform,
    hann,
    slopes,
    tonnetz_basis,
)
from sonotheque.types import FloatArray

SAMPLE_RATE, N_FFT, HOP = 22_050, 2048, 512
FRAME_RATE = SAMPLE_RATE / HOP
"""Analysis frames per s."""

KEY_FFT, KEY_HOP = 8192, 4096
"""Samples: with 2048 the bins are 11 Hz wide, and notes below 350 Hz spill into their neighbours' pitch classes."""

N_MELS, N_MFCC = 128, 20

FLOOR = 1e-10
"""Least power of a bin, as of a faint white noise, 28 dB below that of 16 bits: librosa's ``amin``. Contrast has none of its own
in librosa, and there tells foremost how deep a codec cut."""

TOP_DB = 80.0
"""A level is taken to be no more than this below the loudest of its window, as in librosa."""

AUDIBLE = 1e-6
"""Share of the loudest frame's power (-60 dB) below which a frame's shape counts for nothing."""

CONTRAST_EDGES = (0, 200, 400, 800, 1600, 3200, 6400, SAMPLE_RATE / 2)
CONTRAST_SHARE = 0.02
"""Of a band's bins, the share that are its peaks and its valleys (Jiang et al. 2002, "Music type classification by spectral
contrast feature")."""

ROLLOFF = 0.85

QUIET = 1e-10
"""Samples up to this are 0 when zero crossings are counted, as in librosa."""

LARGEST = 1e6
"""Samples are held below this, so that powers do not overflow; full scale is 1."""


@dataclass(frozen=True)
class AnalysisFrames:
    """What was read off the T analysis frames of a window.

    Attributes
    ----------
    rows : mapping of family to float array [parts, T]
        Families that tell of the spectrum's shape leave out the frames that are not `AUDIBLE`, but never all.
    rms : float64 array [T]
        Root mean square of the samples of each frame; full scale is 1.
    key_chroma : float64 array [12]
        Mean chroma of the finer spectrum; zeros in silence.
    """

    rows: dict[str, Rows]
    rms: Float64Array
    key_chroma: Float64Array


class SpectralAnalysis:
    """Turns a window of samples into analysis frames of 93 ms, one each 23 ms, none of which reaches beyond the window."""

    def __init__(self) -> None:
        self._hz = bin_frequencies(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._mel = mel_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS)
        self._cosines = cosine_transform(bands=N_MELS, coefficients=N_MFCC)
        self._bark = bark_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._chroma = chroma_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._key_chroma = chroma_filters(sample_rate=SAMPLE_RATE, n_fft=KEY_FFT)
        self._tonnetz = tonnetz_basis()

    def __call__(self, samples: FloatArray) -> AnalysisFrames:
        """Analyse a window.

        Parameters
        ----------
        samples : float32 array [n], n >= 1
            Mono at 22,050 Hz. Fewer than a spectrum takes are padded with zeros on both sides.
        """
        samples = np.clip(samples, -LARGEST, LARGEST)
        frames = cut(samples, N_FFT, HOP)
        power = np.maximum(power_spectrum(frames), FLOOR)
        mean_square = np.einsum("tn,tn->t", frames, frames, dtype=np.float64) / N_FFT
        heard = mean_square >= AUDIBLE * mean_square.max()

        mel = decibels(self._mel @ power.T)
        mfcc = self._cosines @ mel
        growth = np.maximum(np.diff(mel, axis=1, prepend=mel[:, :1]), 0)
        rows = {
            "mfcc": mfcc,
            "mfcc_delta": slopes(mfcc, order=1),
            "mfcc_delta2": slopes(mfcc, order=2),
            "bark": decibels(self._bark @ power.T),
            "rms": decibels(mean_square[None]),
            "onset": growth.mean(axis=0, keepdims=True),
            "zero_crossings": zero_crossings(frames[heard]),
        }
        rows |= self._shape(power[heard])
        return AnalysisFrames(rows, np.sqrt(mean_square), self._mean_chroma(samples))

    def _shape(self, power: FloatArray) -> dict[str, Rows]:
        """Describe the shape of power spectra [T, 1025], whatever their level."""
        magnitude = np.sqrt(power)
        chroma = self._chroma @ power.T
        flatness = np.log(power).mean(axis=1) - np.log(power.mean(axis=1))
        return {
            "flatness": flatness[None] * (10 / np.log(10)),
            "contrast": contrast(magnitude, self._hz),
            "chroma": chroma / chroma.max(axis=0),
            "tonnetz": self._tonnetz @ (chroma / chroma.sum(axis=0)),
            **self._distribution(magnitude.astype(np.float64)),
        }

    def _distribution(self, magnitude: Float64Array) -> dict[str, Rows]:
        """Take magnitude spectra [T, 1025] for distributions over frequency; their places and width in log2 of Hz."""
        sums = np.cumsum(magnitude, axis=1)
        total = sums[:, -1]
        centroid = magnitude @ self._hz / total
        variance = magnitude @ self._hz**2 / total - centroid**2
        rolloff = self._hz[np.argmax(sums >= ROLLOFF * total[:, None], axis=1)]
        widths = {"centroid": centroid, "bandwidth": np.sqrt(np.maximum(variance, 0)), "rolloff": rolloff}
        return {name: np.log2(np.maximum(hz, self._hz[1]))[None] for name, hz in widths.items()}

    def _mean_chroma(self, samples: FloatArray) -> Float64Array:
        """Average the chroma of long spectra, each as loud as the others, over the audible ones."""
        frames = cut(samples, KEY_FFT, KEY_HOP)
        chroma = self._key_chroma @ power_spectrum(frames).T
        loudest = chroma.max(axis=0)
        heard = (loudest > 0) & (loudest >= AUDIBLE * loudest.max())
        if not heard.any():
            return np.zeros(12)
        mean: Float64Array = (chroma[:, heard] / loudest[heard]).mean(axis=1, dtype=np.float64)
        return mean


def cut(samples: FloatArray, length: int, hop: int) -> FloatArray:
    """Cut samples [n], n >= 1, into frames [T, length], T >= 1; fewer than `length` are padded on both sides."""
    missing = max(length - len(samples), 0)
    padded = np.pad(samples, (missing // 2, missing - missing // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def power_spectrum(frames: FloatArray) -> FloatArray:
    """Return the power of frames [T, n] under a Hann window, float32 [T, n // 2 + 1]."""
    window = hann(frames.shape[1]).astype(np.float32)
    spectrum = np.fft.rfft(frames * window, axis=1)
    power: FloatArray = np.square(spectrum.real) + np.square(spectrum.imag)
    return power


def decibels(power: Rows) -> Rows:
    """Return powers in dB, none below `FLOOR` nor more than `TOP_DB` below the greatest of all."""
    level: Rows = 10 * np.log10(np.maximum(power, FLOOR))
    held: Rows = np.maximum(level, level.max() - TOP_DB)
    return held


def contrast(magnitude: FloatArray, hz: Float64Array) -> Rows:
    """Return how far a band's peaks stand above its valleys, in dB of magnitudes.

    A band begins with the last bin below its edge and ends with the last but one below the next, as in librosa.

    Parameters
    ----------
    magnitude : float32 array [T, bins]
    hz : float64 array [bins]

    Returns
    -------
    float32 array [7, T]
    """
    starts = [0, *(np.searchsorted(hz, CONTRAST_EDGES[1:-1]) - 1)]
    peaks, valleys = [], []
    for first, last in zip(starts, [*starts[1:], len(hz)], strict=True):
        ordered = np.sort(magnitude[:, first:last], axis=1)
        share = max(round(CONTRAST_SHARE * (last - first + (last < len(hz)))), 1)
        valleys.append(ordered[:, :share].mean(axis=1))
        peaks.append(ordered[:, -share:].mean(axis=1))
    return decibels(np.array(peaks)) - decibels(np.array(valleys))


def zero_crossings(frames: FloatArray) -> Float64Array:
    """Return the share of samples whose sign differs from that of the sample before, in each frame.

    Parameters
    ----------
    frames : float32 array [T, n]

    Returns
    -------
    float64 array [1, T]

    Examples
    --------
    >>> zero_crossings(np.array([[1, -1, -1, 1]], np.float32))
    array([[0.5]])
    """
    negative = frames < -QUIET
    shares: Float64Array = np.sum(negative[:, 1:] != negative[:, :-1], axis=1)[None] / frames.shape[1]
    return shares
