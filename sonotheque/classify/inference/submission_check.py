"""Checks a CSV to hand in against a sample of its form, before somebody else does."""

from __future__ import annotations

import os
from pathlib import Path

from sonotheque.errors import LabelsError
from sonotheque.metadata.tables import read_table

FilePath = str | os.PathLike[str]


def check_submission(path: FilePath, *, sample: FilePath, ids: FilePath | None = None) -> int:
    """Check that a CSV has the form of a sample: the same header, the same ids in the same order, only known genres.

    Parameters
    ----------
    path : path of the CSV
    sample : path of a CSV such as ``sample_submission.csv``
    ids : path of a CSV that maps genre ids to names, or None
        Its ids are the known genres; without it those that stand in the sample, where it has more than one.

    Returns
    -------
    int
        Its rows.

    Raises
    ------
    LabelsError
        With the first fault: line, what stands there, and what should.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise LabelsError(f"{path}: cannot be read ({error.strerror or error})") from None
    if b"\r" in raw:
        raise LabelsError(f"{path}: lines end with CR LF; they must end with LF")
    if raw.startswith(b"\xef\xbb\xbf"):
        raise LabelsError(f"{path}: begins with a byte order mark; write it without")
    if not raw.endswith(b"\n"):
        raise LabelsError(f"{path}: the last line does not end with LF")
    wanted, given = read_table(sample), read_table(path)
    if given.header != wanted.header:
        raise LabelsError(f"{path}: its header is {','.join(given.header)}; it must be {','.join(wanted.header)}")
    key, genre = wanted.header[0], wanted.header[1]
    known = {row[genre] for row in wanted}
    if ids is not None:
        table = read_table(ids)
        known = {row[table.header[0]] for row in table}
    for number, line in enumerate(raw.decode().splitlines(), start=1):
        if not line.strip():
            raise LabelsError(f"{path}, line {number}: blank")
        if any(field != field.strip() for field in line.split(",")):
            raise LabelsError(f"{path}, line {number}: a blank beside a value, {line!r}")
    for mine, theirs in zip(given, wanted, strict=False):
        if mine[key] != theirs[key]:
            raise LabelsError(f"{path}, line {mine.line}: id {mine[key]!r}; it must be {theirs[key]!r}, as in {sample}")
        if not mine[genre]:
            raise LabelsError(f"{path}, line {mine.line}: no genre")
        if mine[genre] not in known and (ids is not None or len(known) > 1):
            raise LabelsError(f"{path}, line {mine.line}: genre {mine[genre]!r}; known are {', '.join(sorted(known))}")
    if len(given) != len(wanted):
        raise LabelsError(f"{path}: {len(given)} rows; {sample} has {len(wanted)}")
    return len(given)
