"""The catalogue of a library: one SQLite file with tracks, where they lie, labels, vectors and failures.

Every public method is one transaction. It stores what it is given; it decides nothing about music.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.errors import LibraryError, SpaceError
from sonotheque.store.augmented import Augmented
from sonotheque.store.database import decoded
from sonotheque.store.heard import Heard
from sonotheque.store.records import Label, SpaceSummary, Stamp, Track


class Catalogue(Augmented):
    """The open catalogue.

    Parameters
    ----------
    path : path of ``library.sqlite``; it is made where it does not exist

    Raises
    ------
    LibraryError
        If the file is no catalogue, is damaged, or was written by a newer version.
    """

    # Settings and counts

    @property
    def generation(self) -> int:
        """A number that rises with every change of tracks, vectors or labels."""
        return int(self._db.execute("SELECT value FROM library WHERE key = 'generation'").fetchone()[0])

    def setting(self, key: str) -> str | None:
        """Read what the library remembers under a name."""
        row = self._db.execute("SELECT value FROM library WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, key: str, value: str) -> None:
        """Let the library remember a value under a name."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO library VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
            )

    def spaces(self) -> list[SpaceSummary]:
        """List the spaces, in the order in which they came."""
        rows = self._db.execute(
            "SELECT name, dimensions, (SELECT count(*) FROM vectors WHERE space_id = spaces.id), generation "
            "FROM spaces ORDER BY id"
        )
        return [SpaceSummary(*row) for row in rows]

    def space(self, name: str) -> SpaceSummary:
        """Return one space.

        Raises
        ------
        SpaceError
            If the library has no vector of it.
        """
        for space in self.spaces():
            if space.id == name:
                return space
        raise SpaceError(f"the library has no vectors of {name}; `add` its files with that embedder first")

    # Files and tracks

    def files(self) -> dict[str, tuple[Stamp, int]]:
        """Map each known path to its stamp and its track's id."""
        rows = self._db.execute("SELECT path, size, mtime_ns, track_id FROM files")
        return {path: (Stamp(size, mtime), track) for path, size, mtime, track in rows}

    def failed(self) -> dict[str, tuple[Stamp, str]]:
        """Map each path that failed to its stamp and the reason."""
        rows = self._db.execute("SELECT path, size, mtime_ns, reason FROM failures ORDER BY path")
        return {path: (Stamp(size, mtime), reason) for path, size, mtime, reason in rows}

    def inside(self, path: str) -> set[str]:
        """Find the known paths, of tracks and failures, that are this path or lie in this folder.

        Raises
        ------
        LibraryError
            If there is none.
        """
        known = set(self.files()) | set(self.failed())
        found = {file for file in known if file == path or file.startswith(path.rstrip(os.sep) + os.sep)}
        if not found:
            raise LibraryError(f"{path}: the library has no such file, and none in a folder of that name")
        return found

    def missing(self) -> set[str]:
        """Find the known paths at which there is no file any more."""
        return {path for path in set(self.files()) | set(self.failed()) if not os.path.exists(path)}

    def hashes(self) -> dict[str, int]:
        """Map the content hash of each track to its id."""
        return dict(self._db.execute("SELECT hash, id FROM tracks"))

    def embedded(self, spaces: Sequence[str]) -> dict[int, set[str]]:
        """Map each track's id to those of the given spaces in which it has a vector."""
        result: dict[int, set[str]] = {}
        for name in spaces:
            rows = self._db.execute(
                "SELECT track_id FROM vectors JOIN spaces ON spaces.id = space_id WHERE name = ?", (name,)
            )
            for (track,) in rows:
                result.setdefault(track, set()).add(name)
        return result

    def tracks(self) -> list[Track]:
        """List all tracks by path."""
        rows = self._db.execute(
            "SELECT tracks.id, hash, min(path) AS first, seconds, silent, notice, title, "
            "coalesce(labels.artist, tracks.artist), coalesce(labels.album, tracks.album), genre, label, source "
            "FROM tracks JOIN files ON files.track_id = tracks.id LEFT JOIN labels ON labels.track_id = tracks.id "
            "GROUP BY tracks.id ORDER BY first"
        )
        return [Track(*row)._replace(silent=bool(row[4])) for row in rows]

    def store(self, content: str, files: Mapping[str, Stamp], heard: Heard) -> int:
        """Keep what was heard of one recording, under all the paths at which it lies.

        Parameters
        ----------
        content : str
            Content hash.
        files : mapping of path to stamp, at least one
        heard : Heard

        Returns
        -------
        int
            The track's id.
        """
        tags = heard.tags
        with self._transaction() as db:
            (track,) = db.execute(
                "INSERT INTO tracks (hash, seconds, sample_rate, channels, silent, notice, title, artist, album, genre, "
                "musicbrainz_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (hash) DO UPDATE SET notice = excluded.notice RETURNING id",
                (content, heard.seconds, heard.sample_rate, heard.channels, int(heard.silent), heard.notice)
                + (tags.title, tags.artist, tags.album, tags.genre, tags.musicbrainz_id),
            ).fetchone()
            for name, (vector, segments) in heard.vectors.items():
                db.execute("INSERT OR IGNORE INTO spaces (name, dimensions) VALUES (?, ?)", (name, len(vector)))
                db.execute(
                    "INSERT OR REPLACE INTO vectors SELECT ?, id, ?, ? FROM spaces WHERE name = ?",
                    (track, vector.astype("<f4").tobytes(), segments.astype("<f4").tobytes(), name),
                )
            self._place(track, files)
            self._changed(heard.vectors)
            return int(track)

    def place(self, track: int, files: Mapping[str, Stamp]) -> None:
        """Note that a known track lies at these paths too, and no longer where it is gone from."""
        with self._transaction():
            self._place(track, files)
            self._changed()

    def _place(self, track: int, files: Mapping[str, Stamp]) -> None:
        db = self._db
        left = set()
        for path, stamp in files.items():
            before = db.execute("SELECT track_id FROM files WHERE path = ?", (path,)).fetchone()
            db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", (path, track, stamp.size, stamp.mtime_ns))
            db.execute("DELETE FROM failures WHERE path = ?", (path,))
            if before and before[0] != track:  # the file's content has changed: what a person said of it stays
                db.execute(
                    "INSERT OR IGNORE INTO labels SELECT ?, label, source, artist, album FROM labels WHERE track_id = ?",
                    (track, before[0]),
                )
                left.add(before[0])
        for (path,) in db.execute("SELECT path FROM files WHERE track_id = ?", (track,)).fetchall():
            if path not in files and not os.path.exists(path):
                db.execute("DELETE FROM files WHERE path = ?", (path,))
        self._drop_orphans(left)

    def _drop_orphans(self, tracks: Iterable[int]) -> None:
        """Forget those of the tracks that lie nowhere any more."""
        for track in tracks:
            if self._db.execute("SELECT 1 FROM files WHERE track_id = ?", (track,)).fetchone():
                continue
            spaces = self._db.execute(
                "SELECT name FROM spaces JOIN vectors ON space_id = spaces.id WHERE track_id = ?", (track,)
            ).fetchall()
            self._db.execute("DELETE FROM tracks WHERE id = ?", (track,))
            self._changed([name for (name,) in spaces])

    def _forget(self, path: str) -> bool:
        """Forget that a track lies at a path."""
        row = self._db.execute("DELETE FROM files WHERE path = ? RETURNING track_id", (path,)).fetchone()
        if row:
            self._drop_orphans([row[0]])
            self._changed()
        return row is not None

    def rehash(self, track: int, content: str, files: Mapping[str, Stamp], genre: str | None) -> bool:
        """Follow files whose bytes have changed and whose sound has not: labels, vectors and augmented copies stay.

        Parameters
        ----------
        track : int
            Track id.
        content : str
            New content hash.
        files : mapping of path to stamp
            Those of the track's files that were changed; other paths are left alone.
        genre : str or None
            The genre in the files' own tags now.

        Returns
        -------
        bool
            False if another track has that content already; then nothing is changed.
        """
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM tracks WHERE hash = ? AND id <> ?", (content, track)).fetchone():
                return False
            db.execute("UPDATE tracks SET hash = ?, genre = ? WHERE id = ?", (content, genre, track))
            db.executemany(
                "UPDATE files SET size = ?, mtime_ns = ? WHERE path = ? AND track_id = ?",
                [(stamp.size, stamp.mtime_ns, path, track) for path, stamp in files.items()],
            )
            return True

    def fail(self, path: str, stamp: Stamp, reason: str) -> None:
        """Note that a file cannot be used. What an earlier content of it gave is forgotten."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?)", (path, stamp.size, stamp.mtime_ns, reason)
            )
            self._forget(path)

    def remove(self, paths: Iterable[str]) -> int:
        """Forget these paths, and tracks that are left with none. Files on disk are not touched.

        Returns
        -------
        int
            How many of the paths were known.
        """
        with self._transaction() as db:
            known = 0
            for path in paths:
                failed = db.execute("DELETE FROM failures WHERE path = ?", (path,)).rowcount > 0
                known += self._forget(path) or failed
            return known

    # Labels and vectors

    def label(self, labels: Mapping[int, Label]) -> int:
        """Set or change labels of tracks, by track id.

        Returns
        -------
        int
            How many labels are new or other than before.
        """
        with self._transaction() as db:
            before = db.total_changes
            db.executemany(
                "INSERT INTO labels VALUES (?, ?, ?, ?, ?) ON CONFLICT (track_id) DO UPDATE SET label = excluded.label, "
                "source = excluded.source, artist = coalesce(excluded.artist, artist), "
                "album = coalesce(excluded.album, album) "
                "WHERE label IS NOT excluded.label OR source IS NOT excluded.source OR "
                "artist IS NOT coalesce(excluded.artist, artist) OR album IS NOT coalesce(excluded.album, album)",
                [(track, label.label, label.source, label.artist, label.album) for track, label in labels.items()],
            )
            changed = db.total_changes - before
            if changed:
                self._changed()
            return changed

    def vectors(self, space: str) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Read all track vectors of a space, ordered by content hash: the order does not depend on how tracks came.

        Parameters
        ----------
        space : str

        Returns
        -------
        ids : int64 array [N]
            Track ids.
        vectors : float32 array [N, D]
        """
        summary = self.space(space)
        matrix = np.empty((summary.tracks, summary.dimensions), dtype=np.float32)
        ids = np.empty(summary.tracks, dtype=np.int64)
        rows = self._db.execute(
            "SELECT track_id, vector FROM vectors JOIN spaces ON spaces.id = space_id JOIN tracks ON tracks.id = track_id "
            "WHERE name = ? ORDER BY hash",
            (space,),
        )
        count = 0
        for count, (track, blob) in enumerate(rows, start=1):
            ids[count - 1], matrix[count - 1] = track, np.frombuffer(blob, dtype="<f4")
        return ids[:count], matrix[:count]

    def vector(self, track: int, space: str) -> FloatArray:
        """Read the track vector of one track, float32 [D].

        Raises
        ------
        LibraryError
            If the track has no vector in that space.
        """
        return self._arrays(track, space)[0]

    def segments(self, track: int, space: str) -> FloatArray:
        """Read the segment vectors of one track, float32 [S, D].

        Raises
        ------
        LibraryError
            If the track has no vector in that space.
        """
        return self._arrays(track, space)[1]

    def all_segments(self, space: str) -> Iterator[tuple[int, FloatArray]]:
        """Read the segment vectors of all tracks that have some, one after the other: memory does not grow with the library.

        Where the library lacks the space, there are none.

        Parameters
        ----------
        space : str

        Yields
        ------
        track : int
            Track id; ordered by content hash, as in `vectors`.
        segments : float32 array [S, D]
        """
        rows = self._db.execute(
            "SELECT track_id, vector, segments FROM vectors JOIN spaces ON spaces.id = space_id "
            "JOIN tracks ON tracks.id = track_id WHERE name = ? ORDER BY hash",
            (space,),
        )
        for track, *blobs in rows:
            yield track, decoded(*blobs)[1]

    def _arrays(self, track: int, space: str) -> tuple[FloatArray, FloatArray]:
        row = self._db.execute(
            "SELECT vector, segments FROM vectors JOIN spaces ON spaces.id = space_id WHERE track_id = ? AND name = ?",
            (track, space),
        ).fetchone()
        if row is None:
            raise LibraryError(f"track {track} has no vector in {space}")
        return decoded(*row)
