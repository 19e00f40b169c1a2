"""What a window of some seconds has as a whole: the course of its level, its tempo, its key. Not what single frames have.

librosa has no key, and follows the tempo frame by frame and in whole lags; here one autocorrelation does for a window, and the
period may lie between two lags. Works from what `spectral` returns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonotheque.embed.descriptors.columns import families
from sonotheque.embed.descriptors.filters import Float64Array
from sonotheque.embed.descriptors.spectral import FRAME_RATE
from sonotheque.types import FloatArray

MODULATIONS = ((1.0, 2.0), (3.0, 15.0))
"""Bands of modulation in Hz, at the rates of beats and of syllables (McKinney & Breebaart 2003, "Features for audio and music
classification")."""

MODULATION_FLOOR = 1e-6
"""Least modulation, as a share of the mean's power: -60 dB."""

START_BPM, SPREAD, BPM_RANGE = 120.0, 1.0, (30.0, 300.0)
"""Tempo that is likeliest before one listens, its deviation in octaves (both librosa's), and the tempi considered."""

MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
"""How likely each pitch class is in a key on C (Temperley 2007, "Music and probability", from the corpus of Kostka & Payne). With
the profiles of Krumhansl & Kessler the triad of C major passes for E minor as soon as its C is the weakest note."""

SAME_TEMPO = 0.04
"""Largest difference of two tempi that count as one, the tolerance of MIREX's tempo task (Gouyon et al. 2006)."""

PLAIN = 0.05
"""Deviation of a chroma below which it is too even to show a key; correlations fade below it."""

MAJOR_KEYS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F")
MINOR_KEYS = ("A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F", "C", "G", "D")
"""Tonics along the circle of fifths, named as in the columns of chroma."""


def envelope(rms: Float64Array) -> Float64Array:
    """Describe the course of the level.

    Parameters
    ----------
    rms : float64 array [T], T >= 1
        Root mean square of each analysis frame.

    Returns
    -------
    float64 array [5]
        Slope of the level in dB/s; its range in dB; share of frames below the mean rms (Tzanetakis & Cook 2002); modulation
        in each of `MODULATIONS` in dB of the mean.
    """
    mean = float(rms.mean())
    if mean <= 0:
        return np.array([0, 0, 0, *[10 * np.log10(MODULATION_FLOOR)] * len(MODULATIONS)])
    level = 20 * np.log10(np.maximum(rms, 1e-4 * rms.max()))
    time = (np.arange(len(rms)) - (len(rms) - 1) / 2) / FRAME_RATE
    slope = time @ level / max(time @ time, 1 / FRAME_RATE**2)
    low, high = np.percentile(level, [5, 95])
    taper = np.hanning(len(rms) + 2)[1:-1]
    spectrum = np.abs(np.fft.rfft((rms / mean - 1) * taper)) ** 2 / taper.sum() ** 2
    hz = np.fft.rfftfreq(len(rms), 1 / FRAME_RATE)
    strengths = [spectrum[(hz >= lowest) & (hz < highest)].sum() for lowest, highest in MODULATIONS]
    modulations = 10 * np.log10(np.maximum(strengths, MODULATION_FLOOR))
    return np.array([slope, high - low, np.mean(rms < mean), *modulations])


def tempo(onsets: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Estimate the tempo and how strong the beat is.

    The tempo is the period at which the onsets are most alike, where tempi far from 120 BPM count less (Ellis 2007, "Beat tracking
    by dynamic programming", section 3.2). Between two lags a parabola through three finds the period.

    Parameters
    ----------
    onsets : float array [T]
        Onset strength of each analysis frame.

    Returns
    -------
    bpm : float
        120 where there is no beat.
    strength : float
        Autocorrelation of the onsets at that period, in [0, 1]; how clear the pulse is (Lartillot et al. 2008).
    """
    count = len(onsets)
    slowest = min(round(FRAME_RATE * 60 / BPM_RANGE[0]), count // 2)
    lags = np.arange(round(FRAME_RATE * 60 / BPM_RANGE[1]), slowest)
    smooth = np.convolve(onsets.astype(np.float64), np.hanning(7)[1:-1], mode="same")
    smooth -= smooth.mean()
    if len(lags) == 0 or np.abs(smooth).max() < 1e-3:
        return START_BPM, 0.0
    spectrum = np.fft.rfft(smooth, 2 * count)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)[: slowest + 1] / (count - np.arange(slowest + 1))
    likeness /= likeness[0]
    peaks = lags[(likeness[lags] >= likeness[lags - 1]) & (likeness[lags] >= likeness[lags + 1]) & (likeness[lags] > 0)]
    if len(peaks) == 0:
        return START_BPM, 0.0
    octaves = np.log2(60 * FRAME_RATE / peaks / START_BPM)
    best = int(peaks[np.argmax(likeness[peaks] * np.exp(-0.5 * (octaves / SPREAD) ** 2))])
    before, at, after = likeness[best - 1 : best + 2]
    curve = before - 2 * at + after
    period = best + (0.5 * (before - after) / curve if curve < 0 else 0.0)
    return float(60 * FRAME_RATE / period), float(min(at, 1.0))


def key(chroma: Float64Array) -> Float64Array:
    """Estimate the key, in a form that a classifier can take: without jumps where the circle of fifths closes.

    The chroma is correlated with the profiles of the 24 keys (Krumhansl 1990, "Cognitive foundations of
    musical pitch", chapter 4). A minor key lies where its relative
    major does.

    Parameters
    ----------
    chroma : float64 array [12]
        Mean over the window, from C upwards.

    Returns
    -------
    float64 array [4]
        Cosine and sine of the best key's angle on the circle of fifths, times its clarity; best major less best minor
        correlation; clarity, the best correlation, in [0, 1].
    """
    centred = (chroma - chroma.mean()) / (12 * max(float(chroma.std()), PLAIN))
    profiles = np.array([[np.roll(profile, tonic) for tonic in range(12)] for profile in (MAJOR, MINOR)])
    standard = (profiles - profiles.mean(axis=2, keepdims=True)) / profiles.std(axis=2, keepdims=True)
    strengths = standard @ centred
    major, minor = strengths.max(axis=1)
    tonic = int(strengths[0].argmax()) if major >= minor else int(strengths[1].argmax()) + 3
    clarity = max(major, minor, 0.0)
    angle = 2 * np.pi * (7 * tonic % 12) / 12
    return np.array([clarity * np.cos(angle), clarity * np.sin(angle), major - minor, clarity])


def key_name(vector: FloatArray) -> str | None:
    """Name the key that a vector of descriptors tells of.

    Parameters
    ----------
    vector : float32 array [D]
        Of a window, a segment, or a track: then it is the key that its windows lean to.

    Returns
    -------
    str or None
        Such as ``C major`` or ``F# minor``; None where there is no key, as in silence.

    Examples
    --------
    >>> from sonotheque.embed.descriptors import columns
    >>> vector = np.zeros(len(columns()), np.float32)
    >>> vector[families()["key"]] = [0, 0.8, -0.1, 0.8]
    >>> key_name(vector)
    'F# minor'
    """
    cosine, sine, mode, _ = (float(value) for value in vector[families()["key"]])
    if np.hypot(cosine, sine) < 1e-3:
        return None
    place = round(np.arctan2(sine, cosine) / (2 * np.pi / 12)) % 12
    return f"{MAJOR_KEYS[place]} major" if mode >= 0 else f"{MINOR_KEYS[place]} minor"


def track_tempo(segments: FloatArray) -> tuple[float, float]:
    """Estimate the tempo of a whole track: the one that most of its segments agree on.

    A mean over segments would lie between a tempo and its half where some segments are taken for the other.

    Parameters
    ----------
    segments : float32 array [S, D], S >= 1
        Vectors of descriptors, 10 s each.

    Returns
    -------
    bpm : float
        Mean of the segments that agree, weighted by how strong their beat is.
    strength : float
        Mean beat strength over all segments, where those that disagree count nothing; in [0, 1], 0 where there is no beat.

    Examples
    --------
    >>> from sonotheque.embed.descriptors import columns
    >>> segments = np.zeros((4, len(columns())), np.float32)
    >>> segments[:, families()["tempo"]] = [[120], [121], [60], [120]]
    >>> segments[:, families()["beat_strength"]] = 0.5
    >>> [round(value, 2) for value in track_tempo(segments)]
    [120.33, 0.38]
    """
    bpm = segments[:, families()["tempo"]][:, 0].astype(np.float64)
    weight = np.maximum(segments[:, families()["beat_strength"]][:, 0].astype(np.float64), 1e-9)
    agree = np.abs(bpm[:, None] - bpm) <= SAME_TEMPO * bpm
    best = int((agree * weight).sum(axis=1).argmax())
    chosen = agree[best]
    return float(np.average(bpm[chosen], weights=weight[chosen])), float(weight[chosen].sum() / len(bpm))
