"""The log of unexpected errors, which a user can send to the developers."""

from __future__ import annotations

import platform
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sonotheque.user_folders import log_folders

FILE_NAME = "errors.log"


def write_error_log(error: BaseException) -> Path | None:
    """Append an error with its traceback to the log, in the user's log folder or else in a temporary folder.

    Returns
    -------
    Path or None
        The log, or None if it cannot be written anywhere.
    """
    entry = "\n".join([*_describe_run(), *traceback.format_exception(error), ""])
    with suppress(OSError):  # no folder for temporary files
        for folder in log_folders():
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                with (folder / FILE_NAME).open("a", encoding="utf-8", errors="backslashreplace") as file:
                    file.write(entry)
                return folder / FILE_NAME
    return None


def _describe_run() -> Iterator[str]:
    from sonotheque import __version__

    yield f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, sonotheque {__version__}, Python {platform.python_version()}"
    yield f"{platform.platform()}; arguments: {sys.argv[1:]!r}"
