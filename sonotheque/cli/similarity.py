"""The command ``sonotheque similar``: nearest neighbours of tracks and files."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, compute_options, force_option, number_range, open_library


@click.command()
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option("-k", default=10, show_default=True, type=number_range("k"), help="Number of tracks to return.")
@click.option(
    "--max-per-artist", type=number_range("max_per_artist"), help="Maximum number of tracks by the same artist."
)
@click.option("--genre", help="Return only tracks of this genre.")
@click.option(
    "--m3u", type=click.Path(dir_okay=False, path_type=Path), help="Also write the tracks to this M3U playlist."
)
@compute_options
@force_option
@as_json
@click.pass_context
def similar(
    ctx: click.Context,
    queries: tuple[str, ...],
    k: int,
    max_per_artist: int | None,
    genre: str | None,
    m3u: Path | None,
    precision: str,
    device: str,
    force: bool,
    as_json: bool,
) -> None:
    """Find the tracks that are most similar to given tracks or files.

    A QUERY is an audio file, or the file name of a track in the library. Several queries are averaged.
    """
    from sonotheque import console

    library = open_library(ctx, precision=precision, device=device)
    result = library.similar(*queries, k=k, max_per_artist=max_per_artist, genre=genre, m3u=m3u, force=force)
    if as_json:
        console.print_json(result)
    else:
        console.print_similar_tracks(result)
