"""The open file of a library: its connection, its transactions, and the counters of change. What the tables mean is for others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from sonotheque.audio.decode import FloatArray
from sonotheque.store.connection import connect
from sonotheque.store.schema import migrate


class Database:
    """The open file.

    Parameters
    ----------
    path : path of ``library.sqlite``; it is made where it does not exist

    Raises
    ------
    LibraryError
        If the file is no catalogue, is damaged, or was written by a newer version.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._db = connect(self.path)
        migrate(self._db)

    def __enter__(self) -> Self:
        """Return the catalogue itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _changed(self, spaces: Iterable[str] = ()) -> None:
        self._db.execute("UPDATE library SET value = value + 1 WHERE key = 'generation'")
        self._db.executemany(
            "UPDATE spaces SET generation = generation + 1 WHERE name = ?", [(name,) for name in spaces]
        )


def decoded(vector: bytes, segments: bytes) -> tuple[FloatArray, FloatArray]:
    """Turn what a row holds into a vector [D] and segments [S, D]."""
    whole, parts = (np.frombuffer(blob, dtype="<f4").astype(np.float32) for blob in (vector, segments))
    return whole, parts.reshape(-1, len(whole))
