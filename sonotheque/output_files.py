"""Puts a file in its place as a whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sonotheque.errors import LibraryError


def write_atomic(path: Path, parts: Iterable[Any]) -> None:
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


def require_extension(path: str | os.PathLike[str], *endings: str) -> None:
    """Check what a file that is to be written is called, so that a slip of the hand replaces no music.

    Raises
    ------
    LibraryError
        If its name does not end so, or something stands there that is no file.
    """
    place = Path(path)
    if place.suffix.lower() not in endings:
        raise LibraryError(f"{path}: name a file that ends in {' or '.join(endings)}")
    if place.exists() and not place.is_file():
        raise LibraryError(f"{path}: stands there already and is no file; name another")
