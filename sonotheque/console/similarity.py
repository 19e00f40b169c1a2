"""Output of similar."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import display_path, format_time, print_table, truncate_cell
from sonotheque.plurals import pluralize

MIN_SECONDS = 20.0
"""Length of a track in s from which it has several parts to tell apart."""


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
            _explain(track),
            display_path(track.path),
        ]
        for track in result.results
    ]
    print_table(["rank", "similarity", "title", "artist", "album", "because", "path"], rows, right_aligned=(0, 1))


def _explain(track: results.SimilarTrack) -> str:
    """Say why a track is similar.

    Examples
    --------
    >>> match = results.SegmentMatch(query="a.mp3", query_start=80.0, start=40.0, similarity=0.9)
    >>> _explain(results.SimilarTrack(1, 0.8, "b.mp3", None, None, None, 200.0, ["rock", "guitar"], match))
    'rock, guitar; 1:20 ~ 0:40'
    """
    parts = [", ".join(track.shared)]
    if track.match is not None and (track.match.query_start or track.match.start or track.seconds > MIN_SECONDS):
        parts.append(f"{format_time(track.match.query_start)} ~ {format_time(track.match.start)}")
    return "; ".join(filter(None, parts))
