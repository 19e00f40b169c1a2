"""The files that a library wrote for the user, so that it replaces only its own work; see `sonotheque.output_files`."""

from __future__ import annotations

from sonotheque.output_files import WrittenFile
from sonotheque.store.database import Database


class OutputRepository:
    """Reads and writes the table ``outputs``. It is an `OutputLog`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, path: str) -> WrittenFile | None:
        """Return what was written to a path last, or None."""
        row = self._database.execute("SELECT output, sha256, tracks FROM outputs WHERE path = ?", (path,)).fetchone()
        return None if row is None else WrittenFile(*row)

    def record(self, path: str, written: WrittenFile) -> None:
        """Remember what was written to a path."""
        with self._database.transaction():
            self._database.execute("INSERT OR REPLACE INTO outputs VALUES (?, ?, ?, ?)", (path, *written))
