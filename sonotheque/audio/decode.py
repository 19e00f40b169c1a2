"""Decode a file or bytes to blocks of samples, with the sampling rate and the channels of the source.

libsndfile reads WAV, FLAC, OGG, Opus, MP3 and AIFF. FFmpeg, through PyAV, reads the other formats, such as AAC, WMA and the
audio track of a video. The decoder is chosen by content, not by file extension. Downmixing and resampling are in
`sonotheque.audio.mono`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from sonotheque.audio.truncation import describe_truncation
from sonotheque.errors import EmptyFileError, MissingFileError, NoSamplesError, NotAudioError
from sonotheque.types import FloatArray

Source = str | os.PathLike[str] | bytes
"""A path, or the content of a file as bytes."""

BLOCK_SIZE, FLAC_BLOCK_SIZE = 65536, 4096
"""Sample frames that libsndfile reads at once. FLAC blocks are small because a read error discards the whole block."""

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,asf,aac,matroska,webm,mp3,wav,w64,flac,ogg,aiff,caf,avi,mpegts,mpeg,flv,ape,wv,ac3,amr"
)
"""Formats that FFmpeg may open: single-file containers only, since playlists and network formats could open other files."""


class Decoder(Protocol):
    """An open recording.

    Attributes
    ----------
    sample_rate : int
        In Hz.
    channels : int
    truncated : str or None
        Notice that the file is truncated or damaged. It is known once all blocks have been read.
    """

    sample_rate: int
    channels: int
    truncated: str | None

    def blocks(self) -> Iterator[FloatArray]:
        """Yield float32 arrays [n, channels], n >= 1, nominally in [-1, 1]. Can be iterated over once."""

    def close(self) -> None:
        """Close the file."""


def source_name(source: Source) -> str:
    """Return the name of a source for messages: its path, or the number of its bytes."""
    return f"<{len(source)} bytes>" if isinstance(source, bytes) else os.fspath(source)


def open_decoder(source: Source) -> Decoder:
    """Open a recording with the first decoder that recognises its content.

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    Decoder
        The caller must close it.

    Raises
    ------
    MissingFileError
        If the file does not exist or cannot be opened.
    EmptyFileError
        If it has no bytes.
    NotAudioError
        If no decoder recognises it.
    """
    name = source_name(source)
    _check_readable(source, name)
    try:
        return _SoundFileDecoder(source)
    except NotAudioError:
        return _FFmpegDecoder(source)


def _check_readable(source: Source, name: str) -> None:
    if isinstance(source, bytes):
        size = len(source)
    else:
        path = Path(source)
        try:
            if path.is_dir():
                raise NotAudioError(f"{name}: a folder, not an audio file")
            if path.exists() and not path.is_file():
                raise NotAudioError(f"{name}: a pipe, socket or device, not a file")
            with path.open("rb") as file:
                size = file.seek(0, io.SEEK_END)
        except FileNotFoundError:
            raise MissingFileError(f"{name}: no such file") from None
        except OSError as error:
            raise MissingFileError(f"{name}: cannot be opened ({error.strerror or error})") from None
    if size == 0:
        raise EmptyFileError(f"{name}: the file is empty (0 bytes); copy it again from where it came")


def _file_or_path(source: Source) -> BinaryIO | str:
    return io.BytesIO(source) if isinstance(source, bytes) else str(Path(source).absolute())


class _SoundFileDecoder:
    """Decoder that uses libsndfile 1.2 through soundfile."""

    def __init__(self, source: Source) -> None:
        import soundfile

        self._source = source
        self._name = source_name(source)
        try:
            self._file: Any = soundfile.SoundFile(_file_or_path(source))
        except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: soundfile wants parameters for .raw
            raise NotAudioError(f"{self._name}: {error}") from None
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.truncated: str | None = None

    def blocks(self) -> Iterator[FloatArray]:
        import soundfile

        count = 0
        size = FLAC_BLOCK_SIZE if self._file.format == "FLAC" else BLOCK_SIZE
        while True:
            try:
                block: FloatArray = self._file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                self.truncated = f"damaged: decoded up to {count / self.sample_rate:.1f} s"
                break
            if len(block) == 0:
                self.truncated = describe_truncation(
                    self._source, container=self._file.format, decoded=count / self.sample_rate
                )
                break
            count += len(block)
            yield block
        if count == 0:
            raise NoSamplesError(f"{self._name}: holds no audio samples; it is damaged or was never finished")

    def close(self) -> None:
        self._file.close()


class _FFmpegDecoder:
    """Decoder that uses FFmpeg through PyAV, restricted to single-file containers."""

    def __init__(self, source: Source) -> None:
        import av

        self._name = source_name(source)
        self._av: Any = av
        not_audio = f"{self._name}: not an audio file that can be decoded; check that it plays elsewhere"
        try:
            self._container: Any = av.open(_file_or_path(source), options={"format_whitelist": DEMUXERS})
        except (av.FFmpegError, ValueError):
            raise NotAudioError(not_audio) from None
        streams = self._container.streams.audio
        if not streams:
            self._container.close()
            raise NotAudioError(f"{self._name}: holds no sound (no audio stream)")
        self._stream: Any = streams[0]
        if not self._stream.rate or not self._stream.channels:
            self._container.close()
            raise NotAudioError(not_audio)
        self.sample_rate = int(self._stream.rate)
        self.channels = int(self._stream.channels)
        self.truncated: str | None = None

    def blocks(self) -> Iterator[FloatArray]:
        resampler = self._av.AudioResampler(format="fltp", layout=self._stream.layout, rate=self.sample_rate)
        count = 0
        try:
            for frame in self._container.decode(self._stream):
                for planar in resampler.resample(frame):
                    block: FloatArray = np.ascontiguousarray(planar.to_ndarray().T, dtype=np.float32)
                    count += len(block)
                    if len(block):
                        yield block
        except self._av.FFmpegError:
            self.truncated = f"damaged: decoded up to {count / self.sample_rate:.1f} s"
        if count == 0:
            raise NoSamplesError(f"{self._name}: holds no audio samples; it is damaged or was never finished")
        self._compare_with_stated_duration(count / self.sample_rate)

    def _compare_with_stated_duration(self, decoded: float) -> None:
        if self._container.format.name == "aac" or self._stream.duration is None:
            return  # raw AAC has no header; FFmpeg estimates its duration from the bit rate
        expected = float(self._stream.duration * self._stream.time_base)
        if self.truncated is None and decoded < expected - max(0.5, 0.01 * expected):
            self.truncated = f"truncated: {decoded:.1f} s of {expected:.1f} s decoded"

    def close(self) -> None:
        self._container.close()
