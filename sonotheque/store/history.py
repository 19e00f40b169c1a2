"""The history of a catalogue: every change of labels and every removal, with what it changed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import astuple
from datetime import UTC, datetime

from sonotheque.metadata.label_sources import Label
from sonotheque.store.database import Database
from sonotheque.store.records import Change, TrackLabelChange

_COLUMNS = "id, kind, command, time, labels, tracks, undone"
_NO_LABEL = (None, None, None, None)


class HistoryRepository:
    """Reads and writes the tables ``changes`` and ``label_changes``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, kind: str, command: str, labels: Sequence[TrackLabelChange], *, tracks: int = 0) -> int:
        """Record a change.

        Parameters
        ----------
        kind : str
            ``labels``, ``removal`` or ``restoration``.
        command : str
        labels : sequence of TrackLabelChange
        tracks : int
            How many tracks were removed.

        Returns
        -------
        int
            Id of the change.
        """
        (change,) = self._database.execute(
            "INSERT INTO changes (kind, command, time, labels, tracks) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (kind, command, _now(), len(labels), tracks),
        ).fetchone()
        self._database.executemany(
            "INSERT INTO label_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (change, label.hash, label.path)
                + (astuple(label.before) if label.before else _NO_LABEL)
                + (astuple(label.after) if label.after else _NO_LABEL)
                for label in labels
            ),
        )
        return int(change)

    def all(self) -> list[Change]:
        """List all changes, the latest first."""
        return [Change(*row) for row in self._database.execute(f"SELECT {_COLUMNS} FROM changes ORDER BY id DESC")]  # noqa: S608

    def last(self) -> Change | None:
        """Return the last change that can be undone, or None. Restored labels are part of the removal and not a change to undo."""
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM changes WHERE undone IS NULL AND kind <> 'restoration' ORDER BY id DESC LIMIT 1"  # noqa: S608
        ).fetchone()
        return None if row is None else Change(*row)

    def count(self) -> int:
        """Count the changes that can be undone."""
        row = self._database.execute(
            "SELECT count(*) FROM changes WHERE undone IS NULL AND kind <> 'restoration'"
        ).fetchone()
        return int(row[0])

    def label_changes(self, change: int) -> list[TrackLabelChange]:
        """List the labels that a change has changed, in the order of their paths."""
        rows = self._database.execute(
            "SELECT hash, path, old_label, old_source, old_artist, old_album, new_label, new_source, new_artist, new_album "
            "FROM label_changes WHERE change_id = ? ORDER BY path, hash",
            (change,),
        )
        return [TrackLabelChange(row[0], row[1], _label(row[2:6]), _label(row[6:10])) for row in rows]

    def changes_of(self, path: str) -> dict[int, list[TrackLabelChange]]:
        """Map the ids of changes to what they changed for a file, or for the files in a folder, that is or was in the library.

        The latest change comes first.
        """
        folder = path.rstrip(os.sep)
        inside = "(path = :path OR (path >= :first AND path < :end))"
        rows = self._database.execute(
            "SELECT change_id, hash, path, old_label, old_source, old_artist, old_album, "  # noqa: S608
            f"new_label, new_source, new_artist, new_album FROM label_changes WHERE {inside} "
            f"OR hash IN (SELECT hash FROM files JOIN tracks ON tracks.id = track_id WHERE {inside}) "
            "ORDER BY change_id DESC, path, hash",
            {"path": path, "first": folder + os.sep, "end": folder + chr(ord(os.sep) + 1)},
        )
        changes: dict[int, list[TrackLabelChange]] = {}
        for change, *row in rows:
            changes.setdefault(change, []).append(TrackLabelChange(row[0], row[1], _label(row[2:6]), _label(row[6:10])))
        return changes

    def mark_undone(self, change: int) -> None:
        """Record that a change was taken back."""
        self._database.execute("UPDATE changes SET undone = ? WHERE id = ?", (_now(), change))

    def move_track(self, before: str, after: str) -> None:
        """Record that a track has another content hash from now on."""
        self._database.execute("UPDATE OR IGNORE label_changes SET hash = ? WHERE hash = ?", (after, before))

    def copy_track(self, before: str, after: str) -> None:
        """Give a content the history of another one, because the file was changed but keeps its label."""
        self._database.execute(
            "INSERT OR IGNORE INTO label_changes SELECT change_id, ?, path, old_label, old_source, old_artist, old_album, "
            "new_label, new_source, new_artist, new_album FROM label_changes WHERE hash = ?",
            (after, before),
        )


def _label(row: Sequence[str | None]) -> Label | None:
    label, source, artist, album = row
    return None if label is None else Label(label, source or "", artist, album)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
