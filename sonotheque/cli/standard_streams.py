"""Prepare standard output and standard error for names that they cannot show, for full disks and for closed pipes."""

from __future__ import annotations

import codecs
import io
import os
import sys
import traceback
from contextlib import suppress

import click

ESCAPED_ASCII = "sonotheque_ascii"
"""Name of a codec that is ASCII. click writes UTF-8 to a stream whose codec is called ``ascii``."""


def use_utf8_file_names() -> None:
    """Start this process again in Python's UTF-8 mode if file names would be decoded as ASCII, as in the locale C.

    File names on disk are UTF-8 or unknown bytes there. The encodings of the standard streams stay the same.
    """
    if codecs.lookup(sys.getfilesystemencoding()).name != "ascii" or os.name != "posix" or sys.flags.utf8_mode:
        return
    streams = codecs.lookup(getattr(sys.stdout, "encoding", None) or "ascii").name
    environment = {"PYTHONIOENCODING": f"{streams}:backslashreplace", **os.environ, "PYTHONUTF8": "1"}
    os.execve(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]], environment)  # noqa: S606


def open_closed_streams() -> None:
    """Open closed standard streams on the null device. A file that is opened later could take their place otherwise."""
    with suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)


def escape_what_cannot_be_shown() -> None:
    r"""Make standard output and standard error write characters that their encoding lacks as escapes such as ``\u266b``."""
    codecs.register(_find_codec)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            is_ascii = codecs.lookup(stream.encoding).name == "ascii"
            stream.reconfigure(encoding=ESCAPED_ASCII if is_ascii else None, errors="backslashreplace")


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name != ESCAPED_ASCII:
        return None
    ascii_ = codecs.lookup("ascii")
    return codecs.CodecInfo(
        ascii_.encode,
        ascii_.decode,
        ascii_.streamreader,
        ascii_.streamwriter,
        ascii_.incrementalencoder,
        ascii_.incrementaldecoder,
        name=ESCAPED_ASCII,
    )


def flush_standard_output() -> None:
    """Write what is still buffered.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def output_error(error: BaseException) -> OSError | None:
    """Return why standard output or standard error cannot be written, or None if that is not what failed.

    What could not be written stays in the buffer, so writing it again fails again. Streams without a buffer fail in click.
    """
    if not isinstance(error, OSError):
        return None
    *_, (innermost, _) = traceback.walk_tb(error.__traceback__)
    if innermost.f_globals.get("__name__") == click.echo.__module__:
        return error
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError as failure:
            return failure
    return None


def discard_output() -> None:
    """Discard what is still buffered for streams that cannot be written; Python would complain about it at the end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            with suppress(OSError, ValueError):
                devnull = os.open(os.devnull, os.O_WRONLY)
                os.dup2(devnull, stream.fileno())
                os.close(devnull)
