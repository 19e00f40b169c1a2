"""Decode a file or bytes to blocks of samples, with the sampling rate and the channels of the source.

libsndfile reads WAV, FLAC, OGG, Opus, MP3 and AIFF. FFmpeg, through PyAV, reads the other formats, such as AAC, WMA and the
audio track of a video. The decoder is chosen by content, not by file extension. A file in which several recordings are joined is
decoded from the first to the last, see `sonotheque.audio.joined`. Downmixing and resampling are in `sonotheque.audio.mono`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from sonotheque.audio.ffmpeg_decoder import FFmpegDecoder
from sonotheque.audio.format_conversion import convert_blocks
from sonotheque.audio.joined import Recording, find_mpeg_streams, find_recordings
from sonotheque.audio.soundfile_decoder import SoundFileDecoder
from sonotheque.audio.source import RecordingInput, Source, open_source, source_name
from sonotheque.audio.stated_length import read_stated_length
from sonotheque.errors import AudioError, EmptyFileError, MissingFileError, NoSamplesError, NotAudioError
from sonotheque.types import FloatArray

SAMPLE_RATE_RANGE = (1_000, 768_000)
"""Lowest and highest sampling rate in Hz; a file that states another one has a damaged header."""


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
    with open_source(source) as file:
        recordings = find_recordings(file)
    if len(recordings) > 1:
        return _open_joined(source, recordings)
    try:
        decoder = _open_recording(source, recordings[0], last=True)
    except (NotAudioError, NoSamplesError):
        streams = _find_mpeg_streams(source)
        if not streams:
            raise
        return _open_joined(source, streams)
    if not isinstance(decoder, FFmpegDecoder) or decoder.container != "mp3" or recordings[0].samples is not None:
        return decoder
    streams = _find_mpeg_streams(source)  # junk before the first frame, which libsndfile does not skip
    if not streams:
        return decoder
    decoder.close()
    return _open_joined(source, streams)


def _find_mpeg_streams(source: Source) -> list[Recording]:
    with open_source(source) as file:
        return find_mpeg_streams(file)


def _check_readable(source: Source, name: str) -> None:
    if isinstance(source, bytes):
        size = len(source)
    else:
        path = Path(source)
        try:
            str(path).encode()  # the decoders take names in UTF-8
        except UnicodeEncodeError:
            raise NotAudioError(f"{name}: its name is not valid UTF-8; rename it") from None
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


def _open_recording(source: Source, recording: Recording, *, last: bool) -> Decoder:
    """Open one recording with libsndfile or, if that does not know it or finds no samples in it, with FFmpeg."""
    given = RecordingInput(source, recording, last=last)
    try:
        return SoundFileDecoder(given)
    except NotAudioError:
        return FFmpegDecoder(given)
    except NoSamplesError as error:
        with given.open() as file:
            stated = read_stated_length(file, start=0, limit=file.seek(0, io.SEEK_END))
        if stated is not None and not stated.unknown:  # the header says that there are none
            raise
        try:
            return FFmpegDecoder(given, unknown_length=True)
        except AudioError:
            raise error from None


def _open_joined(source: Source, recordings: Sequence[Recording]) -> Decoder:
    """Open several recordings as one. Those that cannot be decoded are left out, with a notice."""
    formats: dict[int, tuple[int, int]] = {}
    unusable = empty = 0
    for number, recording in enumerate(recordings):
        try:
            with closing(_open_recording(source, recording, last=number == len(recordings) - 1)) as decoder:
                if SAMPLE_RATE_RANGE[0] <= decoder.sample_rate <= SAMPLE_RATE_RANGE[1]:
                    formats[number] = (decoder.sample_rate, decoder.channels)
                else:
                    unusable += 1
        except NoSamplesError:
            empty += 1
        except AudioError:
            unusable += 1
    if not formats and empty:
        raise NoSamplesError(f"{source_name(source)}: holds no audio samples; it is damaged or was never finished")
    if not formats:
        raise NotAudioError(
            f"{source_name(source)}: not an audio file that can be decoded; check that it plays elsewhere"
        )
    return _JoinedDecoder(source, recordings, formats, unusable=unusable + empty)


class _JoinedDecoder:
    """Decoder for a file in which several recordings are joined. They are decoded one after the other, each from its own start.

    The output has the highest sampling rate and the largest number of channels of all of them.

    Parameters
    ----------
    source : path, or bytes of a whole file
    recordings : sequence of Recording
    formats : mapping of int to (int, int)
        Sampling rate and channels of each recording that can be decoded, by its place in `recordings`.
    unusable : int
        Number of recordings that cannot be decoded.
    """

    def __init__(
        self,
        source: Source,
        recordings: Sequence[Recording],
        formats: Mapping[int, tuple[int, int]],
        *,
        unusable: int,
    ) -> None:
        self._source, self._recordings, self._usable = source, recordings, sorted(formats)
        self.sample_rate = max(rate for rate, _ in formats.values())
        self.channels = max(channels for _, channels in formats.values())
        self.truncated: str | None = None
        self._unusable = unusable
        self._open: Decoder | None = None

    def blocks(self) -> Iterator[FloatArray]:
        """See `Decoder`."""
        total = len(self._recordings)
        notices = (
            [f"damaged: {self._unusable} of {total} joined recordings cannot be decoded"] if self._unusable else []
        )
        for number in self._usable:
            self._open = decoder = _open_recording(self._source, self._recordings[number], last=number == total - 1)
            with closing(decoder):
                blocks = ((block, decoder.sample_rate) for block in decoder.blocks())
                yield from convert_blocks(blocks, sample_rate=self.sample_rate, channels=self.channels)
            if decoder.truncated:
                place = f", in recording {number + 1} of {total}" if total > 1 else ""
                notices.append(f"{decoder.truncated}{place}")
        self.truncated = notices[0] if notices else None

    def close(self) -> None:
        """Close the recording that is open."""
        if self._open is not None:
            self._open.close()
