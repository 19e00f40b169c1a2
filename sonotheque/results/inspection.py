"""The analysis of a single file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.classification import Prediction, TimelineSegment


@dataclass(frozen=True)
class AutoTag:
    """An auto-tag: a tag used on Last.fm; `strength` is the probability that musicnn predicts for it."""

    name: str
    strength: float


@dataclass(frozen=True)
class DescriptorWindow:
    """Descriptors of 10 s of audio from `start` in s, as means over the analysis frames.

    `level` is in dB relative to full scale; `centroid`, `bandwidth` and `rolloff` in Hz; `flatness`, `contrast` and `onset` in dB;
    `zero_crossings` is a fraction of the samples; `tempo` is in beats per minute. In silence only `level` and `beat_strength` are
    numbers. `tempo` is None if there is no beat, `key` and `clarity` are None if there is no key.
    """

    start: float
    level: float
    centroid: float | None
    bandwidth: float | None
    rolloff: float | None
    flatness: float | None
    contrast: float | None
    zero_crossings: float | None
    onset: float | None
    tempo: float | None
    beat_strength: float
    key: str | None
    clarity: float | None


@dataclass(frozen=True)
class InspectionResult:
    """The analysis of one file.

    Attributes
    ----------
    path : str
    seconds : float
        Duration of the decoded audio in s.
    sample_rate : int
        In Hz.
    channels : int
    silent : bool
    notice : str or None
    loudness : float or None
        In LUFS. None in silence and below 0.4 s.
    loudness_range : float or None
        In LU. None in silence and below 3 s.
    true_peak, sample_peak : float or None
        In dBTP, and in dB relative to full scale. None in digital silence.
    tempo : float or None
        In beats per minute. None if its confidence is below 0.3.
    beat_strength : float
        Of the descriptors, see `sonotheque.embed.descriptors.estimate_track_tempo`.
    key : str or None
        None, like `clarity`, if its confidence is below 0.3.
    clarity : float or None
        Of the key that the descriptors have, which need not be the same.
    tags : sequence of AutoTag
        The ten strongest auto-tags. Empty for a silent file.
    windows : sequence of DescriptorWindow
    timeline : sequence of TimelineSegment
        Predicted genre of each segment. Empty without a classifier.
    prediction : Prediction or None
        Predicted genre of the file, as `classify` gives it, without a timeline. None without a classifier.
    tempo_confidence, key_confidence : float
        From 0 to 1, also of a tempo and key that are left out; see `sonotheque.embed.tempo_key`.
    """

    path: str
    seconds: float
    sample_rate: int
    channels: int
    silent: bool
    notice: str | None
    loudness: float | None
    loudness_range: float | None
    true_peak: float | None
    sample_peak: float | None
    tempo: float | None
    beat_strength: float
    key: str | None
    clarity: float | None
    tags: Sequence[AutoTag]
    windows: Sequence[DescriptorWindow]
    timeline: Sequence[TimelineSegment]
    prediction: Prediction | None = None
    tempo_confidence: float = 0.0
    key_confidence: float = 0.0
