"""Decode with libsndfile 1.2, through soundfile: WAV, FLAC, OGG, Opus, MP3 and AIFF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sonotheque.audio.source import RecordingInput
from sonotheque.audio.truncation import describe_truncation, describe_unknown_length
from sonotheque.errors import NoSamplesError, NotAudioError
from sonotheque.types import FloatArray

BLOCK_SIZE, FLAC_BLOCK_SIZE = 65536, 4096
"""Sample frames that libsndfile reads at once. FLAC blocks are small because a read error discards the whole block."""

CLAMPED_SECONDS = 0.1
"""FFmpeg decodes an MP3 that is longer than libsndfile estimates by at least this: libsndfile would stop at its estimate."""

UNKNOWN_FRAMES = 1 << 62
"""libsndfile's number of frames for a FLAC file that does not state it; it fails to read the last block of such a file."""


class SoundFileDecoder:
    """Decoder that uses libsndfile 1.2 through soundfile.

    Raises
    ------
    NotAudioError
        If libsndfile does not know the format, or would not read it to its end.
    NoSamplesError
        If it finds no samples.
    """

    def __init__(self, given: RecordingInput) -> None:
        import soundfile

        self._input = given
        opened = given.file_or_path()
        self._own: Any = None if isinstance(opened, str) else opened
        try:
            self._file: Any = soundfile.SoundFile(opened)
        except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: soundfile wants parameters for .raw
            self._close_own()
            raise NotAudioError(f"{given.name}: {error}") from None
        self.sample_rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.truncated: str | None = None
        self._block_size = FLAC_BLOCK_SIZE if self._file.format == "FLAC" else BLOCK_SIZE
        samples = given.recording.samples or 0
        if (
            self._file.format == "MP3" and samples - self._file.frames > CLAMPED_SECONDS * self.sample_rate
        ) or self._file.frames >= UNKNOWN_FRAMES:
            self.close()
            raise NotAudioError(f"{given.name}: libsndfile does not know its length")
        try:
            self._first: FloatArray = self._read()
        except soundfile.LibsndfileError:
            self._first = np.zeros((0, self.channels), dtype=np.float32)
        if len(self._first) == 0:
            self.close()
            raise NoSamplesError(f"{given.name}: holds no audio samples; it is damaged or was never finished")

    def _read(self) -> FloatArray:
        block: FloatArray = self._file.read(self._block_size, dtype="float32", always_2d=True)
        return block

    def blocks(self) -> Iterator[FloatArray]:
        """See `sonotheque.audio.decode.Decoder`."""
        import soundfile

        count = 0
        block = self._first
        while len(block):
            count += len(block)
            yield block
            try:
                block = self._read()
            except soundfile.LibsndfileError:
                self.truncated = f"damaged: decoded up to {count / self.sample_rate:.1f} s"
                return
        seconds = count / self.sample_rate
        with self._input.open() as file:
            self.truncated = describe_truncation(
                file, container=self._file.format, decoded=seconds, last=self._input.last
            )
        if self.truncated is None and self._input.recording.unknown_length:
            self.truncated = describe_unknown_length(seconds)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._close_own()

    def _close_own(self) -> None:
        if self._own is not None:
            self._own.close()
