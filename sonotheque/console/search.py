"""Output of search."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import display_path, print_table, truncate_cell


def print_found_tracks(result: results.SearchResult) -> None:
    """Print the tracks that fit a query, the best first, and on standard error what was understood."""
    for words in result.understood:
        negated, about = ("not " if words.negated else ""), ("about: " if words.approximate else "")
        click.echo(f"understood: {words.words!r} as {negated}{about}{words.meaning}", err=True)
    for unknown in result.not_understood:
        click.echo(f"not understood: {unknown.words!r}{unknown.reason and f' ({unknown.reason})'}", err=True)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if result.shortfall is not None:
        click.echo(f"note: only {len(result.results)} found: {result.shortfall}", err=True)
    if not result.results:
        click.echo("no matching track")
        return
    rows = [
        [
            str(track.rank),
            f"{track.score:.2f}",
            *map(truncate_cell, (track.title, track.artist)),
            display_path(track.path),
            ", ".join(map(_format_match, track.matches)),
        ]
        for track in result.results
    ]
    print_table(["rank", "score", "title", "artist", "path", "because"], rows, right_aligned=(0, 1))


def _format_match(match: results.WordMatch) -> str:
    """Format how well a track fits some words.

    Examples
    --------
    >>> _format_match(results.WordMatch("slow", 1.25, "72 BPM")), _format_match(results.WordMatch("slow", None, None))
    ('slow +1.2 (72 BPM)', 'slow unknown')
    """
    score = "unknown" if match.score is None else f"{match.score:+.1f}"
    return f"{match.words} {score}" + (f" ({match.value})" if match.value else "")
