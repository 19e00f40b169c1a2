"""The commands that show a person where to look: errors, map, clusters, inspect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sonotheque.cli.options import as_json, embedder_option, open_library, open_library_if_any


@click.command()
@click.option(
    "--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), help="Write them to this CSV, to decide on."
)
@click.option(
    "--apply",
    "apply_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Take such a CSV back in: each row's decision becomes its file's label; rows without one stay as they are.",
)
@click.option(
    "-n",
    "--most",
    type=click.IntRange(min=1),
    help="How many. Default: a tenth of the labelled tracks.",
)
@embedder_option("Spaces to judge by; repeatable. Default: all of the library.")
@click.option("--seed", default=0, show_default=True, help="Seed of the folds.")
@as_json
@click.pass_context
def errors(
    ctx: click.Context,
    csv_: Path | None,
    apply_: Path | None,
    most: int | None,
    embedders: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """List labels that are probably wrong, worst first. Nothing is relabelled by itself.

    Near-duplicates, outliers, silent and damaged tracks are listed apart.
    """
    from sonotheque import console

    if apply_ and (csv_ or most or embedders):
        raise click.UsageError("--apply takes decisions in and lists nothing; drop the other options.")
    library = open_library(ctx)
    if apply_:
        labelled = library.apply_decisions(apply_)
        if as_json:
            console.print_json(labelled)
        else:
            click.echo(f"{apply_}: {labelled.matched} decisions, {labelled.changed} labels changed")
        return
    found = library.errors(embedders=embedders or None, limit=most, seed=seed, csv=csv_)
    if as_json:
        console.print_json(found)
    else:
        console.show_suspicious(found)
    if csv_:
        click.echo(f"{csv_}: fill in the column decision, then `sonotheque errors --apply {csv_}`", err=True)


def _map_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how a map is drawn."""
    options = [
        click.option("--embedder", metavar="NAME", help="Space to draw. Default: the library's first one."),
        click.option("--anew", is_flag=True, help="Draw the map anew. Else what is on it stays where it is."),
        click.option(
            "--neighbours",
            type=click.IntRange(min=2),
            help="That shape the map: few show details, many the whole. Default: 15, more from 10,000 tracks on.",
        ),
        click.option(
            "--cluster-size",
            type=click.IntRange(min=2),
            help="Fewest tracks of a cluster. Default: half the square root of the number of tracks, at least 5.",
        ),
        click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Of the map. Default: 0."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command("map")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("map.html"),
    show_default=True,
    help="The page.",
)
@click.option(
    "--audio",
    default="auto",
    show_default=True,
    metavar="auto|embed|files|none|ADDRESS",
    help="What a click plays: excerpts inside the page, the files where they lie, or the files below a web address. "
    "auto: excerpts of up to 300 tracks, else files.",
)
@_map_options
@as_json
@click.pass_context
def map_(
    ctx: click.Context,
    output: Path,
    audio: str,
    embedder: str | None,
    anew: bool,
    neighbours: int | None,
    cluster_size: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Draw all tracks as a map, on a page that works without a network.

    The map is kept: tracks that are added later are put on it, and nothing else moves.
    """
    from sonotheque import console

    library = open_library(ctx)
    with (
        console.quiet_decoders(),
        console.progress_bar("drawing", amount="steps") as progress,
        console.progress_bar("cutting excerpts", amount="excerpts") as cutting,
    ):
        result = library.map(
            output,
            embedder=embedder,
            neighbours=neighbours,
            cluster_size=cluster_size,
            seed=seed,
            rebuild=anew,
            audio=audio,
            progress=progress,
            cutting=cutting,
        )
    click.echo(f"map: {output}", err=True)
    if as_json:
        console.print_json(result)
    else:
        console.show_mapped(result)


@click.command()
@click.option(
    "--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), help="Write each track's cluster to this CSV."
)
@_map_options
@as_json
@click.pass_context
def clusters(
    ctx: click.Context,
    csv_: Path | None,
    embedder: str | None,
    anew: bool,
    neighbours: int | None,
    cluster_size: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """List the groups that are found without labels, what sets them apart, and how genres fall into them.

    They are those of the map.
    """
    from sonotheque import console

    library = open_library(ctx)
    with console.progress_bar("drawing", amount="steps") as progress:
        result = library.map(
            embedder=embedder,
            neighbours=neighbours,
            cluster_size=cluster_size,
            seed=seed,
            rebuild=anew,
            csv=csv_,
            progress=progress,
        )
    if csv_:
        click.echo(f"clusters: {csv_}", err=True)
    if as_json:
        console.print_json(result)
    else:
        console.show_mapped(result, table_of_genres=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw it as a PNG: waveform, spectra, spectrograms, chroma, onsets, descriptors, genre along time.",
)
@as_json
@click.pass_context
def inspect(ctx: click.Context, file: Path, output: Path | None, as_json: bool) -> None:
    """Look closely at one file: tempo, key, loudness, tags, and all of it as a picture.

    It needs no library; where there is one with a trained classifier, the genre along time is shown too.
    """
    from sonotheque import console
    from sonotheque.library import inspect_file

    library = open_library_if_any(ctx)
    with console.quiet_decoders():
        result = library.inspect(file, picture=output) if library else inspect_file(file, picture=output)
    if output:
        click.echo(f"picture: {output}", err=True)
    if as_json:
        console.print_json(result)
    else:
        console.show_inspected(result)
