"""The vectors of a catalogue: the track vector and the segment vectors of each track in each space."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sonotheque.errors import LibraryError, SpaceError
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.extract.vectors import VectorPair
from sonotheque.store.database import Database
from sonotheque.store.files import FileRepository
from sonotheque.store.records import SpaceSummary
from sonotheque.store.tracks import TrackRepository
from sonotheque.types import FloatArray, IdArray


class VectorState(NamedTuple):
    """The last change of the vectors of a space: its number, and a mark that no other change has."""

    number: int
    mark: str


class SpaceRepository:
    """Reads and writes the table ``spaces``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[SpaceSummary]:
        """List the spaces in the order in which they were added."""
        rows = self._database.execute("SELECT name, dimensions, tracks, generation FROM spaces ORDER BY id")
        return [SpaceSummary(*row) for row in rows]

    def get(self, name: str) -> SpaceSummary:
        """Return one space.

        Raises
        ------
        SpaceError
            If the library has no vectors of it.
        """
        for space in self.all():
            if space.id == name:
                return space
        raise SpaceError(f"the library has no vectors in {name}; `sonotheque add FOLDER --embedder NAME` computes them")

    def has(self, name: str) -> bool:
        """Return whether the library has vectors of a space."""
        row = self._database.execute("SELECT 1 FROM spaces WHERE name = ? AND tracks > 0", (name,)).fetchone()
        return row is not None

    def ensure(self, name: str, *, dimensions: int) -> None:
        """Add a space if it is new."""
        self._database.execute("INSERT OR IGNORE INTO spaces (name, dimensions) VALUES (?, ?)", (name, dimensions))


class VectorRepository:
    """Reads and writes the table ``vectors``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spaces = SpaceRepository(database)

    def has(self, track: int, space: str) -> bool:
        """Return whether a track has a vector in a space."""
        row = self._database.execute(
            "SELECT 1 FROM vectors JOIN spaces ON spaces.id = space_id WHERE track_id = ? AND name = ?", (track, space)
        ).fetchone()
        return row is not None

    def matrix(self, space: str) -> tuple[IdArray, FloatArray]:
        """Read all track vectors of a space, ordered by content hash, so that the order of adding does not matter.

        Parameters
        ----------
        space : str

        Returns
        -------
        ids : int64 array [N]
            Track ids.
        vectors : float32 array [N, D]

        Raises
        ------
        SpaceError
            If the library has no vectors of the space.
        """
        summary = self._spaces.get(space)
        matrix = np.empty((summary.tracks, summary.dimensions), dtype=np.float32)
        ids = np.empty(summary.tracks, dtype=np.int64)
        rows = self._database.execute(
            "SELECT track_id, vector FROM vectors JOIN spaces ON spaces.id = space_id JOIN tracks ON tracks.id = track_id "
            "WHERE name = ? ORDER BY hash",
            (space,),
        )
        count = 0
        for count, (track, blob) in enumerate(rows, start=1):
            ids[count - 1], matrix[count - 1] = track, np.frombuffer(blob, dtype="<f4")
        return ids[:count], matrix[:count]

    def track_vector(self, track: int, space: str) -> FloatArray:
        """Read the track vector of one track, float32 [D].

        Raises
        ------
        LibraryError
            If the track has no vector in that space.
        """
        return self._pair(track, space)[0]

    def segments(self, track: int, space: str) -> FloatArray:
        """Read the segment vectors of one track, float32 [S, D].

        Raises
        ------
        LibraryError
            If the track has no vector in that space.
        """
        return self._pair(track, space)[1]

    def write(self, track: int, space: str, vector: FloatArray, segments: FloatArray) -> None:
        """Write the vectors [D] and [S, D] of a track in a space, replacing older ones."""
        self._spaces.ensure(space, dimensions=len(vector))
        self._database.execute(
            "INSERT INTO vectors SELECT ?, id, ?, ? FROM spaces WHERE name = ? ON CONFLICT (track_id, space_id) "
            "DO UPDATE SET vector = excluded.vector, segments = excluded.segments",
            (track, *encode_vectors(vector, segments), space),
        )

    def state(self, space: str) -> VectorState:
        """Return the state of the vectors of a space: it differs after each change.

        Raises
        ------
        SpaceError
            If the library has no vectors of the space.
        """
        row = self._database.execute(
            "SELECT number, hex(mark) FROM vector_changes WHERE space_id = (SELECT id FROM spaces WHERE name = ?) "
            "ORDER BY number DESC LIMIT 1",
            (space,),
        ).fetchone()
        if row is None:
            self._spaces.get(space)
            return VectorState(0, "")
        return VectorState(*row)

    def changed_since(self, space: str, state: VectorState, *, limit: int) -> IdArray | None:
        """List the tracks whose vectors in a space have been written or deleted since an earlier state.

        Parameters
        ----------
        space : str
        state : VectorState
        limit : int
            Maximum number of tracks.

        Returns
        -------
        int64 array or None
            Track ids in ascending order. None if there are more than `limit`, or the state is not an earlier one of this
            library or too old to tell.
        """
        known = self._database.execute(
            "SELECT space_id FROM vector_changes WHERE number = ? AND hex(mark) = ? "
            "AND space_id = (SELECT id FROM spaces WHERE name = ?)",
            (state.number, state.mark, space),
        ).fetchone()
        if known is None:
            return None
        rows = self._database.execute(
            "SELECT DISTINCT track_id FROM vector_changes WHERE space_id = ? AND number > ? LIMIT ?",
            (known[0], state.number, limit + 1),
        ).fetchall()
        return None if len(rows) > limit else np.array(sorted(track for (track,) in rows), dtype=np.int64)

    def forget_changes_before(self, space: str, state: VectorState) -> None:
        """Delete the records of changes that no index needs any more, because it has been built in this state."""
        self._database.execute(
            "DELETE FROM vector_changes WHERE number < ? AND space_id = (SELECT id FROM spaces WHERE name = ?)",
            (state.number, space),
        )

    def read(self, space: str, tracks: Iterable[int]) -> tuple[IdArray, FloatArray]:
        """Read the track vectors of some tracks, ordered by content hash as in `matrix`. Tracks without one are left out.

        Parameters
        ----------
        space : str
        tracks : iterable of int
            Track ids.

        Returns
        -------
        ids : int64 array [N]
        vectors : float32 array [N, D]
        """
        summary = self._spaces.get(space)
        found = []
        for track in tracks:
            found += self._database.execute(
                "SELECT hash, track_id, vector FROM vectors JOIN tracks ON tracks.id = track_id "
                "WHERE track_id = ? AND space_id = (SELECT id FROM spaces WHERE name = ?)",
                (track, space),
            ).fetchall()
        found.sort()
        matrix = np.empty((len(found), summary.dimensions), dtype=np.float32)
        for row, (_, _, blob) in enumerate(found):
            matrix[row] = np.frombuffer(blob, dtype="<f4")
        return np.array([track for _, track, _ in found], dtype=np.int64), matrix

    def _pair(self, track: int, space: str) -> tuple[FloatArray, FloatArray]:
        row = self._database.execute(
            "SELECT vector, segments FROM vectors JOIN spaces ON spaces.id = space_id WHERE track_id = ? AND name = ?",
            (track, space),
        ).fetchone()
        if row is None:
            raise LibraryError(f"track {track} has no vector in {space}")
        return decode_vectors(*row)


class StoredVectors:
    """The vectors of a catalogue as a `sonotheque.extract.vectors.VectorStore`: each lookup reads one track.

    Parameters
    ----------
    database : Database
    spaces : sequence of str
        Ids of the spaces.
    segments : bool
        Whether segment vectors are needed.
    """

    def __init__(self, database: Database, *, spaces: Sequence[str], segments: bool) -> None:
        self._database, self._spaces, self._segments = database, spaces, segments
        self._files, self._tracks = FileRepository(database), TrackRepository(database)

    def content_hash(self, path: str) -> str:
        """Return the content hash of a file. A known file with an unchanged stamp is not read.

        Raises
        ------
        OSError
            If the file cannot be read.
        """
        known = self._files.get(path)
        if known is not None and known[0] == FileStamp.of(path):
            return self._tracks.hash_of(known[1])
        return content_hash(path)

    def lookup(self, content: str) -> Mapping[str, VectorPair] | None:
        """Return the vectors of a content in all spaces, or None if one is missing."""
        pairs: dict[str, VectorPair] = {}
        for space in self._spaces:
            row = self._database.execute(
                "SELECT vector, segments FROM vectors JOIN spaces ON spaces.id = space_id "
                "JOIN tracks ON tracks.id = track_id WHERE hash = ? AND name = ?",
                (content, space),
            ).fetchone()
            if row is None:
                return None
            vector, segments = decode_vectors(*row)
            pairs[space] = (vector, segments if self._segments else None)
        return pairs


def encode_vectors(vector: FloatArray, segments: FloatArray) -> tuple[bytes, bytes]:
    """Convert a vector [D] and segments [S, D] into the bytes that a row holds."""
    return vector.astype("<f4").tobytes(), segments.astype("<f4").tobytes()


def decode_vectors(vector: bytes, segments: bytes) -> tuple[FloatArray, FloatArray]:
    """Convert the bytes that a row holds into a vector [D] and segments [S, D]."""
    track, flat = (np.frombuffer(blob, dtype="<f4").astype(np.float32) for blob in (vector, segments))
    return track, flat.reshape(-1, len(track))
