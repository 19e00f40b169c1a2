"""The tags of a whole library as one table, a row for each track: what `export --tags` writes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.embed import descriptors, musicnn
from sonotheque.embed.auto_tags import TAGS
from sonotheque.errors import LibraryError
from sonotheque.explore.track_attributes import TrackAttributes, likely_tags, load_track_attributes
from sonotheque.metadata.parquet import write_parquet
from sonotheque.metadata.tables import write_table
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track

log = logging.getLogger("sonotheque")

COLUMNS = {
    "file": "string",
    "artist": "string",
    "title": "string",
    "album": "string",
    "label": "string",
    "tempo": "float64",
    "key": "string",
    "mood": "string",
    "instruments": "string",
    "style": "string",
    "era": "string",
    "tags": "string",
}
"""The columns and their types, see `sonotheque.metadata.parquet.COLUMN_TYPES`; `tempo` is in BPM."""

STRONGEST = 10
"""Tags that are listed with their probability."""

BATCH = 10_000
"""Rows of a row group."""

Row = Mapping[str, Any]


def attribute_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Describe every track of a library, ordered by path.

    A space that the library lacks is worth a warning: the columns that rest on it stay empty.

    Parameters
    ----------
    catalogue : Catalogue

    Yields
    ------
    mapping of a name of `COLUMNS` to text, a number or None
    """
    tracks = catalogue.tracks.all()
    embedded = catalogue.vectors.embedded([descriptors.SPACE.id, musicnn.SPACE.id])
    for space, missing in ((descriptors.SPACE, "tempo and key"), (musicnn.SPACE, "tags")):
        count = sum(space.id not in embedded.get(track.id, ()) for track in tracks)
        if count:
            log.warning(
                "%d of %d tracks have no %s; `sonotheque add FOLDER --embedder %s` finds them",
                *(count, len(tracks), missing, space.embedder),
            )
    heard = load_track_attributes(catalogue)
    for track in tracks:
        yield _row(track, heard[track.id])


def _row(track: Track, character: TrackAttributes) -> Row:
    groups = {
        group: "; ".join(likely_tags(character, group)) or None for group in ("mood", "instruments", "style", "era")
    }
    return {
        "file": track.path,
        "artist": track.artist,
        "title": track.title,
        "album": track.album,
        "label": track.label,
        "tempo": None if character.tempo is None else round(character.tempo, 1),
        "key": character.key,
        **groups,
        "tags": _strongest(character),
    }


def _strongest(character: TrackAttributes) -> str | None:
    if character.tags is None:
        return None
    order = np.argsort(-character.tags, kind="stable")[:STRONGEST]
    return "; ".join(f"{TAGS[number]} {character.tags[number]:.2f}" for number in order)


def export_attributes(catalogue: Catalogue, path: str | os.PathLike[str]) -> int:
    """Write `tag_table` to a file: CSV or Parquet, as its extension says.

    Parameters
    ----------
    catalogue : Catalogue
    path : path of the file, ending in ``.csv`` or ``.parquet``

    Returns
    -------
    int
        Rows.

    Raises
    ------
    LibraryError
        If it ends in something else, or the Parquet cannot be written.
    LabelsError
        If the CSV cannot be written.
    """
    kind = Path(path).suffix.lower()
    if kind not in {".csv", ".parquet"}:
        raise LibraryError(f"{path}: tags are written as CSV or Parquet; name a file that ends in .csv or .parquet")
    rows = attribute_rows(catalogue)
    if kind == ".parquet":
        return write_parquet(path, COLUMNS, _batches(rows))
    lines = [list(row.values()) for row in rows]
    write_table(path, [list(COLUMNS), *lines])
    return len(lines)


def _batches(rows: Iterator[Row]) -> Iterator[Mapping[str, Any]]:
    while batch := list(islice(rows, BATCH)):
        yield {name: [row[name] for row in batch] for name in COLUMNS}
