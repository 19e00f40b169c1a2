"""What tracks are called: file names, titles and artists, looked up without regard to case, accents and Unicode normalisation.

Two tables hold what names are reduced to: ``search_names`` the whole names, and ``name_words``, a full-text index (SQLite's FTS5),
their words. Triggers note the tracks whose files, tags or labels change in ``stale_search_names``, whichever process changes them.
The next look-up updates the rows of these tracks only. If the library cannot be written, a copy of both tables in memory is used.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import NamedTuple

from sonotheque.errors import LibraryError
from sonotheque.store.database import Database

PUNCTUATION = str.maketrans(dict.fromkeys("‘’ʼ´", "'") | dict.fromkeys("“”„«»", '"') | dict.fromkeys("‐‑‒–—―−", "-"))
"""Typographic quotation marks and dashes."""

LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ħ": "h", "ı": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not decompose, in lower case."""

IDEOGRAPHS = re.compile("([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")
"""Characters of scripts that put no space between words: each is indexed as a word of its own."""

MAX_SUGGESTIONS = 3

MAX_DIGITS = 12
"""Longest number, with leading zeros, by which a file is found."""

MAX_CANDIDATES = 100
"""Tracks that are read to make suggestions."""

COLUMN_WEIGHTS = {"title": 1.0, "artist": 1.0, "album": 0.7, "file": 0.4}
"""Columns of ``name_words``, and their weights in BM25. File names mostly repeat the artist and the title."""

BLOCK = 10_000
"""Tracks whose names are inserted at once."""

STALE = "IN (SELECT track_id FROM stale_search_names)"


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
    album: str | None = None


class SearchNameRepository:
    """Finds tracks by name, in the tables ``search_names`` and ``name_words``."""

    def __init__(self, database: Database) -> None:
        self._database = database

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

    def find_paths(self, name: str) -> list[str]:
        """List the known paths whose last part is this file name, without regard to case, accents and normalisation."""
        return sorted({track.path for track in self._find(name, "file")})

    def paths_named(self, names: Iterable[str]) -> set[str]:
        """List the paths of the tracks that have a file with one of these names, with or without the extension.

        Case, accents and normalisation are ignored, and a number also finds file names with leading zeros.
        """
        self.refresh()
        tracks: set[int] = set()
        for name in names:
            keys = {search_key(name), search_key(_stem(name))}
            keys |= {key.zfill(width) for key in keys if key.isdecimal() for width in range(1, MAX_DIGITS + 1)}
            keys |= {
                str(int(key)).zfill(width) for key in keys if key.isdecimal() for width in range(1, MAX_DIGITS + 1)
            }
            for key in keys:
                found = self._database.execute(
                    "SELECT track_id FROM search_names WHERE key = ? AND field IN ('file', 'stem')", (key,)
                )
                tracks.update(track for (track,) in found)
        return {track.path for track in self._read(sorted(tracks))}

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

    def is_name(self, text: str) -> bool:
        """Return whether a text is the whole title, artist or album of a track."""
        self.refresh()
        found = self._database.execute(
            "SELECT 1 FROM search_names WHERE key = ? AND field IN ('title', 'artist', 'album') LIMIT 1",
            (search_key(text),),
        )
        return found.fetchone() is not None

    def has_word(self, text: str) -> bool:
        """Return whether a word, or words that follow each other, occur in the names of a track."""
        self.refresh()
        found = self._database.execute("SELECT 1 FROM name_words WHERE name_words MATCH ? LIMIT 1", (_phrase(text),))
        return found.fetchone() is not None

    def rank(self, texts: Sequence[str], *, limit: int) -> list[tuple[int, float]]:
        """Rank tracks by the words of their titles, artists, albums and file names with BM25 (Robertson & Zaragoza 2009).

        Parameters
        ----------
        texts : sequence of str
            Words, or words that must follow each other. A track needs one of them.
        limit : int
            Maximum number of tracks.

        Returns
        -------
        list of (track id, score)
            The best first; scores are positive. Columns are weighted by `COLUMN_WEIGHTS`.
        """
        self.refresh()
        weights = ", ".join(map(str, COLUMN_WEIGHTS.values()))
        rows = self._database.execute(
            f"SELECT rowid, -bm25(name_words, {weights}) AS score FROM name_words WHERE name_words MATCH ? "  # noqa: S608
            "ORDER BY score DESC, rowid LIMIT ?",
            (" OR ".join(map(_phrase, texts)), limit),
        )
        return [(int(track), float(score)) for track, score in rows]

    def matching_columns(self, track: int, texts: Sequence[str]) -> list[str]:
        """List the columns of ``name_words``, such as ``artist``, in which a track has one of some words."""
        self.refresh()
        words = " OR ".join(map(_phrase, texts))
        return [
            column
            for column in COLUMN_WEIGHTS
            if self._database.execute(
                "SELECT 1 FROM name_words WHERE name_words MATCH ? AND rowid = ?", (f"{column} : ({words})", track)
            ).fetchone()
        ]

    def suggest(self, text: str) -> list[str]:
        """List up to `MAX_SUGGESTIONS` file names without extension, titles and artists that a person may have meant.

        Names that start with the text come first, in alphabetical order, then those that have words that start with its words.
        """
        self.refresh()
        key = search_key(text)
        words = _words(text).split()
        if not words:
            return []
        rows = self._database.execute(
            "SELECT DISTINCT key, track_id FROM search_names WHERE key >= ? AND key < ? AND field <> 'file' "
            "GROUP BY key ORDER BY key LIMIT ?",
            (key, key + chr(0x10FFFF), MAX_CANDIDATES),
        ).fetchall()
        starting = self._matching_names([track for _, track in rows], lambda name: name.startswith(key))
        if len(starting) >= MAX_SUGGESTIONS:
            return starting[:MAX_SUGGESTIONS]
        rows = self._database.execute(
            "SELECT rowid FROM name_words WHERE name_words MATCH ? LIMIT ?",
            (" AND ".join(f"{_phrase(word)} *" for word in words), MAX_CANDIDATES),
        ).fetchall()
        containing = self._matching_names([track for (track,) in rows], lambda name: _has_prefixes(name, words))
        return list(dict.fromkeys(starting + containing))[:MAX_SUGGESTIONS]

    def _matching_names(self, tracks: Sequence[int], matches: Callable[[str], bool]) -> list[str]:
        """List the names of tracks whose keys match, without repetition: file names first, then in the order of their keys."""
        names: dict[tuple[bool, str], str] = {}
        for found in self._read(tracks):
            for is_stem, name in ((True, _stem(found.path)), (False, found.title), (False, found.artist)):
                if name and matches(key := search_key(name)):
                    names.setdefault((not is_stem, key), name)
        return [names[key] for key in sorted(names)]

    def _find(self, name: str, field: str) -> list[NamedTrack]:
        key = search_key(name)
        if not key:
            return []
        self.refresh()
        rows = self._database.execute("SELECT track_id FROM search_names WHERE key = ? AND field = ?", (key, field))
        return self._read([track for (track,) in rows.fetchall()])

    def _read(self, ids: Iterable[int]) -> list[NamedTrack]:
        """Read tracks, once for each of their files; ordered by path."""
        found = []
        for track in dict.fromkeys(ids):
            found += self._database.execute(f"{SELECT_NAMES} WHERE tracks.id = ?", (track,)).fetchall()
        return sorted((NamedTrack(*row) for row in found), key=lambda track: track.path)

    def refresh(self) -> None:
        """Bring the tables of names up to date, in memory if the file cannot be written. Every look-up does so as well."""
        database = self._database
        if database.execute("SELECT 1 FROM stale_search_names LIMIT 1").fetchone() is None:
            self._delete_copy()
            return
        (version,) = database.execute("PRAGMA data_version").fetchone()
        stamp = f"{version} {database.generation}"
        if self._copy_stamp() == stamp:
            return
        try:
            with database.transaction():
                database.execute(f"DELETE FROM main.search_names WHERE track_id {STALE}")  # noqa: S608
                database.execute(f"DELETE FROM main.name_words WHERE rowid {STALE}")  # noqa: S608
                self._fill("main", condition=f"WHERE tracks.id {STALE}")
                database.execute("DELETE FROM stale_search_names")
        except LibraryError:  # read-only, or in use for long
            self._delete_copy()
            for statement in COPY_IN_MEMORY:
                database.execute(statement)
            self._fill("temp", condition="")
            database.execute("INSERT INTO temp.search_names_copy VALUES (?)", (stamp,))
        else:
            self._delete_copy()

    def _copy_stamp(self) -> str | None:
        """Return what the copy in memory was made from, or None if there is none. It hides the tables of the file."""
        exists = self._database.execute("SELECT 1 FROM temp.sqlite_master WHERE name = 'search_names_copy'").fetchone()
        row = self._database.execute("SELECT stamp FROM temp.search_names_copy").fetchone() if exists else None
        return None if row is None else str(row[0])

    def _delete_copy(self) -> None:
        if self._copy_stamp() is not None:
            for table in ("search_names_copy", "search_names", "name_words"):
                self._database.execute(f"DROP TABLE temp.{table}")

    def _fill(self, schema: str, *, condition: str) -> None:
        """Insert the names of all tracks that fulfil a condition."""
        rows = self._database.execute(f"{SELECT_NAMES} {condition} ORDER BY tracks.id, path")
        tracks = (list(files) for _, files in groupby((NamedTrack(*row) for row in rows), key=itemgetter(0)))
        while block := list(islice(tracks, BLOCK)):
            self._database.executemany(
                f"INSERT OR IGNORE INTO {schema}.search_names VALUES (?, ?, ?)",  # noqa: S608 - no user input
                sorted(key for files in block for key in _keys(files)),
            )
            self._database.executemany(
                f"INSERT INTO {schema}.name_words (rowid, title, artist, album, file) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                map(_columns, block),
            )


SELECT_NAMES = (
    "SELECT tracks.id, path, title, coalesce(labels.artist, tracks.artist), coalesce(labels.album, tracks.album) "
    "FROM tracks JOIN files ON files.track_id = tracks.id LEFT JOIN labels ON labels.track_id = tracks.id"
)

COPY_IN_MEMORY = (
    "CREATE TEMP TABLE search_names (key TEXT, field TEXT, track_id INTEGER, PRIMARY KEY (key, field, track_id)) WITHOUT ROWID",
    "CREATE VIRTUAL TABLE temp.name_words USING fts5 "
    '(title, artist, album, file, tokenize = "unicode61 remove_diacritics 2")',
    "CREATE TEMP TABLE search_names_copy (stamp TEXT)",
)


def _keys(files: Sequence[NamedTrack]) -> Iterator[tuple[str, str, int]]:
    """Yield the key of every name of one track, its field and the track's id."""
    for track in files:
        yield search_key(os.path.basename(track.path)), "file", track.id
        yield search_key(_stem(track.path)), "stem", track.id
    first = files[0]
    for field, name in (("title", first.title), ("artist", first.artist), ("album", first.album)):
        if name:
            yield search_key(name), field, first.id


def _columns(files: Sequence[NamedTrack]) -> tuple[int, str | None, str | None, str | None, str]:
    """Return the row of one track in ``name_words``."""
    first = files[0]
    title, artist, album = (name and _words(name) for name in (first.title, first.artist, first.album))
    return first.id, title, artist, album, " ".join(dict.fromkeys(_words(_stem(track.path)) for track in files))


def _words(name: str) -> str:
    """Return the key of a name with spaces between ideographs, for the full-text index."""
    key = search_key(name)
    return key if key.isascii() else IDEOGRAPHS.sub(r" \1 ", key)


def _phrase(text: str) -> str:
    """Quote a text for FTS5: its words must follow each other."""
    return '"' + _words(text).replace('"', " ") + '"'


def _has_prefixes(key: str, words: Sequence[str]) -> bool:
    """Return whether each word is the start of a word of a name."""
    starts = re.findall(r"\w+", IDEOGRAPHS.sub(r" \1 ", key))
    parts = [part for word in words for part in re.findall(r"\w+", word)]
    return all(any(start.startswith(part) for start in starts) for part in parts)


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
