"""The analysis of a single file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.classification import TimelineSegment


@dataclass(frozen=True)
class AutoTag:
    """A tag of Last.fm's listeners; `strength` is musicnn's probability that they would give it."""

    name: str
    strength: float


@dataclass(frozen=True)
class DescriptorWindow:
    """Descriptors of 10 s from `start` in s: means over the analysis frames.

    `level` in dB of full scale; `centroid`, `bandwidth` and `rolloff` in Hz; `flatness`, `contrast` and `onset` in dB;
    `zero_crossings` a share of samples; `tempo` in beats per minute. In silence only the level and `beat_strength` are numbers;
    `tempo` is None where there is no beat, `key` and `clarity` where there is no key.
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
    """One file in numbers.

    `seconds` was decoded, `sample_rate` is in Hz. `loudness` is in LUFS, `loudness_range` in LU, `true_peak` in dBTP and
    `sample_peak` in dB of full scale; the first is None in silence and under 0.4 s, the second also under 3 s, the peaks in
    digital silence. `tempo` in beats per minute is None where the beat is too weak to tell, `key` and `clarity` where there is
    no key. `tags` are the ten strongest, none for a silent file. `timeline` is the genre along time, empty without a classifier.
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
