"""Estimate tempo and key of a recording while it is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotheque.embed.tempo_key.key import HOP as KEY_HOP
from sonotheque.embed.tempo_key.key import N_FFT as KEY_N_FFT
from sonotheque.embed.tempo_key.key import PitchHistogram, estimate_key, pitch_classes
from sonotheque.embed.tempo_key.tempo import HOP, N_FFT, SAMPLE_RATE, OnsetDetection, estimate_tempo
from sonotheque.types import FloatArray

METHOD = "tempo-key@1"
"""Version of the numbers. Stored values of another method are computed again by the next `add`."""

MIN_CONFIDENCE = 0.3
"""Confidence below which a tempo or a key is not shown. Below it, the two halves of a clip of 30 s have the same tempo (the same
key) in less than half of the cases, see docs/benchmarks/tempo-and-key.md."""

BLOCK_LENGTH = 16 * KEY_HOP
"""Samples that are analysed at once: 5.9 s. The result does not depend on how the recording is cut into blocks by the decoder."""


@dataclass(frozen=True)
class TempoKey:
    """Tempo and key of a recording.

    Attributes
    ----------
    tempo : float or None
        In BPM. None if there is no pulse.
    tempo_confidence : float
        In [0, 1], see `sonotheque.embed.tempo_key.tempo.estimate_tempo`.
    key : str or None
        Such as ``F# minor``. None if there is no pitch.
    key_confidence : float
        In [0, 1], see `sonotheque.embed.tempo_key.key.estimate_key`.
    """

    tempo: float | None = None
    tempo_confidence: float = 0.0
    key: str | None = None
    key_confidence: float = 0.0

    @property
    def clear_tempo(self) -> float | None:
        """The tempo, or None if its confidence is below `MIN_CONFIDENCE`."""
        return self.tempo if self.tempo_confidence >= MIN_CONFIDENCE else None

    @property
    def clear_key(self) -> str | None:
        """The key, or None if its confidence is below `MIN_CONFIDENCE`."""
        return self.key if self.key_confidence >= MIN_CONFIDENCE else None


class TempoKeyEstimation:
    """Estimate the tempo and key of a recording that arrives in blocks.

    Memory does not grow with the length of the recording, except for 1.2 MB an hour.

    Parameters
    ----------
    sample_rate : int
        Sampling rate of the blocks in Hz.

    Examples
    --------
    >>> estimation = TempoKeyEstimation(sample_rate=11_025)
    >>> time = np.arange(20 * 11_025) / 11_025
    >>> chord = np.sin(2 * np.pi * np.outer([261.63, 329.63, 392.0], time)).sum(axis=0)
    >>> estimation.add((0.2 * chord * np.exp(-10 * (time % 0.5))).astype(np.float32))
    >>> found = estimation.result()
    >>> round(found.clear_tempo), found.clear_key
    (120, 'C major')
    """

    def __init__(self, *, sample_rate: int) -> None:
        self._resampler: Any = None
        if sample_rate != SAMPLE_RATE:
            import soxr

            self._resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="MQ")
        self._parts: list[FloatArray] = []
        self._n_samples = 0
        self._onsets, self._pitches = OnsetDetection(), PitchHistogram()
        self._onset_tail = self._pitch_tail = np.zeros(0, np.float32)

    def add(self, block: FloatArray) -> None:
        """Add a block of mono samples, float32 [n]."""
        self._collect(block if self._resampler is None else self._resampler.resample_chunk(block))
        if self._n_samples >= BLOCK_LENGTH:
            samples = np.concatenate(self._parts)
            end = len(samples) - len(samples) % BLOCK_LENGTH
            for start in range(0, end, BLOCK_LENGTH):
                self._analyse(samples[start : start + BLOCK_LENGTH])
            self._parts, self._n_samples = [samples[end:].copy()], len(samples) - end

    def result(self) -> TempoKey:
        """Analyse the rest, and return the tempo and key. Nothing can be added afterwards."""
        if self._resampler is not None:
            self._collect(self._resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
        if self._n_samples:
            self._analyse(np.concatenate(self._parts))
        tempo = estimate_tempo(self._onsets.onset_strength())
        key = estimate_key(pitch_classes(self._pitches.histogram()))
        return TempoKey(tempo.bpm, tempo.confidence, key.name, key.confidence)

    def _collect(self, samples: FloatArray) -> None:
        if len(samples):
            self._parts.append(samples)
            self._n_samples += len(samples)

    def _analyse(self, samples: FloatArray) -> None:
        self._onset_tail = _add_frames(self._onsets, self._onset_tail, samples, length=N_FFT, hop=HOP)
        self._pitch_tail = _add_frames(self._pitches, self._pitch_tail, samples, length=KEY_N_FFT, hop=KEY_HOP)


def _add_frames(
    analysis: OnsetDetection | PitchHistogram, tail: FloatArray, samples: FloatArray, *, length: int, hop: int
) -> FloatArray:
    """Pass all complete frames to an analysis, and return the samples from the start of the first incomplete frame."""
    all_samples = np.concatenate([tail, samples])
    n_frames = (len(all_samples) - length) // hop + 1
    if n_frames <= 0:
        return all_samples
    analysis.add(all_samples[: (n_frames - 1) * hop + length])
    return all_samples[n_frames * hop :]
