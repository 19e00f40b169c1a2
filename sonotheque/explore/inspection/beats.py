"""Where the beats of a known tempo lie. The tempo itself is the descriptors' (`sonotheque.embed.descriptors`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonotheque.embed.descriptors.spectral import FRAME_RATE

TIGHTNESS = 100.0
"""How much a step between two beats that is off the tempo costs, in the onsets' deviation times the square of the logarithm of its
ratio: librosa's, after Ellis 2007, who has 400."""

SHARPNESS = 32.0
"""Periods are this many deviations of the bell that onsets are smoothed with (librosa 0.11)."""

FAINT = 0.5
"""Beats before the first and after the last one with this share of the beats' root mean square are left out (librosa 0.11, which
smooths them first)."""


def beat_times(onsets: npt.NDArray[np.floating], *, bpm: float) -> npt.NDArray[np.float64]:
    """Find the beats: the sequence of frames with the strongest onsets whose steps stay closest to the tempo.

    Dynamic programming after Ellis (2007, "Beat tracking by dynamic programming"), as in librosa's ``beat.beat_track`` (0.11).

    Parameters
    ----------
    onsets : float array [T]
        Onset strength of each analysis frame, `FRAME_RATE` of them in a second.
    bpm : float
        Above 0.

    Returns
    -------
    float64 array [B]
        In s; empty where there is no onset.

    Examples
    --------
    >>> onsets = np.zeros(430)
    >>> onsets[20::43] = 1
    >>> beat_times(onsets, bpm=60).round(2)[:4]
    array([0.46, 1.46, 2.46, 3.46])
    """
    deviation = float(np.std(onsets, ddof=1)) if len(onsets) > 1 else 0.0
    if deviation <= 0:
        return np.zeros(0)
    period = round(60 * FRAME_RATE / bpm)
    bell = np.exp(-0.5 * (np.arange(-period, period + 1) * SHARPNESS / period) ** 2)
    local = np.convolve(onsets / deviation, bell)[period : period + len(onsets)]
    best, before = _best_paths(local, period)
    frame = _last_beat(best)
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(before[frame])
    return _trimmed(np.array(beats[::-1]), local) / FRAME_RATE


def _best_paths(local: npt.NDArray[np.float64], period: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Score each frame as a beat with the best beats before it; say which frame was the beat before, -1 if none."""
    steps = np.arange(2 * period, round(period / 2) - 1, -1)
    costs = TIGHTNESS * np.log(steps / period) ** 2
    padded = np.full(len(local) + 2 * period, -np.inf)  # frame t lies at t + 2 * period
    best = padded[2 * period :]
    before = np.full(len(local), -1)
    threshold = 0.01 * local.max()
    begun = False
    for frame, score in enumerate(local):
        scores = padded[frame : frame + len(steps)] - costs
        chosen = int(scores.argmax())
        follows = scores[chosen] > -np.inf
        best[frame] = score + scores[chosen] if follows else score
        begun = begun or score >= threshold
        if follows and begun:
            before[frame] = frame - steps[chosen]
    return best, before


def _last_beat(best: npt.NDArray[np.float64]) -> int:
    """Return the last frame that ends a path about as good as paths of its time are."""
    peaks = np.flatnonzero((best > np.append(-np.inf, best[:-1])) & (best >= np.append(best[1:], -np.inf)))
    good = peaks[best[peaks] * 2 >= np.median(best[peaks])]
    return int(good[-1]) if len(good) else len(best) - 1


def _trimmed(beats: npt.NDArray[np.int64], local: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Leave out what goes on before the first and after the last beat that can be heard."""
    strengths = local[beats]
    heard = np.flatnonzero(strengths > FAINT * np.sqrt(np.mean(strengths**2)))
    return beats[heard[0] : heard[-1] + 1] if len(heard) else beats[:0]
