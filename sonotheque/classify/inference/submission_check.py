"""Check the format of a submission against a sample submission."""

from __future__ import annotations

import os
from pathlib import Path

from sonotheque.errors import LabelsError
from sonotheque.metadata.tables import read_table
from sonotheque.plurals import pluralize

FilePath = str | os.PathLike[str]


def check_submission(path: FilePath, *, sample: FilePath, ids: FilePath | None = None) -> int:
    """Check that a CSV has the format of a sample: the same header, the same ids in the same order, and only known genres.

    Parameters
    ----------
    path : path of the CSV
    sample : path of a CSV such as ``sample_submission.csv``
    ids : path or None
        A CSV that maps genre ids to names. Its ids are the known genres. Without it the known genres are those of the sample; if
        the sample has only one, every genre is accepted.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    LabelsError
        For the first error, with its line, the value found and the value expected.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror or error})") from None
    if b"\r" in raw:
        raise LabelsError(f"{path}: lines end with CR LF; they must end with LF")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise LabelsError(f"{path}: starts with a byte order mark; write the file without it")
    if not raw.endswith(b"\n"):
        raise LabelsError(f"{path}: the last line does not end with LF")
    expected, submitted = read_table(sample), read_table(path)
    if submitted.header != expected.header:
        raise LabelsError(f"{path}: the header is {','.join(submitted.header)}; it must be {','.join(expected.header)}")
    key, genre = expected.header[0], expected.header[1]
    known = {row[genre] for row in expected}
    if ids is not None:
        table = read_table(ids)
        known = {row[table.header[0]] for row in table}
    for number, line in enumerate(raw.decode().removesuffix("\n").split("\n"), start=1):
        if not line.strip():
            raise LabelsError(f"{path}, line {number}: the line is blank")
        if any(field != field.strip() for field in line.split(",")):
            raise LabelsError(f"{path}, line {number}: white space around a value, {line!r}")
    for row, sample_row in zip(submitted, expected, strict=False):
        if row[key] != sample_row[key]:
            raise LabelsError(
                f"{path}, line {row.line}: the id is {row[key]!r}; it must be {sample_row[key]!r}, as in {sample}"
            )
        if not row[genre]:
            raise LabelsError(f"{path}, line {row.line}: the genre is missing")
        if row[genre] not in known and (ids is not None or len(known) > 1):
            raise LabelsError(
                f"{path}, line {row.line}: unknown genre {row[genre]!r}; choose one of {', '.join(sorted(known))}"
            )
    if len(submitted) != len(expected):
        raise LabelsError(f"{path}: {pluralize(len(submitted), 'row')}; {sample} has {len(expected)}")
    return len(submitted)
