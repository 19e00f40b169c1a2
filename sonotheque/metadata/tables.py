"""Small CSV files that a person hands in or takes out: labels, ids of genres, rows to fill. What they mean is for others.

Read are UTF-8 (a byte order mark is fine), comma, semicolon or tab; a header row, or FMA's two with the name of the index below.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sonotheque.audio.formats import EXTENSIONS
from sonotheque.errors import LabelsError

LARGEST = 1 << 30
"""Bytes that a table may have."""


class Row(dict[str, str]):
    """One row by column, values stripped; `line` is its line in the file, for messages."""

    line: int


class Table:
    """A header and its rows, in the file's order."""

    def __init__(self, path: Path, header: list[str], rows: list[Row]) -> None:
        self.path, self.header, self._rows = path, header, rows

    def __iter__(self) -> Iterator[Row]:
        """Iterate over the rows."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._rows)


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a CSV.

    Parameters
    ----------
    path : path of the file

    Returns
    -------
    Table

    Raises
    ------
    LabelsError
        If the file is missing, not UTF-8, has no header, or a row has more or fewer fields than the header.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise LabelsError(f"{path}: larger than 1 GiB; this is no table of labels")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LabelsError(f"{path}: no such file") from None
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise LabelsError(f"{path}: not UTF-8 text; save it as CSV in UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
        if not any(header):
            raise LabelsError(f"{path}: empty; the first line must name the columns")
        rows = []
        if not header[0]:
            header = _join_headers(header, [name.strip() for name in next(reader, [])], next(reader, []))
        for fields in reader:
            if not fields:
                continue
            if len(fields) != len(header):
                raise LabelsError(
                    f"{path}, line {reader.line_num}: {len(fields)} fields where the header has {len(header)}"
                )
            row = Row(zip(header, (field.strip() for field in fields), strict=True))
            row.line = reader.line_num
            rows.append(row)
    except csv.Error as error:
        raise LabelsError(f"{path}, line {reader.line_num}: not a CSV ({error})") from None
    return Table(path, header, rows)


def write_table(path: str | os.PathLike[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV in UTF-8, the header as the first row; None becomes an empty field.

    Raises
    ------
    LabelsError
        If the file cannot be written.
    """
    if Path(path).suffix.lower() in EXTENSIONS:
        raise LabelsError(f"{path}: that is the name of a sound; name a file that ends in .csv")
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    except OSError as error:
        raise LabelsError(f"{path}: cannot be written ({error.strerror or error})") from None


def _join_headers(first: list[str], second: list[str], index: list[str]) -> list[str]:
    """Join FMA's two header rows: ``set.split``; the third names the index, ``track_id``."""
    if len(second) != len(first) or not index or not index[0] or any(index[1:]):
        return first
    return [index[0], *(f"{above}.{below}" for above, below in zip(first[1:], second[1:], strict=True))]


class GenreIds:
    """Ids of genres and their names, from a CSV such as the challenge's ``genres.csv`` (``genre_id,genre``).

    Parameters
    ----------
    path : path of the CSV: a column whose name ends in ``id`` (or the first) and another one

    Raises
    ------
    LabelsError
        If it is unusable or an id or a name stands twice.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        table = read_table(path)
        if len(table.header) < 2:
            raise LabelsError(f"{path}: needs two columns, the id and the name: genre_id,genre")
        lower = [name.lower() for name in table.header]
        identity = next((n for n, name in enumerate(lower) if name.endswith("id") or name.startswith("id")), 0)
        name = next(
            (
                n
                for n, column in enumerate(lower)
                if n != identity and column in {"genre", "label", "name", "nom", "title"}
            ),
            1 - min(identity, 1),
        )
        self._path = path
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        for row in table:
            key, value = row[table.header[identity]], row[table.header[name]]
            if key in self._names or value in self._ids:
                raise LabelsError(f"{path}, line {row.line}: {key!r} or {value!r} stands twice")
            self._names[key], self._ids[value] = value, key

    def name(self, identity: str, *, where: str) -> str:
        """Turn an id into a name; a name stays as it is.

        Raises
        ------
        LabelsError
            If neither is known; `where` opens the message.
        """
        if identity in self._names:
            return self._names[identity]
        if identity in self._ids:
            return identity
        if identity.isdecimal():
            for key, value in self._names.items():
                if key.isdecimal() and int(key) == int(identity):
                    return value
        raise LabelsError(f"{where}: {identity!r} is no id in {self._path}; known are {', '.join(self._names)}")

    def id(self, name: str) -> str:
        """Turn a name into its id.

        Raises
        ------
        LabelsError
            If the name is unknown.
        """
        if name not in self._ids:
            raise LabelsError(f"{self._path}: has no id for {name!r}; add it, its names are {', '.join(self._ids)}")
        return self._ids[name]
