"""Export a library as points for embedding-atlas: vectors, map positions, nearest tracks and attributes of each track.

The columns are those that embedding-atlas 0.26 reads: positions as ``projection_x`` and ``projection_y``, and ``neighbors`` as ids
and distances, where an id is a row number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sonotheque import results
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.track_attributes import TrackAttributes, likely_tags, load_track_attributes
from sonotheque.metadata.parquet import write_parquet
from sonotheque.output_files import OutputFile
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import PathLike

COLUMNS = {
    "file": "string",
    "title": "string",
    "artist": "string",
    "album": "string",
    "seconds": "float64",
    "label": "string",
    "predicted": "string",
    "confidence": "float64",
    "verdict": "string",
    "cluster": "string",
    "membership": "float64",
    "tempo": "float64",
    "key": "string",
    "mood": "string",
    "instruments": "string",
    "style": "string",
    "projection_x": "float32",
    "projection_y": "float32",
    "neighbors": "neighbors",
    "vector": "floats",
}
"""The columns and their types, see `sonotheque.metadata.parquet.COLUMN_TYPES`."""

MAP_COLUMNS = (
    "predicted",
    "confidence",
    "verdict",
    "cluster",
    "membership",
    "projection_x",
    "projection_y",
    "neighbors",
)
"""Columns that need a map."""

BATCH = 10_000
"""Number of rows in a row group of the Parquet file."""


def export_points(
    path: PathLike | OutputFile,
    data: MapData,
    predictions: MapPredictions,
    attributes: Mapping[int, TrackAttributes],
    summary: results.MapResult,
) -> int:
    """Write a Parquet file with one row per track, ordered by content hash.

    Parameters
    ----------
    path : path of the file
    data : MapData
    predictions : MapPredictions
    attributes : mapping of track id to TrackAttributes
    summary : MapResult

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    LibraryError
        If the file cannot be written.
    """
    metadata = {"space": data.space, **summary.parameters}
    return write_parquet(
        path,
        COLUMNS,
        _batches(data, predictions, attributes, summary),
        metadata={"sonotheque": json.dumps(metadata)},
    )


def export_vectors(path: PathLike | OutputFile, catalogue: Catalogue, *, space: str) -> int:
    """Write the same rows without the `MAP_COLUMNS`, for libraries that are too large for a map.

    Parameters
    ----------
    path : path of the file
    catalogue : Catalogue
    space : str
        Space id.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    LibraryError
        If the file cannot be written.
    """
    ids, vectors = catalogue.vectors.matrix(space)
    known = {track.id: track for track in catalogue.tracks.all()}
    tracks = [known[int(id_)] for id_ in ids]
    attributes = load_track_attributes(catalogue)
    parts = (slice(start, start + BATCH) for start in range(0, len(tracks), BATCH))
    batches = ({**_track_columns(tracks[part], attributes), "vector": vectors[part]} for part in parts)
    columns = {name: kind for name, kind in COLUMNS.items() if name not in MAP_COLUMNS}
    return write_parquet(path, columns, batches, metadata={"sonotheque": json.dumps({"space": space})})


def _track_columns(tracks: Sequence[Track], attributes: Mapping[int, TrackAttributes]) -> dict[str, Any]:
    """Return the columns that need no map."""
    ordered = [attributes[track.id] for track in tracks]
    return {
        "file": [track.path for track in tracks],
        "title": [track.title for track in tracks],
        "artist": [track.artist for track in tracks],
        "album": [track.album for track in tracks],
        "seconds": [track.seconds for track in tracks],
        "label": [track.label for track in tracks],
        "tempo": [track.tempo for track in ordered],
        "key": [track.key for track in ordered],
        **{
            group: ["; ".join(likely_tags(track, group)) or None for track in ordered]
            for group in ("mood", "instruments", "style")
        },
    }


def _batches(
    data: MapData,
    predictions: MapPredictions,
    attributes: Mapping[int, TrackAttributes],
    summary: results.MapResult,
) -> Iterator[Mapping[str, Any]]:
    cluster_names = {cluster.number: cluster.name for cluster in summary.clusters}
    distances = np.maximum(1 - data.neighbours.similarities, 0)
    for start in range(0, len(data.tracks), BATCH):
        part = slice(start, start + BATCH)
        tracks, positions = data.tracks[part], summary.places[part]
        predicted = [predictions.names[code] if code >= 0 else None for code in predictions.genres[part].tolist()]
        yield {
            **_track_columns(tracks, attributes),
            "predicted": predicted,
            "confidence": [None if np.isnan(value) else float(value) for value in predictions.confidence[part]],
            "verdict": [
                None if not held_out else "right" if genre == track.label else "wrong"
                for track, genre, held_out in zip(tracks, predicted, predictions.held_out[part], strict=True)
            ],
            "cluster": [cluster_names.get(position.cluster or 0) for position in positions],
            "membership": [position.membership for position in positions],
            "projection_x": data.stored_map.positions[part, 0],
            "projection_y": data.stored_map.positions[part, 1],
            "neighbors": list(zip(data.neighbours.rows[part], distances[part], strict=True)),
            "vector": data.vectors[part],
        }
