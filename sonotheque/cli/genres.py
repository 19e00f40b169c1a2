"""The commands about genres: train, classify, evaluate."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import (
    as_json,
    columns_option,
    compute_options,
    embedder_option,
    ids_option,
    model_option,
    open_library,
    paths_argument,
    seed_option,
)


@click.command()
@model_option("auto takes the one that wins on this library's grouped folds.")
@embedder_option("Spaces to learn from; repeatable. Default: all of the library.")
@seed_option
@as_json
@click.pass_context
def train(ctx: click.Context, model: str, embedders: tuple[str, ...], seed: int, as_json: bool) -> None:
    """Learn the genres of the labelled tracks."""
    from sonotheque import console

    result = open_library(ctx).train(model=model, embedders=embedders or None, seed=seed)
    if as_json:
        console.print_json(result)
    else:
        console.show_trained(result)


@click.command()
@paths_argument()
@click.option(
    "--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), help="Write the genres to this CSV too."
)
@columns_option("file,genre")
@ids_option
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV whose rows the --csv must have, in its order, such as sample_submission.csv.",
)
@compute_options
@as_json
@click.pass_context
def classify(
    ctx: click.Context,
    paths: tuple[Path, ...],
    csv_: Path | None,
    columns: list[str] | None,
    ids: Path | None,
    template: Path | None,
    precision: str,
    device: str,
    as_json: bool,
) -> None:
    """Name the genre of files. Nothing is added to the library.

    Beside each genre stand the labelled tracks that speak most for it.
    """
    from sonotheque import console

    if csv_ is None and (columns or ids or template):
        raise click.UsageError("--columns, --ids and --template belong to --csv.")
    if columns and template:
        raise click.UsageError("--template brings its own columns; drop --columns.")
    library = open_library(ctx, precision=precision, device=device)
    with console.progress_bar("embedding") as progress:
        result = library.classify(*paths, progress=progress)
    unfilled: list[str] = []
    if csv_:
        from sonotheque.classify import hand_in

        unfilled = hand_in(result, csv_, columns=columns, ids=ids, template=template)
    if as_json:
        console.print_json(result)
    else:
        console.show_classified(result)
    for row in unfilled:
        click.echo(f"no prediction for {row}: filled with the most frequent genre, {result.fallback}", err=True)
    if not result.tracks and not template:
        raise click.ClickException("no file could be classified")


@click.command()
@model_option("auto chooses inside each fold anew.")
@click.option("--folds", type=click.IntRange(min=2), help="Default: up to 5, as the artists allow.")
@embedder_option("Spaces to learn from; repeatable. Default: all of the library.")
@seed_option
@as_json
@click.pass_context
def evaluate(
    ctx: click.Context, model: str, folds: int | None, embedders: tuple[str, ...], seed: int, as_json: bool
) -> None:
    """Judge how well genres are told, with no artist on both sides of a fold.

    Genres with fewer artists than folds are reported apart.
    """
    from sonotheque import console

    result = open_library(ctx).evaluate(model=model, folds=folds, embedders=embedders or None, seed=seed)
    if as_json:
        console.print_json(result)
    else:
        console.show_evaluated(result)
