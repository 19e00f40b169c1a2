"""Output of label and undo: changes of labels and their history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import click

from sonotheque import results
from sonotheque.console.formatting import MAX_LISTED, display_path
from sonotheque.plurals import pluralize


def print_label_changes(result: results.LabellingResult) -> None:
    """Print how many labels were set or, in a dry run, would be set; rows that match no track go to standard error."""
    for row in result.unmatched[:MAX_LISTED]:
        click.echo(f"no matching track: {row}", err=True)
    if result.dry_run:
        print_changed_labels(result.changes)
    click.echo(
        f"{'dry run: ' if result.dry_run else ''}{pluralize(result.matched, 'track')} matched, "
        f"{pluralize(result.changed, 'label')} {'would be ' if result.dry_run else ''}set or changed, "
        f"{pluralize(len(result.unmatched), 'row')} unmatched{'; nothing was changed' if result.dry_run else ''}"
    )


def print_changed_labels(
    changes: Sequence[results.LabelChange], *, every_track: bool = False, indent: str = ""
) -> None:
    """Print changes of labels: each of a few, or if `every_track` is true; otherwise their number for each pair of genres."""
    if every_track or len(changes) <= MAX_LISTED:
        for change in changes:
            click.echo(f"{indent}{display_path(change.path)}: {_arrow(change.before, change.after)}")
        return
    counts = Counter((change.before, change.after) for change in changes)
    for (before, after), count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0]))):
        click.echo(f"{indent}{_arrow(before, after)}: {pluralize(count, 'track')}")


def print_label_history(history: results.LabelHistory, *, every_track: bool = False) -> None:
    """Print the changes of labels and the removals, the latest first.

    Parameters
    ----------
    history : LabelHistory
    every_track : bool
        Also print the label of each track before and after each change.
    """
    for entry in history.history:
        undone = " (undone)" if entry.undone else ""
        click.echo(f"{entry.number}  {_local_time(entry.time)}  {entry.command}: {_summary(entry)}{undone}")
        print_changed_labels(entry.changes, every_track=every_track, indent="    ")
    if not history.history:
        click.echo("no change of labels and no removal so far")


def print_undo(result: results.UndoResult) -> None:
    """Print what was taken back or, in a dry run, would be taken back."""
    print_changed_labels(result.changes)
    parts = []
    if result.kind == "removal":
        parts += [f"{pluralize(result.tracks, 'track')} and {pluralize(result.places, 'file')} brought back"]
        if result.present:
            parts.append(f"{pluralize(result.present, 'track')} had been added again")
    parts.append(f"{pluralize(result.changed, 'label')} set back")
    verb = "dry run: would undo" if result.dry_run else "undone"
    click.echo(f"{verb}: {result.command} ({_local_time(result.time)}): {', '.join(parts)}")
    if result.without_vectors:
        click.echo(
            f"{pluralize(result.without_vectors, 'track')} came back without vectors, because the removal is long ago; "
            "`sonotheque add` with their folder computes them",
            err=True,
        )
    if result.dry_run:
        click.echo("nothing was changed", err=True)
    elif result.left:
        click.echo(f"{pluralize(result.left, 'earlier change')} can be undone", err=True)


def _arrow(before: str | None, after: str | None) -> str:
    if before == after:
        return f"{after} (another source, artist or album)"
    return f"{before or '(no label)'} -> {after or '(no label)'}"


def _summary(entry: results.HistoryEntry) -> str:
    if entry.kind == "removal":
        return f"{pluralize(entry.tracks, 'track')} removed, {pluralize(entry.changed, 'label')} kept"
    if entry.kind == "restoration":
        return f"{pluralize(entry.changed, 'label')} restored of tracks that had been removed"
    return f"{pluralize(entry.changed, 'label')} set or changed"


def _local_time(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")
