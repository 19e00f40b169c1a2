"""A file or bytes to blocks of samples at their own rate and channels.

libsndfile reads what it can (WAV, FLAC, OGG, Opus, MP3, AIFF); FFmpeg, inside PyAV, reads the rest (AAC, WMA, the sound
of a video). Content chooses the decoder, not the extension. Mixing down and resampling are `sonotheque.audio.mono`'s.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from sonotheque.audio.truncation import header_truncation
from sonotheque.errors import EmptyFileError, MissingFileError, NoSamplesError, NotAudioError
from sonotheque.types import FloatArray

Source = str | os.PathLike[str] | bytes
"""A path, or the bytes of a whole file."""

BLOCK, FLAC_BLOCK = 65536, 4096
"""Frames asked of libsndfile at once. FLAC in small blocks, because a damaged file loses the block in which it breaks."""

DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,asf,aac,matroska,webm,mp3,wav,w64,flac,ogg,aiff,caf,avi,mpegts,mpeg,flv,ape,wv,ac3,amr"
)
"""What FFmpeg may open: single-file containers only. Playlists and network formats could reach other files."""


class Decoder(Protocol):
    """One opened recording. ``blocks`` may be read once; ``truncated`` is final after that."""

    sample_rate: int
    channels: int
    truncated: str | None

    def blocks(self) -> Iterator[FloatArray]:
        """Yield float32 arrays [n, channels], n >= 1, nominally in [-1, 1]."""

    def close(self) -> None:
        """Release the file."""


def source_name(source: Source) -> str:
    """Name a source in a message: its path, or how many bytes it has."""
    return f"<{len(source)} bytes>" if isinstance(source, bytes) else os.fspath(source)


def open_decoder(source: Source) -> Decoder:
    """Open a recording with the first decoder that recognises its content.

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    Decoder
        To be closed by the caller.

    Raises
    ------
    MissingFileError, EmptyFileError, NotAudioError
    """
    name = source_name(source)
    _check_size(source, name)
    try:
        return _SoundFile(source)
    except NotAudioError:
        return _FFmpeg(source)


def _check_size(source: Source, name: str) -> None:
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


def _opened(source: Source) -> BinaryIO | str:
    return io.BytesIO(source) if isinstance(source, bytes) else str(Path(source).absolute())


class _SoundFile:
    """libsndfile 1.2 through soundfile."""

    def __init__(self, source: Source) -> None:
        import soundfile

        self._source = source
        self._name = source_name(source)
        try:
            self._file: Any = soundfile.SoundFile(_opened(source))
        except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: a name ending in .raw wants parameters
            raise NotAudioError(f"{self._name}: {error}") from None
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.truncated: str | None = None

    def blocks(self) -> Iterator[FloatArray]:
        import soundfile

        count = 0
        size = FLAC_BLOCK if self._file.format == "FLAC" else BLOCK
        while True:
            try:
                block: FloatArray = self._file.read(size, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                self.truncated = f"damaged: decoded up to {count / self.sample_rate:.1f} s"
                break
            if len(block) == 0:
                self.truncated = header_truncation(
                    self._source, format_=self._file.format, decoded=count / self.sample_rate
                )
                break
            count += len(block)
            yield block
        if count == 0:
            raise NoSamplesError(f"{self._name}: holds no audio samples; it is damaged or was never finished")

    def close(self) -> None:
        self._file.close()


class _FFmpeg:
    """FFmpeg through PyAV, restricted to single-file containers."""

    def __init__(self, source: Source) -> None:
        import av

        self._name = source_name(source)
        self._av: Any = av
        not_audio = f"{self._name}: not an audio file that can be decoded; check that it plays elsewhere"
        try:
            self._container: Any = av.open(_opened(source), options={"format_whitelist": DEMUXERS})
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
        self._compare_with_header(count / self.sample_rate)

    def _compare_with_header(self, decoded: float) -> None:
        if self._container.format.name == "aac" or self._stream.duration is None:
            return  # raw AAC has no header: its duration is a guess from the bit rate
        expected = float(self._stream.duration * self._stream.time_base)
        if self.truncated is None and decoded < expected - max(0.5, 0.01 * expected):
            self.truncated = f"truncated: {decoded:.1f} s of {expected:.1f} s decoded"

    def close(self) -> None:
        self._container.close()
