"""The command ``sonotheque playlist``: playlists from seeds, between two tracks, from a playlist file, or of a genre or cluster."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, compute_options, force_option, number_range, open_library


@click.command()
@click.argument("seeds", nargs=-1, metavar="[SEED]...")
@click.option("--from", "start", metavar="TRACK", help="Make a playlist from this track to the one of --to.")
@click.option("--to", "end", metavar="TRACK", help="The last track, with --from.")
@click.option(
    "--extend",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Continue the playlist in this M3U file: its tracks first, then others like them. The file is not changed.",
)
@click.option("--genre", help="Add only tracks of this genre; without SEED, --from and --extend: a mix of the genre.")
@click.option(
    "--cluster",
    metavar="NUMBER|NAME",
    help="Add only tracks of this cluster of the map (see `sonotheque clusters`); otherwise like --genre.",
)
@click.option(
    "-n",
    type=number_range("n"),
    help="Number of tracks, the given ones included. Default: 20 (with --extend: 20 new ones), or as many as --minutes or "
    "--min-minutes needs.",
)
@click.option("--minutes", type=number_range("minutes"), help="Total duration. It is not exceeded.")
@click.option("--min-minutes", type=number_range("min_minutes"), help="Minimum total duration.")
@click.option("--max-minutes", type=number_range("max_minutes"), help="Maximum total duration.")
@click.option(
    "--max-per-artist", type=number_range("max_per_artist"), help="Maximum number of tracks by the same artist."
)
@click.option("--max-per-album", type=number_range("max_per_album"), help="Maximum number of tracks of the same album.")
@click.option(
    "--seed",
    type=number_range("seed"),
    default=0,
    show_default=True,
    help="Random seed of a mix: another one makes another mix.",
)
@click.option(
    "--m3u", type=click.Path(dir_okay=False, path_type=Path), help="Also write the playlist to this M3U file."
)
@click.option(
    "--rekordbox",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the playlist to this XML file, with tempo and key, for Rekordbox and other DJ programs.",
)
@compute_options
@force_option
@as_json
@click.pass_context
def playlist(
    ctx: click.Context,
    seeds: tuple[str, ...],
    start: str | None,
    end: str | None,
    extend: Path | None,
    genre: str | None,
    cluster: str | None,
    n: int | None,
    minutes: float | None,
    min_minutes: float | None,
    max_minutes: float | None,
    max_per_artist: int | None,
    max_per_album: int | None,
    seed: int,
    m3u: Path | None,
    rekordbox: Path | None,
    precision: str,
    device: str,
    force: bool,
    as_json: bool,
) -> None:
    """Make a playlist from seeds, from one track to another, or of a genre or cluster, or continue one.

    A SEED is a file, the file name or title of a track in the library, or an artist. The playlist begins with the first track
    and continues with tracks that are like all seeds. No artist follows itself where the order can avoid it, and no recording
    is in the playlist twice.
    """
    from sonotheque import console

    if m3u is not None and rekordbox is not None and m3u.absolute() == rekordbox.absolute():
        raise click.UsageError("--m3u and --rekordbox need two different files.")
    library = open_library(ctx, precision=precision, device=device)
    result = library.playlist(
        *seeds,
        start=start,
        end=end,
        extend=extend,
        genre=genre,
        cluster=cluster,
        n=n,
        minutes=minutes,
        min_minutes=min_minutes,
        max_minutes=max_minutes,
        max_per_artist=max_per_artist,
        max_per_album=max_per_album,
        seed=seed,
        m3u=m3u,
        rekordbox=rekordbox,
        force=force,
    )
    if as_json:
        console.print_json(result)
    else:
        console.print_playlist(result)
    for path in (m3u, rekordbox):
        if path is not None:
            click.echo(f"playlist: {path}", err=True)
