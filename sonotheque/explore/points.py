"""A whole library as points: vectors, places on the map, nearest tracks and what is known of each, for tools that show millions.

The columns are those that embedding-atlas 0.26 takes: places as ``projection_x`` and ``projection_y``, ``neighbors`` as ids and
distances, where an id is the number of a row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sonotheque import documents as doc
from sonotheque.explore.atlas import Atlas
from sonotheque.explore.character import Character, characters, words
from sonotheque.explore.overview import Answers
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.parquet import write_parquet
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
"""The columns and their kinds, see `sonotheque.store.parquet.KINDS`."""

BATCH = 10_000
"""Rows of a row group."""


def write_points(
    path: str | os.PathLike[str],
    atlas: Atlas,
    answers: Answers,
    characters: Mapping[int, Character],
    mapped: doc.Mapped,
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
        _batches(atlas, answers, characters, mapped),
        metadata={"sonotheque": json.dumps(facts)},
    )


MAPPED = ("predicted", "confidence", "verdict", "cluster", "membership", "projection_x", "projection_y", "neighbors")
"""Columns that need a map."""


def write_vectors(path: str | os.PathLike[str], catalogue: Catalogue, *, space: str) -> int:
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
    ids, vectors = catalogue.vectors(space)
    known = {track.id: track for track in catalogue.tracks()}
    tracks = [known[int(id_)] for id_ in ids]
    heard = characters(catalogue)
    parts = (slice(start, start + BATCH) for start in range(0, len(tracks), BATCH))
    batches = ({**_facts(tracks[part], heard), "vector": vectors[part]} for part in parts)
    columns = {name: kind for name, kind in COLUMNS.items() if name not in MAPPED}
    return write_parquet(path, columns, batches, metadata={"sonotheque": json.dumps({"space": space})})


def _facts(tracks: Sequence[Track], characters: Mapping[int, Character]) -> dict[str, Any]:
    heard = [characters[track.id] for track in tracks]
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
            group: ["; ".join(words(one, group)) or None for one in heard] for group in ("mood", "instruments", "style")
        },
    }


def _batches(
    atlas: Atlas, answers: Answers, characters: Mapping[int, Character], mapped: doc.Mapped
) -> Iterator[Mapping[str, Any]]:
    names = {cluster.number: cluster.name for cluster in mapped.clusters}
    distances = np.maximum(1 - atlas.near.similarities, 0)
    for start in range(0, len(atlas.tracks), BATCH):
        rows = range(start, min(start + BATCH, len(atlas.tracks)))
        tracks = [atlas.tracks[row] for row in rows]
        places = [mapped.places[row] for row in rows]
        predicted = [answers.names[code] if (code := int(answers.genres[row])) >= 0 else None for row in rows]
        part = slice(rows.start, rows.stop)
        yield {
            **_facts(tracks, characters),
            "predicted": predicted,
            "confidence": [None if np.isnan(one) else float(one) for one in answers.confidence[part]],
            "verdict": [
                None if not answers.judged[row] else "right" if answer == track.label else "wrong"
                for row, track, answer in zip(rows, tracks, predicted, strict=True)
            ],
            "cluster": [names.get(place.cluster or 0) for place in places],
            "membership": [place.membership for place in places],
            "projection_x": atlas.kept.places[part, 0],
            "projection_y": atlas.kept.places[part, 1],
            "neighbors": list(zip(atlas.near.rows[part], distances[part], strict=True)),
            "vector": atlas.vectors[part],
        }
