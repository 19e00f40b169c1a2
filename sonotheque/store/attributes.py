"""What is known of each track besides its vectors, as arrays: the genre, the tempo and the key. Triggers number its changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.embed.tempo_key import METHOD, MIN_CONFIDENCE
from sonotheque.embed.tempo_key.key import KEYS
from sonotheque.store.database import Database
from sonotheque.types import FloatArray, IdArray

HASH_LENGTH = 16
"""Characters of a content hash by which tracks are ordered: 64 bits."""


@dataclass(frozen=True)
class TrackColumns:
    """The attributes of all N tracks, ordered by content hash.

    Attributes
    ----------
    ids : int64 array [N]
    hashes : bytes array [N]
        The first `HASH_LENGTH` characters of the content hashes.
    silent : bool array [N]
    tempo : float32 array [N]
        In BPM; NaN if it is unknown or its confidence is below `sonotheque.embed.tempo_key.MIN_CONFIDENCE`.
    key : int8 array [N]
        Number in `sonotheque.embed.tempo_key.key.KEYS`; -1 if it is unknown or not clear.
    genre : int32 array [N]
        Number in `genres`: the label or, for a track without a label, the genre in its file tags; -1 for none.
    genres : list of str
        In alphabetical order.
    """

    ids: IdArray
    hashes: npt.NDArray[np.bytes_]
    silent: npt.NDArray[np.bool_]
    tempo: FloatArray
    key: npt.NDArray[np.int8]
    genre: npt.NDArray[np.int32]
    genres: list[str]


class AttributeRepository:
    """Reads the attributes of all tracks at once, and tells whether they have changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def last_change(self) -> int:
        """The number of the last change of a track's attributes, auto-tags or vectors. Later changes have larger numbers."""
        return int(self._database.execute("SELECT coalesce(max(number), 0) FROM changed_tracks").fetchone()[0])

    def space_generations(self) -> dict[str, int]:
        """Map the id of each space to its generation. No vectors are counted."""
        return dict(self._database.execute("SELECT name, generation FROM spaces ORDER BY id"))

    def changed_since(self, change: int) -> IdArray:
        """List the tracks that were changed, added or deleted after a change, int64 [M]."""
        rows = self._database.execute("SELECT track_id FROM changed_tracks WHERE number > ?", (change,))
        return np.fromiter((track for (track,) in rows), dtype=np.int64)

    def read(self, *, since: int | None = None) -> TrackColumns:
        """Read the attributes of all tracks, or of those that were changed after a change. Memory is that of the arrays."""
        genres: dict[str, int] = {}
        dtype = [
            ("id", "i8"),
            ("hash", f"S{HASH_LENGTH}"),
            ("silent", "?"),
            ("tempo", "f4"),
            ("key", "i1"),
            ("genre", "i4"),
        ]
        rows = np.fromiter(self._rows(genres, since), dtype=dtype)
        names = sorted(genres)
        codes = np.empty(len(genres) + 1, np.int32)
        codes[-1] = -1
        codes[[genres[name] for name in names]] = np.arange(len(names))
        return TrackColumns(
            ids=rows["id"].copy(),
            hashes=rows["hash"].copy(),
            silent=rows["silent"].copy(),
            tempo=rows["tempo"].copy(),
            key=rows["key"].copy(),
            genre=codes[rows["genre"]],
            genres=names,
        )

    def _rows(self, genres: dict[str, int], since: int | None) -> Iterator[tuple[Any, ...]]:
        changed = "tracks.id IN (SELECT track_id FROM changed_tracks WHERE number > :since)"
        statement = (
            "SELECT tracks.id, hash, silent, CASE WHEN tempo_confidence >= :minimum THEN tempo END, "  # noqa: S608
            "CASE WHEN key_confidence >= :minimum THEN key END, coalesce(nullif(label, ''), genre) FROM tracks "
            "LEFT JOIN labels ON labels.track_id = tracks.id "
            "LEFT JOIN tempo_keys ON tempo_keys.track_id = tracks.id AND method = :method "
            f"WHERE {'1' if since is None else changed} ORDER BY hash"
        )
        values = {"minimum": MIN_CONFIDENCE, "method": METHOD, "since": since}
        keys = {name: number for number, name in enumerate(KEYS)}
        for track, content, silent, tempo, key, genre in self._database.execute(statement, values):
            code = genres.setdefault(genre, len(genres)) if genre else -1
            known = not silent  # digital silence has neither a tempo nor a key
            yield (
                track,
                content[:HASH_LENGTH].encode(),
                bool(silent),
                tempo if known and tempo is not None else np.nan,
                keys.get(key, -1) if known else -1,
                code,
            )

    def auto_tags_of(self, track: int, space: str) -> FloatArray | None:
        """Read the row of a track in the table ``auto_tags``, float32 [number of tags]; None if there is none."""
        row = self._database.execute(
            "SELECT logits FROM auto_tags WHERE track_id = ? AND space = ?", (track, space)
        ).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<f4").astype(np.float32)

    def read_auto_tags(self, space: str, *, n_tags: int) -> tuple[IdArray, FloatArray]:
        """Read the table ``auto_tags``: the ids int64 [N] of the tracks and their logits float32 [N, `n_tags`]."""
        (count,) = self._database.execute("SELECT count(*) FROM auto_tags WHERE space = ?", (space,)).fetchone()
        ids, logits = np.empty(count, np.int64), np.empty((count, n_tags), np.float32)
        rows = self._database.execute("SELECT track_id, logits FROM auto_tags WHERE space = ? LIMIT ?", (space, count))
        read = 0
        for read, (track, blob) in enumerate(rows, start=1):
            ids[read - 1], logits[read - 1] = track, np.frombuffer(blob, dtype="<f4")
        return ids[:read], logits[:read]
