"""The commands about the collection: add, status, label, remove, similar."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import (
    as_json,
    columns_option,
    compute_options,
    embedder_option,
    ids_option,
    open_library,
    paths_argument,
)


@click.command()
@paths_argument()
@click.option("--labels", metavar="folder|tags|FILE.csv", help="Where the tracks' genres come from.")
@columns_option("file,genre[,artist]")
@ids_option
@embedder_option(
    "auto, openl3, musicnn, descriptors or essentia; repeatable. Default: what the library uses already, else auto."
)
@click.option("--retry", is_flag=True, help="Try files again that failed before.")
@compute_options
@as_json
@click.pass_context
def add(
    ctx: click.Context,
    paths: tuple[Path, ...],
    labels: str | None,
    columns: list[str] | None,
    ids: Path | None,
    embedders: tuple[str, ...],
    retry: bool,
    precision: str,
    device: str,
    as_json: bool,
) -> None:
    """Add the music of folders, or single files.

    Folders are searched for audio and video files. What the library knows already is not done again: a command that
    was stopped is simply run once more.
    """
    from sonotheque import console
    from sonotheque.embed.registry import choose
    from sonotheque.extract.scan import require_audio

    require_audio(paths)  # before a library is made for nothing
    if embedders and "auto" not in embedders:
        with console.progress_bar("fetching weights", amount="bytes") as received:
            choose(embedders, progress=received)
    library = open_library(ctx, create=True, precision=precision, device=device)
    with (
        console.progress_bar("embedding") as progress,
        console.progress_bar("fetching weights", amount="bytes") as fetching,
    ):
        status = library.add(
            *paths,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders or ("auto",),
            retry=retry,
            progress=progress,
            fetching=fetching,
        )
    if as_json:
        console.print_json(status)
    else:
        console.show_status(status, library=str(library.path), below=[str(path) for path in paths])


@click.command()
@as_json
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what the library holds, and which files failed and why."""
    from sonotheque import console

    library = open_library(ctx)
    if as_json:
        console.print_json(library.status())
    else:
        console.show_status(library.status(), library=str(library.path))


@click.command()
@click.argument("source", metavar="FILE.csv|tags")
@columns_option("file,genre[,artist]")
@ids_option
@as_json
@click.pass_context
def label(ctx: click.Context, source: str, columns: list[str] | None, ids: Path | None, as_json: bool) -> None:
    """Set or change genres of tracks that are in the library.

    Rows are matched to files by path, file name or stem.
    """
    from sonotheque import console

    result = open_library(ctx).label(source, columns=columns, ids=ids)
    if as_json:
        console.print_json(result)
        return
    for row in result.unmatched[: console.SHOWN]:
        click.echo(f"no such track: {row}", err=True)
    click.echo(
        f"{result.matched} tracks matched, {result.changed} labels changed, {len(result.unmatched)} rows unmatched"
    )


@click.command()
@paths_argument(required=False)
@click.option("--missing", is_flag=True, help="Remove every file that no longer exists.")
@as_json
@click.pass_context
def remove(ctx: click.Context, paths: tuple[Path, ...], missing: bool, as_json: bool) -> None:
    """Forget files, or all files of folders. Nothing on disk is touched."""
    from sonotheque import console

    if not paths and not missing:
        raise click.UsageError("Give a PATH, or --missing.")
    result = open_library(ctx).remove(*paths, missing=missing)
    if as_json:
        console.print_json(result)
    else:
        click.echo(f"{result.places} files forgotten, {result.removed} tracks removed with them, {result.tracks} left")


@click.command()
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many tracks.")
@click.option("--max-per-artist", type=click.IntRange(min=1), help="How many tracks of one artist at most.")
@click.option("--genre", help="Only tracks of this genre.")
@click.option("--m3u", type=click.Path(dir_okay=False, path_type=Path), help="Write the tracks to this playlist too.")
@compute_options
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
    as_json: bool,
) -> None:
    """Find the tracks nearest to one or several tracks or files.

    A QUERY is any audio file, or the name of a track's file. Several queries are averaged.
    """
    from sonotheque import console

    library = open_library(ctx, precision=precision, device=device)
    result = library.similar(*queries, k=k, max_per_artist=max_per_artist, genre=genre, m3u=m3u)
    if as_json:
        console.print_json(result)
    else:
        console.show_similar(result)
