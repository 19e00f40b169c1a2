"""What is known of all tracks of a library, as arrays that are kept in a file beside it and mapped into memory.

When tracks have changed, only their rows are computed; when many have, all are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import TAGS, tag_logits
from sonotheque.embed.descriptors import SPACE as DESCRIPTORS
from sonotheque.embed.descriptors import column_names
from sonotheque.index.array_cache import Arrays, read_arrays, write_arrays
from sonotheque.store.attributes import TrackColumns
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import BoolArray, FloatArray, IdArray, Rows

VERSION = "search@1"
"""Version of the content of the arrays. Those of another version are computed again."""

FILE = "search.arrays"
LEVEL_COLUMN = "rms.mean"

BLOCK = 50_000
"""Vectors whose tags are computed at once."""

MAX_CHANGED, MAX_CHANGED_FRACTION = 1000, 0.05
"""Tracks whose rows are computed one by one; if more have changed, and a larger fraction, all rows are computed again."""


@dataclass(frozen=True)
class GenrePredictions:
    """Genre probabilities of a trained classifier.

    Attributes
    ----------
    labels : sequence of str
    ids : int64 array [M]
        Tracks.
    probabilities : float16 or float32 array [C, M]
    """

    labels: Sequence[str]
    ids: IdArray
    probabilities: npt.NDArray[Any]


class TrackArrays:
    """What is known of N tracks, in the order of their content hashes.

    Parameters
    ----------
    arrays : mapping of str to array
        ``ids``, ``silent``, ``tempo``, ``key`` and ``genre`` as in `sonotheque.store.attributes.TrackColumns`; ``genres``: the
        names of the genres as bytes of JSON; ``logits`` float16 [50, N] of the auto-tags, in the order of
        `sonotheque.embed.auto_tags.TAGS`, and ``level`` float32 [N] in dBFS, with NaN where they are unknown.
    predictions : callable
        Returns the predictions of the trained classifier, or None if there is none. It is called when they are first needed.
    """

    def __init__(self, arrays: Arrays, *, predictions: Callable[[], GenrePredictions | None] = lambda: None) -> None:
        self.ids: IdArray = arrays["ids"]
        self.silent: BoolArray = arrays["silent"]
        self.tempo: FloatArray = arrays["tempo"]
        self.key: npt.NDArray[np.int8] = arrays["key"]
        self.genre: npt.NDArray[np.int32] = arrays["genre"]
        self.level: FloatArray = arrays["level"]
        self.genres: list[str] = json.loads(arrays["genres"].tobytes())
        self._logits, self._load_predictions = arrays["logits"], predictions

    def __len__(self) -> int:
        """Return the number of tracks."""
        return len(self.ids)

    @cached_property
    def _id_order(self) -> tuple[IdArray, Rows]:
        order: Rows = np.argsort(self.ids)
        return self.ids[order], order

    def rows_of(self, ids: IdArray) -> Rows:
        """Return the rows of tracks, int64 [M]; -1 for unknown tracks."""
        in_order, order = self._id_order
        if len(in_order) == 0:
            return np.full(len(ids), -1, np.int64)
        places = np.minimum(np.searchsorted(in_order, ids), len(in_order) - 1)
        result: Rows = np.where(in_order[places] == ids, order[places], -1)
        return result

    def align(self, ids: IdArray, values: npt.NDArray[Any]) -> FloatArray:
        """Bring values [M] of tracks into the order of the rows, float32 [N] with NaN for other tracks and for silence."""
        result: FloatArray = np.full(len(self), np.nan, np.float32)
        rows = self.rows_of(ids)
        result[rows[rows >= 0]] = values[rows >= 0]
        result[self.silent] = np.nan
        return result

    def tag_logits(self, tag: str) -> FloatArray:
        """Return the logits of an auto-tag, float32 [N]; NaN for tracks without auto-tags and for silence."""
        result: FloatArray = self._logits[TAGS.index(tag)].astype(np.float32)
        return result

    def logits_of(self, rows: Rows) -> FloatArray:
        """Return the logits of all auto-tags of some rows, float32 [50, M]; NaN where they are unknown, and for silence."""
        result: FloatArray = self._logits[:, rows].astype(np.float32)
        return result

    @cached_property
    def predictions(self) -> GenrePredictions | None:
        """The predictions of the trained classifier, or None."""
        return self._load_predictions()

    def genre_probability(self, labels: Sequence[str]) -> FloatArray | None:
        """Return the probability of one of some genres by the classifier, float32 [N]; None if it knows none of them."""
        found = self.predictions
        codes = [] if found is None else [code for code, label in enumerate(found.labels) if label in labels]
        if found is None or not codes:
            return None
        return self.align(found.ids, found.probabilities[codes].astype(np.float32).sum(axis=0))


def load_track_arrays(
    catalogue: Catalogue,
    folder: Path,
    *,
    predictions: Callable[[], GenrePredictions | None] = lambda: None,
) -> TrackArrays:
    """Load what is known of all tracks.

    Parameters
    ----------
    catalogue : Catalogue
    folder : Path
        The arrays are kept in a file in this folder.
    predictions : callable
        See `TrackArrays`.

    Returns
    -------
    TrackArrays
    """
    path = folder / FILE
    last_change = catalogue.attributes.last_change
    found = read_arrays(path)
    arrays, since = (None, 0) if found is None else (found[1], _read_stamp(found[0]))
    if arrays is None or since is None or since > last_change:
        arrays = _compute_all(catalogue)
    elif since < last_change:
        changed = catalogue.attributes.changed_since(since)
        few = len(changed) <= max(MAX_CHANGED, MAX_CHANGED_FRACTION * len(arrays["ids"]))
        arrays = _compute_changed(catalogue, arrays, changed, since=since) if few else _compute_all(catalogue)
    if since != last_change or found is None:
        write_arrays(path, f"{VERSION} {last_change}", arrays)
    return TrackArrays(arrays, predictions=predictions)


def _read_stamp(stamp: str) -> int | None:
    """Return the number of the last change that arrays contain; None if they are of another version."""
    version, _, number = stamp.partition(" ")
    return int(number) if version == VERSION and number.isdigit() else None


def _compute_all(catalogue: Catalogue) -> Arrays:
    columns = catalogue.attributes.read()
    tracks = TrackArrays(
        {
            **_as_arrays(columns),
            "logits": np.zeros((len(TAGS), 0), np.float16),
            "level": np.zeros(0, np.float32),
        }
    )
    logits = np.full((len(TAGS), len(tracks)), np.nan, np.float16)
    level = np.full(len(tracks), np.nan, np.float32)
    ids, stored = catalogue.attributes.read_auto_tags(musicnn.SPACE.id, n_tags=len(TAGS))
    logits[:, tracks.rows_of(ids)] = stored.T
    spaces = {space.id for space in catalogue.spaces.all() if space.tracks}
    if musicnn.SPACE.id in spaces:
        ids, vectors = catalogue.vectors.matrix(musicnn.SPACE.id)
        rows = tracks.rows_of(ids)
        for start in range(0, len(ids), BLOCK):
            part = slice(start, start + BLOCK)
            logits[:, rows[part]] = tag_logits(vectors[part]).T
    if DESCRIPTORS.id in spaces:
        ids, vectors = catalogue.vectors.matrix(DESCRIPTORS.id)
        level[tracks.rows_of(ids)] = vectors[:, column_names().index(LEVEL_COLUMN)]
    logits[:, columns.silent] = np.nan
    level[columns.silent] = np.nan
    return {**_as_arrays(columns), "logits": logits, "level": level}


def _compute_changed(catalogue: Catalogue, arrays: Arrays, changed: IdArray, *, since: int) -> Arrays:
    """Replace the rows of changed tracks: remove them all, and insert those that still exist in the order of their hashes."""
    columns = catalogue.attributes.read(since=since)
    new = dict(_as_arrays(columns))
    new["logits"], new["level"] = _compute_rows(catalogue, columns)
    kept = np.flatnonzero(~np.isin(arrays["ids"], changed))
    places = np.searchsorted(arrays["hashes"][kept], new["hashes"])
    rows = np.insert(kept, places, -1)  # the old row of each new one; -1 for those that are inserted
    inserted = np.flatnonzero(rows < 0)
    names = [*json.loads(arrays["genres"].tobytes()), *columns.genres]
    shifted = np.where(new["genre"] < 0, -1, new["genre"] + len(names) - len(columns.genres))
    merged: dict[str, npt.NDArray[Any]] = {}
    for name, array in arrays.items():
        if name != "genres":
            padded = array if array.shape[-1] else np.zeros((*array.shape[:-1], 1), array.dtype)
            merged[name] = np.take(padded, rows, axis=-1)
            merged[name][..., inserted] = shifted if name == "genre" else new[name]
    used = sorted({names[code] for code in np.unique(merged["genre"]).tolist() if code >= 0})
    codes = np.array([*(used.index(name) if name in used else -1 for name in names), -1], np.int32)
    merged["genre"] = codes[merged["genre"]]
    return {**merged, "genres": _encode_names(used)}


def _compute_rows(catalogue: Catalogue, columns: TrackColumns) -> tuple[npt.NDArray[np.float16], FloatArray]:
    """Compute the logits [50, M] and the levels [M] of some tracks."""
    logits = np.full((len(TAGS), len(columns.ids)), np.nan, np.float16)
    level = np.full(len(columns.ids), np.nan, np.float32)
    for row, track in enumerate(columns.ids.tolist()):
        if columns.silent[row]:
            continue
        if catalogue.vectors.has(track, musicnn.SPACE.id):
            logits[:, row] = tag_logits(catalogue.vectors.track_vector(track, musicnn.SPACE.id)[None])[0]
        elif (stored := catalogue.attributes.auto_tags_of(track, musicnn.SPACE.id)) is not None:
            logits[:, row] = stored
        if catalogue.vectors.has(track, DESCRIPTORS.id):
            vector = catalogue.vectors.track_vector(track, DESCRIPTORS.id)
            level[row] = vector[column_names().index(LEVEL_COLUMN)]
    return logits, level


def _as_arrays(columns: TrackColumns) -> Arrays:
    names = ("ids", "hashes", "silent", "tempo", "key", "genre")
    return {**{name: getattr(columns, name) for name in names}, "genres": _encode_names(columns.genres)}


def _encode_names(names: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(json.dumps(list(names)).encode(), np.uint8).copy()
