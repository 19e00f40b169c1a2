"""How things are written in a terminal: notices, progress, tables, names that fit. Not what is said."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click

from sonotheque import results

SHOWN = 10
"""Lines of a long list that are shown; `status` shows all."""

WIDEST = 32
"""Characters of a title, artist or album in a table; JSON has all of them."""


class _Notices(logging.Handler):
    """Prints the package's log records on standard error, as one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "note: " if record.levelno < logging.WARNING else "warning: "
        click.echo(prefix + record.getMessage(), err=True)


def show_notices() -> None:
    """Send the package's notices to standard error."""
    logger = logging.getLogger("sonotheque")
    logger.handlers = [_Notices()]
    logger.setLevel(logging.INFO)
    logger.propagate = False


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Swallow what C libraries say on standard error while they decode in this process; what Python says there is heard."""
    try:
        sys.stderr.flush()
        heard = os.dup(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):  # no real file, as in a test or a notebook
        yield
        return
    own, nowhere = sys.stderr, os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, own.fileno())
    sys.stderr = os.fdopen(os.dup(heard), "w", buffering=1, encoding=own.encoding, errors=own.errors)
    try:
        yield
    finally:
        sys.stderr.close()
        sys.stderr = own
        os.dup2(heard, own.fileno())
        os.close(heard)
        os.close(nowhere)


def print_json(result: Any) -> None:
    """Print a result as one JSON document."""
    click.echo(json.dumps(results.to_dict(result), ensure_ascii=False, indent=2))


@contextmanager
def progress_bar(what: str, *, amount: str = "files") -> Iterator[Callable[[int, int], None]]:
    """Draw done, total, rate and time left on standard error; nothing where that is no terminal.

    Parameters
    ----------
    what : str
        Such as ``"embedding"``.
    amount : str
        What is counted: ``files`` or ``bytes``.

    Yields
    ------
    callable
        Takes (done, total).
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{60 * speed:.0f}/min" if speed else "")

    counted = (DownloadColumn(), TransferSpeedColumn()) if amount == "bytes" else (MofNCompleteColumn(), Rate())
    columns = (TextColumn("{task.description}"), BarColumn(), *counted, TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=60)
    task = None

    def update(done: int, total: int) -> None:
        nonlocal task
        if task is None:
            bar.start()
            task = bar.add_task(what, total=total)
        bar.update(task, completed=done, total=total)
        if done >= total:
            bar.stop()

    try:
        yield update
    finally:
        bar.stop()


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print columns; `right` numbers those that are aligned to the right. Wide tables are not folded when piped."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def plural(count: int, noun: str) -> str:
    """Write a number and what is counted."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def short(path: str) -> str:
    """Write a path relative to the working folder where that is shorter, control characters as escapes."""
    with suppress(ValueError):  # on another drive
        path = min(path, os.path.relpath(path), key=len)
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in path)


def clip(text: str | None) -> str:
    """Keep a column narrow."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text or "-").split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def clock(seconds: float) -> str:
    """Write a time as minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def name_of(path: str) -> str:
    """Return a file's name without its extension."""
    return os.path.splitext(os.path.basename(path))[0]
