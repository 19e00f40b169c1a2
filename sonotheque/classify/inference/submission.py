"""Predictions as a CSV to hand in: named columns, ids of genres, and a template's rows in a template's order."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from sonotheque.errors import LabelsError
from sonotheque.metadata.tables import GenreIds, read_table, write_table
from sonotheque.results import ClassificationResult

COLUMNS = ("file", "genre")

FilePath = str | os.PathLike[str]


def write_submission(
    result: ClassificationResult,
    path: FilePath,
    *,
    columns: Sequence[str] | None = None,
    ids: FilePath | None = None,
    template: FilePath | None = None,
) -> list[str]:
    """Write the predictions of `Library.classify` that are answers to a CSV.

    Parameters
    ----------
    result : Classified
    path : path of the CSV
    columns : the two names of its header, `COLUMNS` by default
    ids : path of a CSV that maps genre ids to names: ids are written
    template : path of a CSV with the wanted rows: every one is filled, in its order, with the most frequent genre
        where there is no prediction

    Returns
    -------
    list of str
        The rows that got the most frequent genre.

    Raises
    ------
    LabelsError
        If the ids or the template are unusable, or the file cannot be written.
    """
    genres = {track.path: track.genre for track in result.tracks if track.answered}
    names = GenreIds(ids) if ids else None
    if template:
        return fill_template(path, genres, template=template, fallback=result.fallback, ids=names)
    write_predictions(path, genres, columns=columns or COLUMNS, ids=names)
    return []


def write_predictions(
    path: FilePath, genres: Mapping[str, str], *, columns: Sequence[str] = COLUMNS, ids: GenreIds | None = None
) -> None:
    """Write one row for each file: its path or, under a column named ``id`` or ``..._id``, its stem; and its genre.

    Parameters
    ----------
    path : path of the CSV to write
    genres : mapping of file path to genre
    columns : the two names of the header
    ids : Ids or None
        Writes ids of genres instead of names.

    Raises
    ------
    LabelsError
        If the columns are not two, or a genre has no id.
    """
    if len(columns) != 2:
        raise LabelsError(f"--columns {','.join(columns)}: give two names: the file's and the genre's")
    stems = columns[0].lower() == "id" or columns[0].lower().endswith("_id") or columns[0].lower() in {"titre", "title"}
    rows = []
    for file, genre in genres.items():
        name = os.path.splitext(os.path.basename(file))[0] if stems else file
        rows.append([name, ids.id(genre) if ids else genre])
    write_table(path, [list(columns), *rows])


def fill_template(
    path: FilePath,
    genres: Mapping[str, str],
    *,
    template: FilePath,
    fallback: str,
    ids: GenreIds | None = None,
) -> list[str]:
    """Fill a template such as ``sample_submission.csv``: its header, its rows, its order, every row filled.

    A row is matched to a file by path, name or stem, as text first, then as an integer.

    Parameters
    ----------
    path : path of the CSV to write
    genres : mapping of file path to genre
    template : path of the CSV whose first column holds ids and whose second is to be filled
    fallback : str
        Genre of rows for which there is no prediction.
    ids : Ids or None
        Writes ids of genres instead of names.

    Returns
    -------
    list of str
        The rows that got the fallback.

    Raises
    ------
    LabelsError
        If the template is unusable, or a genre has no id.
    """
    table = read_table(template)
    if len(table.header) < 2:
        raise LabelsError(f"{template}: needs two columns, the file's id and the genre to fill in")
    by_text: dict[str, str] = {}
    by_number: dict[int, str] = {}
    for file, genre in genres.items():
        name = os.path.basename(file)
        stem = os.path.splitext(name)[0]
        for text in (stem, name, file):
            by_text[text] = genre
        if stem.isdecimal():
            by_number.setdefault(int(stem), genre)
    rows, unfilled = [list(table.header)], []
    for row in table:
        key = row[table.header[0]]
        found = by_text.get(key) or by_text.get(os.path.basename(key))
        if found is None and key.isdecimal():
            found = by_number.get(int(key))
        if found is None:
            unfilled.append(key)
            found = fallback
        filled = {**row, table.header[1]: ids.id(found) if ids else found}
        rows.append([filled[name] for name in table.header])
    write_table(path, rows)
    return unfilled
