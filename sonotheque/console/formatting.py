"""Tables, JSON, and short forms of numbers, paths and times."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click

from sonotheque import results

MAX_LISTED = 10
"""Items of a long list that are printed."""

MAX_CELL_WIDTH = 32
"""Characters of a title, artist or album in a table; JSON has all of them."""

MAX_NAME_WIDTH = 24
"""Characters of an artist or a title where both are in one cell."""


def print_json(result: Any) -> None:
    """Print a result as one JSON document, in ASCII if standard output is not UTF-8 or a name in it is not valid text."""
    content = results.to_dict(result)
    text = json.dumps(content, ensure_ascii=not _is_utf8(sys.stdout), indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(content, indent=2)
    click.echo(text)


def _is_utf8(stream: Any) -> bool:
    encoding = getattr(stream, "encoding", None) or "utf-8"  # the stream of a notebook has no encoding
    return codecs.lookup(encoding).name == "utf-8"


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right_aligned: Sequence[int] = ()) -> None:
    """Print a table with aligned columns. Long lines are not wrapped.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequences of str
        Each as long as the header.
    right_aligned : sequence of int
        Numbers of the columns that are aligned to the right.
    """
    rows = [[_escape(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [
            cell.rjust(width) if column in right_aligned else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _escape(text: str) -> str:
    """Replace what standard output cannot show by the escapes that it will write, so that columns stay aligned."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def display_path(path: str) -> str:
    """Return a path relative to the working folder if that is shorter, with control characters escaped."""
    with suppress(ValueError, OSError):  # on another drive, or the working folder no longer exists
        path = min(path, os.path.relpath(path), key=len)
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in path)


def truncate_cell(text: str | None, *, width: int = MAX_CELL_WIDTH) -> str:
    """Return a text for a table cell: at most `width` characters, ``-`` for None."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text or "-").split())
    return text if len(text) <= width else text[: width - 1] + "…"


def format_track(path: str, *, artist: str | None, title: str | None) -> str:
    """Format artist and title of a track for a table cell; a track without a title is named by its file.

    Examples
    --------
    >>> format_track("/music/a.mp3", artist="Bach", title="Air"), format_track("/music/a.mp3", artist="Bach", title=None)
    ('Bach - Air', 'Bach - a')
    """
    name = truncate_cell(title or file_stem(path), width=MAX_NAME_WIDTH)
    return f"{truncate_cell(artist, width=MAX_NAME_WIDTH)} - {name}" if artist else name


def format_time(seconds: float) -> str:
    """Format a time as minutes and seconds.

    Examples
    --------
    >>> format_time(83.5)
    '1:23'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def file_stem(path: str) -> str:
    """Return the name of a file without its extension."""
    return os.path.splitext(os.path.basename(path))[0]
