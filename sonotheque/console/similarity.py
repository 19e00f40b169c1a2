"""Output of similar."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import display_path, print_table, truncate_cell
from sonotheque.plurals import pluralize


def print_similar_tracks(result: results.SimilarityResult) -> None:
    """Print similar tracks, most similar first, and on standard error why there are fewer than requested."""
    if result.shortfall is not None:
        found, shortfall = len(result.results), result.shortfall
        click.echo(f"note: {found} of {pluralize(shortfall.requested, 'track')}: {shortfall.reason}", err=True)
    if not result.results:
        click.echo("no matching track")
        return
    rows = [
        [
            str(track.rank),
            f"{track.similarity:.3f}",
            *map(truncate_cell, (track.title, track.artist, track.album)),
            display_path(track.path),
        ]
        for track in result.results
    ]
    print_table(["rank", "similarity", "title", "artist", "album", "path"], rows, right_aligned=(0, 1))
