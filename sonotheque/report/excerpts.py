"""Ten seconds from the middle of a track as Opus in a data URI, so that a page plays it wherever it is opened."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from sonotheque.audio import MonoStream
from sonotheque.audio.decode import Source
from sonotheque.embed.runtime import count_cores
from sonotheque.errors import AudioError
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, Progress

log = logging.getLogger("sonotheque")

SECONDS = 10.0
RATE = 48_000
BIT_RATE = 32_000
FADE = 0.02
"""Seconds of fade at either end, against clicks."""


def excerpt(source: Source, *, seconds: float) -> str | None:
    """Cut the middle out of a recording.

    Parameters
    ----------
    source : path, or bytes of a whole file
    seconds : float
        Its length.

    Returns
    -------
    str or None
        ``data:audio/ogg;base64,...``; None where the file cannot be read any more.

    Examples
    --------
    >>> excerpt("tests/data/tone.flac", seconds=1.0)[:35]
    'data:audio/ogg;base64,T2dnUwACAAAAA'
    """
    start = int(max(0.0, (seconds - SECONDS) / 2) * RATE)
    try:
        samples = _read(source, start, start + int(SECONDS * RATE))
    except AudioError:
        return None
    if not len(samples):
        return None
    return "data:audio/ogg;base64," + base64.b64encode(_encode(samples)).decode("ascii")


def cut_excerpts(tracks: Sequence[Track], *, progress: Progress | None = None) -> list[str | None]:
    """Cut an excerpt of each track, in their order; None where the file cannot be read any more."""
    clips: list[str | None] = []
    with ThreadPoolExecutor(count_cores()) as pool:
        for clip in pool.map(lambda track: excerpt(track.path, seconds=track.seconds), tracks):
            clips.append(clip)
            if progress:
                progress(len(clips), len(tracks))
    missing = [track.path for track, clip in zip(tracks, clips, strict=True) if clip is None]
    if missing:
        log.warning(
            "%d files cannot be read any more, such as %s; `sonotheque remove --missing` forgets those that are gone",
            len(missing),
            missing[0],
        )
    return clips


def _read(source: Source, start: int, end: int) -> FloatArray:
    blocks, at = [np.empty(0, dtype=np.float32)], 0
    with MonoStream(source, sample_rate=RATE) as stream:
        for block in stream:
            blocks.append(block[max(0, start - at) : max(0, end - at)])
            at += len(block)
            if at >= end:
                break
    samples = np.concatenate(blocks)
    ramp = np.linspace(0, 1, min(int(FADE * RATE), len(samples)), dtype=np.float32)
    samples[: len(ramp)] *= ramp
    samples[len(samples) - len(ramp) :] *= ramp[::-1]
    return samples


def _encode(samples: FloatArray) -> bytes:
    import av

    output = io.BytesIO()
    with av.open(output, "w", format="ogg", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream("libopus", rate=RATE)
        stream.layout = "mono"
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None], format="flt", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=RATE, frame_size=960)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return output.getvalue()
