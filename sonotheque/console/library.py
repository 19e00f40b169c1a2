"""Output of add, status, label and remove, and the list of files that failed."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.formatting import MAX_LISTED, display_path, pluralize


def print_failed_files(failed: Sequence[results.FailedFile], *, limit: int | None = MAX_LISTED) -> None:
    """List files that could not be used on standard error; all of them if the limit is None."""
    for failure in failed[:limit]:
        click.echo(f"failed: {display_path(failure.path)}: {failure.reason}", err=True)
    if limit is not None and len(failed) > limit:
        click.echo(f"... and {len(failed) - limit} more", err=True)


def print_status(status: results.Status, *, library: str, roots: Sequence[str] | None = None) -> None:
    """Print the contents of the library.

    Parameters
    ----------
    status : Status
    library : str
        Path of the library.
    roots : sequence of str or None
        If given, only the first failed files in these folders are listed, and neither labels nor notices.
    """
    if roots is None:
        for notice in status.remarks:
            click.echo(f"notice: {display_path(notice.path)}: {notice.notice}", err=True)
        print_failed_files(status.failed, limit=None)
    else:
        print_failed_files([failure for failure in status.failed if _is_inside(failure.path, roots)])
    click.echo(f"library {library}")
    for space in status.spaces:
        index = "exact index" if space.index == "exact" else f"{space.index} index (the next search rebuilds it)"
        click.echo(f"space {space.id}: {pluralize(space.tracks, 'track')}, {space.dimensions} dimensions, {index}")
    if roots is None and status.labels:
        click.echo("labels: " + ", ".join(f"{label} ({count})" for label, count in status.labels.items()))
    parts = [pluralize(status.tracks, "track")]
    if status.files > status.tracks:
        parts.append(f"{status.files} files")
    parts.append(
        f"{status.labelled} labelled" + (f" in {pluralize(len(status.labels), 'genre')}" if status.labels else "")
    )
    if status.remarks:
        parts.append(f"{len(status.remarks)} with a notice")
    parts.append(f"{pluralize(len(status.failed), 'file')} failed")
    click.echo(", ".join(parts))


def _is_inside(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in map(os.path.abspath, roots))


def print_label_changes(result: results.LabellingResult) -> None:
    """Print how many labels were set; rows that match no track go to standard error."""
    for row in result.unmatched[:MAX_LISTED]:
        click.echo(f"no matching track: {row}", err=True)
    click.echo(
        f"{pluralize(result.matched, 'track')} matched, {pluralize(result.changed, 'label')} set or changed, "
        f"{pluralize(len(result.unmatched), 'row')} unmatched"
    )


def print_removal(result: results.RemovalResult) -> None:
    """Print how many files and tracks were removed from the library."""
    click.echo(
        f"{pluralize(result.places, 'file')} and {pluralize(result.removed, 'track')} removed from the library, "
        f"{pluralize(result.tracks, 'track')} left"
    )
