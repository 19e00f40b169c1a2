"""Output of `add --watch`: one line for each batch of changes, and the sums at the end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import click

from sonotheque import results
from sonotheque.console.library import print_failed_files
from sonotheque.plurals import pluralize, summarize_counts


def print_watch_batch(batch: results.WatchBatch) -> None:
    """Print what was done in one batch on standard error, with the time of day."""
    with suppress(OSError):  # a full disk behind standard error does not end the watch
        print_failed_files(batch.failures)
        click.echo(f"{datetime.now():%H:%M:%S} {_describe(batch)}", err=True)


def print_watch_result(result: results.WatchResult) -> None:
    """Print what was done in all."""
    click.echo(f"{_describe(result)}; {pluralize(result.tracks, 'track')} in the library")


def _describe(counts: results.WatchBatch | results.WatchResult) -> str:
    files: Mapping[str, int] = {
        "embedded": counts.embedded,
        "analysed for tempo and key": counts.analysed,
        "moved or duplicate": counts.linked,
        "failed": counts.failed,
        "removed": counts.removed,
        "vanished and kept": counts.kept,
    }
    labels = f"{pluralize(counts.labelled, 'label')} set" if counts.labelled else ""
    if labels and not any(files.values()):
        return labels
    return ", ".join(filter(None, [summarize_counts("file", files), labels]))
