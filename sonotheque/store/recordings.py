"""Columns of all tracks for the search for duplicates, without an object for each track."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sonotheque.store.database import Database
from sonotheque.types import BoolArray, Float64Array, IdArray


class TitledTrack(NamedTuple):
    """The names of a track: `path` is its first file."""

    id: int
    title: str | None
    artist: str | None
    path: str


class RecordingRepository:
    """Reads the tables ``tracks`` and ``files``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lengths(self) -> tuple[IdArray, Float64Array, BoolArray]:
        """Read the length of each track.

        Returns
        -------
        ids : int64 array [N]
            In ascending order.
        seconds : float64 array [N]
        silent : bool array [N]
        """
        count = int(self._database.execute("SELECT count(*) FROM tracks").fetchone()[0])
        ids, seconds, silent = np.empty(count, np.int64), np.empty(count), np.empty(count, np.bool_)
        for row, values in enumerate(self._database.execute("SELECT id, seconds, silent FROM tracks ORDER BY id")):
            ids[row], seconds[row], silent[row] = values
        return ids, seconds, silent

    def sizes(self, track: int) -> dict[str, int]:
        """Map the paths of a track, in alphabetical order, to their sizes in bytes."""
        return dict(self._database.execute("SELECT path, size FROM files WHERE track_id = ? ORDER BY path", (track,)))

    def with_several_files(self) -> list[int]:
        """List the ids of the tracks that have more than one file, ordered by the first path."""
        rows = self._database.execute(
            "SELECT track_id FROM files GROUP BY track_id HAVING count(*) > 1 ORDER BY min(path)"
        )
        return [track for (track,) in rows]

    def titles(self) -> Iterator[TitledTrack]:
        """Read the title, the artist and the first path of each track, ordered by path."""
        rows = self._database.execute(
            "SELECT tracks.id, title, coalesce(labels.artist, tracks.artist), min(path) AS first FROM tracks "
            "JOIN files ON files.track_id = tracks.id LEFT JOIN labels ON labels.track_id = tracks.id "
            "GROUP BY tracks.id ORDER BY first"
        )
        for row in rows:
            yield TitledTrack(*row)
