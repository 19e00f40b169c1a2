"""The tempo and key of each track. Rows of an older method are as good as missing: the next `add` replaces them."""

from __future__ import annotations

from sonotheque.embed.tempo_key import METHOD, TempoKey
from sonotheque.store.database import Database


class TempoKeyRepository:
    """Reads and writes the table ``tempo_keys``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, track: int, tempo_key: TempoKey) -> None:
        """Store the tempo and key of a track."""
        self._database.execute(
            "INSERT OR REPLACE INTO tempo_keys (track_id, method, tempo, tempo_confidence, key, key_confidence) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (track, METHOD, tempo_key.tempo, tempo_key.tempo_confidence, tempo_key.key, tempo_key.key_confidence),
        )

    def all(self) -> dict[int, TempoKey]:
        """Map the id of each track to its tempo and key. Tracks without them are left out."""
        rows = self._database.execute(
            "SELECT track_id, tempo, tempo_confidence, key, key_confidence FROM tempo_keys WHERE method = ?", (METHOD,)
        )
        return {track: TempoKey(*values) for track, *values in rows}

    def get(self, track: int) -> TempoKey | None:
        """Return the tempo and key of one track, or None if they have not been computed."""
        row = self._database.execute(
            "SELECT tempo, tempo_confidence, key, key_confidence FROM tempo_keys WHERE method = ? AND track_id = ?",
            (METHOD, track),
        ).fetchone()
        return TempoKey(*row) if row else None

    def tracks(self) -> set[int]:
        """Return the ids of the tracks whose tempo and key have been computed."""
        return {
            track for (track,) in self._database.execute("SELECT track_id FROM tempo_keys WHERE method = ?", (METHOD,))
        }

    def count(self) -> int:
        """Return the number of tracks whose tempo and key have been computed."""
        return int(self._database.execute("SELECT count(*) FROM tempo_keys WHERE method = ?", (METHOD,)).fetchone()[0])
