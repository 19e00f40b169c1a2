"""Tables that were exported, and changes to the tags of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.status import FailedFile


@dataclass(frozen=True)
class TagChange:
    """One change of one file: `field` is ``genre`` or ``tempo``; `before` is None where the file had none."""

    path: str
    field: str
    before: str | None
    after: str


@dataclass(frozen=True)
class TaggingResult:
    """What `tag` did, or in a dry run would do.

    `written` counts files, 0 in a dry run; `kept` values that were there and are left alone; files in `failed` are as they were.
    """

    changes: Sequence[TagChange]
    written: int
    kept: int
    failed: Sequence[FailedFile]
    dry_run: bool


@dataclass(frozen=True)
class ExportResult:
    """A table that was written: a row for each track."""

    path: str
    rows: int
    columns: Sequence[str]


@dataclass(frozen=True)
class ExportResults:
    """What `export` wrote."""

    tables: Sequence[ExportResult]
