"""Write predictions as a CSV for submission, with given column names, genre ids, or the rows of a template."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from sonotheque.errors import LabelsError
from sonotheque.metadata.file_names import normalize_name
from sonotheque.metadata.tables import GenreIds, read_table, write_table
from sonotheque.output_files import OutputFile
from sonotheque.results import ClassificationResult

DEFAULT_COLUMNS = ("file", "genre")

FilePath = str | os.PathLike[str]


def write_submission(
    result: ClassificationResult,
    path: FilePath | OutputFile,
    *,
    columns: Sequence[str] | None = None,
    ids: FilePath | None = None,
    template: FilePath | None = None,
) -> list[str]:
    """Write the predictions of `Library.classify` to a CSV. Predictions below the threshold of an abstention are left out.

    Parameters
    ----------
    result : ClassificationResult
    path : path of the CSV to write, or OutputFile
        See `sonotheque.output_files.as_output`.
    columns : sequence of two str, or None
        The header, by default `DEFAULT_COLUMNS`.
    ids : path or None
        A CSV that maps genre ids to names. Ids are written instead of names.
    template : path or None
        A CSV whose rows are filled, in its order. Rows without a prediction get the most frequent genre.

    Returns
    -------
    list of str
        Ids of the rows that got the most frequent genre.

    Raises
    ------
    LabelsError
        If the ids or the template are unusable.
    LibraryError
        If the file cannot be written, or would replace a file that is not a CSV table.
    """
    genres = {track.path: track.genre for track in result.tracks if track.answered}
    genre_ids = GenreIds(ids) if ids else None
    if template:
        return fill_template(path, genres, template=template, fallback=result.fallback, ids=genre_ids)
    write_predictions(path, genres, columns=columns or DEFAULT_COLUMNS, ids=genre_ids)
    return []


def write_predictions(
    path: FilePath | OutputFile,
    genres: Mapping[str, str],
    *,
    columns: Sequence[str] = DEFAULT_COLUMNS,
    ids: GenreIds | None = None,
) -> None:
    """Write one row for each file, with its path and its genre.

    If the first column is named ``id``, ``..._id``, ``title`` or ``titre``, the file name without extension is written instead of
    the path.

    Parameters
    ----------
    path : path of the CSV to write, or OutputFile
        See `sonotheque.output_files.as_output`.
    genres : mapping of file path to genre
    columns : sequence of two str
        The header.
    ids : GenreIds or None
        If given, ids of genres are written instead of names.

    Raises
    ------
    LabelsError
        If there are not two columns, or a genre has no id.
    """
    if len(columns) != 2:
        raise LabelsError(f"--columns {','.join(columns)}: give two names, for the file and for the genre")
    key = columns[0].lower()
    write_stems = key == "id" or key.endswith("_id") or key in {"titre", "title"}
    rows = []
    for file, genre in genres.items():
        name = os.path.splitext(os.path.basename(file))[0] if write_stems else file
        rows.append([name, ids.id(genre) if ids else genre])
    write_table(path, [list(columns), *rows])


def fill_template(
    path: FilePath | OutputFile,
    genres: Mapping[str, str],
    *,
    template: FilePath,
    fallback: str,
    ids: GenreIds | None = None,
) -> list[str]:
    """Fill every row of a template such as ``sample_submission.csv``. The header and the order of the rows are kept.

    A row is matched to a file by its path, its name, or its name without extension: first as text, then as an integer, then
    whatever the Unicode normalisation.

    Parameters
    ----------
    path : path of the CSV to write, or OutputFile
        See `sonotheque.output_files.as_output`.
    genres : mapping of file path to genre
    template : path of a CSV
        Its first column contains ids, and its second column is filled.
    fallback : str
        Genre of rows without a prediction.
    ids : GenreIds or None
        If given, ids of genres are written instead of names.

    Returns
    -------
    list of str
        Ids of the rows that got the fallback.

    Raises
    ------
    LabelsError
        If the template is unusable, or a genre has no id.
    """
    table = read_table(template)
    if len(table.header) < 2:
        raise LabelsError(f"{template}: needs two columns, one with ids of files and one to fill with genres")
    by_text: dict[str, str] = {}
    by_number: dict[int, str] = {}
    for file, genre in genres.items():
        name = os.path.basename(file)
        stem = os.path.splitext(name)[0]
        for text in (stem, name, file):
            by_text[text] = genre
        if stem.isdecimal():
            by_number.setdefault(int(stem), genre)
    by_normalized = {normalize_name(text): genre for text, genre in by_text.items()}
    rows, unfilled = [list(table.header)], []
    for row in table:
        key = row[table.header[0]]
        predicted = by_text.get(key) or by_text.get(os.path.basename(key))
        if predicted is None and key.isdecimal():
            predicted = by_number.get(int(key))
        if predicted is None and not key.isascii():
            name = normalize_name(key)
            predicted = by_normalized.get(name) or by_normalized.get(os.path.basename(name))
        if predicted is None:
            unfilled.append(key)
            predicted = fallback
        filled = {**row, table.header[1]: ids.id(predicted) if ids else predicted}
        rows.append([filled[name] for name in table.header])
    write_table(path, rows)
    return unfilled
