"""Sources of labels: folder names, file tags, or a CSV.

A source is asked for the label of one file at a time. It knows nothing about the catalogue.
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
DATASET_FOLDERS = {"genres", "genres_original", "train", "test", "validation", "valid", "val", "dev"}
"""Folders that contain the genre folders in GTZAN and in Hugging Face's audiofolder layout, in lower case."""


@dataclass(frozen=True)
class Label:
    """The genre given by a person, its source, and the artist and album if the source names them."""

    label: str
    source: str
    artist: str | None = None
    album: str | None = None


class LabelSource(Protocol):
    """Provides the labels of files."""

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, or None if the source has none.

        Parameters
        ----------
        path : str
            Absolute path.
        root : str or None
            The PATH argument under which the file was found.
        genre : str or None
            The genre in the file tags.
        """

    def unmatched(self) -> list[str]:
        """List the entries of the source that have matched no file so far."""


class FolderLabels:
    """Labels from folder names: the first folder below the PATH that was added.

    If no file is in a folder below PATH, the label is the name of PATH. `DATASET_FOLDERS` are skipped.

    Parameters
    ----------
    paths : sequence of (path, root)
        All files that were found, and the PATH argument of each.
    """

    def __init__(self, paths: Sequence[tuple[str, str]]) -> None:
        self._nested = {root for path, root in paths if os.path.dirname(path) != root}

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        if root is None:
            return None
        parts = Path(os.path.relpath(path, root)).parts
        if len(parts) > 2 and parts[0].lower() in DATASET_FOLDERS:
            parts = parts[1:]
        if len(parts) > 1:
            return Label(parts[0], "folder")
        return None if root in self._nested else Label(Path(root).name, "folder")

    def unmatched(self) -> list[str]:
        """Return an empty list, because every folder name comes from a file."""
        return []


class TagLabels:
    """Labels from the genre in the file tags."""

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        return Label(genre, "tags") if genre else None

    def unmatched(self) -> list[str]:
        """Return an empty list, because every tag comes from a file."""
        return []


class CsvLabels:
    """Labels from the rows of a CSV, matched to files by absolute path, path relative to the CSV, file name, or stem.

    Numeric ids match as text first, then as integers, so ``000002`` and ``2`` are the same id. If a file name, stem or integer
    matches rows with different labels, it is ignored.

    Parameters
    ----------
    path : path of the CSV
    columns : sequence of str or None
        Names of the columns: file, label and, optionally, artist. By default they are recognised by their usual names.
    ids : GenreIds or None
        Converts the labels if the CSV has genre ids instead of names.
    label : str or None
        Name of the label column; the other columns are recognised.

    Raises
    ------
    LabelsError
        If the file cannot be read, lacks a column, has an unknown id, or has two labels for one file.
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
        self._lookups = self._build_lookups()
        self._matched: set[str] = set()

    @classmethod
    def of(cls, path: Path, labels: Mapping[str, str]) -> CsvLabels:
        """Create a source from a mapping of file to label that was read from the file at `path`."""
        source = cls.__new__(cls)
        source._path = path
        source._rows = {key: Label(value, path.name) for key, value in labels.items()}
        source._lookups = source._build_lookups()
        source._matched = set()
        return source

    def labels(self) -> set[str]:
        """Return the set of all labels in the CSV."""
        return {row.label for row in self._rows.values()}

    def renamed(self, names: Mapping[str, str]) -> CsvLabels:
        """Return a source with the same rows and renamed labels."""
        return CsvLabels.of(self._path, {key: names[row.label] for key, row in self._rows.items()})

    def _columns(
        self, header: Sequence[str], named: Sequence[str] | None, label: str | None
    ) -> tuple[str, str, str | None, str | None]:
        if named is not None:
            if len(named) not in {2, 3}:
                raise LabelsError(f"--columns {','.join(named)}: give two or three column names: file,genre[,artist]")
            for name in named:
                if name not in header:
                    raise LabelsError(f"{self._path}: no column {name!r}; its columns are {', '.join(header)}")
            return named[0], named[1], named[2] if len(named) == 3 else None, None
        lower = {name.lower(): name for name in reversed(header)}
        file = next((lower[name] for name in FILE_COLUMNS if name in lower), None)
        label = label or next((lower[name] for name in LABEL_COLUMNS if name in lower), None)
        if file is None or label is None:
            kind, known = ("file", FILE_COLUMNS) if file is None else ("label", LABEL_COLUMNS)
            raise LabelsError(
                f"{self._path}: no {kind} column; the recognised names are {', '.join(known)}, and the file has "
                f"{', '.join(header)}. Name the columns with --columns file,genre[,artist]"
            )
        artist, album = (
            next((lower[name] for name in names if name in lower), None) for names in (ARTIST_COLUMNS, ALBUM_COLUMNS)
        )
        return file, label, artist, album

    def _build_lookups(self) -> list[dict[str, str]]:
        """Map absolute paths, file names, stems and integer ids to the key of their row, in four dictionaries."""
        folder = self._path.absolute().parent
        lookups: list[dict[str, str | None]] = [{}, {}, {}, {}]
        for key in self._rows:
            name = os.path.basename(key)
            stem = _stem(name)
            texts = (os.path.normpath(folder / key), name, stem, str(int(stem)) if stem.isdecimal() else None)
            for lookup, text in zip(lookups, texts, strict=True):
                if text is not None:  # None marks a text that matches rows with different labels
                    first = lookup.setdefault(text, key)
                    if first is None or self._rows[first].label != self._rows[key].label:
                        lookup[text] = None
        return [{text: key for text, key in lookup.items() if key is not None} for lookup in lookups]

    def label(self, path: str, *, root: str | None = None, genre: str | None = None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        name = os.path.basename(path)
        stem = os.path.splitext(name)[0]
        texts = (path, name, stem, str(int(stem)) if stem.isdecimal() else None)
        for lookup, text in zip(self._lookups, texts, strict=True):
            if text in lookup:
                self._matched.add(lookup[text])
                return self._rows[lookup[text]]
        return None

    def unmatched(self) -> list[str]:
        """List the rows that have matched no file so far."""
        return [key for key in self._rows if key not in self._matched]

    def __len__(self) -> int:
        """Return the number of labelled rows."""
        return len(self._rows)


def _stem(name: str) -> str:
    """Drop the extension if it is that of an audio file. A name without an extension may have dots: ``blues.00000``."""
    stem, extension = os.path.splitext(name)
    return stem if extension.lower() in EXTENSIONS else name


def open_label_source(
    spec: str,
    *,
    paths: Sequence[tuple[str, str]] = (),
    columns: Sequence[str] | None = None,
    ids: str | os.PathLike[str] | None = None,
) -> LabelSource:
    """Open a label source.

    Parameters
    ----------
    spec : str
        ``folder``, ``tags``, or the path of a CSV.
    paths : sequence of (path, root)
        For ``folder``: all files that were found, and the PATH argument of each.
    columns : sequence of str or None
        For a CSV: the names of its columns, see `CsvLabels`.
    ids : path or None
        For a CSV with genre ids: the path of a CSV that maps ids to names.

    Returns
    -------
    LabelSource

    Raises
    ------
    LabelsError
        If the CSV or the ids are unusable.
    """
    if spec == "folder":
        return FolderLabels(paths)
    if spec == "tags":
        return TagLabels()
    if not os.path.exists(spec):
        raise LabelsError(f"{spec}: no such file; labels come from `folder`, `tags` or a CSV")
    return CsvLabels(spec, columns=columns, ids=GenreIds(ids) if ids else None)
