"""The auto-tags of a catalogue, for libraries that do not keep the vectors of the tagging network."""

from __future__ import annotations

import numpy as np

from sonotheque.store.database import Database
from sonotheque.types import FloatArray


class AutoTagRepository:
    """Reads and writes the table ``auto_tags``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tagged(self, space: str) -> set[int]:
        """List the tracks whose auto-tags were computed from vectors in a space."""
        return {
            track for (track,) in self._database.execute("SELECT track_id FROM auto_tags WHERE space = ?", (space,))
        }

    def count(self, space: str) -> int:
        """Count the tracks that have auto-tags in this table, or vectors in the space that give them."""
        row = self._database.execute(
            "SELECT count(*) FROM (SELECT track_id FROM auto_tags WHERE space = :space UNION "
            "SELECT track_id FROM vectors JOIN spaces ON spaces.id = space_id WHERE name = :space)",
            {"space": space},
        ).fetchone()
        return int(row[0])

    def read(self, space: str) -> dict[int, FloatArray]:
        """Map each track whose auto-tags were computed from vectors in a space to its logits, float32 [number of tags]."""
        rows = self._database.execute("SELECT track_id, logits FROM auto_tags WHERE space = ?", (space,))
        return {track: np.frombuffer(blob, dtype="<f4").astype(np.float32) for track, blob in rows}

    def write(self, track: int, space: str, logits: FloatArray) -> None:
        """Write the logits of a track, replacing older ones."""
        self._database.execute(
            "INSERT OR REPLACE INTO auto_tags VALUES (?, ?, ?)", (track, space, logits.astype("<f4").tobytes())
        )
