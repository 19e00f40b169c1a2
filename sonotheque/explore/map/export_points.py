"""A whole library as points: vectors, positions on the map, nearest tracks and what is known of each, for tools that show millions.

The columns are those that embedding-atlas 0.26 takes: positions as ``projection_x`` and ``projection_y``, ``neighbors`` as ids and
distances, where an id is the number of a row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sonotheque import results
from sonotheque.explore.map.map_data import MapData
from sonotheque.explore.map.predictions import MapPredictions
from sonotheque.explore.track_attributes import TrackAttributes, likely_tags, load_track_attributes
from sonotheque.metadata.parquet import write_parquet
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track

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

BATCH = 10_000
"""Rows of a row group."""


def export_points(
    path: str | os.PathLike[str],
    atlas: MapData,
    answers: MapPredictions,
    load_track_attributes: Mapping[int, TrackAttributes],
    mapped: results.MapResult,
) -> int:
    """Write a row for each track, ordered by content hash, as Parquet.

    Parameters
    ----------
    path : path of the file
    atlas : Atlas
    answers : Answers
    characters : mapping of track id to Character
    mapped : Mapped

    Returns
    -------
    int
        Rows.

    Raises
    ------
    LibraryError
        If it cannot be written.
    """
    facts = {"space": atlas.space, **mapped.parameters}
    return write_parquet(
        path,
        COLUMNS,
        _batches(atlas, answers, load_track_attributes, mapped),
        metadata={"sonotheque": json.dumps(facts)},
    )


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


def export_vectors(path: str | os.PathLike[str], catalogue: Catalogue, *, space: str) -> int:
    """Write the same rows without what needs a map, for libraries that are too large for one.

    Parameters
    ----------
    path : path of the file
    catalogue : Catalogue
    space : id of the space

    Returns
    -------
    int
        Rows.

    Raises
    ------
    LibraryError
        If it cannot be written.
    """
    ids, vectors = catalogue.vectors.matrix(space)
    known = {track.id: track for track in catalogue.tracks.all()}
    tracks = [known[int(id_)] for id_ in ids]
    heard = load_track_attributes(catalogue)
    parts = (slice(start, start + BATCH) for start in range(0, len(tracks), BATCH))
    batches = ({**_facts(tracks[part], heard), "vector": vectors[part]} for part in parts)
    columns = {name: kind for name, kind in COLUMNS.items() if name not in MAP_COLUMNS}
    return write_parquet(path, columns, batches, metadata={"sonotheque": json.dumps({"space": space})})


def _facts(tracks: Sequence[Track], load_track_attributes: Mapping[int, TrackAttributes]) -> dict[str, Any]:
    heard = [load_track_attributes[track.id] for track in tracks]
    return {
        "file": [track.path for track in tracks],
        "title": [track.title for track in tracks],
        "artist": [track.artist for track in tracks],
        "album": [track.album for track in tracks],
        "seconds": [track.seconds for track in tracks],
        "label": [track.label for track in tracks],
        "tempo": [one.tempo for one in heard],
        "key": [one.key for one in heard],
        **{
            group: ["; ".join(likely_tags(one, group)) or None for one in heard]
            for group in ("mood", "instruments", "style")
        },
    }


def _batches(
    atlas: MapData,
    answers: MapPredictions,
    load_track_attributes: Mapping[int, TrackAttributes],
    mapped: results.MapResult,
) -> Iterator[Mapping[str, Any]]:
    names = {cluster.number: cluster.name for cluster in mapped.clusters}
    distances = np.maximum(1 - atlas.near.similarities, 0)
    for start in range(0, len(atlas.tracks), BATCH):
        rows = range(start, min(start + BATCH, len(atlas.tracks)))
        tracks = [atlas.tracks[row] for row in rows]
        positions = [mapped.places[row] for row in rows]
        predicted = [answers.names[code] if (code := int(answers.genres[row])) >= 0 else None for row in rows]
        part = slice(rows.start, rows.stop)
        yield {
            **_facts(tracks, load_track_attributes),
            "predicted": predicted,
            "confidence": [None if np.isnan(one) else float(one) for one in answers.confidence[part]],
            "verdict": [
                None if not answers.judged[row] else "right" if answer == track.label else "wrong"
                for row, track, answer in zip(rows, tracks, predicted, strict=True)
            ],
            "cluster": [names.get(place.cluster or 0) for place in positions],
            "membership": [place.membership for place in positions],
            "projection_x": atlas.kept.positions[part, 0],
            "projection_y": atlas.kept.positions[part, 1],
            "neighbors": list(zip(atlas.near.rows[part], distances[part], strict=True)),
            "vector": atlas.vectors[part],
        }
