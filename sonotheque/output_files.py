"""Write output files: atomically, and only with an expected file extension."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from sonotheque.errors import LibraryError


def write_atomic(path: Path, parts: Iterable[Any]) -> None:
    """Write a temporary file and rename it to `path`, so that readers see the old file or the complete new one.

    Parameters
    ----------
    path : path of the file
        Its folder is created if it does not exist.
    parts : iterable of bytes-like objects
        They are written one after another.

    Raises
    ------
    LibraryError
        If the file cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for part in parts:
                file.write(part)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise LibraryError(f"{path}: cannot be written ({error.strerror or error})") from None
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def require_extension(path: str | os.PathLike[str], *extensions: str) -> None:
    """Check the path of an output file, so that a typing error cannot overwrite music.

    Parameters
    ----------
    path : path of the file
    *extensions : str
        Accepted extensions in lower case, such as ``.csv``.

    Raises
    ------
    LibraryError
        If the path has another extension, or exists and is not a regular file.
    """
    output = Path(path)
    if output.suffix.lower() not in extensions:
        raise LibraryError(f"{path}: choose a name that ends in {' or '.join(extensions)}")
    if output.exists() and not output.is_file():
        raise LibraryError(f"{path}: exists and is not a regular file; choose another name")
