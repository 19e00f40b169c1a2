"""Output of export and tag."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.formatting import display_path
from sonotheque.console.library import print_failed_files
from sonotheque.plurals import pluralize


def print_exported_tables(tables: Sequence[results.ExportResult]) -> None:
    """Print the path, the number of rows and the columns of each table that was written."""
    for table in tables:
        click.echo(f"{table.path}: {pluralize(table.rows, 'track')}, columns {', '.join(table.columns)}")


def print_tag_changes(result: results.TaggingResult) -> None:
    """Print each change of a file tag, and how many values were kept."""
    for change in result.changes:
        click.echo(f"{display_path(change.path)}: {change.field} {change.before or '(none)'} -> {change.after}")
    print_failed_files(result.failed)
    n_files = len({change.path for change in result.changes})
    changes = pluralize(len(result.changes), "change")
    if not result.changes:
        summary = "nothing to change"
    elif result.dry_run:
        summary = f"{changes} in {pluralize(n_files, 'file')}; nothing was written (use --write)"
    else:
        summary = f"{changes}, {pluralize(result.written, 'file')} written"
    parts = [summary]
    if result.kept:
        parts.append(f"{pluralize(result.kept, 'existing value')} kept (use --overwrite to replace)")
    if result.failed:
        parts.append(f"{pluralize(len(result.failed), 'file')} failed")
    click.echo("; ".join(parts))
