"""What a catalogue keeps of removed tracks, so that a removal can be taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sonotheque.store.database import Database
from sonotheque.store.tracks import TrackRepository

TRACK_TABLES = ("vectors", "copies", "auto_tags", "tempo_keys", "map_positions")
"""Tables with rows that belong to a track, besides its files and its label. For each there is one whose name starts with
``removed_`` and that has the column ``change_id`` before the same columns."""

REMOVALS_WITH_VECTORS = 10
"""Of older removals only tracks, files and labels are kept; their vectors must be computed again."""


@dataclass(frozen=True)
class RestoredTracks:
    """What `RemovalRepository.restore` brought back.

    Attributes
    ----------
    tracks, files : int
        Number of tracks and of files, unusable ones included.
    present : int
        Number of removed tracks that were in the library again already.
    without_vectors : int
        Number of restored tracks whose vectors were not kept.
    """

    tracks: int
    files: int
    present: int
    without_vectors: int


class RemovalRepository:
    """Reads and writes the tables whose names start with ``removed_``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tracks = TrackRepository(database)

    def store(self, change: int, paths: Iterable[str], tracks: Iterable[int]) -> None:
        """Store files and failures at some paths, and tracks with everything that belongs to them, before they are deleted.

        Parameters
        ----------
        change : int
            Id of the removal in the history.
        paths : iterable of str
        tracks : iterable of int
            Track ids.
        """
        database = self._database
        for path in paths:
            database.execute("INSERT INTO removed_failures SELECT ?, * FROM failures WHERE path = ?", (change, path))
            database.execute(
                "INSERT INTO removed_files SELECT ?, path, hash, size, mtime_ns FROM files "
                "JOIN tracks ON tracks.id = track_id WHERE path = ?",
                (change, path),
            )
        columns = ", ".join(self._columns("tracks"))
        for track in tracks:
            database.execute(
                f"INSERT INTO removed_tracks (change_id, {columns}) SELECT ?, {columns} FROM tracks WHERE id = ?",  # noqa: S608
                (change, track),
            )
            for table in TRACK_TABLES:
                columns_of_table = ", ".join(self._columns(table))
                database.execute(
                    f"INSERT INTO removed_{table} (change_id, {columns_of_table}) "  # noqa: S608
                    f"SELECT ?, {columns_of_table} FROM {table} WHERE track_id = ?",
                    (change, track),
                )
        for table in TRACK_TABLES:
            database.execute(
                f"DELETE FROM removed_{table} WHERE change_id NOT IN (SELECT id FROM changes "  # noqa: S608
                "WHERE kind = 'removal' AND undone IS NULL ORDER BY id DESC LIMIT ?)",
                (REMOVALS_WITH_VECTORS,),
            )

    def restore(self, change: int) -> RestoredTracks:
        """Bring back the tracks, vectors and files of a removal, and delete what was kept of it. Labels are not restored here.

        A path at which there is another track by now keeps that track.
        """
        database = self._database
        rows = database.execute(
            "SELECT id, hash FROM removed_tracks WHERE change_id = ? ORDER BY id", (change,)
        ).fetchall()
        new, spaces, without_vectors, present = [], set(), 0, 0
        for removed, content in rows:
            track, is_new = self._restore_track(change, removed, content)
            if is_new:
                new.append(track)
            else:
                present += 1
            self._restore_rows(change, removed, track)
            names = self._spaces_of(track)
            spaces |= names
            without_vectors += is_new and not names
        files = database.execute(
            "INSERT OR IGNORE INTO files SELECT path, tracks.id, size, mtime_ns FROM removed_files JOIN tracks USING (hash) "
            "WHERE change_id = ?",
            (change,),
        ).rowcount
        files += database.execute(
            "INSERT OR IGNORE INTO failures SELECT path, size, mtime_ns, reason FROM removed_failures "
            "WHERE change_id = ? AND path NOT IN (SELECT path FROM files)",
            (change,),
        ).rowcount
        for table in ("tracks", "files", "failures", *TRACK_TABLES):
            database.execute(f"DELETE FROM removed_{table} WHERE change_id = ?", (change,))  # noqa: S608
        self._tracks.delete_without_files(new)
        left = [track for track in new if database.execute("SELECT 1 FROM tracks WHERE id = ?", (track,)).fetchone()]
        database.mark_changed(sorted(spaces))
        return RestoredTracks(len(left), files, present, without_vectors)

    def _restore_track(self, change: int, removed: int, content: str) -> tuple[int, bool]:
        """Return the id of the track with a content, and whether it was restored: with its old id if that is free."""
        database = self._database
        existing = database.execute("SELECT id FROM tracks WHERE hash = ?", (content,)).fetchone()
        if existing is not None:
            return int(existing[0]), False
        free = database.execute("SELECT 1 FROM tracks WHERE id = ?", (removed,)).fetchone() is None
        columns = ", ".join(name for name in self._columns("tracks") if name != "id")
        (track,) = database.execute(
            f"INSERT INTO tracks (id, {columns}) SELECT ?, {columns} FROM removed_tracks "  # noqa: S608
            "WHERE change_id = ? AND id = ? RETURNING id",
            (removed if free else None, change, removed),
        ).fetchone()
        return int(track), True

    def _restore_rows(self, change: int, removed: int, track: int) -> None:
        for table in TRACK_TABLES:
            columns = [name for name in self._columns(table) if name != "track_id"]
            names = ", ".join(columns)
            condition = " AND space_id IN (SELECT space_id FROM maps)" if table == "map_positions" else ""
            self._database.execute(
                f"INSERT OR IGNORE INTO {table} (track_id, {names}) SELECT ?, {names} FROM removed_{table} "  # noqa: S608
                f"WHERE change_id = ? AND track_id = ?{condition}",
                (track, change, removed),
            )

    def _spaces_of(self, track: int) -> set[str]:
        rows = self._database.execute(
            "SELECT name FROM spaces JOIN vectors ON space_id = spaces.id WHERE track_id = ?", (track,)
        )
        return {name for (name,) in rows}

    def _columns(self, table: str) -> list[str]:
        return [name for (name,) in self._database.execute("SELECT name FROM pragma_table_info(?)", (table,))]
