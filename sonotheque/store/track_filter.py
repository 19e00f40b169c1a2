"""Conditions on tracks, which SQLite checks: for some given tracks, or to list all tracks that meet them."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotheque.embed.tempo_key import METHOD, MIN_CONFIDENCE
from sonotheque.errors import LibraryError
from sonotheque.store.database import Database
from sonotheque.store.search_names import search_key
from sonotheque.types import IdArray

MAX_GENRES = 20
"""Genres that a message lists."""


@dataclass(frozen=True)
class TrackFilter:
    """Conditions that a track must meet, all of them. None is no condition.

    Attributes
    ----------
    genres : collection of str or None
        The label is one of these or, for a track without a label, the genre in the file tags. Spelt as in
        `TrackRepository.genres`.
    min_year, max_year : int or None
        Years of release, from the file tags.
    min_seconds, max_seconds : float or None
        Duration.
    min_tempo, max_tempo : float or None
        In BPM; only clear tempos count, see `sonotheque.embed.tempo_key.MIN_CONFIDENCE`.
    key : str or None
        Such as ``F# minor``; only clear keys count.
    folder : str or None
        A file of the track is inside this folder, an absolute path.
    """

    genres: Collection[str] | None = None
    min_year: int | None = None
    max_year: int | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None
    min_tempo: float | None = None
    max_tempo: float | None = None
    key: str | None = None
    folder: str | None = None

    def __bool__(self) -> bool:
        """Return whether there is any condition."""
        return any(value is not None for value in vars(self).values())


def find_spellings(genre: str, genres: Sequence[str]) -> list[str]:
    """List the spellings of a genre among those of a library. Case, accents, white space and Unicode normalisation are ignored.

    Raises
    ------
    LibraryError
        If there is none; it lists the genres of the library.

    Examples
    --------
    >>> find_spellings("hip-hop", ["Hip-Hop", "Rock", "hip-hop"])
    ['Hip-Hop', 'hip-hop']
    """
    same = [name for name in genres if search_key(name) == search_key(genre)]
    if not same:
        names = ", ".join(sorted({name.casefold() for name in genres})[:MAX_GENRES]) or "none"
        raise LibraryError(f"no track is labelled or tagged {genre!r}; the genres here are: {names}")
    return same


class FilterRepository:
    """Applies filters to the tracks of a catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self, tracks: Iterable[int], conditions: TrackFilter) -> set[int]:
        """Return those of some tracks, given by their ids, that meet the conditions. No other track is read."""
        where, parameters = _where(conditions, each=True)
        rows = self._database.execute(
            f"SELECT tracks.id FROM json_each(?) CROSS JOIN tracks ON tracks.id = json_each.value WHERE {where}",  # noqa: S608
            (json.dumps(list(tracks)), *parameters),
        )
        return {track for (track,) in rows}

    def select(self, conditions: TrackFilter) -> IdArray:
        """List the ids of all tracks that meet the conditions, int64 [M], in ascending order."""
        where, parameters = _where(conditions, each=False)
        rows = self._database.execute(f"SELECT tracks.id FROM tracks WHERE {where}", parameters)  # noqa: S608
        return np.sort(np.fromiter((track for (track,) in rows), dtype=np.int64))


def _where(conditions: TrackFilter, *, each: bool) -> tuple[str, list[Any]]:
    """Return a condition on the table ``tracks`` and its parameters. Values are never part of the text.

    If `each`, other tables are looked up for each track; otherwise they are searched first, by their indexes.
    """

    def related(table: str, condition: str) -> str:
        if each:
            return f"EXISTS (SELECT 1 FROM {table} WHERE track_id = tracks.id AND {condition})"  # noqa: S608
        return f"tracks.id IN (SELECT track_id FROM {table} WHERE {condition})"  # noqa: S608

    parts: list[str] = []
    parameters: list[Any] = []
    if conditions.genres is not None:
        genres = json.dumps(sorted(conditions.genres))
        one_of = "IN (SELECT value FROM json_each(?))"
        unlabelled = "NOT EXISTS (SELECT 1 FROM labels WHERE track_id = tracks.id AND label <> '')"
        parts.append(
            f"({related('labels', f'label {one_of}')} OR (tracks.genre <> '' AND tracks.genre {one_of} AND {unlabelled}))"
        )
        parameters += [genres, genres]
    for column, low, high in (
        ("year", conditions.min_year, conditions.max_year),
        ("seconds", conditions.min_seconds, conditions.max_seconds),
    ):
        if low is not None or high is not None:
            parts.append(f"tracks.{column} BETWEEN ? AND ?")
            parameters += _bounds(low, high)
    if conditions.min_tempo is not None or conditions.max_tempo is not None:
        parts.append(related("tempo_keys", "tempo BETWEEN ? AND ? AND tempo_confidence >= ? AND method = ?"))
        parameters += [*_bounds(conditions.min_tempo, conditions.max_tempo), MIN_CONFIDENCE, METHOD]
    if conditions.key is not None:
        parts.append(related("tempo_keys", "key = ? AND key_confidence >= ? AND method = ?"))
        parameters += [conditions.key, MIN_CONFIDENCE, METHOD]
    if conditions.folder is not None:
        folder = conditions.folder.rstrip(os.sep) + os.sep
        parts.append(related("files", "path >= ? AND path < ?"))
        parameters += [folder, folder[: -len(os.sep)] + chr(ord(os.sep) + 1)]
    return " AND ".join(parts) or "true", parameters


def _bounds(low: float | None, high: float | None) -> list[float]:
    return [-9e99 if low is None else low, 9e99 if high is None else high]
