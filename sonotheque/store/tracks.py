"""The tracks of a catalogue: one row per content hash, with the properties and tags of the audio file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from sonotheque.extract.extraction import Extraction
from sonotheque.store.database import Database
from sonotheque.store.history import HistoryRepository
from sonotheque.store.records import Track
from sonotheque.types import IdArray

SELECT_TRACKS = (
    "SELECT tracks.id, hash, min(path) AS first, seconds, silent, notice, title, "
    "coalesce(labels.artist, tracks.artist), coalesce(labels.album, tracks.album), genre, label, source "
    "FROM tracks JOIN files ON files.track_id = tracks.id LEFT JOIN labels ON labels.track_id = tracks.id"
)


def _track(row: tuple[Any, ...]) -> Track:
    return Track(*row)._replace(silent=bool(row[4]))


class TrackRepository:
    """Reads and writes the table ``tracks``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history = HistoryRepository(database)

    def all(self) -> list[Track]:
        """List all tracks by path."""
        return [_track(row) for row in self._database.execute(f"{SELECT_TRACKS} GROUP BY tracks.id ORDER BY first")]

    def read(self, tracks: Iterable[int]) -> dict[int, Track]:
        """Read some tracks by their ids. Unknown ids are left out."""
        found = {}
        for track in tracks:
            row = self._database.execute(f"{SELECT_TRACKS} WHERE tracks.id = ? GROUP BY tracks.id", (track,)).fetchone()
            if row is not None:
                found[track] = _track(row)
        return found

    def with_remarks(self) -> list[Track]:
        """List the tracks that are silent or have a notice, by path."""
        rows = self._database.execute(
            f"{SELECT_TRACKS} WHERE silent = 1 OR notice IS NOT NULL GROUP BY tracks.id ORDER BY first"
        )
        return [_track(row) for row in rows]

    def labelled(self) -> list[Track]:
        """List the tracks that have a label, by path."""
        rows = self._database.execute(f"{SELECT_TRACKS} WHERE label <> '' GROUP BY tracks.id ORDER BY first")
        return [_track(row) for row in rows]

    def find(self, content: str) -> int | None:
        """Return the id of the track with a content hash, or None."""
        row = self._database.execute("SELECT id FROM tracks WHERE hash = ?", (content,)).fetchone()
        return None if row is None else int(row[0])

    def genres(self) -> list[str]:
        """List all genres in labels and in file tags. The time depends on the number of genres, not of tracks."""
        rows = self._database.execute(
            "WITH RECURSIVE "
            "tags (genre) AS (SELECT min(genre) FROM tracks WHERE genre <> '' UNION ALL "
            "SELECT (SELECT min(genre) FROM tracks WHERE genre <> '' AND genre > tags.genre) FROM tags "
            "WHERE tags.genre IS NOT NULL), "
            "names (label) AS (SELECT min(label) FROM labels WHERE label <> '' UNION ALL "
            "SELECT (SELECT min(label) FROM labels WHERE label > names.label) FROM names WHERE names.label IS NOT NULL) "
            "SELECT genre FROM tags WHERE genre IS NOT NULL UNION SELECT label FROM names WHERE label IS NOT NULL"
        )
        return sorted(genre for (genre,) in rows)

    def with_genre(self, genre: str, *, space: str) -> list[int]:
        """List the ids of the tracks that have a genre, spelt as in `genres`, and a vector in a space."""
        rows = self._database.execute(
            "SELECT tracks.id FROM tracks LEFT JOIN labels ON labels.track_id = tracks.id "
            "JOIN vectors ON vectors.track_id = tracks.id JOIN spaces ON spaces.id = space_id "
            "WHERE name = ? AND coalesce(nullif(label, ''), tracks.genre) = ?",
            (space, genre),
        )
        return [track for (track,) in rows]

    def count(self) -> int:
        """Count the tracks."""
        return int(self._database.execute("SELECT count(*) FROM tracks").fetchone()[0])

    def has(self, content: str) -> bool:
        """Return whether there is a track with a content hash."""
        return self._database.execute("SELECT 1 FROM tracks WHERE hash = ?", (content,)).fetchone() is not None

    def hash_of(self, track: int) -> str:
        """Return the content hash of a track."""
        return str(self._database.execute("SELECT hash FROM tracks WHERE id = ?", (track,)).fetchone()[0])

    def hashes_of(self, tracks: Iterable[int]) -> list[str]:
        """List the content hashes of some tracks. Unknown ids are left out."""
        rows = (self._database.execute("SELECT hash FROM tracks WHERE id = ?", (track,)).fetchone() for track in tracks)
        return [row[0] for row in rows if row is not None]

    def first_by_hash(self, n: int) -> IdArray:
        """List the ids of the first `n` tracks by content hash. No other track is read."""
        rows = self._database.execute("SELECT id FROM tracks ORDER BY hash LIMIT ?", (n,))
        return np.fromiter((track for (track,) in rows), dtype=np.int64)

    def sort_by_hash(self, tracks: IdArray) -> IdArray:
        """Sort track ids by content hash, so that the order of adding does not matter. Unknown ids are left out."""
        rows = self._database.execute(
            "SELECT tracks.id FROM json_each(?) CROSS JOIN tracks ON tracks.id = json_each.value ORDER BY hash",
            (json.dumps(tracks.tolist()),),
        )
        return np.fromiter((track for (track,) in rows), dtype=np.int64)

    def upsert(self, content: str, extraction: Extraction) -> int:
        """Insert a track, or update the notice of a known one, and return its id."""
        tags = extraction.tags
        (track,) = self._database.execute(
            "INSERT INTO tracks (hash, seconds, sample_rate, channels, silent, notice, title, artist, album, genre, "
            "musicbrainz_id, year) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (hash) DO UPDATE SET notice = excluded.notice, year = excluded.year RETURNING id",
            (content, extraction.seconds, extraction.sample_rate, extraction.channels)
            + (int(extraction.silent), extraction.notice)
            + (tags.title, tags.artist, tags.album, tags.genre, tags.musicbrainz_id, tags.year or 0),
        ).fetchone()
        return int(track)

    def lacks_year(self, track: int) -> bool:
        """Return whether an older version stored a track, which did not read the year in the file tags."""
        row = self._database.execute("SELECT year IS NULL FROM tracks WHERE id = ?", (track,)).fetchone()
        return row is not None and bool(row[0])

    def set_year(self, track: int, year: int | None) -> None:
        """Store the year in the file tags of a track; None if they have none."""
        self._database.execute("UPDATE tracks SET year = ? WHERE id = ?", (year or 0, track))

    def set_content(self, track: int, content: str, *, genre: str | None) -> bool:
        """Change the content hash of a track and the genre in its file tags.

        Returns
        -------
        bool
            False if another track already has that content. Nothing is changed then.
        """
        if self._database.execute("SELECT 1 FROM tracks WHERE hash = ? AND id <> ?", (content, track)).fetchone():
            return False
        self._history.move_track(self.hash_of(track), content)
        self._database.execute("UPDATE tracks SET hash = ?, genre = ? WHERE id = ?", (content, genre, track))
        return True

    def delete_without_files(self, tracks: Iterable[int]) -> None:
        """Delete those of the tracks that no longer have a file, together with their vectors.

        Their labels are kept by content hash, for the case that they are added again.
        """
        for track in tracks:
            if self._database.execute("SELECT 1 FROM files WHERE track_id = ?", (track,)).fetchone():
                continue
            spaces = self._database.execute(
                "SELECT name FROM spaces JOIN vectors ON space_id = spaces.id WHERE track_id = ?", (track,)
            ).fetchall()
            self._database.execute(
                "INSERT OR REPLACE INTO kept_labels SELECT hash, label, source, labels.artist, labels.album "
                "FROM labels JOIN tracks ON tracks.id = track_id WHERE track_id = ?",
                (track,),
            )
            self._database.execute("DELETE FROM tracks WHERE id = ?", (track,))
            self._database.mark_changed([name for (name,) in spaces])
