"""Opens ``library.sqlite``, and turns what SQLite finds wrong with it into errors that a person understands."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sonotheque.errors import LibraryError

BUSY = 30.0
"""How long to wait for another process that writes, in s."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a catalogue: for writing (write-ahead log, foreign keys), or only for reading where its file is read-only.

    Raises
    ------
    LibraryError
        If it is no catalogue or damaged; later, from any use of the connection, if damage shows or it cannot be written.
    """
    read_only = path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))

    class Cursor(sqlite3.Cursor):
        execute = _explained(sqlite3.Cursor.execute, path)
        executemany = _explained(sqlite3.Cursor.executemany, path)
        executescript = _explained(sqlite3.Cursor.executescript, path)
        fetchone = _explained(sqlite3.Cursor.fetchone, path)
        fetchall = _explained(sqlite3.Cursor.fetchall, path)
        __next__ = _explained(sqlite3.Cursor.__next__, path)

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> Any:
            return self.cursor(Cursor).execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            return self.cursor(Cursor).executemany(*arguments)

        def executescript(self, *arguments: Any) -> Any:
            return self.cursor(Cursor).executescript(*arguments)

    address = f"file:{quote(str(path.absolute()))}" + ("?immutable=1" if read_only else "")
    try:
        connection = sqlite3.connect(address, uri=True, timeout=BUSY, isolation_level=None, factory=Connection)
    except sqlite3.Error as error:
        raise _explanation(path, error) from None
    connection.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _explained(method: Callable[..., Any], path: Path) -> Callable[..., Any]:
    @wraps(method)
    def explained(self: sqlite3.Cursor, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # our own mistakes, or constraints that are asked about
        except sqlite3.Error as error:
            raise _explanation(path, error) from None

    return explained


def _explanation(path: Path, error: sqlite3.Error) -> LibraryError:
    if "readonly" in str(error) or "read-only" in str(error):
        return LibraryError(
            f"{path}: may only be read; copy the library to a place of your own, or choose another with -L"
        )
    if "locked" in str(error):
        return LibraryError(f"{path}: another process has been writing for {BUSY:.0f} s; try again when it is done")
    if "full" in str(error):
        return LibraryError(f"{path}: the disk is full; make room, then run the command again")
    return LibraryError(
        f"{path}: no library, or a damaged one ({error}); put a copy back, or move it away and `add` the music again"
    )
