"""Compute the vectors of one track in one or several spaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sonotheque.audio import MonoStream, Source
from sonotheque.embed.pooling import Pooler
from sonotheque.embed.registry import group_by_frames, open_embedder, space_of
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import Embedder
from sonotheque.embed.tempo_key import TempoKey, TempoKeyEstimation
from sonotheque.types import FloatArray


@dataclass(frozen=True)
class TrackVectors:
    """The vectors and audio properties of one track.

    Attributes
    ----------
    seconds : float
        Duration of the decoded audio in s.
    sample_rate, channels : int
        Sample rate in Hz and number of channels of the file.
    silent : bool
        Whether the track is digital silence.
    notice : str or None
        A notice about the file, for example that it is truncated.
    track : mapping of space id to float32 array [D]
        The track vector in each space.
    segments : mapping of space id to float32 array [S, D]
        The segment vectors in each space.
    tempo_key : TempoKey or None
        None if it was not asked for. There is neither a tempo nor a key in a silent track.
    """

    seconds: float
    sample_rate: int
    channels: int
    silent: bool
    notice: str | None
    track: Mapping[str, FloatArray]
    segments: Mapping[str, FloatArray]
    tempo_key: TempoKey | None = None


def embed_track(
    source: Source, *, spaces: Sequence[str], tempo_key: bool = False, compute: Compute = Compute()
) -> TrackVectors:
    """Embed one track.

    The audio is processed in blocks, so memory use does not grow with its length. The result depends only on the audio. BLAS is
    limited to one thread while the function runs.

    Parameters
    ----------
    source : path or bytes
        An audio file, or its entire content.
    spaces : sequence of str
        Ids of the spaces; at least one, unless the tempo and key are asked for.
    tempo_key : bool
        Whether the tempo and key are estimated too, from the samples that are decoded for the first space.
    compute : Compute
        Device, precision and number of threads.

    Returns
    -------
    TrackVectors

    Raises
    ------
    AudioError
        If the file cannot be used; one of its subclasses names the reason.
    SpaceError
        If a space is unknown.
    WeightsError
        If the weights of a space are not on this machine.

    Examples
    --------
    >>> vectors = embed_track("tests/data/tone.flac", spaces=["musicnn-msd-penultimate-h3.0@1"])
    >>> vectors.seconds, vectors.track["musicnn-msd-penultimate-h3.0@1"].shape
    (1.0, (200,))
    """
    from threadpoolctl import threadpool_limits

    track: dict[str, FloatArray] = {}
    segments: dict[str, FloatArray] = {}
    estimation: TempoKeyEstimation | None = None
    with threadpool_limits(limits=1, user_api="blas"):
        for group in group_by_frames(spaces) or [[]]:
            embedder = open_embedder(group[0], compute=compute) if group else None
            poolers = {
                space.id: Pooler(statistics=space.statistics, segments=space.pooled) for space in map(space_of, group)
            }
            with _open_stream(source, embedder) as stream:
                if tempo_key and estimation is None:
                    estimation = TempoKeyEstimation(sample_rate=stream.source_rate)
                    stream.listener = estimation.add
                if embedder is None:
                    for _ in stream:
                        pass
                else:
                    for vectors, starts in embedder.frames(stream):
                        for pooler in poolers.values():
                            pooler.add(vectors, starts)
            for space_id, pooler in poolers.items():
                track[space_id], segments[space_id] = pooler.track_vector(), pooler.segment_vectors()
        found = estimation.result() if estimation else None
    return TrackVectors(
        seconds=stream.seconds,
        sample_rate=stream.source_rate,
        channels=stream.channels,
        silent=stream.silent,
        notice=stream.notice,
        track=track,
        segments=segments,
        tempo_key=TempoKey() if found is not None and stream.silent else found,
    )


def _open_stream(source: Source, embedder: Embedder | None) -> MonoStream:
    if embedder is None:
        return MonoStream(source)
    return MonoStream(source, sample_rate=embedder.space.sample_rate, resampler=embedder.space.resampler)
