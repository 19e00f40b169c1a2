"""Open ``library.sqlite``, and convert SQLite errors into messages that name the file and a remedy."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sonotheque.errors import LibraryError

BUSY_TIMEOUT = 30.0
"""How long to wait for another process that is writing, in s."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a catalogue with a write-ahead log and foreign keys. A read-only file is opened for reading only.

    Raises
    ------
    LibraryError
        If the file is not a catalogue or is damaged. Any later use of the connection raises it as well, if it detects damage or
        cannot write.
    """
    read_only = os.path.exists(path) and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))

    class Cursor(sqlite3.Cursor):
        execute = _convert_errors(sqlite3.Cursor.execute, path)
        executemany = _convert_errors(sqlite3.Cursor.executemany, path)
        executescript = _convert_errors(sqlite3.Cursor.executescript, path)
        fetchone = _convert_errors(sqlite3.Cursor.fetchone, path)
        fetchall = _convert_errors(sqlite3.Cursor.fetchall, path)
        __next__ = _convert_errors(sqlite3.Cursor.__next__, path)

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> Any:
            return self.cursor(Cursor).execute(*arguments)

        def executemany(self, *arguments: Any) -> Any:
            return self.cursor(Cursor).executemany(*arguments)

        def executescript(self, *arguments: Any) -> Any:
            return self.cursor(Cursor).executescript(*arguments)

    address = f"file:{quote(os.fsencode(path.absolute()))}" + ("?immutable=1" if read_only else "")
    try:
        connection = sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, factory=Connection)
    except sqlite3.Error as error:
        raise _library_error(path, error) from None
    connection.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        _enable_write_ahead_log(connection, path)
        connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _enable_write_ahead_log(connection: sqlite3.Connection, path: Path) -> None:
    """Switch to the write-ahead log. SQLite does not wait here for a process that creates the file at the same time, so we do."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            sqlite3.Connection.execute(connection, "PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise _library_error(path, error) from None
            time.sleep(0.01)
        except sqlite3.Error as error:
            raise _library_error(path, error) from None


def _convert_errors(method: Callable[..., Any], path: Path) -> Callable[..., Any]:
    @wraps(method)
    def wrapper(self: sqlite3.Cursor, *arguments: Any) -> Any:
        try:
            return method(self, *arguments)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # programming errors, or constraints that the caller checks
        except sqlite3.Error as error:
            raise _library_error(path, error) from None
        except UnicodeEncodeError as error:
            raise LibraryError(f"{error.object!a}: not valid UTF-8, so it cannot be stored or looked up") from None

    return wrapper


def _library_error(path: Path, error: sqlite3.Error) -> LibraryError:
    if "readonly" in str(error) or "read-only" in str(error):
        return LibraryError(
            f"{path}: is read-only; copy the library to a writable folder, or choose another one with -L"
        )
    if "locked" in str(error):
        return LibraryError(
            f"{path}: another process has been writing for {BUSY_TIMEOUT:.0f} s; try again when it has finished"
        )
    if "unable to open" in str(error):
        return LibraryError(f"{path}: cannot be opened; change its permissions, or choose another library with -L")
    if "full" in str(error):
        return LibraryError(f"{path}: the disk is full; free some space, then run the command again")
    return LibraryError(
        f"{path}: not a library, or damaged ({error}); restore a backup, or move the file away and `add` the music again"
    )
