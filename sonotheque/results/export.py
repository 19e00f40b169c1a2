"""Exported tables, and changes to file tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.status import FailedFile


@dataclass(frozen=True)
class TagChange:
    """A change to one tag of one file: `field` is ``genre`` or ``tempo``; `before` is None if the file had no value."""

    path: str
    field: str
    before: str | None
    after: str


@dataclass(frozen=True)
class TaggingResult:
    """What `tag` changed or, in a dry run, would change.

    `written` is the number of files that were written, 0 in a dry run. `kept` is the number of existing values that were not
    changed. The files in `failed` are unchanged.
    """

    changes: Sequence[TagChange]
    written: int
    kept: int
    failed: Sequence[FailedFile]
    dry_run: bool


@dataclass(frozen=True)
class ExportResult:
    """A table that was written, with one row for each track."""

    path: str
    rows: int
    columns: Sequence[str]


@dataclass(frozen=True)
class ExportResults:
    """The tables that `export` wrote."""

    tables: Sequence[ExportResult]
