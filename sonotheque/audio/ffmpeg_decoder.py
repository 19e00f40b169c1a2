"""Decode with FFmpeg, through PyAV: what libsndfile does not read, such as AAC, WMA and the audio track of a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sonotheque.audio.format_conversion import convert_blocks
from sonotheque.audio.source import RecordingInput
from sonotheque.audio.truncation import describe_unknown_length
from sonotheque.errors import NoSamplesError, NotAudioError
from sonotheque.types import FloatArray

MAX_DAMAGED_PACKETS = 1000
"""FFmpeg skips this number of damaged packets, then it stops."""

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,asf,aac,matroska,webm,mp3,wav,w64,flac,ogg,aiff,caf,au,avi,mpegts,mpeg,flv,ape,wv,ac3,amr,"
    "mpc,mpc8,tta,tak,dsf,iff,dts,eac3,rm,voc"
)
"""Formats that FFmpeg may open: single-file containers only, since playlists and network formats could open other files."""

ESTIMATED_DURATIONS = frozenset(("aac", "ac3", "amr", "eac3", "flac", "mp3", "mpeg", "mpegts"))
"""FFmpeg's names of formats without a header for the whole file: it estimates their duration from the bit rate or time stamps."""


class FFmpegDecoder:
    """Decoder that uses FFmpeg through PyAV, restricted to single-file containers.

    Parameters
    ----------
    given : RecordingInput
    unknown_length : bool
        Whether libsndfile has found no samples, since the header does not state them.

    Raises
    ------
    NotAudioError
        If FFmpeg does not know the format, or the file has no audio.
    NoSamplesError
        If nothing can be decoded.
    """

    def __init__(self, given: RecordingInput, *, unknown_length: bool = False) -> None:
        import av

        self._name = given.name
        self._av: Any = av
        self._unknown_length = unknown_length or given.recording.unknown_length
        not_audio = f"{self._name}: not an audio file that can be decoded; check that it plays elsewhere"
        opened = given.file_or_path()
        self._own: Any = None if isinstance(opened, str) else opened
        try:
            self._container: Any = av.open(opened, options={"format_whitelist": DEMUXERS}, metadata_errors="replace")
        except (av.FFmpegError, ValueError):
            self._close_own()
            raise NotAudioError(not_audio) from None
        self.container = str(self._container.format.name)
        streams = self._container.streams.audio
        if not streams:
            self.close()
            raise NotAudioError(f"{self._name}: holds no sound (no audio stream)")
        self._stream: Any = streams[0]
        if not self._stream.rate or not self._stream.channels:
            self.close()
            raise NotAudioError(not_audio)
        self.sample_rate = int(self._stream.rate)
        self.channels = int(self._stream.channels)
        self.truncated: str | None = None
        self._damaged = 0
        self._planar = self._decode()
        first = next(self._planar, None)
        if first is None:
            self.close()
            raise NoSamplesError(f"{self._name}: holds no audio samples; it is damaged or was never finished")
        self._first = first

    def _decode(self) -> Iterator[tuple[FloatArray, int]]:
        """Yield blocks [n, channels] and their sampling rates. Web radio and television change both inside one stream."""
        resampler: Any = None
        current = None
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except self._av.error.InvalidDataError:
                    self._damaged += 1
                    if self._damaged > MAX_DAMAGED_PACKETS:
                        return
                    continue
                for frame in frames:
                    properties = (frame.format.name, frame.layout.name, frame.sample_rate)
                    if properties != current:
                        current = properties
                        resampler = self._av.AudioResampler(format="fltp", layout=frame.layout, rate=frame.sample_rate)
                    for planar in resampler.resample(frame):
                        block: FloatArray = np.ascontiguousarray(planar.to_ndarray().T, dtype=np.float32)
                        if len(block):
                            yield block, int(frame.sample_rate)
        except self._av.FFmpegError:
            self._damaged += 1

    def blocks(self) -> Iterator[FloatArray]:
        """See `sonotheque.audio.decode.Decoder`."""
        count = 0
        for block in convert_blocks(
            _chain(self._first, self._planar), sample_rate=self.sample_rate, channels=self.channels
        ):
            count += len(block)
            yield block
        seconds = count / self.sample_rate
        if self._damaged:
            self.truncated = f"damaged: decoded up to {seconds:.1f} s"
        else:
            self._compare_with_stated_duration(seconds)
        if self.truncated is None and self._unknown_length:
            self.truncated = describe_unknown_length(seconds)

    def _compare_with_stated_duration(self, decoded: float) -> None:
        if self.container in ESTIMATED_DURATIONS or self._stream.duration is None:
            return
        expected = float(self._stream.duration * self._stream.time_base)
        if decoded < expected - max(0.5, 0.01 * expected):
            self.truncated = f"truncated: {decoded:.1f} s of {expected:.1f} s decoded"

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._close_own()

    def _close_own(self) -> None:
        if self._own is not None:
            self._own.close()


def _chain(first: tuple[FloatArray, int], rest: Iterable[tuple[FloatArray, int]]) -> Iterator[tuple[FloatArray, int]]:
    yield first
    yield from rest
