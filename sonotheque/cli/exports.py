"""The commands that write files of other kinds: export, tag."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, open_library, paths_argument


@click.command()
@click.option(
    "--tags",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv|FILE.parquet",
    help="What is heard of each track in words: tempo, key, mood, instruments, style.",
)
@click.option(
    "--parquet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.parquet",
    help="Vectors, places on the map, nearest tracks and all columns, as embedding-atlas opens it.",
)
@click.option("--embedder", metavar="NAME", help="Space of --parquet. Default: the library's first one.")
@as_json
@click.pass_context
def export(ctx: click.Context, tags: Path | None, parquet: Path | None, embedder: str | None, as_json: bool) -> None:
    """Write the whole library as a table, a row for each track."""
    from sonotheque import console
    from sonotheque.results import ExportResults

    if not tags and not parquet:
        raise click.UsageError("Give --tags FILE or --parquet FILE.")
    if embedder and not parquet:
        raise click.UsageError("--embedder belongs to --parquet.")
    library = open_library(ctx)
    written = []
    if tags:
        written.append(library.export_tags(tags))
    if parquet:
        with console.progress_bar("drawing", amount="steps") as progress:
            written.append(library.export_points(parquet, embedder=embedder, progress=progress))
    if as_json:
        console.print_json(ExportResults(written))
    else:
        console.show_exported(written)
    if parquet:
        placed = "projection_x" in written[-1].columns
        how = "--x projection_x --y projection_y --neighbors neighbors" if placed else "--vector vector"
        click.echo(f"embedding-atlas {parquet} {how} --text title", err=True)


@click.command()
@paths_argument(required=False)
@click.option("--write", is_flag=True, help="Change the files. Else it is only said what would change.")
@click.option("--overwrite", is_flag=True, help="Change a genre or tempo that a file has already.")
@click.option("--only", type=click.Choice(["genre", "tempo"]), help="Leave the other one alone.")
@click.option(
    "--predicted", is_flag=True, help="Where a track has no label, take the genre that the trained classifier names."
)
@click.option(
    "--probability",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="The least probability of such a genre.",
)
@as_json
@click.pass_context
def tag(
    ctx: click.Context,
    paths: tuple[Path, ...],
    write: bool,
    overwrite: bool,
    only: str | None,
    predicted: bool,
    probability: float,
    as_json: bool,
) -> None:
    """Put genres and tempi into the files' own tags. Without --write nothing is changed: each change is shown.

    A genre is the label that you gave. One that a file has already stays. The sound of a file is never touched.
    """
    from sonotheque import console

    library = open_library(ctx)
    with console.quiet_decoders(), console.progress_bar("writing", amount="tracks") as progress:
        result = library.tag(
            *paths,
            write=write,
            overwrite=overwrite,
            only=only,
            predicted=predicted,
            probability=probability,
            progress=progress,
        )
    if as_json:
        console.print_json(result)
    else:
        console.show_tagged(result)
