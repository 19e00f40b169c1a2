"""Audio excerpts: 10 s from the middle of a track as Opus in a data URI, so that a page can play them without the file."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sonotheque.audio import MonoStream
from sonotheque.audio.source import Source
from sonotheque.embed.runtime import count_cores
from sonotheque.errors import AudioError
from sonotheque.plurals import pluralize
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, Progress

log = logging.getLogger("sonotheque")

EXCERPT_SECONDS = 10.0
SAMPLE_RATE = 48_000
BIT_RATE = 32_000

FADE_SECONDS = 0.02
"""Duration of the fade-in and the fade-out, which prevent clicks."""


def make_excerpt(source: Source, *, seconds: float) -> str | None:
    """Cut an excerpt from the middle of a recording and encode it.

    Parameters
    ----------
    source : path, or bytes of a whole file
    seconds : float
        Duration of the recording.

    Returns
    -------
    str or None
        ``data:audio/ogg;base64,...``, or None if the file can no longer be read.

    Examples
    --------
    >>> make_excerpt("tests/data/tone.flac", seconds=1.0)[:35]
    'data:audio/ogg;base64,T2dnUwACAAAAA'
    """
    start = int(max(0.0, (seconds - EXCERPT_SECONDS) / 2) * SAMPLE_RATE)
    try:
        samples = _read_samples(source, start, start + int(EXCERPT_SECONDS * SAMPLE_RATE))
    except AudioError:
        return None
    if not len(samples):
        return None
    return "data:audio/ogg;base64," + base64.b64encode(_encode_opus(samples)).decode("ascii")


def cut_excerpts(tracks: Sequence[Track], *, progress: Progress | None = None) -> list[str | None]:
    """Cut an excerpt of each track, in parallel.

    Parameters
    ----------
    tracks : sequence of Track
    progress : callable
        Called with (excerpts done, total).

    Returns
    -------
    list of str or None
        A data URI for each track, in order, or None if the file can no longer be read; such files are logged as a warning.
    """
    clips: list[str | None] = []
    with ThreadPoolExecutor(count_cores()) as pool:
        for clip in pool.map(lambda track: make_excerpt(track.path, seconds=track.seconds), tracks):
            clips.append(clip)
            if progress:
                progress(len(clips), len(tracks))
    missing = [track.path for track, clip in zip(tracks, clips, strict=True) if clip is None]
    if missing:
        log.warning(
            "no excerpt of %s that can no longer be read, for example %s; `sonotheque remove --missing` removes tracks whose "
            "file is gone",
            pluralize(len(missing), "file"),
            missing[0],
        )
    return clips


def _read_samples(source: Source, start: int, end: int) -> FloatArray:
    """Read the samples from `start` to `end`, with a fade at both ends."""
    blocks, position = [np.empty(0, dtype=np.float32)], 0
    with MonoStream(source, sample_rate=SAMPLE_RATE) as stream:
        for block in stream:
            blocks.append(block[max(0, start - position) : max(0, end - position)])
            position += len(block)
            if position >= end:
                break
    samples = np.concatenate(blocks)
    ramp = np.linspace(0, 1, min(int(FADE_SECONDS * SAMPLE_RATE), len(samples)), dtype=np.float32)
    samples[: len(ramp)] *= ramp
    samples[len(samples) - len(ramp) :] *= ramp[::-1]
    return samples


def _encode_opus(samples: FloatArray) -> bytes:
    import av

    output = io.BytesIO()
    with av.open(output, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libopus", rate=SAMPLE_RATE)
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None], format="flt", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=SAMPLE_RATE, frame_size=960)
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return output.getvalue()
