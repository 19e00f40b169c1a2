"""Output of duplicates."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import display_path, format_time, format_track, print_table
from sonotheque.plurals import pluralize


def print_duplicates(result: results.DuplicatesResult) -> None:
    """Print each group of files, what is unsure, what may be another version, and a summary."""
    if result.identical:
        click.echo("byte-identical files (one track):")
        for number, identical in enumerate(result.identical, start=1):
            click.echo(f"  {number}  " + "\n     ".join(map(display_path, identical.paths)))
    if result.same_recording:
        click.echo("same recording:")
        rows = [
            [
                str(number) if place == 0 else "",
                format_time(file.seconds),
                f"{file.bit_rate}",
                "better?" if file.likely_better else "",
                format_track(file.path, artist=file.artist, title=file.title),
                display_path(file.path),
            ]
            for number, group in enumerate(result.same_recording, start=1)
            for place, file in enumerate(group.files)
        ]
        print_table(["group", "length", "kbit/s", "", "track", "path"], rows, right_aligned=(0, 1, 2))
    for pair in result.unsure:
        agreement = "" if pair.agreement is None else f", {pair.agreement:.0%} of the bits agree"
        click.echo(f"unsure (similarity {pair.similarity:.3f}{agreement}): {', '.join(map(display_path, pair.paths))}")
        click.echo(f"  {pair.reason}")
    for version in result.other_versions:
        harmony = "harmony unknown" if version.harmony is None else f"harmony {version.harmony:.2f}"
        kind = "a version" if version.kind == "version" else version.kind
        click.echo(f"perhaps {kind} (low confidence, {harmony}): {', '.join(map(display_path, version.paths))}")
    for failed in result.failed:
        click.echo(f"no fingerprint: {display_path(failed.path)}: {failed.reason}")
    click.echo(
        f"{pluralize(result.tracks, 'track')} and {pluralize(result.pairs, 'pair')} compared ({result.fingerprint}): "
        f"{pluralize(len(result.identical), 'group')} of byte-identical files, "
        f"{pluralize(len(result.same_recording), 'recording')} in several files, "
        f"{pluralize(len(result.unsure), 'unsure pair')}, {pluralize(len(result.other_versions), 'possible version')}; "
        "nothing was changed"
    )
