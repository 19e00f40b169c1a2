"""What tracks are called: file names, titles and artists, looked up without regard to case, accents and Unicode normalisation.

The table ``search_names`` is a cache with an index. It is filled again when tracks or labels have changed, as the generation of the
library tells, and what is found in it is checked against the tracks.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sonotheque.errors import LibraryError
from sonotheque.store.database import Database

PUNCTUATION = str.maketrans(dict.fromkeys("‘’ʼ´", "'") | dict.fromkeys("“”„«»", '"') | dict.fromkeys("‐‑‒–—―−", "-"))
"""Typographic quotation marks and dashes."""

LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not decompose, in lower case."""

MAX_SUGGESTIONS = 3


def search_key(text: str) -> str:
    """Reduce a name to what is compared: no case, no accents, one space between words, one Unicode normalisation.

    Examples
    --------
    >>> search_key("  Sigur  RÓS – Ágætis Byrjun"), search_key("Straße")
    ('sigur ros - agaetis byrjun', 'strasse')
    """
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", text.translate(PUNCTUATION)).casefold().translate(LETTERS)
    without_accents = re.sub(
        "[\u0300-\u036f]", "", decomposed
    )  # not the marks of other scripts, which change the letter
    return " ".join(unicodedata.normalize("NFC", without_accents).split())


class NamedTrack(NamedTuple):
    """One file of a track, with the names of the track."""

    id: int
    path: str
    title: str | None
    artist: str | None


class SearchNameRepository:
    """Finds tracks by name, in the table ``search_names``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_memory: str | None = None

    def find_files(self, name: str) -> list[NamedTrack]:
        """Find the files with this name, with or without the extension; ordered by path.

        An exact match of the whole name is preferred to one of the name without extension, and either to one without case and
        accents.
        """
        found = self._find(name, "file") + self._find(name, "stem")
        for simplify in (str, search_key):
            for name_of in (os.path.basename, _stem):
                matches = [track for track in found if simplify(name_of(track.path)) == simplify(name)]
                if matches:
                    return sorted(set(matches), key=lambda track: track.path)
        return []

    def find_titles(self, title: str, *, artist: str | None = None) -> list[NamedTrack]:
        """Find the tracks with this title, and by this artist if one is given: their first files, ordered by path."""
        return _first_files(
            track
            for track in self._find(title, "title")
            if _same(track.title, title) and (artist is None or _same(track.artist, artist))
        )

    def find_artist(self, artist: str) -> list[NamedTrack]:
        """Find the tracks by this artist: their first files, ordered by path."""
        return _first_files(track for track in self._find(artist, "artist") if _same(track.artist, artist))

    def suggest(self, text: str) -> list[str]:
        """List up to `MAX_SUGGESTIONS` file names without extension, titles and artists that contain a text."""
        self._refresh()
        rows = self._database.execute(
            "SELECT field, track_id FROM search_names WHERE field IN ('stem', 'title', 'artist') AND instr(key, ?) "
            "GROUP BY key ORDER BY field = 'stem' DESC, key LIMIT ?",
            (search_key(text), MAX_SUGGESTIONS),
        ).fetchall()
        names = [
            {"stem": _stem(found.path), "title": found.title, "artist": found.artist}[field] or ""
            for field, track in rows
            for found in self._read([track])
        ]
        return list(dict.fromkeys(name for name in names if search_key(text) in search_key(name)))

    def _find(self, name: str, field: str) -> list[NamedTrack]:
        key = search_key(name)
        if not key:
            return []
        self._refresh()
        rows = self._database.execute("SELECT track_id FROM search_names WHERE key = ? AND field = ?", (key, field))
        return self._read([track for (track,) in rows.fetchall()])

    def _read(self, ids: Sequence[int]) -> list[NamedTrack]:
        """Read tracks, once for each of their files; ordered by path."""
        found = []
        for track in ids:
            found += self._database.execute(
                "SELECT tracks.id, path, title, coalesce(labels.artist, tracks.artist) FROM tracks "
                "JOIN files ON files.track_id = tracks.id LEFT JOIN labels ON labels.track_id = tracks.id "
                "WHERE tracks.id = ?",
                (track,),
            ).fetchall()
        return sorted((NamedTrack(*row) for row in found), key=lambda track: track.path)

    def _refresh(self) -> None:
        """Fill the table again if the library has changed since; in memory if the file cannot be written."""
        database = self._database
        generation = str(database.generation)
        if database.get_setting("search_names") == generation or self._in_memory == generation:
            return
        try:
            with database.transaction():
                self._fill("main")
                database.set_setting("search_names", generation)
            database.execute("DROP TABLE IF EXISTS temp.search_names")
        except LibraryError:  # read-only, or in use for long
            database.execute(
                "CREATE TEMP TABLE IF NOT EXISTS search_names (key TEXT, field TEXT, track_id INTEGER, "
                "PRIMARY KEY (key, field, track_id)) WITHOUT ROWID"
            )
            self._fill("temp")
            self._in_memory = generation

    def _fill(self, schema: str) -> None:
        self._database.execute(f"DELETE FROM {schema}.search_names")  # noqa: S608 - no user input
        self._database.executemany(
            f"INSERT OR IGNORE INTO {schema}.search_names VALUES (?, ?, ?)",  # noqa: S608 - no user input
            self._keys(),
        )

    def _keys(self) -> Iterator[tuple[str, str, int]]:
        """Yield the key of every name, its field and the track's id."""
        for path, track in self._database.execute("SELECT path, track_id FROM files"):
            yield search_key(os.path.basename(path)), "file", track
            yield search_key(_stem(path)), "stem", track
        rows = self._database.execute(
            "SELECT tracks.id, title, coalesce(labels.artist, tracks.artist) FROM tracks "
            "LEFT JOIN labels ON labels.track_id = tracks.id"
        )
        for track, title, artist in rows:
            for field, name in (("title", title), ("artist", artist)):
                if name:
                    yield search_key(name), field, track


def _first_files(tracks: Iterable[NamedTrack]) -> list[NamedTrack]:
    """Keep the first file of each track."""
    first: dict[int, NamedTrack] = {}
    for track in tracks:
        first.setdefault(track.id, track)
    return list(first.values())


def _same(name: str | None, other: str) -> bool:
    return name is not None and search_key(name) == search_key(other)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
