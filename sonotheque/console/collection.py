"""What is said of a collection: its status, failures, similar tracks."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.terminal import SHOWN, clip, plural, short, table


def show_failed(failed: Sequence[results.FailedFile], *, most: int | None = SHOWN) -> None:
    """List files that could not be used, on standard error."""
    for failure in failed[:most]:
        click.echo(f"failed: {short(failure.path)}: {failure.reason}", err=True)
    if most is not None and len(failed) > most:
        click.echo(f"... and {len(failed) - most} more", err=True)


def show_status(status: results.Status, *, library: str, below: Sequence[str] | None = None) -> None:
    """Print what the library holds: with all failures and remarks, or only with the first failures below some paths."""
    if below is None:
        for remark in status.remarks:
            click.echo(f"remark: {short(remark.path)}: {remark.notice}", err=True)
        show_failed(status.failed, most=None)
    else:
        show_failed([failure for failure in status.failed if _lies_below(failure.path, below)])
    click.echo(f"library {library}")
    for space in status.spaces:
        index = "exact" if space.index == "exact" else f"{space.index}, rebuilt when needed"
        click.echo(f"space {space.id}: {plural(space.tracks, 'track')}, {space.dimensions} dimensions, index {index}")
    if below is None and status.labels:
        click.echo("labels: " + ", ".join(f"{label} ({count})" for label, count in status.labels.items()))
    parts = [plural(status.tracks, "track")]
    if status.files > status.tracks:
        parts.append(f"{status.files} files")
    parts.append(
        f"{status.labelled} labelled" + (f" in {plural(len(status.labels), 'genre')}" if status.labels else "")
    )
    if status.remarks:
        parts.append(f"{len(status.remarks)} with a remark")
    parts.append(f"{plural(len(status.failed), 'file')} failed")
    click.echo(", ".join(parts))


def _lies_below(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in map(os.path.abspath, roots))


def show_similar(result: results.SimilarityResult) -> None:
    """Print similar tracks, nearest first."""
    if not result.results:
        click.echo("no track matches")
        return
    rows = [
        [str(t.rank), f"{t.similarity:.3f}", *map(clip, (t.title, t.artist, t.album)), short(t.path)]
        for t in result.results
    ]
    table(["rank", "similarity", "title", "artist", "album", "path"], rows, right=(0, 1))
