"""Write duplicates as a CSV table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sonotheque.metadata.tables import write_table
from sonotheque.output_files import OutputFile
from sonotheque.results import DuplicatesResult
from sonotheque.types import PathLike

COLUMNS = (
    "class",
    "group",
    "file",
    "artist",
    "title",
    "seconds",
    "bit_rate",
    "likely_better",
    "agreement",
    "similarity",
    "note",
)


def write_duplicates(result: DuplicatesResult, path: PathLike | OutputFile) -> None:
    """Write one row for each file in a group of duplicates. A pair is a group of two.

    The column ``class`` is ``identical``, ``same recording``, ``unsure`` or ``other version``. Groups are numbered from 1.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a CSV table.
    """
    write_table(path, [COLUMNS, *_rows(result)])


def _rows(result: DuplicatesResult) -> Iterator[list[Any]]:
    number = 0
    for identical in result.identical:
        number += 1
        for file in identical.paths:
            yield _row("identical", number, file, artist=identical.artist, title=identical.title)
    for group in result.same_recording:
        number += 1
        for recording in group.files:
            yield _row(
                "same recording",
                number,
                recording.path,
                artist=recording.artist,
                title=recording.title,
                seconds=f"{recording.seconds:.2f}",
                bit_rate=recording.bit_rate,
                likely_better="yes" if recording.likely_better else "no",
                agreement=f"{group.agreement:.3f}",
                similarity=f"{group.similarity:.3f}",
            )
    for pair in result.unsure:
        number += 1
        for file in pair.paths:
            agreement = None if pair.agreement is None else f"{pair.agreement:.3f}"
            similarity = f"{pair.similarity:.3f}"
            yield _row("unsure", number, file, agreement=agreement, similarity=similarity, note=pair.reason)
    for version in result.other_versions:
        number += 1
        note = version.kind if version.harmony is None else f"{version.kind}; harmony {version.harmony:.2f}"
        for file, artist, title in zip(version.paths, version.artists, version.titles, strict=True):
            yield _row("other version", number, file, artist=artist, title=title, note=note)


def _row(name: str, number: int, file: str, **fields: Any) -> list[Any]:
    values = {"class": name, "group": number, "file": file, **fields}
    return [values.get(column) for column in COLUMNS]
