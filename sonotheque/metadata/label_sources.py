"""Where labels come from: folder names, the files' own tags, a CSV.

A source is asked about one file at a time and knows nothing of the catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sonotheque.audio.formats import EXTENSIONS
from sonotheque.errors import LabelsError
from sonotheque.metadata.tables import GenreIds, read_table

FILE_COLUMNS = ("file", "file_name", "path", "track_id", "id", "titre", "title")
LABEL_COLUMNS = ("genre", "label", "genre_id", "id_genre", "track.genre_top")
ARTIST_COLUMNS = ("artist", "artist.id")
ALBUM_COLUMNS = ("album", "album.id")
WRAPPERS = {"genres", "genres_original", "train", "test", "validation", "valid", "val", "dev"}
"""Folders that hold the folders of genres: GTZAN's and those of Hugging Face's audiofolder."""


@dataclass(frozen=True)
class Label:
    """A genre that a person gave, its source, and the artist and album if the same source names them."""

    label: str
    source: str
    artist: str | None = None
    album: str | None = None


class LabelSource(Protocol):
    """Says which label a file has."""

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, None where the source gives none.

        Parameters
        ----------
        path : str
            Absolute.
        root : str or None
            The PATH that the file was found under.
        genre : str or None
            The genre in the file's own tags.
        """

    def unmatched(self) -> list[str]:
        """Name what the source labels and what no file was asked for."""


class FolderLabels:
    """The first folder below the PATH that was added; where PATH has no folders with audio, PATH's own name.

    Folders of data sets that hold the folders of genres (`WRAPPERS`) are passed over.

    Parameters
    ----------
    paths : all files that were found, with the PATH of each
    """

    def __init__(self, paths: Sequence[tuple[str, str]]) -> None:
        self._nested = {root for path, root in paths if os.path.dirname(path) != root}

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        if root is None:
            return None
        below = Path(os.path.relpath(path, root)).parts
        if len(below) > 2 and below[0].lower() in WRAPPERS:
            below = below[1:]
        if len(below) > 1:
            return Label(below[0], "folder")
        return None if root in self._nested else Label(Path(root).name, "folder")

    def unmatched(self) -> list[str]:
        """Return nothing: every folder belongs to a file."""
        return []


class TagLabels:
    """The genre in each file's own tags."""

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        return Label(genre, "tags") if genre else None

    def unmatched(self) -> list[str]:
        """Return nothing: every tag belongs to a file."""
        return []


class CsvLabels:
    """The rows of a CSV, matched to files by absolute path, path relative to the CSV, name, or stem.

    An id is compared as text first, then as an integer, so that ``000002`` and ``2`` are one id.

    Parameters
    ----------
    path : path of the CSV
    columns : names of the columns for file, label and perhaps artist; recognised by name where None
    ids : Ids or None
        Names of the labels where the CSV holds their ids.
    label : str or None
        The label's column alone, the others recognised.

    Raises
    ------
    LabelsError
        If the file is unusable: not readable, a column missing, an unknown id, two labels for one file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        columns: Sequence[str] | None = None,
        ids: GenreIds | None = None,
        label: str | None = None,
    ) -> None:
        self._path = Path(path)
        rows = read_table(self._path)
        file, label, artist, album = self._columns(rows.header, columns, label)
        self._rows: dict[str, Label] = {}
        for row in rows:
            key, value = row[file], row[label]
            if not key or not value:
                continue
            entry = Label(
                ids.name(value, where=f"{self._path}, line {row.line}") if ids else value,
                self._path.name,
                (row[artist] or None) if artist else None,
                (row[album] or None) if album else None,
            )
            if self._rows.setdefault(key, entry).label != entry.label:
                raise LabelsError(
                    f"{self._path}, line {row.line}: {key!r} is labelled {self._rows[key].label!r} and {entry.label!r}; "
                    "keep one of the rows"
                )
        self._keys = self._derive()
        self._matched: set[str] = set()

    @classmethod
    def of(cls, path: Path, labels: Mapping[str, str]) -> CsvLabels:
        """Take rows that were read otherwise: a mapping of file to label; `path` is the file that they stand in."""
        rows = cls.__new__(cls)
        rows._path = path
        rows._rows = {key: Label(value, path.name) for key, value in labels.items()}
        rows._keys = rows._derive()
        rows._matched = set()
        return rows

    def labels(self) -> set[str]:
        """Return the labels that occur."""
        return {row.label for row in self._rows.values()}

    def renamed(self, names: Mapping[str, str]) -> CsvLabels:
        """Return the same rows with other labels."""
        return CsvLabels.of(self._path, {key: names[row.label] for key, row in self._rows.items()})

    def _columns(
        self, header: Sequence[str], named: Sequence[str] | None, label: str | None
    ) -> tuple[str, str, str | None, str | None]:
        if named is not None:
            if len(named) not in {2, 3}:
                raise LabelsError(f"--columns {','.join(named)}: give two or three names: file,genre[,artist]")
            for name in named:
                if name not in header:
                    raise LabelsError(f"{self._path}: has no column {name!r}; its columns are {', '.join(header)}")
            return named[0], named[1], named[2] if len(named) == 3 else None, None
        lower = {name.lower(): name for name in reversed(header)}
        file = next((lower[name] for name in FILE_COLUMNS if name in lower), None)
        label = label or next((lower[name] for name in LABEL_COLUMNS if name in lower), None)
        if file is None or label is None:
            kind, known = ("file", FILE_COLUMNS) if file is None else ("label", LABEL_COLUMNS)
            raise LabelsError(
                f"{self._path}: no {kind} column; known names are {', '.join(known)}; the file has "
                f"{', '.join(header)}: name them with --columns file,genre[,artist]"
            )
        artist, album = (
            next((lower[name] for name in names if name in lower), None) for names in (ARTIST_COLUMNS, ALBUM_COLUMNS)
        )
        return file, label, artist, album

    def _derive(self) -> list[dict[str, str]]:
        """Build one table for each way of matching, from what is compared to the key of the row."""
        folder = self._path.absolute().parent
        ways: list[dict[str, str | None]] = [{}, {}, {}, {}]
        for key in self._rows:
            name = os.path.basename(key)
            stem = _stem(name)
            for way, text in zip(
                ways,
                (os.path.normpath(folder / key), name, stem, str(int(stem)) if stem.isdecimal() else None),
                strict=True,
            ):
                if text is not None:  # what two rows share says nothing, unless they say the same
                    other = way.setdefault(text, key)
                    if other is None or self._rows[other].label != self._rows[key].label:
                        way[text] = None
        return [{text: key for text, key in way.items() if key is not None} for way in ways]

    def label(self, path: str, *, root: str | None = None, genre: str | None = None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        name = os.path.basename(path)
        stem = os.path.splitext(name)[0]
        asked = (path, name, stem, str(int(stem)) if stem.isdecimal() else None)
        for way, text in zip(self._keys, asked, strict=True):
            if text in way:
                self._matched.add(way[text])
                return self._rows[way[text]]
        return None

    def unmatched(self) -> list[str]:
        """Name the rows that no file was asked for."""
        return [key for key in self._rows if key not in self._matched]

    def __len__(self) -> int:
        """Count the labelled rows."""
        return len(self._rows)


def _stem(name: str) -> str:
    """Drop the extension of an audio file's name; the name of a row may have none, but dots: ``blues.00000``."""
    stem, extension = os.path.splitext(name)
    return stem if extension.lower() in EXTENSIONS else name


def open_label_source(
    spec: str,
    *,
    paths: Sequence[tuple[str, str]] = (),
    columns: Sequence[str] | None = None,
    ids: str | os.PathLike[str] | None = None,
) -> LabelSource:
    """Open the source that a person named.

    Parameters
    ----------
    spec : ``folder``, ``tags``, or the path of a CSV
    paths : all files that were found, with the PATH of each; for ``folder``
    columns, ids : for a CSV: the names of its columns, and the file that maps label ids to names

    Returns
    -------
    LabelSource

    Raises
    ------
    LabelsError
        If a CSV or the ids are unusable.
    """
    if spec == "folder":
        return FolderLabels(paths)
    if spec == "tags":
        return TagLabels()
    if not os.path.exists(spec):
        raise LabelsError(f"{spec}: no such file; labels come from `folder`, from `tags` or from a CSV")
    return CsvLabels(spec, columns=columns, ids=GenreIds(ids) if ids else None)
