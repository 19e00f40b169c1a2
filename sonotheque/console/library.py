"""Output of add, status and remove, and the list of files that failed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.formatting import MAX_LISTED, display_path
from sonotheque.console.labels import print_changed_labels
from sonotheque.metadata.genres import list_spellings
from sonotheque.plurals import pluralize, summarize_counts


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
        for names in status.variants:
            click.echo(
                f"notice: the labels {list_spellings(names)} are probably one genre; "
                "`sonotheque label` with the labels of these tracks makes them one",
                err=True,
            )
        print_failed_files(status.failed, limit=None)
    else:
        print_failed_files([failure for failure in status.failed if _is_inside(failure.path, roots)])
    click.echo(f"library {library}")
    for space in status.spaces:
        index = f"{space.index} index"
        if space.index in {"stale", "missing"}:
            index += " (the next search rebuilds it)"
        elif space.recall is not None:
            index += f" (finds {space.recall:.1%} of the nearest tracks)"
        click.echo(f"space {space.id}: {pluralize(space.tracks, 'track')}, {space.dimensions} dimensions, {index}")
    if status.auto_tags and not any(space.id.startswith("musicnn-") for space in status.spaces):
        click.echo(f"auto-tags: {pluralize(status.auto_tags, 'track')}")
    if status.tempo_and_key < status.tracks:
        missing = pluralize(status.tracks - status.tempo_and_key, "track")
        click.echo(
            f"tempo and key: missing for {missing}; `sonotheque add FOLDER` computes them without embedding again"
        )
    if roots is None and status.labels:
        click.echo("labels: " + ", ".join(f"{label} ({count})" for label, count in status.labels.items()))
    parts = [pluralize(status.tracks, "track")]
    if status.files > status.tracks:
        parts.append(pluralize(status.files, "file"))
    if status.labelled:
        parts.append(f"{status.labelled} labelled in {pluralize(len(status.labels), 'genre')}")
    else:
        parts.append("none labelled")
    if status.remarks:
        parts.append(f"{len(status.remarks)} with a notice")
    if status.failed:
        parts.append(f"{pluralize(len(status.failed), 'file')} failed")
    click.echo(", ".join(parts))


def _is_inside(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in map(os.path.abspath, roots))


def print_addition_preview(preview: results.AdditionPreview) -> None:
    """Print what `add` would do."""
    print_changed_labels(preview.changes)
    for row in preview.unmatched[:MAX_LISTED]:
        click.echo(f"no matching file: {row}", err=True)
    files = {
        "to embed": preview.embedded,
        "to analyse for tempo and key": preview.analysed,
        "moved or duplicate": preview.linked,
        "already known": preview.unchanged,
        "that cannot be opened": preview.failed,
    }
    labels = f"{pluralize(preview.changed, 'label')} would be set or changed"
    click.echo(f"dry run: {summarize_counts('file', files)}, {labels}; nothing was changed")


def can_ask() -> bool:
    """Return whether a person can answer a question: standard input and standard error are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm_removal(plan: results.RemovalResult) -> bool:
    """Show what will be removed on standard error, and ask. Anything but y or yes means no."""
    for path in plan.paths[:MAX_LISTED]:
        click.echo(f"remove: {display_path(path)}", err=True)
    if len(plan.paths) > MAX_LISTED:
        click.echo(f"... and {len(plan.paths) - MAX_LISTED} more", err=True)
    click.echo(_describe_removal(plan, "will be removed from the library, but not from disk"), err=True)
    try:
        return click.confirm("Remove them?", default=False, err=True)
    except click.Abort:  # end of input
        click.echo(err=True)
        return False


def print_removal(result: results.RemovalResult) -> None:
    """Print how many files and tracks were removed from the library or, in a dry run, which ones would be removed."""
    if result.dry_run:
        for path in result.paths:
            click.echo(f"would be removed: {display_path(path)}")
        click.echo(f"dry run: {_describe_removal(result, 'would be removed')}")
        return
    click.echo(_describe_removal(result, "removed from the library"))
    if result.places:
        click.echo("`sonotheque undo` brings them back", err=True)


def _describe_removal(result: results.RemovalResult, verb: str) -> str:
    """Say how many files, tracks and labels are removed, and what is left."""
    text = (
        f"{pluralize(result.places, 'file')} and {pluralize(result.removed, 'track')} {verb}, "
        f"{pluralize(result.tracks, 'track')} left"
    )
    if result.labelled:
        labels = ", ".join(f"{label} ({count})" for label, count in list(result.labels.items())[:MAX_LISTED])
        text += f"; {pluralize(result.labelled, 'label')}: {labels}{', ...' if len(result.labels) > MAX_LISTED else ''}"
    return text


def print_indexes(result: results.IndexBuildResult) -> None:
    """Print the indexes that were built."""
    for built in result.indexes:
        recall = "" if built.recall is None else f", finds {built.recall:.1%} of the ten nearest tracks"
        if built.kind == "exact" and result.requested not in {"auto", "exact"}:
            recall = f" ({result.requested} needs at least 1000)"
        click.echo(
            f"space {built.space}: {built.kind} index of {pluralize(built.vectors, 'vector')}, "
            f"{built.bytes / 1e6:.1f} MB{recall}"
        )
