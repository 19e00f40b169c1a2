"""The cache of audio fingerprints, by content: a fingerprint stays right when its track is removed and added again.

Everything in the table can be computed again from the files. So it has no twin for removed tracks, and rows of contents that are no
longer in the library are deleted by `FingerprintRepository.delete_unused`.
"""

from __future__ import annotations

import numpy as np

from sonotheque.audio.fingerprint import Fingerprint
from sonotheque.store.database import Database


class FingerprintRepository:
    """Reads and writes the table ``fingerprints``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, content: str, method: str) -> Fingerprint | None:
        """Return the fingerprint of a content by a method, uint32 [n], or None if it has not been computed."""
        row = self._database.execute(
            "SELECT steps FROM fingerprints WHERE hash = ? AND method = ?", (content, method)
        ).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<u4").astype(np.uint32)

    def has(self, content: str, method: str) -> bool:
        """Return whether the fingerprint of a content by a method has been computed."""
        row = self._database.execute(
            "SELECT 1 FROM fingerprints WHERE hash = ? AND method = ?", (content, method)
        ).fetchone()
        return row is not None

    def write(self, content: str, method: str, fingerprint: Fingerprint) -> None:
        """Store the fingerprint of a content by a method."""
        self._database.execute(
            "INSERT OR REPLACE INTO fingerprints VALUES (?, ?, ?)",
            (content, method, fingerprint.astype("<u4").tobytes()),
        )

    def delete_unused(self) -> None:
        """Delete the fingerprints of contents that are neither in the library nor among the removed tracks."""
        self._database.execute(
            "DELETE FROM fingerprints WHERE hash NOT IN (SELECT hash FROM tracks) "
            "AND hash NOT IN (SELECT hash FROM removed_tracks)"
        )
