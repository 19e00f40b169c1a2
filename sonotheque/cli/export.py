"""The commands that write what the library knows into other files: export, tag."""

from __future__ import annotations

import os
from pathlib import Path

import click

from sonotheque.cli.options import as_json, dry_run_option, force_option, number_range, open_library, paths_argument


@click.command()
@click.option(
    "--tags",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv|FILE.parquet",
    help="Write the tempo, key, mood, instruments and style of each track.",
)
@click.option(
    "--parquet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.parquet",
    help="Write vectors, map positions, nearest neighbours and all columns, in the format of embedding-atlas.",
)
@click.option(
    "--embedder",
    metavar="NAME",
    help="Embedder whose vectors --parquet writes. Default: the first one of the library.",
)
@force_option
@as_json
@click.pass_context
def export(
    ctx: click.Context, tags: Path | None, parquet: Path | None, embedder: str | None, force: bool, as_json: bool
) -> None:
    """Export the library as a table with one row per track."""
    from sonotheque import console
    from sonotheque.results import ExportResults

    if not tags and not parquet:
        raise click.UsageError("Give --tags FILE or --parquet FILE.")
    if tags and parquet and os.path.realpath(tags) == os.path.realpath(parquet):
        raise click.UsageError("--tags and --parquet need two different files.")
    if embedder and not parquet:
        raise click.UsageError("--embedder requires --parquet.")
    library = open_library(ctx)
    tables = []
    if tags:
        tables.append(library.export_tags(tags, force=force))
    if parquet:
        with console.progress_bar("computing the map", unit="%") as progress:
            tables.append(library.export_points(parquet, embedder=embedder, force=force, progress=progress))
    if as_json:
        console.print_json(ExportResults(tables))
    else:
        console.print_exported_tables(tables)
    if parquet:
        has_map = "projection_x" in tables[-1].columns
        options = "--x projection_x --y projection_y --neighbors neighbors" if has_map else "--vector vector"
        click.echo(f"open it with: embedding-atlas {parquet} {options} --text title", err=True)


@click.command()
@paths_argument(required=False)
@click.option("--write", is_flag=True, help="Write the changes into the files. Otherwise, they are only listed.")
@dry_run_option
@click.option("--overwrite", is_flag=True, help="Also replace a genre or tempo that a file already has.")
@click.option("--only", type=click.Choice(["genre", "tempo"]), help="Write only this tag.")
@click.option(
    "--predicted", is_flag=True, help="For tracks without a label, use the genre that the classifier predicts."
)
@click.option(
    "--probability",
    type=number_range("probability"),
    default=0.5,
    show_default=True,
    help="Minimum probability of a genre from --predicted.",
)
@as_json
@click.pass_context
def tag(
    ctx: click.Context,
    paths: tuple[Path, ...],
    write: bool,
    dry_run: bool,
    overwrite: bool,
    only: str | None,
    predicted: bool,
    probability: float,
    as_json: bool,
) -> None:
    """Write genre and tempo into the file tags; a dry run by default.

    Without --write, the changes are only listed, after the same checks, so files that cannot be written are listed too. The
    genre is the label of the track. A genre or tempo that a file already has is kept unless --overwrite is given. The audio
    itself is never changed.
    """
    from sonotheque import console

    if write and dry_run:
        raise click.UsageError("--write and --dry-run cannot be combined.")
    library = open_library(ctx)
    with (
        console.silence_decoders(),
        console.progress_bar("writing tags" if write else "checking files", unit="tracks") as progress,
    ):
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
        console.print_tag_changes(result)
