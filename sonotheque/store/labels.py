"""The labels of a catalogue: the genre of each track as given by a person, and the labels of tracks that were removed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import numpy as np

from sonotheque.metadata.label_sources import Label
from sonotheque.store.database import Database
from sonotheque.store.history import HistoryRepository
from sonotheque.store.records import TrackLabelChange
from sonotheque.types import IdArray


class LabelRepository:
    """Reads and writes the tables ``labels`` and ``kept_labels``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._history = HistoryRepository(database)

    def tracks_with(self, label: str, *, space: str) -> IdArray:
        """List the tracks that have a label and a vector in a space, int64 [M], ordered by id. No other track is read."""
        rows = self._database.execute(
            "SELECT track_id FROM labels JOIN vectors USING (track_id) JOIN spaces ON spaces.id = space_id "
            "WHERE label = ? AND name = ? ORDER BY track_id",
            (label, space),
        )
        return np.fromiter((track for (track,) in rows), dtype=np.int64)

    def genres(self) -> dict[str, int]:
        """Map each genre to the number of tracks that have it as their label, in alphabetical order."""
        return dict(
            self._database.execute("SELECT label, count(*) FROM labels WHERE label <> '' GROUP BY label ORDER BY label")
        )

    def get(self, track: int) -> Label | None:
        """Return the label of a track, or None if it has none."""
        row = self._database.execute(
            "SELECT label, source, artist, album FROM labels WHERE track_id = ?", (track,)
        ).fetchone()
        return None if row is None else Label(*row)

    def of_tracks(self, tracks: Iterable[int]) -> dict[int, str]:
        """Map those of some tracks that have a label to it."""
        rows = self._database.execute(
            "SELECT track_id, label FROM json_each(?) CROSS JOIN labels ON track_id = json_each.value",
            (json.dumps(list(tracks)),),
        )
        return dict(rows)

    def of_content(self, content: str) -> Label | None:
        """Return the label of the track with a content hash, or None if there is no such track or it has no label."""
        track = self._database.execute("SELECT id FROM tracks WHERE hash = ?", (content,)).fetchone()
        return None if track is None else self.get(track[0])

    def compare(self, labels: Mapping[int, Label]) -> list[TrackLabelChange]:
        """List what `assign` would change.

        Parameters
        ----------
        labels : mapping of track id to Label
            If a label names no artist or album, those of the track are kept.

        Returns
        -------
        list of TrackLabelChange
            For the labels that are new or different.
        """
        changes = []
        for track, label in labels.items():
            before = self.get(track)
            after = Label(
                label.label,
                label.source,
                label.artist if label.artist is not None or before is None else before.artist,
                label.album if label.album is not None or before is None else before.album,
            )
            if after != before:
                content, path = self._database.execute(
                    "SELECT hash, min(path) FROM tracks JOIN files ON files.track_id = tracks.id WHERE tracks.id = ?",
                    (track,),
                ).fetchone()
                changes.append(TrackLabelChange(content, path, before, after))
        return changes

    def assign(self, labels: Mapping[int, Label], *, command: str) -> list[TrackLabelChange]:
        """Set or change the labels of tracks, and record the change in the history.

        Parameters
        ----------
        labels : mapping of track id to Label
        command : str
            What the history says about the change, such as ``label genres.csv``.

        Returns
        -------
        list of TrackLabelChange
            For the labels that are new or different.
        """
        with self._database.transaction():
            changes = self.compare(labels)
            for change in changes:
                self.set(change.hash, change.after)
            if changes:
                self._history.record("labels", command, changes)
                self._database.mark_changed()
            return changes

    def set(self, content: str, label: Label | None) -> None:
        """Set or delete the label of the track with a content hash. If there is no such track, its kept label is changed.

        The history is not changed.
        """
        track = self._database.execute("SELECT id FROM tracks WHERE hash = ?", (content,)).fetchone()
        self._database.execute("DELETE FROM kept_labels WHERE hash = ?", (content,))
        if track is not None:
            self._database.execute("DELETE FROM labels WHERE track_id = ?", track)
        if label is not None:
            table, key = ("kept_labels", content) if track is None else ("labels", track[0])
            self._database.execute(
                f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)",  # noqa: S608 - one of two names
                (key, label.label, label.source, label.artist, label.album),
            )

    def kept(self, content: str) -> Label | None:
        """Return the label that is kept for a content that is not in the library."""
        row = self._database.execute(
            "SELECT label, source, artist, album FROM kept_labels WHERE hash = ?", (content,)
        ).fetchone()
        return None if row is None else Label(*row)

    def restore_kept(self, *, command: str) -> list[TrackLabelChange]:
        """Give tracks that were added again, and have no label, the labels that they had when they were removed.

        Returns
        -------
        list of TrackLabelChange
        """
        with self._database.transaction():
            rows = self._database.execute(
                "SELECT hash, min(path), label, source, kept_labels.artist, kept_labels.album "
                "FROM kept_labels JOIN tracks USING (hash) JOIN files ON files.track_id = tracks.id "
                "WHERE NOT EXISTS (SELECT 1 FROM labels WHERE track_id = tracks.id) GROUP BY hash ORDER BY 2"
            ).fetchall()
            changes = [TrackLabelChange(content, path, None, Label(*label)) for content, path, *label in rows]
            for change in changes:
                self.set(change.hash, change.after)
            if changes:
                self._history.record("restoration", command, changes)
                self._database.mark_changed()
            return changes
