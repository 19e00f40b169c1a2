"""Sources of labels: folder names, file tags, or a CSV.

A source is asked for the label of one file at a time. It knows nothing about the catalogue.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from sonotheque.audio.formats import EXTENSIONS
from sonotheque.errors import LabelsError
from sonotheque.metadata.file_names import existing_path, normalize_name
from sonotheque.metadata.genre_tags import split_genres
from sonotheque.metadata.genres import genre_key
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

    def ambiguous(self) -> list[str]:
        """Describe the files that got no label so far because entries with different labels match them."""


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

    def ambiguous(self) -> list[str]:
        """Return an empty list, because a file is in one folder."""
        return []


class TagLabels:
    """Labels from the genre in the file tags. If it names several, the first one counts, see `split_genres`."""

    def label(self, path: str, *, root: str | None, genre: str | None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        genres = split_genres([genre]) if genre else []
        return Label(genres[0], "tags") if genres else None

    def unmatched(self) -> list[str]:
        """Return an empty list, because every tag comes from a file."""
        return []

    def ambiguous(self) -> list[str]:
        """Return an empty list, because a file has one genre tag."""
        return []


class CsvLabels:
    """Labels from the rows of a CSV, matched to files by absolute path, path relative to the CSV, file name, or stem.

    A row whose name differs from that of a file only in Unicode normalisation matches it too, unless another row matches exactly.
    Numeric ids match as text first, then as integers, so ``000002`` and ``2`` are the same id. If a file name, stem or integer
    matches rows with different labels, it is ignored, and `ambiguous` names the file. Rows that can only be about the same file
    must have the same label.

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
        If the file cannot be read, lacks a column, has an unknown id, or has rows with different labels for one file.
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
        lines: list[tuple[int, str, str]] = []
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
            self._rows.setdefault(key, entry)
            lines.append((row.line, key, entry.label))
        _require_consistent(self._path, lines)
        self._lines = {key: line for line, key, _ in reversed(lines)}
        self._lookups = self._build_lookups()
        self._matched: set[str] = set()
        self._ambiguous: dict[str, str] = {}

    @classmethod
    def of(cls, path: Path, labels: Mapping[str, str]) -> CsvLabels:
        """Create a source from a mapping of file to label that was read from the file at `path`."""
        source = cls.__new__(cls)
        source._path = path
        source._rows = {key: Label(value, path.name) for key, value in labels.items()}
        source._lookups = source._build_lookups()
        source._lines = {}
        source._matched = set()
        source._ambiguous = {}
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

    def _build_lookups(self) -> list[dict[str, str | None]]:
        """Map absolute paths, file names, stems and integer ids to the key of their row, in four dictionaries.

        A text that matches rows with different labels is mapped to None.
        """
        lookups: list[dict[str, str | None]] = [{}, {}, {}, {}]
        for key in self._rows:
            for lookup, text in zip(lookups, self._texts(key), strict=True):
                if text is not None:
                    first = lookup.setdefault(text, key)
                    if first is None or genre_key(self._rows[first].label) != genre_key(self._rows[key].label):
                        lookup[text] = None
        return lookups

    def _texts(self, key: str) -> tuple[str, str, str, str | None]:
        """Return the absolute path, the file name, the stem and the integer id that a row stands for."""
        name = os.path.basename(key)
        stem = _stem(name)
        path = os.path.normpath(self._path.absolute().parent / key)
        return path, name, stem, str(int(stem)) if stem.isdecimal() else None

    def label(self, path: str, *, root: str | None = None, genre: str | None = None) -> Label | None:
        """Return the label of one file, see `LabelSource`."""
        name = os.path.basename(path)
        stem = os.path.splitext(name)[0]
        texts = (path, name, stem, str(int(stem)) if stem.isdecimal() else None)
        several = None
        for lookup, text in zip(self._lookups, texts, strict=True):
            key = lookup.get(text) if text is not None else None
            if key is not None:
                self._matched.add(key)
                self._ambiguous.pop(path, None)
                return self._rows[key]
            if text in lookup:
                several = several or text
        label = None if path.isascii() else self._label_of_normalized(texts)
        if label is None and several is not None:
            self._ambiguous[path] = several
        return label

    @cached_property
    def _normalized_lookups(self) -> list[dict[str, str | None]]:
        """The lookups with all texts in one Unicode normalisation. A text that matches rows with different labels is None."""
        lookups: list[dict[str, str | None]] = []
        for lookup in self._lookups:
            normalized: dict[str, str | None] = {}
            for text, key in lookup.items():
                first = normalized.setdefault(normalize_name(text), key)
                if (
                    first is None
                    or key is None
                    or genre_key(self._rows[first].label) != genre_key(self._rows[key].label)
                ):
                    normalized[normalize_name(text)] = None
            lookups.append(normalized)
        return lookups

    def _label_of_normalized(self, texts: Sequence[str | None]) -> Label | None:
        """Return the label of the row whose name differs from that of the file only in Unicode normalisation."""
        for lookup, text in zip(self._normalized_lookups, texts, strict=True):
            key = lookup.get(normalize_name(text)) if text is not None else None
            if key is not None:
                self._matched.add(key)
                return self._rows[key]
        return None

    def keys(self) -> list[str]:
        """List what the rows name: paths, file names, stems or ids."""
        return list(self._rows)

    def ambiguous(self) -> list[str]:
        """Describe the files that got no label because rows with different labels match their name, stem or number."""
        rows: dict[str, list[str]] = {text: [] for text in self._ambiguous.values()}
        for key, label in self._rows.items() if rows else ():
            line = f"line {self._lines[key]}: " if key in self._lines else ""
            for text in {text for text in self._texts(key) if text in rows}:
                rows[text].append(f"{line}{key!r} is {label.label!r}")
        return [
            f"{path} gets no label, because rows of {self._path.name} disagree: {', '.join(rows[text])}"
            for path, text in self._ambiguous.items()
        ]

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


def _require_consistent(path: Path, rows: Sequence[tuple[int, str, str]]) -> None:
    """Refuse rows that can only be about the same file and have different labels.

    These are rows with the same path, and a row that names only a stem or an id together with any row that has that stem. A row
    with a file name and one with a path that ends in that name may be about two files, unless only the path leads to a file. Two
    paths that differ only in Unicode normalisation are about one file, unless there are two such files.

    Parameters
    ----------
    path : path of the CSV
    rows : sequence of (line, key, label)

    Raises
    ------
    LabelsError
        Names the lines.
    """
    folder = path.absolute().parent
    groups: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    by_stem: dict[str, list[tuple[int, str, str]]] = {}
    for row in rows:
        file = normalize_name(row[1])
        name = os.path.basename(file)
        groups.setdefault(("path", os.path.normpath(folder / file)), []).append(row)
        by_stem.setdefault(_stem(name), []).append(row)
    for stem, same_stem in by_stem.items():
        if len(same_stem) == 1 or len({genre_key(label) for *_, label in same_stem}) == 1:
            continue
        if any(normalize_name(key) == stem for _, key, _ in same_stem):
            groups["stem", stem] = same_stem
            continue
        for row in same_stem:
            name = normalize_name(row[1])
            if os.path.basename(name) == name and not (folder / row[1]).exists():
                paths = [
                    other
                    for other in same_stem
                    if other[1] != row[1]
                    and normalize_name(os.path.basename(other[1])) == name
                    and (folder / other[1]).exists()
                ]
                if len(paths) == 1:
                    groups["name", name] = [row, *paths]
    for group in groups.values():
        paths_of_group = {os.path.normpath(folder / key) for _, key, _ in group}
        if len(paths_of_group) > 1 and all(map(os.path.exists, paths_of_group)):
            continue
        if len({genre_key(label) for *_, label in group}) > 1:
            found = ", ".join(f"line {line}: {key!r} is {label!r}" for line, key, label in sorted(group))
            raise LabelsError(f"{path}: rows contradict each other about one file; {found}. Keep one of the rows")


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
    if not os.path.exists(existing_path(spec)):
        raise LabelsError(f"{spec}: no such file; labels come from `folder`, `tags` or a CSV")
    return CsvLabels(spec, columns=columns, ids=GenreIds(ids) if ids else None)
