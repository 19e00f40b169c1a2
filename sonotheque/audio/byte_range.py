"""Read a part of a file, or a file with a repaired header, as if it were a file of its own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import BinaryIO


class ByteRange(io.RawIOBase):
    """A read-only view of some bytes of an open file. Nothing is copied, so the range may be of any size.

    Parameters
    ----------
    file : binary file
        The view closes it when it is closed itself.
    start, end : int
        First byte, and the byte after the last one.
    patches : mapping of int to bytes
        Bytes that are returned instead of those in the file, by their offset from `start`.

    Examples
    --------
    >>> ByteRange(io.BytesIO(b"one two three"), 4, 7, {0: b"T"}).read()
    b'Two'
    """

    def __init__(self, file: BinaryIO, start: int, end: int, patches: Mapping[int, bytes] | None = None) -> None:
        super().__init__()
        self._file, self._start, self._size = file, start, end - start
        self._patches = dict(patches or {})
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the offset from the start of the range."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the offset from the start of the range."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read bytes into a buffer, and return how many."""
        count = max(0, min(len(buffer), self._size - self._position))
        self._file.seek(self._start + self._position)
        content = bytearray(self._file.read(count))
        for offset, patch in self._patches.items():
            for number, byte in enumerate(patch, start=offset - self._position):
                if 0 <= number < len(content):
                    content[number] = byte
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        """Close the view and the file."""
        self._file.close()
        super().close()
