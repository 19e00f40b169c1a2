"""One recording to its vectors in one or several spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sonotheque.audio import MonoStream, Source
from sonotheque.embed.pooling import Pooler
from sonotheque.embed.registry import open_embedder, share_frames, space_of
from sonotheque.embed.runtime import Compute
from sonotheque.types import FloatArray


@dataclass(frozen=True)
class TrackVectors:
    """What was heard of one recording.

    Attributes
    ----------
    seconds : float
        Decoded length in s.
    sample_rate, channels : int
        As the file has them; the rate in Hz.
    silent : bool
        Whether it is digital silence.
    notice : str or None
        Such as that the file is truncated.
    track : mapping of space id to float32 array [D]
    segments : mapping of space id to float32 array [S, D]
    """

    seconds: float
    sample_rate: int
    channels: int
    silent: bool
    notice: str | None
    track: Mapping[str, FloatArray]
    segments: Mapping[str, FloatArray]


def embed_track(source: Source, *, spaces: Sequence[str], compute: Compute = Compute()) -> TrackVectors:
    """Embed one recording, in blocks: memory does not grow with its length.

    The result depends on the recording alone. BLAS is held to one thread while it runs.

    Parameters
    ----------
    source : path, or bytes of a whole file
    spaces : ids of the spaces, at least one
    compute : Compute

    Returns
    -------
    TrackVectors

    Raises
    ------
    AudioError
        One of its children.
    SpaceError
        If a space is unknown.

    Examples
    --------
    >>> heard = embed_track("tests/data/tone.flac", spaces=["musicnn-msd-penultimate-h3.0@1"])
    >>> heard.seconds, heard.track["musicnn-msd-penultimate-h3.0@1"].shape
    (1.0, (200,))
    """
    from threadpoolctl import threadpool_limits

    track: dict[str, FloatArray] = {}
    segments: dict[str, FloatArray] = {}
    with threadpool_limits(limits=1, user_api="blas"):
        for shared in share_frames(spaces):
            embedder = open_embedder(shared[0], compute=compute)
            poolers = {
                space.id: Pooler(statistics=space.statistics, segments=space.pooled) for space in map(space_of, shared)
            }
            space = embedder.space
            with MonoStream(source, sample_rate=space.sample_rate, resampler=space.resampler) as stream:
                for vectors, starts in embedder.frames(stream):
                    for pooler in poolers.values():
                        pooler.add(vectors, starts)
            for space_id, pooler in poolers.items():
                track[space_id], segments[space_id] = pooler.track(), pooler.segments()
    return TrackVectors(
        seconds=stream.seconds,
        sample_rate=stream.source_rate,
        channels=stream.channels,
        silent=stream.silent,
        notice=stream.notice,
        track=track,
        segments=segments,
    )
