"""What reaches standard error: the package's log messages, without the messages of C decoders."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click


class _StandardErrorHandler(logging.Handler):
    """Prints each log record of the package as one line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "note: " if record.levelno < logging.WARNING else "warning: "
        with suppress(OSError):  # a full disk behind standard error does not stop the command
            click.echo(prefix + record.getMessage(), err=True)


def print_log_messages() -> None:
    """Print the log messages of the package, from level INFO on, on standard error."""
    logger = logging.getLogger("sonotheque")
    logger.handlers = [_StandardErrorHandler()]
    logger.setLevel(logging.INFO)
    logger.propagate = False


@contextmanager
def silence_decoders() -> Iterator[None]:
    """Discard what C libraries write to standard error while they decode in this process.

    Python's own messages still reach standard error.
    """
    try:
        sys.stderr.flush()
        saved_descriptor = os.dup(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):  # no real file, as in a test or a notebook
        yield
        return
    original, devnull = sys.stderr, os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, original.fileno())
    sys.stderr = os.fdopen(
        os.dup(saved_descriptor), "w", buffering=1, encoding=original.encoding, errors=original.errors
    )
    try:
        yield
    finally:
        sys.stderr.close()
        sys.stderr = original
        os.dup2(saved_descriptor, original.fileno())
        os.close(saved_descriptor)
        os.close(devnull)
