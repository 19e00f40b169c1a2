"""Key of a recording from its pitch classes.

The spectral peaks of all frames are summed in a histogram of pitches modulo one octave (Gómez 2006, "Tonal description of
polyphonic audio for music content processing": the harmonic pitch class profile). The instruments' common deviation from A4 = 440
Hz is found in it and corrected. The key is the one whose profile correlates best with the 12 pitch classes (Krumhansl 1990,
"Cognitive foundations of musical pitch", chapter 4), with the profiles of Temperley (2007, "Music and probability").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.descriptors.rhythm_tonal import MAJOR_PROFILE, MINOR_PROFILE
from sonotheque.errors import ParameterError
from sonotheque.types import Float64Array, FloatArray

SAMPLE_RATE, N_FFT, HOP = 11_025, 4096, 4096

LOWEST_HZ, HIGHEST_HZ = 55.0, 2000.0
"""Range of the peaks. Below A1, two semitones are in the same bin; above 2 kHz, there are mostly overtones."""

MIN_RELATIVE_PEAK, MIN_PEAK = 0.02, 1e-4
"""Minimum amplitude of a peak relative to the largest one of its frame, and absolutely (full scale is 1): -34 and -80 dB."""

BINS_PER_SEMITONE = 10
N_BINS = 12 * BINS_PER_SEMITONE

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS = (*(f"{tonic} major" for tonic in TONICS), *(f"{tonic} minor" for tonic in TONICS))
"""Names of the 24 keys, always with sharps."""

CLEAR_MARGIN = 0.2
"""The key is unambiguous if its correlation exceeds that of every other key by this much."""

MIN_VARIATION = 0.3
"""Minimum standard deviation of the 12 pitch classes relative to their mean. Below it, the classes are too even to show a key, and
the correlations are scaled down."""


class PitchHistogram:
    """Histogram of the pitches of a recording that arrives in blocks, modulo one octave."""

    def __init__(self) -> None:
        self._window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
        self._first, self._last = (round(hz * N_FFT / SAMPLE_RATE) for hz in (LOWEST_HZ, HIGHEST_HZ))
        self._histogram = np.zeros(N_BINS)

    def add(self, samples: FloatArray) -> None:
        """Add the frames of a block. All frames with a peak have the same weight.

        Parameters
        ----------
        samples : float32 array [n], n >= N_FFT
            Mono at 11,025 Hz. Each block starts one hop after the start of the last frame of the block before.
        """
        import scipy.fft

        frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
        spectrum = scipy.fft.rfft(frames * self._window, axis=1)[:, self._first - 1 : self._last + 1]
        amplitude = np.sqrt(np.square(spectrum.real) + np.square(spectrum.imag)) * np.float32(4 / N_FFT)
        middle = amplitude[:, 1:-1]
        required = np.maximum(MIN_RELATIVE_PEAK * middle.max(axis=1, keepdims=True), MIN_PEAK)
        is_peak = (middle > amplitude[:, :-2]) & (middle >= amplitude[:, 2:]) & (middle >= required)
        frame, column = np.nonzero(is_peak)
        before, peak, after = (
            np.log(np.maximum(amplitude[frame, column + shift], 1e-12).astype(np.float64)) for shift in (0, 1, 2)
        )
        offset = 0.5 * (before - after) / (before - 2 * peak + after)
        hz = (self._first + column + offset) * (SAMPLE_RATE / N_FFT)
        semitone = 69 + 12 * np.log2(hz / 440)
        bins = np.floor(semitone * BINS_PER_SEMITONE + 0.5).astype(np.int64) % N_BINS
        weight = np.exp(
            0.5 * peak
        )  # the square root of the amplitude, so that the loudest note does not hide the others
        total = np.bincount(frame, weights=weight, minlength=len(frames))
        self._histogram += np.bincount(bins, weights=weight / total[frame], minlength=N_BINS)

    def histogram(self) -> Float64Array:
        """Return the sum over the frames in steps of 10 cents from C upwards, float64 [120]."""
        return self._histogram


def pitch_classes(histogram: Float64Array) -> Float64Array:
    """Sum a histogram of pitches to 12 pitch classes, corrected for the tuning.

    Parameters
    ----------
    histogram : float64 array [120]
        From C upwards, in steps of 10 cents.

    Returns
    -------
    float64 array [12]
        From C upwards. Pitches between two semitones count less.
    """
    cents = np.arange(N_BINS) / BINS_PER_SEMITONE
    tuning = np.angle(np.sum(histogram * np.exp(2j * np.pi * cents))) / (2 * np.pi)
    semitone = cents - tuning
    nearest = np.round(semitone)
    weights = histogram * np.cos(np.pi * (semitone - nearest)) ** 2
    return np.bincount(nearest.astype(np.int64) % 12, weights=weights, minlength=12).astype(np.float64)


@dataclass(frozen=True)
class Key:
    """The name of a key, None if there are no pitches, and its confidence in [0, 1]; 0 without pitches."""

    name: str | None
    confidence: float


def estimate_key(classes: Float64Array) -> Key:
    """Estimate the key of a recording.

    Parameters
    ----------
    classes : float64 array [12]
        Strength of each pitch class, from C upwards.

    Returns
    -------
    Key
        The confidence is the correlation with the key's profile, times the margin by which it exceeds the next best key,
        relative to `CLEAR_MARGIN` and at most 1.

    Examples
    --------
    >>> key = estimate_key(np.array([5, 0, 3, 0, 4, 2, 0, 5, 0, 2, 0, 2.0]))
    >>> key.name, round(key.confidence, 2)
    ('C major', 0.99)
    """
    if classes.sum() <= 0:
        return Key(None, 0.0)
    centred = (classes - classes.mean()) / (12 * max(float(classes.std()), MIN_VARIATION * float(classes.mean())))
    profiles = np.array([np.roll(profile, tonic) for profile in (MAJOR_PROFILE, MINOR_PROFILE) for tonic in range(12)])
    standardised = (profiles - profiles.mean(axis=1, keepdims=True)) / profiles.std(axis=1, keepdims=True)
    correlations = standardised @ centred
    second, best = np.sort(correlations)[-2:]
    confidence = max(float(best), 0.0) * min((best - second) / CLEAR_MARGIN, 1.0)
    return Key(KEYS[int(correlations.argmax())], float(confidence))


def parse_key(name: str) -> str:
    """Return the key with a name, spelt as in `KEYS`. Flats, German H and the letter alone are understood.

    Raises
    ------
    ParameterError
        If it is not a key.

    Examples
    --------
    >>> parse_key("a minor"), parse_key("Bb major"), parse_key("f#m"), parse_key("C")
    ('A minor', 'A# major', 'F# minor', 'C major')
    """
    found = re.fullmatch(r"\s*([a-hA-H])\s*(#|♯|b|♭)?\s*[- ]?\s*(major|minor|maj|min|m|dur|moll)?\s*", name)
    if found:
        letter, accidental, mode = found.groups()
        pitch = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "H": 11}[letter.upper()]
        pitch += {"#": 1, "♯": 1, "b": -1, "♭": -1}.get(accidental or "", 0)
        return f"{TONICS[pitch % 12]} {'minor' if mode in {'minor', 'min', 'm', 'moll'} else 'major'}"
    raise ParameterError(f"key={name!r}: not a key; write one like 'A minor' or 'F# major'")
