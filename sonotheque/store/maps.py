"""The maps of a catalogue: the position and clusters of each track, and the parameters with which the map was computed.

A map is stored because it can only be computed again with the same tracks, package versions and processor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotheque.store.database import Database
from sonotheque.types import BoolArray, Codes, FloatArray, IdArray


@dataclass(frozen=True)
class StoredMap:
    """The map of a space.

    Attributes
    ----------
    parameters : mapping of name to number or text
        The parameters with which it was computed.
    tracks : int array [N]
        Track ids.
    positions : float32 array [N, 2]
    clusters : int array [N]
        Cluster number of each track; -1 for none.
    membership : float32 array [N, C]
        Strength with which each track belongs to each cluster.
    later : bool array [N]
        Whether a track was added to the map after it was computed.
    """

    parameters: Mapping[str, Any]
    tracks: IdArray
    positions: FloatArray
    clusters: Codes
    membership: FloatArray
    later: BoolArray


class MapRepository:
    """Reads and writes the tables ``maps`` and ``map_positions``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, space: str) -> StoredMap | None:
        """Read the map of a space, its tracks ordered by content hash. None if there is no map."""
        row = self._database.execute(
            "SELECT space_id, parameters FROM maps JOIN spaces ON spaces.id = space_id WHERE name = ?", (space,)
        ).fetchone()
        if row is None:
            return None
        space_id, parameters = row
        rows = self._database.execute(
            "SELECT track_id, x, y, cluster, membership, later FROM map_positions JOIN tracks ON tracks.id = track_id "
            "WHERE space_id = ? ORDER BY hash",
            (space_id,),
        ).fetchall()
        membership = [np.frombuffer(blob, dtype="<f4") for *_, blob, _ in rows]
        return StoredMap(
            json.loads(parameters),
            np.array([row[0] for row in rows], dtype=np.int64),
            np.array([row[1:3] for row in rows], dtype=np.float32).reshape(-1, 2),
            np.array([-1 if row[3] is None else row[3] for row in rows], dtype=np.int64),
            np.stack(membership).astype(np.float32) if rows else np.empty((0, 0), dtype=np.float32),
            np.array([row[5] for row in rows], dtype=bool),
        )

    def members(self, space: str, cluster: int) -> IdArray | None:
        """List the ids of the tracks in a cluster of the map of a space. No other track is read. None if there is no map."""
        row = self._database.execute(
            "SELECT space_id FROM maps JOIN spaces ON spaces.id = space_id WHERE name = ?", (space,)
        ).fetchone()
        if row is None:
            return None
        rows = self._database.execute(
            "SELECT track_id FROM map_positions WHERE space_id = ? AND cluster = ?", (row[0], cluster)
        )
        return np.fromiter((track for (track,) in rows), dtype=np.int64)

    def save(self, space: str, computed: StoredMap) -> None:
        """Store the map of a space, replacing an older one with the positions of tracks that were removed from it."""
        with self._database.transaction():
            self._database.execute("DELETE FROM maps WHERE space_id = (SELECT id FROM spaces WHERE name = ?)", (space,))
            self._database.execute(
                "INSERT INTO maps SELECT id, ? FROM spaces WHERE name = ?",
                (json.dumps(dict(computed.parameters)), space),
            )
            self._database.execute(
                "DELETE FROM removed_map_positions WHERE space_id = (SELECT id FROM spaces WHERE name = ?)", (space,)
            )
            self._insert_positions(space, computed)

    def add_positions(self, space: str, added: StoredMap) -> None:
        """Store the positions of tracks that were added to the map of a space later."""
        with self._database.transaction():
            self._insert_positions(space, added)

    def _insert_positions(self, space: str, positions: StoredMap) -> None:
        (space_id,) = self._database.execute("SELECT id FROM spaces WHERE name = ?", (space,)).fetchone()
        self._database.executemany(
            "INSERT OR REPLACE INTO map_positions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (space_id, int(track), float(x), float(y), None if cluster < 0 else int(cluster))
                + (row.tobytes(), int(later))
                for track, (x, y), cluster, row, later in zip(
                    positions.tracks,
                    positions.positions,
                    positions.clusters,
                    positions.membership.astype("<f4"),
                    positions.later,
                    strict=True,
                )
            ),
        )
