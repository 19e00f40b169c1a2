"""How a file is recognised: by its content hash and, without reading it, by its size and modification time; and valid names."""

from __future__ import annotations

import hashlib
import os
import sys
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


def name_problem(path: str) -> str | None:
    r"""Return why a path cannot be stored, or None. Paths are stored as text, so their bytes must be valid UTF-8.

    Examples
    --------
    >>> name_problem("no\udcfftext.wav"), name_problem("été.wav")
    ('its name is not valid UTF-8; rename it', None)
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        if sys.getfilesystemencoding() == "utf-8":
            return "its name is not valid UTF-8; rename it"
        return f"Python decodes file names as {sys.getfilesystemencoding()} here; set PYTHONUTF8=1"
    return None


def printable_path(path: str) -> str:
    r"""Return a path with the bytes that are not valid UTF-8 as escapes such as ``\xff``.

    Examples
    --------
    >>> print(printable_path("no\udcfftext.wav"))
    no\xfftext.wav
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
