"""The labels of a catalogue: the genre of each track as given by a person."""

from __future__ import annotations

from collections.abc import Mapping

from sonotheque.metadata.label_sources import Label
from sonotheque.store.database import Database


class LabelRepository:
    """Reads and writes the table ``labels``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def assign(self, labels: Mapping[int, Label]) -> int:
        """Set or change the labels of tracks.

        Parameters
        ----------
        labels : mapping of track id to Label

        Returns
        -------
        int
            Number of labels that are new or different.
        """
        with self._database.transaction():
            before = self._database.total_changes
            self._database.executemany(
                "INSERT INTO labels VALUES (?, ?, ?, ?, ?) ON CONFLICT (track_id) DO UPDATE SET label = excluded.label, "
                "source = excluded.source, artist = coalesce(excluded.artist, artist), "
                "album = coalesce(excluded.album, album) "
                "WHERE label IS NOT excluded.label OR source IS NOT excluded.source OR "
                "artist IS NOT coalesce(excluded.artist, artist) OR album IS NOT coalesce(excluded.album, album)",
                [(track, label.label, label.source, label.artist, label.album) for track, label in labels.items()],
            )
            changed = self._database.total_changes - before
            if changed:
                self._database.mark_changed()
            return changed
