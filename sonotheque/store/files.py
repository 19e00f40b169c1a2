"""Puts a file in its place as a whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sonotheque.errors import LibraryError


def write_whole(path: Path, parts: Iterable[Any]) -> None:
    """Write a file beside its place and move it there: a reader sees the old one or the new one, never half of one.

    Parameters
    ----------
    path : path of the file; its folder is made
    parts : bytes, or arrays of bytes, one after another

    Raises
    ------
    LibraryError
        If it cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            for content in parts:
                file.write(content)
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise LibraryError(f"{path}: cannot be written ({error.strerror or error})") from None
    except BaseException:
        part.unlink(missing_ok=True)
        raise
