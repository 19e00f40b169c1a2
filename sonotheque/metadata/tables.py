"""Read and write small CSV files: labels, genre ids, submission templates.

Input files are UTF-8, with or without a byte order mark, and separated by commas, semicolons or tabs. They start with a header row,
or with FMA's two header rows, followed by a row with the name of the index. A row ends at LF, CR LF or CR outside of quotes,
and at no other character.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from sonotheque.errors import LabelsError
from sonotheque.metadata.file_names import existing_path
from sonotheque.metadata.genres import genre_key
from sonotheque.output_files import CSV, FilePath, OutputFile, as_output

MAX_TABLE_BYTES = 1 << 30
"""Larger files are rejected before they are read."""


LINE_ENDS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Characters at which `str.splitlines` splits a text. Only the first two end a row of a CSV."""


class Row(dict[str, str]):
    """One row: column name to stripped value. `line` is its line number in the file, for messages."""

    line: int


class Table:
    """A header and its rows, in the order of the file."""

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
    path = Path(existing_path(path))
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise LabelsError(f"{path}: larger than 1 GiB, so it is not a table of labels")
        with path.open(encoding="utf-8-sig", newline="") as file:  # names may contain CR
            text = file.read()
    except FileNotFoundError:
        raise LabelsError(f"{path}: no such file") from None
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror or error})") from None
    except UnicodeDecodeError:
        raise LabelsError(f"{path}: not UTF-8 text; save it as a CSV in UTF-8") from None
    first = next(iter(io.StringIO(text, newline=None)), "")
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter
    )  # str.splitlines also splits at U+2028 and others
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


def write_table(path: FilePath | OutputFile, rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV in UTF-8. The first row is the header; None becomes an empty field.

    Parameters
    ----------
    path : path of the CSV, or OutputFile
        See `sonotheque.output_files.as_output`.
    rows : sequence of sequences

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a CSV table.
    """
    output = as_output(path, CSV)
    text = io.StringIO(newline="")
    write_rows(text, rows)
    output.write([text.getvalue().encode("utf-8", "backslashreplace")])


def write_rows(file: TextIO, rows: Iterable[Sequence[object]]) -> None:
    """Write rows as CSV with LF at their ends.

    Fields are quoted if CSV requires it. A row with a character at which some programs end a line, such as U+2028, is quoted whole.
    """
    minimal, quoted = (csv.writer(file, lineterminator="\n", quoting=how) for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    for row in rows:
        (quoted if any(isinstance(field, str) and LINE_ENDS.search(field) for field in row) else minimal).writerow(row)


def _join_headers(first: list[str], second: list[str], index: list[str]) -> list[str]:
    """Join FMA's two header rows to names such as ``set.split``. The third row names the index, ``track_id``."""
    if len(second) != len(first) or not index or not index[0] or any(index[1:]):
        return first
    return [index[0], *(f"{above}.{below}" for above, below in zip(first[1:], second[1:], strict=True))]


class GenreIds:
    """The ids and names of genres, from a CSV such as the challenge's ``genres.csv`` (``genre_id,genre``).

    Parameters
    ----------
    path : path of the CSV
        The ids are in the first column whose name starts or ends with ``id``, otherwise in the first column. The names are in a
        column with a usual name such as ``genre`` or ``name``, otherwise in the first other column.

    Raises
    ------
    LabelsError
        If the file is unusable, or an id or a name occurs twice.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        table = read_table(path)
        if len(table.header) < 2:
            raise LabelsError(f"{path}: needs two columns, the id and the name, such as genre_id,genre")
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
        self._spellings: dict[str, str] = {}
        for row in table:
            key, value = row[table.header[identity]], row[table.header[name]]
            if key in self._names or value in self._ids:
                raise LabelsError(f"{path}, line {row.line}: {key!r} or {value!r} occurs twice")
            self._names[key], self._ids[value] = value, key
            self._spellings.setdefault(genre_key(value), value)

    def name(self, identity: str, *, where: str) -> str:
        """Convert an id to a name. A known name is returned as the file spells it.

        Parameters
        ----------
        identity : str
            Compared as text first, then as an integer.
        where : str
            Start of the error message, such as the file and line of the id.

        Raises
        ------
        LabelsError
            If `identity` is neither a known id nor a known name.
        """
        if identity in self._names:
            return self._names[identity]
        if identity in self._ids:
            return identity
        if genre_key(identity) in self._spellings:
            return self._spellings[genre_key(identity)]
        if identity.isdecimal():
            for key, value in self._names.items():
                if key.isdecimal() and int(key) == int(identity):
                    return value
        raise LabelsError(
            f"{where}: {identity!r} is not an id in {self._path}; the known ids are {', '.join(self._names)}"
        )

    def id(self, name: str) -> str:
        """Convert a name to its id. Case, white space and Unicode normalisation of the name do not matter.

        Raises
        ------
        LabelsError
            If the name is unknown.
        """
        if name not in self._ids:
            name = self._spellings.get(genre_key(name), name)
        if name not in self._ids:
            raise LabelsError(f"{self._path}: has no id for {name!r}; add one. Its names are {', '.join(self._ids)}")
        return self._ids[name]
