"""Output of playlist."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import MAX_LISTED, display_path, format_time, print_table, truncate_cell
from sonotheque.plurals import pluralize


def print_playlist(result: results.PlaylistResult) -> None:
    """Print a playlist and its summary, and on standard error what was not found or falls short."""
    for entry in result.not_found[:MAX_LISTED]:
        click.echo(f"not in the library: {display_path(entry)}", err=True)
    if len(result.not_found) > MAX_LISTED:
        click.echo(f"not in the library: {len(result.not_found) - MAX_LISTED} more", err=True)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if result.shortfall is not None:
        click.echo(f"note: {result.shortfall}", err=True)
    if result.same_artist:
        tracks = pluralize(result.same_artist, "track follows", "tracks follow")
        click.echo(f"note: {tracks} one by the same artist, because no order of these tracks avoids it", err=True)
    if not result.results:
        click.echo("no matching track")
        return
    rows = [
        [
            str(track.rank),
            _format_similarity(track.similarity),
            _format_similarity(track.similarity_to_start),
            format_time(track.seconds),
            "-" if track.tempo is None else f"{track.tempo:.0f}",
            track.key or "-",
            *map(truncate_cell, (track.title, track.artist)),
            display_path(track.path),
        ]
        for track in result.results
    ]
    header = ["rank", "to previous", "to first", "length", "BPM", "key", "title", "artist", "path"]
    print_table(header, rows, right_aligned=(0, 1, 2, 3, 4))
    summary = f"{pluralize(len(result.results), 'track')}, {format_duration(result.seconds)}"
    if result.smallest_similarity is not None and result.mean_similarity is not None:
        summary += f"; similarity to the previous track: mean {result.mean_similarity:.3f}"
        summary += f", smallest {result.smallest_similarity:.3f}"
    click.echo(summary)


def _format_similarity(similarity: float | None) -> str:
    return "-" if similarity is None else f"{similarity:.3f}"


def format_duration(seconds: float) -> str:
    """Format a duration as hours, minutes and seconds.

    Examples
    --------
    >>> format_duration(83.5), format_duration(3725)
    ('1:24', '1:02:05')
    """
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest - rest // 60 * 60:02d}" if hours else format_time(rest)
