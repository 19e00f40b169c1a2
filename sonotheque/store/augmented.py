"""The vectors of augmented copies in a catalogue, which change neither tracks nor vectors. Making the copies is for `copies`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sonotheque.audio.decode import FloatArray
from sonotheque.store.database import Database, decoded


class Augmented(Database):
    """A catalogue's table of augmented copies, see `sonotheque.store.catalogue.Catalogue`."""

    def copied(self, spaces: Sequence[str], *, recipe: str) -> set[tuple[int, int, str]]:
        """Say which augmented copies there are: (track id, number, space)."""
        rows = self._db.execute(
            "SELECT track_id, number, name FROM copies JOIN spaces ON spaces.id = space_id WHERE recipe = ?", (recipe,)
        )
        return {(track, number, name) for track, number, name in rows if name in spaces}

    def store_copy(
        self, track: int, number: int, vectors: Mapping[str, tuple[FloatArray, FloatArray]], *, recipe: str
    ) -> None:
        """Keep the vectors of one augmented copy in spaces that the track itself has."""
        with self._transaction() as db:
            for name, (vector, segments) in vectors.items():
                db.execute(
                    "INSERT OR REPLACE INTO copies SELECT ?, id, ?, ?, ?, ? FROM spaces WHERE name = ?",
                    (track, number, recipe, vector.astype("<f4").tobytes(), segments.astype("<f4").tobytes(), name),
                )

    def copies(self, space: str, *, recipe: str, most: int) -> Iterator[tuple[int, int, FloatArray, FloatArray]]:
        """Read the copies with numbers up to `most`: track id, number, vector [D], segments [S, D]; ordered by hash and number."""
        rows = self._db.execute(
            "SELECT track_id, number, vector, segments FROM copies JOIN spaces ON spaces.id = space_id "
            "JOIN tracks ON tracks.id = track_id WHERE name = ? AND recipe = ? AND number <= ? ORDER BY hash, number",
            (space, recipe, most),
        )
        for track, number, *blobs in rows:
            yield track, number, *decoded(*blobs)
