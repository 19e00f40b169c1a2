"""Beat tracking at a given tempo. The tempo itself is estimated from the descriptors (`sonotheque.embed.descriptors`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonotheque.embed.descriptors.spectral import FRAME_RATE

TIGHTNESS = 100.0
"""Weight of the tempo penalty, which is the squared logarithm of the ratio between a beat interval and the period of the tempo; the
onset strength is normalised to a standard deviation of 1. The value is librosa's; Ellis 2007 has 400."""

PERIODS_PER_DEVIATION = 32.0
"""Period of the tempo divided by the standard deviation of the Gaussian that smooths the onset strength (librosa 0.11)."""

TRIM_THRESHOLD = 0.5
"""Leading and trailing beats weaker than this fraction of the root mean square over all beats are removed (librosa 0.11, which
smooths the strengths of the beats first)."""


def track_beats(onset_envelope: npt.NDArray[np.floating], *, bpm: float) -> npt.NDArray[np.float64]:
    """Find the sequence of beats that fall on strong onsets and whose intervals stay close to the tempo.

    Dynamic programming after Ellis (2007, "Beat tracking by dynamic programming"), as in librosa's ``beat.beat_track`` (0.11).

    Parameters
    ----------
    onset_envelope : float array [T]
        Onset strength of each analysis frame, at `FRAME_RATE` frames per second.
    bpm : float
        Tempo in beats per minute, > 0.

    Returns
    -------
    float64 array [B]
        Times of the beats in s; empty if there are no onsets.

    Examples
    --------
    >>> onset_envelope = np.zeros(430)
    >>> onset_envelope[20::43] = 1
    >>> track_beats(onset_envelope, bpm=60).round(2)[:4]
    array([0.46, 1.46, 2.46, 3.46])
    """
    deviation = float(np.std(onset_envelope, ddof=1)) if len(onset_envelope) > 1 else 0.0
    if deviation <= 0:
        return np.zeros(0)
    period = round(60 * FRAME_RATE / bpm)
    window = np.exp(-0.5 * (np.arange(-period, period + 1) * PERIODS_PER_DEVIATION / period) ** 2)
    local_score = np.convolve(onset_envelope / deviation, window)[period : period + len(onset_envelope)]
    cumulative_score, backlinks = _score_paths(local_score, period)
    frame = _last_beat(cumulative_score)
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(backlinks[frame])
    return _trim_beats(np.array(beats[::-1]), local_score) / FRAME_RATE


def _score_paths(
    local_score: npt.NDArray[np.float64], period: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the score of the best path that ends in each frame, and the beat before that frame (-1 if there is none)."""
    intervals = np.arange(2 * period, round(period / 2) - 1, -1)
    penalties = TIGHTNESS * np.log(intervals / period) ** 2
    padded = np.full(len(local_score) + 2 * period, -np.inf)  # frame t is at index t + 2 * period
    cumulative_score = padded[2 * period :]
    backlinks = np.full(len(local_score), -1)
    threshold = 0.01 * local_score.max()
    started = False
    for frame, score in enumerate(local_score):
        candidates = padded[frame : frame + len(intervals)] - penalties
        best = int(candidates.argmax())
        has_predecessor = candidates[best] > -np.inf
        cumulative_score[frame] = score + candidates[best] if has_predecessor else score
        started = started or score >= threshold
        if has_predecessor and started:
            backlinks[frame] = frame - intervals[best]
    return cumulative_score, backlinks


def _last_beat(cumulative_score: npt.NDArray[np.float64]) -> int:
    """Return the last local maximum of the cumulative score that reaches half of the median over the local maxima."""
    previous, following = np.append(-np.inf, cumulative_score[:-1]), np.append(cumulative_score[1:], -np.inf)
    peaks = np.flatnonzero((cumulative_score > previous) & (cumulative_score >= following))
    good = peaks[cumulative_score[peaks] * 2 >= np.median(cumulative_score[peaks])]
    return int(good[-1]) if len(good) else len(cumulative_score) - 1


def _trim_beats(beats: npt.NDArray[np.int64], local_score: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Remove weak beats before the first and after the last strong one."""
    strengths = local_score[beats]
    strong = np.flatnonzero(strengths > TRIM_THRESHOLD * np.sqrt(np.mean(strengths**2)))
    return beats[strong[0] : strong[-1] + 1] if len(strong) else beats[:0]
