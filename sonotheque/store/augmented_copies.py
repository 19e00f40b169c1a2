"""The vectors of augmented copies in a catalogue. They are used for training only. `sonotheque.store.augmentation` makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sonotheque.store.database import Database
from sonotheque.store.vectors import decode_vectors, encode_vectors
from sonotheque.types import FloatArray


class AugmentedCopyRepository:
    """Reads and writes the table ``copies``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def existing(self, spaces: Sequence[str], *, version: str) -> set[tuple[int, int, str]]:
        """List the augmented copies that were made with a version of the transforms: (track id, number, space)."""
        rows = self._database.execute(
            "SELECT track_id, number, name FROM copies JOIN spaces ON spaces.id = space_id WHERE recipe = ?", (version,)
        )
        return {(track, number, name) for track, number, name in rows if name in spaces}

    def store(
        self, track: int, number: int, vectors: Mapping[str, tuple[FloatArray, FloatArray]], *, version: str
    ) -> None:
        """Store the vectors of one augmented copy, in spaces in which the track itself has vectors."""
        with self._database.transaction():
            for name, (vector, segments) in vectors.items():
                self._database.execute(
                    "INSERT OR REPLACE INTO copies SELECT ?, id, ?, ?, ?, ? FROM spaces WHERE name = ?",
                    (track, number, version, *encode_vectors(vector, segments), name),
                )

    def read(self, space: str, *, version: str, limit: int) -> Iterator[tuple[int, int, FloatArray, FloatArray]]:
        """Read the copies whose number is at most `limit`, ordered by content hash and number.

        Yields
        ------
        track, number : int
        vector : float32 array [D]
        segments : float32 array [S, D]
        """
        rows = self._database.execute(
            "SELECT track_id, number, vector, segments FROM copies JOIN spaces ON spaces.id = space_id "
            "JOIN tracks ON tracks.id = track_id WHERE name = ? AND recipe = ? AND number <= ? ORDER BY hash, number",
            (space, version, limit),
        )
        for track, number, *blobs in rows:
            yield track, number, *decode_vectors(*blobs)
