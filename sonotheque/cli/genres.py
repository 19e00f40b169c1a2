"""The commands about genres: train, classify, evaluate."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import (
    as_json,
    check_budget,
    columns_option,
    compute_options,
    ids_option,
    model_options,
    open_library,
    paths_argument,
)


@click.command()
@model_options("auto: the quick model that wins on grouped folds; with --minutes or --trials what a search finds.")
@as_json
@click.pass_context
def train(
    ctx: click.Context,
    model: str,
    embedders: tuple[str, ...],
    decision: str,
    minutes: float | None,
    trials: int | None,
    augment: int,
    seed: int,
    as_json: bool,
) -> None:
    """Learn the genres of the labelled tracks.

    After a search stands the score of the same search inside grouped folds: what it says of new artists.
    """
    from sonotheque import console

    check_budget(model, minutes, trials)
    library = open_library(ctx)
    with (
        console.progress_bar("copying", amount="copies") as copying,
        console.progress_bar("training", amount="steps") as progress,
    ):
        result = library.train(
            model=model,
            embedders=embedders or None,
            aggregation=decision,
            minutes=minutes,
            trials=trials,
            augment=augment,
            seed=seed,
            progress=progress,
            copying=copying,
        )
    if as_json:
        console.print_json(result)
    else:
        console.show_trained(result)


@click.command()
@paths_argument(required=False)
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
@click.option(
    "--check",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Check the --csv against this file of its form, such as sample_submission.csv; nothing is classified without a PATH.",
)
@click.option(
    "--abstain",
    type=click.FloatRange(0.5, 1, max_open=True),
    help="Answer only where an accuracy of so much is to be expected, such as 0.9.",
)
@click.option("--timeline", is_flag=True, help="Name the genre of each 10 s too.")
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
    check: Path | None,
    abstain: float | None,
    timeline: bool,
    precision: str,
    device: str,
    as_json: bool,
) -> None:
    """Name the genre of files. Nothing is added to the library.

    Beside each genre stand the labelled tracks that speak most for it.
    """
    from sonotheque import console

    if csv_ is None and (columns or ids or template or check):
        raise click.UsageError("--columns, --ids, --template and --check belong to --csv.")
    if template and abstain is not None:
        raise click.UsageError("--template fills every row; drop --abstain.")
    if not paths and not check:
        raise click.UsageError("Give a PATH; only --check with --csv needs none.")
    if columns and template:
        raise click.UsageError("--template brings its own columns; drop --columns.")
    if not paths:
        _check(csv_, check, ids)
        return
    library = open_library(ctx, precision=precision, device=device)
    with console.progress_bar("embedding") as progress:
        result = library.classify(
            *paths,
            timeline=timeline,
            abstain=abstain,
            csv=csv_,
            columns=columns,
            ids=ids,
            template=template,
            progress=progress,
        )
    if as_json:
        console.print_json(result)
    else:
        console.show_classified(result)
    if check:
        _check(csv_, check, ids)
    if not result.tracks and not template:
        raise click.ClickException("no file could be classified")


def _check(path: Path | None, sample: Path | None, ids: Path | None) -> None:
    from sonotheque.classify.inference.submission_check import check_submission

    if path is not None and sample is not None:
        rows = check_submission(path, sample=sample, ids=ids)
        click.echo(f"{path}: {rows} rows with the ids of {sample} in their order, known genres only: valid", err=True)


@click.command()
@model_options(
    "auto and ensemble choose inside each fold anew. all: every model on every space in one table; --report then explains auto.",
    also=("all",),
)
@click.option("--folds", type=click.IntRange(min=2), help="Default: up to 5, as the artists allow.")
@click.option(
    "--repeats", type=click.IntRange(min=1), default=1, show_default=True, help="Draw the folds so many times."
)
@click.option(
    "--split",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that says which tracks teach and which are tested, instead of folds.",
)
@click.option("--learning-curve", is_flag=True, help="Judge with fewer training artists too.")
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for report.html, a page that explains the figures, and its pictures.",
)
@click.option(
    "--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the report."
)
@as_json
@click.pass_context
def evaluate(
    ctx: click.Context,
    model: str,
    embedders: tuple[str, ...],
    decision: str,
    minutes: float | None,
    trials: int | None,
    augment: int,
    seed: int,
    folds: int | None,
    repeats: int,
    split: Path | None,
    learning_curve: bool,
    report: Path | None,
    lang: str,
    as_json: bool,
) -> None:
    """Judge how well genres are told, with no artist on both sides of a fold.

    Genres with fewer artists than folds are reported apart.
    """
    from sonotheque import console

    check_budget(model, minutes, trials)
    if split and (folds or repeats > 1 or learning_curve):
        raise click.UsageError("--split is used as it is; drop --folds, --repeats and --learning-curve.")
    library = open_library(ctx)
    compared = None
    with (
        console.progress_bar("copying", amount="copies") as copying,
        console.progress_bar("evaluating", amount="steps") as progress,
    ):
        if model == "all":
            compared = library.compare(
                embedders=embedders or None,
                folds=folds,
                augment=augment,
                seed=seed,
                progress=progress,
                copying=copying,
            )
        if report or compared is None:
            result = library.evaluate(
                model="auto" if compared else model,
                folds=folds,
                split=split,
                repeats=repeats,
                embedders=embedders or None,
                aggregation=decision,
                learning_curve=learning_curve,
                minutes=minutes,
                trials=trials,
                augment=augment,
                seed=seed,
                report=report,
                lang=lang,
                compared=compared,
                progress=progress,
                copying=copying,
            )
    if report:
        click.echo(f"report: {report / 'report.html'}", err=True)
    if as_json:
        console.print_json(compared or result)
    elif compared:
        console.show_compared(compared)
    else:
        console.show_evaluated(result)
