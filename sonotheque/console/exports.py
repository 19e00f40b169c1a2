"""What is said of tables that were written, and of changes to the files' own tags."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.collection import show_failed
from sonotheque.console.terminal import plural, short


def show_exported(written: Sequence[results.ExportResult]) -> None:
    """Print what was written."""
    for one in written:
        click.echo(f"{one.path}: {plural(one.rows, 'track')}, columns {', '.join(one.columns)}")


def show_tagged(result: results.TaggingResult) -> None:
    """Print each change, and what was left alone."""
    for change in result.changes:
        click.echo(f"{short(change.path)}: {change.field} {change.before or '(none)'} -> {change.after}")
    show_failed(result.failed)
    files = len({change.path for change in result.changes})
    parts = [plural(len(result.changes), "change")]
    if result.dry_run:
        parts.append(f"{plural(files, 'file')} would be written (--write writes)")
    else:
        parts.append(f"{plural(result.written, 'file')} written")
    if result.kept:
        parts.append(f"{result.kept} left as they are (--overwrite changes them)")
    parts.append(f"{plural(len(result.failed), 'file')} failed")
    click.echo(", ".join(parts))
