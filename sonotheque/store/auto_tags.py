"""The auto-tags of a catalogue, for libraries that do not keep the vectors of the tagging network."""

from __future__ import annotations

import numpy as np

from sonotheque.store.database import Database
from sonotheque.types import FloatArray


class AutoTagRepository:
    """Reads and writes the table ``auto_tags``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has(self, track: int, space: str) -> bool:
        """Return whether a track has auto-tags that were computed from a vector in a space."""
        row = self._database.execute("SELECT 1 FROM auto_tags WHERE track_id = ? AND space = ?", (track, space))
        return row.fetchone() is not None

    def count(self, space: str) -> int:
        """Count the tracks that have auto-tags in this table, or vectors in the space that give them."""
        (with_vectors,) = self._database.execute("SELECT total(tracks) FROM spaces WHERE name = ?", (space,)).fetchone()
        (others,) = self._database.execute(
            "SELECT count(*) FROM auto_tags WHERE space = :space AND NOT EXISTS (SELECT 1 FROM vectors "
            "WHERE vectors.track_id = auto_tags.track_id AND space_id = (SELECT id FROM spaces WHERE name = :space))",
            {"space": space},
        ).fetchone()
        return int(with_vectors) + int(others)

    def read(self, space: str) -> dict[int, FloatArray]:
        """Map each track whose auto-tags were computed from vectors in a space to its logits, float32 [number of tags]."""
        rows = self._database.execute("SELECT track_id, logits FROM auto_tags WHERE space = ?", (space,))
        return {track: np.frombuffer(blob, dtype="<f4").astype(np.float32) for track, blob in rows}

    def write(self, track: int, space: str, logits: FloatArray) -> None:
        """Write the logits of a track, replacing older ones."""
        self._database.execute(
            "INSERT OR REPLACE INTO auto_tags VALUES (?, ?, ?)", (track, space, logits.astype("<f4").tobytes())
        )
