"""What is decoded: a path or bytes, and one recording of it as a file of its own."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from sonotheque.audio.byte_range import ByteRange
from sonotheque.audio.joined import Recording
from sonotheque.errors import MissingFileError

Source = str | os.PathLike[str] | bytes
"""A path, or the content of a file as bytes."""


def source_name(source: Source) -> str:
    """Return the name of a source for messages: its path, or the number of its bytes."""
    return f"<{len(source)} bytes>" if isinstance(source, bytes) else os.fspath(source)


@contextmanager
def open_source(source: Source) -> Iterator[BinaryIO]:
    """Open a source; a file that cannot be read is a `MissingFileError`."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
            yield file
    except OSError as error:
        raise MissingFileError(f"{source_name(source)}: cannot be read ({error.strerror or error})") from None


class RecordingInput:
    """One recording of a source, as the decoders open it.

    Parameters
    ----------
    source : path, or bytes of a whole file
    recording : Recording
    last : bool
        Whether nothing follows the recording in the file.
    """

    def __init__(self, source: Source, recording: Recording, *, last: bool) -> None:
        self.name = source_name(source)
        self.recording = recording
        self.last = last
        self._source = source
        with open_source(source) as file:
            size = file.seek(0, io.SEEK_END)
        self._whole = (recording.start, recording.end) == (0, size) and not recording.patches

    def open(self) -> BinaryIO:
        """Open the bytes of the recording. The caller must close the file."""
        content = self._source
        file = io.BytesIO(content) if isinstance(content, bytes) else Path(content).open("rb")  # noqa: SIM115
        if self._whole:
            return file
        recording = self.recording
        return cast(BinaryIO, ByteRange(file, recording.start, recording.end, recording.patches))

    def file_or_path(self) -> BinaryIO | str:
        """Return the path of a plain file, which the decoders read faster, otherwise an open file."""
        if self._whole and not isinstance(self._source, bytes):
            return str(Path(self._source).absolute())
        return self.open()
