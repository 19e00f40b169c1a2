"""Descriptors of a whole window: level envelope, tempo and key. They are computed from the analysis frames of `spectral`.

librosa has no key estimation, and its tempo estimation works frame by frame with integer lags. Here the tempo comes from one
autocorrelation of the window, and the period may lie between two lags.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonotheque.embed.descriptors.columns import family_slices
from sonotheque.embed.descriptors.filters import Float64Array
from sonotheque.embed.descriptors.spectral import FRAME_RATE
from sonotheque.types import FloatArray

MODULATION_BANDS = ((1.0, 2.0), (3.0, 15.0))
"""Modulation frequencies in Hz, at the rates of beats and of syllables (McKinney & Breebaart 2003, "Features for audio and music
classification")."""

MODULATION_FLOOR = 1e-6
"""Lowest modulation power relative to the power of the mean: -60 dB."""

START_BPM, STD_BPM, BPM_RANGE = 120.0, 1.0, (30.0, 300.0)
"""Mean of the prior over tempi and its standard deviation in octaves (both as in librosa), and the range of tempi."""

MAJOR_PROFILE = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR_PROFILE = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
"""Probability of each pitch class in a key with tonic C (Temperley 2007, "Music and probability", from the corpus of Kostka &
Payne). With the profiles of Krumhansl & Kessler, a C major triad is recognised as E minor as soon as C is its weakest note."""

TEMPO_TOLERANCE = 0.04
"""Largest relative difference of two tempi that count as equal, the tolerance of the MIREX tempo task (Gouyon et al. 2006)."""

MIN_CHROMA_STD = 0.05
"""If the standard deviation of a chroma vector is smaller, the vector is too flat to show a key, and correlations are scaled
down."""

MAJOR_TONICS = ("C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F")
MINOR_TONICS = ("A", "E", "B", "F#", "C#", "G#", "D#", "A#", "F", "C", "G", "D")
"""Tonics along the circle of fifths, named like the chroma columns."""


def describe_envelope(rms: Float64Array) -> Float64Array:
    """Compute statistics of the level over time.

    Parameters
    ----------
    rms : float64 array [T], T >= 1
        Root mean square of each analysis frame.

    Returns
    -------
    float64 array [5]
        Slope of the level in dB/s; its range in dB; fraction of frames below the mean rms (Tzanetakis & Cook 2002); modulation
        in each of `MODULATION_BANDS` in dB relative to the mean.
    """
    mean = float(rms.mean())
    if mean <= 0:
        return np.array([0, 0, 0, *[10 * np.log10(MODULATION_FLOOR)] * len(MODULATION_BANDS)])
    level = 20 * np.log10(np.maximum(rms, 1e-4 * rms.max()))
    time = (np.arange(len(rms)) - (len(rms) - 1) / 2) / FRAME_RATE
    slope = time @ level / max(time @ time, 1 / FRAME_RATE**2)
    low, high = np.percentile(level, [5, 95])
    taper = np.hanning(len(rms) + 2)[1:-1]
    spectrum = np.abs(np.fft.rfft((rms / mean - 1) * taper)) ** 2 / taper.sum() ** 2
    hz = np.fft.rfftfreq(len(rms), 1 / FRAME_RATE)
    powers = [spectrum[(hz >= lowest) & (hz < highest)].sum() for lowest, highest in MODULATION_BANDS]
    modulations = 10 * np.log10(np.maximum(powers, MODULATION_FLOOR))
    return np.array([slope, high - low, np.mean(rms < mean), *modulations])


def estimate_tempo(onset_strength: npt.NDArray[np.floating]) -> tuple[float, float]:
    """Estimate the tempo and the strength of the beat.

    The beat period is the lag at which the autocorrelation of the onset strength, weighted by a prior around 120 BPM, is largest
    (Ellis 2007, "Beat tracking by dynamic programming", section 3.2). A parabola through three lags refines it.

    Parameters
    ----------
    onset_strength : float array [T]
        Onset strength of each analysis frame.

    Returns
    -------
    bpm : float
        120 if there is no beat.
    strength : float
        Autocorrelation of the onset strength at the beat period, in [0, 1]; it measures the clarity of the pulse (Lartillot et
        al. 2008).
    """
    count = len(onset_strength)
    max_lag = min(round(FRAME_RATE * 60 / BPM_RANGE[0]), count // 2)
    lags = np.arange(round(FRAME_RATE * 60 / BPM_RANGE[1]), max_lag)
    smooth = np.convolve(onset_strength.astype(np.float64), np.hanning(7)[1:-1], mode="same")
    smooth -= smooth.mean()
    if len(lags) == 0 or np.abs(smooth).max() < 1e-3:
        return START_BPM, 0.0
    spectrum = np.fft.rfft(smooth, 2 * count)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: max_lag + 1] / (count - np.arange(max_lag + 1))
    correlation /= correlation[0]
    at_lags = correlation[lags]
    peaks = lags[(at_lags >= correlation[lags - 1]) & (at_lags >= correlation[lags + 1]) & (at_lags > 0)]
    if len(peaks) == 0:
        return START_BPM, 0.0
    octaves = np.log2(60 * FRAME_RATE / peaks / START_BPM)
    best = int(peaks[np.argmax(correlation[peaks] * np.exp(-0.5 * (octaves / STD_BPM) ** 2))])
    before, peak, after = correlation[best - 1 : best + 2]
    curvature = before - 2 * peak + after
    period = best + (0.5 * (before - after) / curvature if curvature < 0 else 0.0)
    return float(60 * FRAME_RATE / period), float(min(peak, 1.0))


def estimate_key(chroma: Float64Array) -> Float64Array:
    """Estimate the key as a position on the circle of fifths, which has no jumps and so suits a classifier.

    The chroma vector is correlated with the profiles of the 24 keys (Krumhansl 1990, "Cognitive foundations of musical pitch",
    chapter 4). A minor key has the position of its relative major.

    Parameters
    ----------
    chroma : float64 array [12]
        Mean chroma of the window, from C upwards.

    Returns
    -------
    float64 array [4]
        Cosine and sine of the best key's angle on the circle of fifths, times its clarity; best major minus best minor
        correlation; clarity, the best correlation, in [0, 1].
    """
    centred = (chroma - chroma.mean()) / (12 * max(float(chroma.std()), MIN_CHROMA_STD))
    profiles = np.array(
        [[np.roll(profile, tonic) for tonic in range(12)] for profile in (MAJOR_PROFILE, MINOR_PROFILE)]
    )
    standardised = (profiles - profiles.mean(axis=2, keepdims=True)) / profiles.std(axis=2, keepdims=True)
    correlations = standardised @ centred
    major, minor = correlations.max(axis=1)
    tonic = int(correlations[0].argmax()) if major >= minor else int(correlations[1].argmax()) + 3
    clarity = max(major, minor, 0.0)
    angle = 2 * np.pi * (7 * tonic % 12) / 12
    return np.array([clarity * np.cos(angle), clarity * np.sin(angle), major - minor, clarity])


def key_name(vector: FloatArray) -> str | None:
    """Read the name of the key from a descriptor vector.

    Parameters
    ----------
    vector : float32 array [D]
        Vector of a window, a segment or a track. For a track, it is the key of the mean over its windows.

    Returns
    -------
    str or None
        Such as ``C major`` or ``F# minor``; None if there is no key, as in silence.

    Examples
    --------
    >>> from sonotheque.embed.descriptors import column_names
    >>> vector = np.zeros(len(column_names()), np.float32)
    >>> vector[family_slices()["key"]] = [0, 0.8, -0.1, 0.8]
    >>> key_name(vector)
    'F# minor'
    """
    cosine, sine, mode, _ = (float(value) for value in vector[family_slices()["key"]])
    if np.hypot(cosine, sine) < 1e-3:
        return None
    position = round(np.arctan2(sine, cosine) / (2 * np.pi / 12)) % 12
    return f"{MAJOR_TONICS[position]} major" if mode >= 0 else f"{MINOR_TONICS[position]} minor"


def estimate_track_tempo(segments: FloatArray) -> tuple[float, float]:
    """Estimate the tempo of a whole track as the tempo that most of its segments agree on.

    A mean over all segments would be wrong if some segments were estimated at half the tempo of the others.

    Parameters
    ----------
    segments : float32 array [S, D], S >= 1
        Descriptor vectors of the segments, 10 s each.

    Returns
    -------
    bpm : float
        Mean tempo of the segments that agree, weighted by their beat strength.
    strength : float
        Mean beat strength over all segments, where the other segments count as 0; in [0, 1], 0 if there is no beat.

    Examples
    --------
    >>> from sonotheque.embed.descriptors import column_names
    >>> segments = np.zeros((4, len(column_names())), np.float32)
    >>> segments[:, family_slices()["tempo"]] = [[120], [121], [60], [120]]
    >>> segments[:, family_slices()["beat_strength"]] = 0.5
    >>> [round(value, 2) for value in estimate_track_tempo(segments)]
    [120.33, 0.38]
    """
    bpm = segments[:, family_slices()["tempo"]][:, 0].astype(np.float64)
    weight = np.maximum(segments[:, family_slices()["beat_strength"]][:, 0].astype(np.float64), 1e-9)
    agreeing = np.abs(bpm[:, None] - bpm) <= TEMPO_TOLERANCE * bpm
    best = int((agreeing * weight).sum(axis=1).argmax())
    chosen = agreeing[best]
    return float(np.average(bpm[chosen], weights=weight[chosen])), float(weight[chosen].sum() / len(bpm))
