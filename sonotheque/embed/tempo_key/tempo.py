"""Tempo of a recording from its onset strength.

The tempo is the beat period at which the autocorrelation of the onset strength, weighted with a prior over tempi, is largest
(Ellis 2007, "Beat tracking by dynamic programming", section 3.2). The onset strength is the rise of the log mel spectrum, and the
whole recording has one autocorrelation (Percival & Tzanetakis 2014, "Streamlined tempo estimation based on autocorrelation and
cross-correlation with pulses", sections II-A and II-B). Their octave decision is a classifier that was trained on annotated music;
here a rule replaces it, see `SUBDIVISION_PENALTY`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sonotheque.audio.mel import mel_filters
from sonotheque.types import Float64Array, FloatArray

SAMPLE_RATE, N_FFT, HOP = 11_025, 256, 128
FRAME_RATE = SAMPLE_RATE / HOP
"""Analysis frames per second: 86, so that at 200 BPM a beat has 26 frames."""

N_MELS = 24

LAG = 2
"""The rise of a level is measured over this many frames (23 ms)."""

AMIN, DYNAMIC_RANGE = 1e-10, 60.0
"""Lowest power of a mel band (full scale is about 1), and the range in dB below the loudest band of a block that counts."""

SMOOTHING = np.hanning(9)[1:-1] / np.hanning(9).sum()
"""Weights that smooth the onset strength over 81 ms."""

MIN_ONSET = 0.7
"""Smoothed onset strength in dB that the strongest onset of a recording needs. Below it, the beats are the ripple of a steady
sound: a held chord reaches 0.3, white noise 2."""

START_BPM, STD_BPM, BPM_RANGE = 120.0, 1.0, (30.0, 300.0)
"""Mean of the prior over tempi and its standard deviation in octaves (both as in librosa), and the range of tempi."""

SUBDIVISION_PENALTY, SUBDIVISION_EXPONENT = 0.5, 16
"""A period P is probably two or three beats instead of one if the onsets recur as well at each multiple of P/2 (or P/3) as at P.
The score is multiplied by ``1 - 0.5 g**16``, where g is the lowest autocorrelation at P/2, 3P/2 and 5P/2 (P/3, 2P/3, 4P/3 and
5P/3), relative to that at P. In music with a metre g is well below 1: the beats of a bar differ. A metronome has 1. Without this
rule, 100 BPM are found for a metronome at 200 BPM, because 100 is nearer to the centre of the prior."""

SUBDIVISIONS = ((1 / 2, 3 / 2, 5 / 2), (1 / 3, 2 / 3, 4 / 3, 5 / 3))

CHANCE_LEVEL = 0.95
"""Onsets at random times, 2 to 7 a second, have a largest autocorrelation of at most ``0.95 / sqrt(seconds)``: measured 0.38 in
5 s, 0.20 in 10 s, 0.14 in 30 s and 0.07 in 90 s."""

CLEAR_MARGIN = 0.25
"""The tempo is unambiguous if the score of every other tempo is lower by this fraction."""

TEMPO_TOLERANCE = 0.04
"""Largest relative difference of two tempi that count as equal, the tolerance of the MIREX tempo task (Gouyon et al. 2006)."""


class OnsetDetection:
    """Onset strength of a recording that arrives in blocks."""

    def __init__(self) -> None:
        self._filters = mel_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS).T
        self._window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
        self._scale = np.float32(4 / N_FFT**2)
        self._previous: FloatArray = np.zeros((0, N_MELS), np.float32)
        self._strengths: list[FloatArray] = []

    def add(self, samples: FloatArray) -> None:
        """Analyse the frames of a block.

        Parameters
        ----------
        samples : float32 array [n], n >= N_FFT
            Mono at 11,025 Hz. Each block starts one hop after the start of the last frame of the block before.
        """
        import scipy.fft

        frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
        spectrum = scipy.fft.rfft(frames * self._window, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        bands = np.concatenate([self._previous, (power @ self._filters) * self._scale])
        self._previous = bands[-LAG:]
        level = 10 * np.log10(np.maximum(bands, AMIN))
        level = np.maximum(level, level.max() - DYNAMIC_RANGE)
        self._strengths.append(np.maximum(level[LAG:] - level[:-LAG], 0).mean(axis=1))

    def onset_strength(self) -> Float64Array:
        """Return the mean rise of the mel bands in dB at each frame, float64 [T]."""
        parts: list[FloatArray] = self._strengths or [np.zeros(0, np.float32)]
        return np.concatenate(parts).astype(np.float64)


@dataclass(frozen=True)
class Tempo:
    """A tempo in BPM, None if there is no pulse, and its confidence in [0, 1]; 0 without a pulse."""

    bpm: float | None
    confidence: float


NO_TEMPO = Tempo(None, 0.0)


def estimate_tempo(onset_strength: Float64Array) -> Tempo:
    """Estimate the tempo of a recording.

    Parameters
    ----------
    onset_strength : float64 array [T]
        In dB, at `FRAME_RATE` frames per second.

    Returns
    -------
    Tempo
        The confidence is the geometric mean of two numbers in [0, 1]: how far the autocorrelation at the beat period exceeds that
        of random onsets (`CHANCE_LEVEL`), and how far the score of the tempo exceeds that of the next best one (`CLEAR_MARGIN`),
        which often is half or twice the tempo.

    Examples
    --------
    >>> onset_strength = np.zeros(2584)
    >>> onset_strength[::43] = 10.0
    >>> tempo = estimate_tempo(onset_strength)
    >>> round(tempo.bpm, 1), round(tempo.confidence, 2)
    (120.2, 1.0)
    """
    count = len(onset_strength)
    smooth = np.convolve(onset_strength, SMOOTHING, mode="same") if count > len(SMOOTHING) else np.zeros(0)
    correlation = _autocorrelation(smooth, max_lag=min(round(2.6 * FRAME_RATE * 60 / BPM_RANGE[0]), count // 2))
    if smooth.max(initial=0.0) < MIN_ONSET or len(correlation) < 3:
        return NO_TEMPO
    lags = np.arange(
        round(FRAME_RATE * 60 / BPM_RANGE[1]), min(len(correlation) - 1, round(FRAME_RATE * 60 / BPM_RANGE[0]) + 1)
    )
    at_lags = correlation[lags]
    peaks = lags[(at_lags >= correlation[lags - 1]) & (at_lags > correlation[lags + 1]) & (at_lags > 0)]
    if len(peaks) == 0:
        return NO_TEMPO
    periods = peaks + _peak_offset(correlation, peaks)
    tempi = 60 * FRAME_RATE / periods
    prior = np.exp(-0.5 * (np.log2(tempi / START_BPM) / STD_BPM) ** 2)
    regularity = np.array(
        [_subdivision(correlation, period, peak) for period, peak in zip(periods, peaks, strict=True)]
    )
    scores = correlation[peaks] * prior * (1 - SUBDIVISION_PENALTY * regularity**SUBDIVISION_EXPONENT)
    best = int(scores.argmax())
    chance = CHANCE_LEVEL / np.sqrt(count / FRAME_RATE)
    clarity = max((correlation[peaks[best]] - chance) / (1 - chance), 0.0) if chance < 1 else 0.0
    others = scores[np.abs(tempi / tempi[best] - 1) > TEMPO_TOLERANCE]
    margin = 1 - others.max(initial=0.0) / scores[best]
    confidence = np.sqrt(min(clarity, 1.0) * min(margin / CLEAR_MARGIN, 1.0))
    return Tempo(float(tempi[best]), float(confidence))


def _autocorrelation(signal: Float64Array, *, max_lag: int) -> Float64Array:
    """Return the autocorrelation without its mean at lags 0 to max_lag, each divided by its number of terms; 1 at lag 0."""
    import scipy.fft

    if max_lag < 1 or len(signal) <= max_lag:
        return np.zeros(0)
    centred = signal - signal.mean()
    length = scipy.fft.next_fast_len(len(centred) + max_lag, real=True)
    spectrum = scipy.fft.rfft(centred, length)
    products = scipy.fft.irfft(np.abs(spectrum) ** 2, length)[: max_lag + 1] / (len(centred) - np.arange(max_lag + 1))
    if products[0] <= 0:
        return np.zeros(0)
    normalised: Float64Array = products / products[0]
    return normalised


def _peak_offset(values: Float64Array, peaks: np.ndarray) -> Float64Array:
    """Return the distance from each peak to the top of the parabola through it and its neighbours, in [-0.5, 0.5]."""
    before, peak, after = values[peaks - 1], values[peaks], values[peaks + 1]
    offset: Float64Array = 0.5 * (before - after) / (before - 2 * peak + after)
    return offset


def _subdivision(correlation: Float64Array, period: float, peak: int) -> float:
    """Return g of `SUBDIVISION_PENALTY` for one period, in [0, 1]. Lags beyond the end are left out."""
    result = 0.0
    for multiples in SUBDIVISIONS:
        lags = [lag for multiple in multiples if (lag := round(multiple * period)) + 1 < len(correlation)]
        lowest = min((correlation[max(lag - 1, 0) : lag + 2].max() for lag in lags), default=0.0)
        result = max(result, min(lowest / correlation[peak], 1.0))
    return float(result)
