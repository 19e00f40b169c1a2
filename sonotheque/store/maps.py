"""Maps that are kept: where each track lies, to which clusters it belongs, and what the map was made with. Not how one is drawn.

A map could be drawn again, but only with the same tracks, versions and processor would it be the same one. So it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.store.catalogue import Catalogue


@dataclass(frozen=True)
class KeptMap:
    """The map of a space.

    Attributes
    ----------
    parameters : mapping of name to number or text
        What it was made with.
    tracks : int array [N]
        Track ids.
    places : float32 array [N, 2]
    clusters : int array [N]
        Number of each track's cluster; -1 for none.
    membership : float32 array [N, C]
        How much each track belongs to each cluster.
    later : bool array [N]
        Whether a track was put on the map after it was drawn.
    """

    parameters: Mapping[str, Any]
    tracks: npt.NDArray[np.int64]
    places: FloatArray
    clusters: npt.NDArray[np.int64]
    membership: FloatArray
    later: npt.NDArray[np.bool_]


def read_map(catalogue: Catalogue, space: str) -> KeptMap | None:
    """Read the map of a space, its tracks ordered by content hash; None where none was drawn."""
    db = catalogue._db
    row = db.execute(
        "SELECT space_id, parameters FROM maps JOIN spaces ON spaces.id = space_id WHERE name = ?", (space,)
    ).fetchone()
    if row is None:
        return None
    number, parameters = row
    rows = db.execute(
        "SELECT track_id, x, y, cluster, membership, later FROM places JOIN tracks ON tracks.id = track_id "
        "WHERE space_id = ? ORDER BY hash",
        (number,),
    ).fetchall()
    membership = [np.frombuffer(blob, dtype="<f4") for *_, blob, _ in rows]
    return KeptMap(
        json.loads(parameters),
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1:3] for row in rows], dtype=np.float32).reshape(-1, 2),
        np.array([-1 if row[3] is None else row[3] for row in rows], dtype=np.int64),
        np.stack(membership).astype(np.float32) if rows else np.empty((0, 0), dtype=np.float32),
        np.array([row[5] for row in rows], dtype=bool),
    )


def keep_map(catalogue: Catalogue, space: str, drawn: KeptMap) -> None:
    """Keep the map of a space in place of an older one."""
    with catalogue._transaction() as db:
        db.execute("DELETE FROM maps WHERE space_id = (SELECT id FROM spaces WHERE name = ?)", (space,))
        db.execute(
            "INSERT INTO maps SELECT id, ? FROM spaces WHERE name = ?", (json.dumps(dict(drawn.parameters)), space)
        )
        _insert(db, space, drawn)


def keep_places(catalogue: Catalogue, space: str, added: KeptMap) -> None:
    """Keep the places of tracks that were put on the map of a space later."""
    with catalogue._transaction() as db:
        _insert(db, space, added)


def _insert(db: Any, space: str, drawn: KeptMap) -> None:
    (number,) = db.execute("SELECT id FROM spaces WHERE name = ?", (space,)).fetchone()
    db.executemany(
        "INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (number, int(track), float(x), float(y), None if cluster < 0 else int(cluster), row.tobytes(), int(later))
            for track, (x, y), cluster, row, later in zip(
                drawn.tracks,
                drawn.places,
                drawn.clusters,
                drawn.membership.astype("<f4"),
                drawn.later,
                strict=True,
            )
        ),
    )
