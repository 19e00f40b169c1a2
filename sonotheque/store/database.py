"""The SQLite database of a library: connection, transactions, settings and change counters.

The tables are defined in `schema`. Each is read and written by one repository: `tracks`, `files`, `labels`, `history`,
`removals`, `vectors`, `auto_tags`, `tempo_keys`, `augmented_copies`, `maps`, `outputs`, `search_names` and `fingerprints`;
`attributes` and `recordings` read columns of several. There is no SQL outside this package.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sonotheque.store.connection import connect
from sonotheque.store.schema import migrate


class Database:
    """The open database.

    Parameters
    ----------
    path : path of ``library.sqlite``, which is created if it does not exist

    Raises
    ------
    LibraryError
        If the file is not a catalogue, is damaged, or was written by a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._connection = connect(self.path)
        migrate(self._connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def execute(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """Execute one statement for each set of parameters."""
        return self._connection.executemany(sql, parameters)

    @property
    def total_changes(self) -> int:
        """Number of rows that have been changed since the file was opened."""
        return self._connection.total_changes

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[None]:
        """Run the statements of a ``with`` block in one transaction. Inside another transaction, they become part of it.

        Parameters
        ----------
        dry_run : bool
            Take the changes back at the end. Not inside another transaction.
        """
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("ROLLBACK" if dry_run else "COMMIT")

    @property
    def generation(self) -> int:
        """A number that increases with every change of tracks, vectors or labels."""
        return int(self.execute("SELECT value FROM library WHERE key = 'generation'").fetchone()[0])

    def mark_changed(self, spaces: Iterable[str] = ()) -> None:
        """Increase the generation of the library and of the spaces whose vectors have changed."""
        self.execute("UPDATE library SET value = value + 1 WHERE key = 'generation'")
        self.executemany("UPDATE spaces SET generation = generation + 1 WHERE name = ?", [(name,) for name in spaces])

    def get_setting(self, key: str) -> str | None:
        """Read a setting of the library, or None if it was never set."""
        row = self.execute("SELECT value FROM library WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_setting(self, key: str, value: str) -> None:
        """Write a setting of the library."""
        with self.transaction():
            self.execute(
                "INSERT INTO library VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
            )
