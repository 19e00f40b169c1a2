"""The table of track attributes that `export --tags` writes, one row per track."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.embed.auto_tags import TAGS
from sonotheque.errors import LibraryError
from sonotheque.explore.track_attributes import TrackAttributes, likely_tags, load_track_attributes
from sonotheque.metadata.parquet import write_parquet
from sonotheque.metadata.tables import write_table
from sonotheque.output_files import CSV, PARQUET, FileKind, OutputFile, open_output
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import PathLike

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
    "tempo_confidence": "float64",
    "key_confidence": "float64",
}
"""The columns and their types, see `sonotheque.metadata.parquet.COLUMN_TYPES`. The tempo is in BPM."""

N_TAGS = 10
"""Number of auto-tags that are listed with their probabilities."""

BATCH = 10_000
"""Number of rows in a row group of a Parquet file."""

Row = Mapping[str, Any]


def attribute_rows(catalogue: Catalogue) -> Iterator[Row]:
    """Make a row for every track of a library, ordered by path.

    If tracks have no tempo and key, or no auto-tags, a warning is logged and the columns that need them are empty.

    Parameters
    ----------
    catalogue : Catalogue

    Yields
    ------
    mapping of column name to str, float or None
        With the names of `COLUMNS`.
    """
    tracks = catalogue.tracks.all()
    analysed = catalogue.tempo_keys.tracks()
    attributes = load_track_attributes(catalogue)
    for missing, count, option in (
        ("tempo and key", sum(track.id not in analysed for track in tracks), ""),
        ("tags", sum(attributes[track.id].tags is None and not track.silent for track in tracks), " --auto-tags"),
    ):
        if count:
            log.warning(
                "no %s for %s (of %d); `sonotheque add FOLDER%s` computes them",
                *(missing, pluralize(count, "track"), len(tracks), option),
            )
    for track in tracks:
        yield _row(track, attributes[track.id])


def _row(track: Track, attributes: TrackAttributes) -> Row:
    groups = {
        group: "; ".join(likely_tags(attributes, group)) or None for group in ("mood", "instruments", "style", "era")
    }
    return {
        "file": track.path,
        "artist": track.artist,
        "title": track.title,
        "album": track.album,
        "label": track.label,
        "tempo": None if attributes.tempo is None else round(attributes.tempo, 1),
        "key": attributes.key,
        **groups,
        "tags": _format_tags(attributes),
        "tempo_confidence": _round_confidence(attributes.tempo_confidence),
        "key_confidence": _round_confidence(attributes.key_confidence),
    }


def _round_confidence(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _format_tags(attributes: TrackAttributes) -> str | None:
    if attributes.tags is None:
        return None
    order = np.argsort(-attributes.tags, kind="stable")[:N_TAGS]
    return "; ".join(f"{TAGS[tag]} {attributes.tags[tag]:.2f}" for tag in order)


def export_attributes(catalogue: Catalogue, path: PathLike | OutputFile) -> int:
    """Write the rows of `attribute_rows` to a CSV or Parquet file.

    Parameters
    ----------
    catalogue : Catalogue
    path : path of a file that ends in ``.csv`` or ``.parquet``, or OutputFile

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    LibraryError
        If the file has another extension, cannot be written, or would replace a file that is not a table of its kind.
    """
    output = path if isinstance(path, OutputFile) else open_output(path, table_kind(path), force=True)
    rows = attribute_rows(catalogue)
    if output.kind is PARQUET:
        return write_parquet(output, COLUMNS, _batches(rows))
    lines = [list(row.values()) for row in rows]
    write_table(output, [list(COLUMNS), *lines])
    return len(lines)


def table_kind(path: PathLike) -> FileKind:
    """Return the kind of table that the extension of a path names.

    Raises
    ------
    LibraryError
        If it is neither CSV nor Parquet.
    """
    for kind in (CSV, PARQUET):
        if Path(path).suffix.lower() in kind.extensions:
            return kind
    raise LibraryError(f"{path}: tags are exported as CSV or Parquet; give a file that ends in .csv or .parquet")


def _batches(rows: Iterator[Row]) -> Iterator[Mapping[str, Any]]:
    while batch := list(islice(rows, BATCH)):
        yield {name: [row[name] for row in batch] for name in COLUMNS}
