"""The files of a catalogue: the paths of each track, and the files that could not be used."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from sonotheque.errors import LibraryError
from sonotheque.extract.file_identity import FileStamp, name_problem
from sonotheque.metadata.file_names import match_name, normalize_name
from sonotheque.store.database import Database
from sonotheque.store.history import HistoryRepository
from sonotheque.store.search_names import SearchNameRepository


class FileRepository:
    """Reads and writes the tables ``files`` and ``failures``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history = HistoryRepository(database)
        self._names = SearchNameRepository(database)

    def all(self) -> dict[str, tuple[FileStamp, int]]:
        """Map each known path to its stamp and the id of its track."""
        rows = self._database.execute("SELECT path, size, mtime_ns, track_id FROM files")
        return {path: (FileStamp(size, mtime), track) for path, size, mtime, track in rows}

    def get(self, path: str) -> tuple[FileStamp, int] | None:
        """Return the stamp of one path and the id of its track, or None if the path is unknown."""
        row = self._database.execute("SELECT size, mtime_ns, track_id FROM files WHERE path = ?", (path,)).fetchone()
        return None if row is None else (FileStamp(*row[:2]), int(row[2]))

    def get_unchanged(self, path: str) -> int | None:
        """Return the id of the track at a path if the file has the same size and modification time as when it was added."""
        known = None if name_problem(path) else self.get(path)
        try:
            return known[1] if known is not None and known[0] == FileStamp.of(path) else None
        except OSError:
            return None

    def with_genres(self, paths: Iterable[str] | None = None) -> Iterator[tuple[str, int, str | None]]:
        """Yield the path of each file, the id of its track and the genre in its file tags, ordered by path.

        Parameters
        ----------
        paths : iterable of str or None
            Only these paths, in their order; unknown ones are left out. None means all.
        """
        statement = "SELECT path, track_id, genre FROM files JOIN tracks ON tracks.id = track_id"
        if paths is None:
            yield from self._database.execute(f"{statement} ORDER BY path")
        for path in paths or ():
            yield from self._database.execute(f"{statement} WHERE path = ?", (path,))

    def is_known(self, path: str) -> bool:
        """Return whether a path belongs to a track or to a failure."""
        known = self._database.execute(
            "SELECT 1 FROM files WHERE path = :path UNION ALL SELECT 1 FROM failures WHERE path = :path", {"path": path}
        )
        return known.fetchone() is not None

    def find(self, path: str) -> tuple[str, int] | None:
        """Find a path that a person has given.

        Returns
        -------
        (path, track id) or None
            Of exactly this path if it is known, otherwise of the one that differs from it only in Unicode normalisation. None if
            there is none, or several.
        """
        known = self.get(path)
        if known is None:
            match = None if path.isascii() else match_name(path, self._names.find_paths(os.path.basename(path)))
            if match is None:
                return None
            path, known = match, self.get(match)
        return None if known is None else (path, known[1])

    def failures(self) -> dict[str, tuple[FileStamp, str]]:
        """Map each path that failed to its stamp and the reason."""
        rows = self._database.execute("SELECT path, size, mtime_ns, reason FROM failures ORDER BY path")
        return {path: (FileStamp(size, mtime), reason) for path, size, mtime, reason in rows}

    def get_failure(self, path: str) -> tuple[FileStamp, str] | None:
        """Return the stamp of a path that failed and the reason, or None if it has not failed."""
        row = self._database.execute("SELECT size, mtime_ns, reason FROM failures WHERE path = ?", (path,)).fetchone()
        return None if row is None else (FileStamp(*row[:2]), str(row[2]))

    def inside(self, path: str) -> set[str]:
        """List the known paths, of tracks and of failures, that equal this path or are inside this folder.

        If there is none, those are listed whose path or folder differs from it only in Unicode normalisation. Only the paths in
        the folder are read, unless the path has other characters than ASCII and is not known as it is.

        Raises
        ------
        LibraryError
            If there is none.
        """
        matching = set() if name_problem(path) else self.exactly_inside(path)
        if not matching and not path.isascii():
            path_nfc, folder_nfc = normalize_name(path), normalize_name(path.rstrip(os.sep) + os.sep)
            matching = {
                file
                for file, name in ((file, normalize_name(file)) for file in self._paths())
                if name == path_nfc or name.startswith(folder_nfc)
            }
        if not matching:
            raise LibraryError(f"{path}: no such file or folder in the library")
        return matching

    def exactly_inside(self, path: str) -> set[str]:
        """List the known paths, of tracks and of failures, that equal this path or are inside this folder."""
        folder = path.rstrip(os.sep) + os.sep
        return {
            file
            for table in ("files", "failures")
            for (file,) in self._database.execute(
                f"SELECT path FROM {table} WHERE path = ? UNION ALL "  # noqa: S608 - one of two names
                f"SELECT path FROM {table} WHERE path >= ? AND path < ?",
                (path, folder, folder[:-1] + chr(ord(os.sep) + 1)),
            )
        }

    def count_inside(self, folder: str) -> int:
        """Count the files of tracks in a folder."""
        first = folder.rstrip(os.sep) + os.sep
        row = self._database.execute(
            "SELECT count(*) FROM files WHERE path >= ? AND path < ?", (first, first[:-1] + chr(ord(os.sep) + 1))
        ).fetchone()
        return int(row[0])

    def missing(self) -> set[str]:
        """List the known paths at which there is no longer a file."""
        return {path for path in self._paths() if not os.path.exists(path)}

    def count(self) -> int:
        """Count the files of tracks."""
        return int(self._database.execute("SELECT count(*) FROM files").fetchone()[0])

    def _paths(self) -> Iterator[str]:
        rows = self._database.execute("SELECT path FROM files UNION SELECT path FROM failures")
        return (path for (path,) in rows)

    def link(self, track: int, files: Mapping[str, FileStamp]) -> set[int]:
        """Link files to a track. Other files of the track that no longer exist are unlinked.

        If a file belonged to another track, because its content has changed, the label of that track and its history are copied.

        Returns
        -------
        set of int
            Tracks that lost a file.
        """
        database = self._database
        changed_tracks = set()
        for path, stamp in files.items():
            before = database.execute("SELECT track_id FROM files WHERE path = ?", (path,)).fetchone()
            database.execute(
                "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (path, track, stamp.size, stamp.mtime_ns)
            )
            database.execute("DELETE FROM failures WHERE path = ?", (path,))
            if before and before[0] != track:
                copied = database.execute(
                    "INSERT OR IGNORE INTO labels SELECT ?, label, source, artist, album FROM labels WHERE track_id = ?",
                    (track, before[0]),
                ).rowcount
                if copied:
                    hashes = dict(
                        database.execute("SELECT id, hash FROM tracks WHERE id IN (?, ?)", (track, before[0]))
                    )
                    self._history.copy_track(hashes[before[0]], hashes[track])
                changed_tracks.add(before[0])
        for (path,) in database.execute("SELECT path FROM files WHERE track_id = ?", (track,)).fetchall():
            if path not in files and not os.path.exists(path):
                database.execute("DELETE FROM files WHERE path = ?", (path,))
        return changed_tracks

    def of_track(self, track: int) -> list[str]:
        """List the paths of a track in alphabetical order."""
        rows = self._database.execute("SELECT path FROM files WHERE track_id = ? ORDER BY path", (track,))
        return [path for (path,) in rows]

    def set_stamps(self, track: int, files: Mapping[str, FileStamp]) -> None:
        """Update the stamps of some files of a track. Paths that do not belong to it are ignored."""
        self._database.executemany(
            "UPDATE files SET size = ?, mtime_ns = ? WHERE path = ? AND track_id = ?",
            [(stamp.size, stamp.mtime_ns, path, track) for path, stamp in files.items()],
        )

    def unlink(self, path: str) -> int | None:
        """Delete the link from a path to its track, and return the id of the track, or None if there was no link."""
        row = self._database.execute("DELETE FROM files WHERE path = ? RETURNING track_id", (path,)).fetchone()
        return None if row is None else int(row[0])

    def add_failure(self, path: str, stamp: FileStamp, reason: str) -> None:
        """Record that a file cannot be used."""
        self._database.execute(
            "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", (path, stamp.size, stamp.mtime_ns, reason)
        )

    def delete_failure(self, path: str) -> bool:
        """Delete the record of a failure, and return whether there was one."""
        return self._database.execute("DELETE FROM failures WHERE path = ?", (path,)).rowcount > 0
