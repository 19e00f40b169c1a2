"""How a file is recognised: by its content hash and, without reading it, by its size and modification time."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileStamp:
    """Size and modification time of a file. If both are unchanged, the content is taken to be unchanged.

    Attributes
    ----------
    size : int
        In bytes.
    mtime_ns : int
        In ns since the epoch.
    """

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> FileStamp:
        """Read the stamp of a file.

        Raises
        ------
        OSError
            If the file does not exist or cannot be accessed.
        """
        status = os.stat(path)
        return cls(status.st_size, status.st_mtime_ns)


def content_hash(path: str) -> str:
    """Compute the SHA-256 of a file's bytes, as hexadecimal text.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
