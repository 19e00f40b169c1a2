"""One recording inspected: its numbers and its pictures. Needs no library; what a classifier says comes from whoever has one."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque import results
from sonotheque.audio.loudness import Loudness
from sonotheque.audio.mono import SILENCE_PEAK
from sonotheque.embed import TrackVectors, descriptors, embed_track, musicnn
from sonotheque.embed.auto_tags import TAGS, tag_probabilities
from sonotheque.embed.descriptors import column_names, family_slices, key_name
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import SEGMENT
from sonotheque.explore.inspection.beats import beat_times
from sonotheque.explore.inspection.pictures import Pictures, look
from sonotheque.explore.track_attributes import reliable_tempo
from sonotheque.results import AutoTag, DescriptorWindow, InspectionResult
from sonotheque.types import FloatArray

MOST_TAGS = 10

BEAT = 5e-4
"""Strength below which a segment has no beat: it is written with three digits. A recording must be surer, see `told_tempo`."""

WEAK = 0.2
"""Strength of a beat below which its times are not looked for. White noise of 10 s has 0.11, and up to 0.18 in 19 of 20 cases."""


@dataclass(frozen=True)
class Inspection:
    """What was seen and heard of one recording.

    Attributes
    ----------
    numbers : Inspected
        What ``--json`` prints.
    pictures : Pictures
        What `sonotheque.report` draws.
    beats : float64 array [B]
        Where the beats lie, in s; none where the beat is weaker than `WEAK`.
    """

    numbers: InspectionResult
    pictures: Pictures
    beats: npt.NDArray[np.float64]


def inspect(
    path: str | os.PathLike[str], *, timeline: Sequence[results.TimelineSegment] = (), compute: Compute = Compute()
) -> Inspection:
    """Inspect one recording; memory is bounded but for 0.6 MB for each hour.

    The result depends on the recording alone. BLAS is held to one thread while it runs.

    Parameters
    ----------
    path : path of an audio file
    timeline : sequence of Moment
        The genre of each segment, from a classifier.
    compute : Compute
        How musicnn and the descriptors are computed.

    Returns
    -------
    Inspection

    Raises
    ------
    AudioError
        One of its children.

    Examples
    --------
    >>> numbers = inspect("tests/data/tone.flac").numbers
    >>> numbers.seconds, numbers.sample_rate, numbers.loudness
    (1.0, 44100, -14.15)
    """
    from threadpoolctl import threadpool_limits

    heard = embed_track(path, spaces=[musicnn.SPACE.id, descriptors.SPACE.id], compute=compute)
    with threadpool_limits(limits=1, user_api="blas"):
        pictures, loudness = look(path)
    numbers = _numbers(os.fspath(path), heard, loudness, timeline)
    steady = numbers.tempo is not None and numbers.beat_strength >= WEAK
    beats = beat_times(pictures.onset_curve, bpm=numbers.tempo or 0) if steady else np.zeros(0)
    return Inspection(numbers, pictures, beats)


def _numbers(
    path: str, heard: TrackVectors, loudness: Loudness, timeline: Sequence[results.TimelineSegment]
) -> InspectionResult:
    track, segments = heard.track[descriptors.SPACE.id], heard.segments[descriptors.SPACE.id]
    bpm, strength = reliable_tempo(segments)
    key = key_name(track)
    return InspectionResult(
        path=path,
        seconds=round(heard.seconds, 6),
        sample_rate=heard.sample_rate,
        channels=heard.channels,
        silent=heard.silent,
        notice=heard.notice,
        loudness=loudness.integrated,
        loudness_range=loudness.range,
        true_peak=loudness.true_peak,
        sample_peak=loudness.sample_peak,
        tempo=None if bpm is None else round(bpm, 1),
        beat_strength=round(strength, 3),
        key=key,
        clarity=None if key is None else round(float(track[family_slices()["key"]][-1]), 3),
        tags=[] if heard.silent else strongest_tags(heard.track[musicnn.SPACE.id]),
        windows=[_window(number * SEGMENT, vector) for number, vector in enumerate(segments)],
        timeline=list(timeline),
    )


def strongest_tags(vector: FloatArray) -> list[AutoTag]:
    """Name the ten tags that musicnn hears most of in a vector float32 [200], the strongest first.

    The strength is the probability that belongs to the mean of the frames' log odds.
    """
    strengths = tag_probabilities(vector[None])[0]
    order = np.argsort(-strengths, kind="stable")[:MOST_TAGS]
    return [AutoTag(TAGS[place], round(float(strengths[place]), 4)) for place in order]


def _window(start: float, vector: FloatArray) -> DescriptorWindow:
    values = dict(zip(column_names(), vector.tolist(), strict=True))
    sounds = values["rms.max"] > 20 * math.log10(SILENCE_PEAK)
    key = key_name(vector)
    contrast = [values[column] for column in column_names()[family_slices()["contrast"]] if column.endswith(".mean")]

    def shape(value: float, digits: int) -> float | None:
        return round(value, digits) if sounds else None

    return DescriptorWindow(
        start=start,
        level=round(values["rms.mean"], 2),
        centroid=shape(2 ** values["centroid.mean"], 1),
        bandwidth=shape(2 ** values["bandwidth.mean"], 1),
        rolloff=shape(2 ** values["rolloff.mean"], 1),
        flatness=shape(values["flatness.mean"], 2),
        contrast=shape(sum(contrast) / len(contrast), 2),
        zero_crossings=shape(values["zero_crossings.mean"], 4),
        onset=shape(values["onset.mean"], 3),
        tempo=round(values["tempo.bpm"], 1) if values["beat_strength"] >= BEAT else None,
        beat_strength=round(values["beat_strength"], 3),
        key=key,
        clarity=None if key is None else round(values["key.clarity"], 3),
    )
