"""The commands for the map of the library: map, clusters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from sonotheque.cli.options import Decorator, as_json, force_option, number_range, open_library, renamed_option


def _map_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of the map's projection and clustering."""
    options: list[Decorator] = [
        click.option(
            "--embedder",
            metavar="NAME",
            help="Embedder whose vectors are mapped. Default: the first one of the library.",
        ),
        renamed_option(
            "--rebuild",
            old_name="--anew",
            is_flag=True,
            help="Compute the map again from scratch. Otherwise, existing positions do not change.",
        ),
        click.option(
            "--neighbours",
            type=number_range("neighbours"),
            help="Number of neighbours for UMAP: small values show details, large values the overall structure. "
            "Default: 15, more from 10,000 tracks on.",
        ),
        click.option(
            "--cluster-size",
            type=number_range("cluster_size"),
            help="Minimum number of tracks in a cluster. Default: half the square root of the number of tracks, at least 5.",
        ),
        click.option("--seed", type=number_range("seed"), help="Random seed of the map. Default: 0."),
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
    help="HTML file to write.",
)
@click.option(
    "--audio",
    default="auto",
    show_default=True,
    metavar="auto|embed|files|none|ADDRESS",
    help="What a click on a track plays. embed: an excerpt stored in the page. files: the file on disk. ADDRESS: the file "
    "below this web address. auto: embed for up to 300 tracks, otherwise files.",
)
@_map_options
@force_option
@as_json
@click.pass_context
def map_(
    ctx: click.Context,
    output: Path,
    audio: str,
    embedder: str | None,
    rebuild: bool,
    neighbours: int | None,
    cluster_size: int | None,
    seed: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """Draw a map of all tracks as an HTML page that works offline.

    The map is stored in the library. Tracks that are added later are placed on it, and existing positions do not change.
    """
    from sonotheque import console

    library = open_library(ctx)
    with (
        console.silence_decoders(),
        console.progress_bar("computing the map", unit="%") as progress,
        console.progress_bar("extracting excerpts", unit="excerpts") as excerpt_progress,
    ):
        result = library.map(
            output,
            embedder=embedder,
            neighbours=neighbours,
            cluster_size=cluster_size,
            seed=seed,
            rebuild=rebuild,
            audio=audio,
            force=force,
            progress=progress,
            cutting=excerpt_progress,
        )
    click.echo(f"map: {output}", err=True)
    if as_json:
        console.print_json(result)
    else:
        console.print_map_summary(result)


@click.command()
@click.option(
    "--csv",
    "csv_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the cluster of each track to this CSV file.",
)
@_map_options
@force_option
@as_json
@click.pass_context
def clusters(
    ctx: click.Context,
    csv_: Path | None,
    embedder: str | None,
    rebuild: bool,
    neighbours: int | None,
    cluster_size: int | None,
    seed: int | None,
    force: bool,
    as_json: bool,
) -> None:
    """List the clusters of the map and compare them with the labels.

    Clusters are found without labels and named after what distinguishes them. They are the same as on the map.
    """
    from sonotheque import console

    library = open_library(ctx)
    with console.progress_bar("computing the map", unit="%") as progress:
        result = library.map(
            embedder=embedder,
            neighbours=neighbours,
            cluster_size=cluster_size,
            seed=seed,
            rebuild=rebuild,
            csv=csv_,
            force=force,
            progress=progress,
        )
    if csv_:
        click.echo(f"clusters: {csv_}", err=True)
    if as_json:
        console.print_json(result)
    else:
        console.print_map_summary(result, genre_table=True)
