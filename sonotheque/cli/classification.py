"""The commands for genre classification: train, classify, evaluate."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import (
    as_json,
    check_search_budget,
    columns_option,
    compute_options,
    force_option,
    ids_option,
    is_given,
    model_options,
    number_range,
    open_library,
    paths_argument,
    refuse_other_options,
)
from sonotheque.output_files import refuse_inputs
from sonotheque.plurals import pluralize


@click.command()
@model_options(
    "auto: the most accurate of the fast models on artist-grouped folds or, with --minutes or --trials, the result of a search."
)
@as_json
@click.pass_context
def train(
    ctx: click.Context,
    model: str,
    embedders: tuple[str, ...],
    aggregation: str,
    minutes: float | None,
    trials: int | None,
    augment: int,
    seed: int,
    as_json: bool,
) -> None:
    """Train the genre classifier on the labelled tracks.

    With --minutes or --trials, the search is also repeated inside artist-grouped folds (nested cross-validation). The
    accuracy that is printed is an estimate for new artists.
    """
    from sonotheque import console

    check_search_budget(model, minutes, trials)
    library = open_library(ctx)
    with (
        console.progress_bar("augmenting", unit="copies") as augmentation_progress,
        console.progress_bar("training", unit="trials" if trials else "%") as progress,
    ):
        result = library.train(
            model=model,
            embedders=embedders or None,
            aggregation=aggregation,
            minutes=minutes,
            trials=trials,
            augment=augment,
            seed=seed,
            progress=progress,
            copying=augmentation_progress,
        )
    if as_json:
        console.print_json(result)
    else:
        console.print_training(result)


@click.command()
@paths_argument(required=False)
@click.option(
    "--csv",
    "csv_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the predictions to this CSV file.",
)
@columns_option("file,genre", help_="Column names of the --csv file. Default: file,genre.")
@ids_option
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file, such as sample_submission.csv, whose rows the --csv file must have, in the same order.",
)
@click.option(
    "--check",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare the format of the --csv file with this file, such as sample_submission.csv. Without a PATH, an existing "
    "--csv file is checked and nothing is classified.",
)
@click.option(
    "--abstain",
    type=number_range("abstain"),
    help="Required accuracy, such as 0.9: abstain from predictions whose probability is too low to reach it.",
)
@click.option("--timeline", is_flag=True, help="Also predict the genre of each 10 s segment.")
@compute_options
@force_option
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
    force: bool,
    as_json: bool,
) -> None:
    """Predict the genre of audio files.

    The files are not added to the library. Each prediction is listed with the nearest labelled tracks of that genre.
    """
    from sonotheque import console

    if csv_ is None and (columns or ids or template or check):
        raise click.UsageError("--columns, --ids, --template and --check require --csv.")
    if template and abstain is not None:
        raise click.UsageError("--template needs a genre in every row and cannot be combined with --abstain.")
    if not paths and not check:
        raise click.UsageError("Give a PATH. It may be omitted only with --check.")
    if columns and template:
        raise click.UsageError("--template sets the column names and cannot be combined with --columns.")
    if not paths:
        _check_submission(csv_, check, ids)
        return
    if csv_ and check:
        refuse_inputs(csv_, [check])
    library = open_library(ctx, precision=precision, device=device)
    with console.progress_bar("embedding", unit="files") as progress:
        result = library.classify(
            *paths,
            timeline=timeline,
            abstain=abstain,
            csv=csv_,
            columns=columns,
            ids=ids,
            template=template,
            force=force,
            progress=progress,
        )
    if as_json:
        console.print_json(result)
    else:
        console.print_predictions(result)
    if check:
        _check_submission(csv_, check, ids)
    if not result.tracks and not template:
        raise click.ClickException("no file could be classified")


def _check_submission(path: Path | None, sample: Path | None, ids: Path | None) -> None:
    from sonotheque.classify.inference.submission_check import check_submission

    if path is not None and sample is not None:
        rows = check_submission(path, sample=sample, ids=ids)
        click.echo(
            f"{path}: valid; {pluralize(rows, 'row')} with the same ids and order as {sample}, known genres only",
            err=True,
        )


@click.command()
@model_options(
    "auto, ensemble: selected inside each fold. all: compare every model on every space in one table; --report then "
    "explains auto.",
    extra_models=("all",),
)
@click.option(
    "--folds",
    type=number_range("folds"),
    help="Number of folds. Default: up to 5, depending on the number of artists in each genre.",
)
@click.option(
    "--repeats",
    type=number_range("repeats"),
    default=1,
    show_default=True,
    help="Number of cross-validations, each with reshuffled folds.",
)
@click.option(
    "--split",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that assigns tracks to the training set and the test set; it replaces the folds.",
)
@click.option("--learning-curve", is_flag=True, help="Also evaluate with fewer training artists.")
@click.option(
    "--retrieval",
    is_flag=True,
    help="Evaluate similarity search instead of classification: how often similar tracks share genre, album and artist, and "
    "which tracks are in too many lists or in none.",
)
@click.option(
    "-k",
    type=number_range("k"),
    default=10,
    show_default=True,
    help="With --retrieval: length of the lists of similar tracks.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for an HTML report with figures (report.html).",
)
@click.option(
    "--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the report."
)
@force_option
@as_json
@click.pass_context
def evaluate(
    ctx: click.Context,
    model: str,
    embedders: tuple[str, ...],
    aggregation: str,
    minutes: float | None,
    trials: int | None,
    augment: int,
    seed: int,
    folds: int | None,
    repeats: int,
    split: Path | None,
    learning_curve: bool,
    retrieval: bool,
    k: int,
    report: Path | None,
    lang: str,
    force: bool,
    as_json: bool,
) -> None:
    """Cross-validate genre classification with artist-grouped folds.

    Genres with fewer artists than folds are used for training only, and are listed separately.
    With --retrieval, similarity search is evaluated instead.
    """
    from sonotheque import console

    if retrieval:
        refuse_other_options(ctx, "--retrieval", {"retrieval", "k", "embedders", "as_json"})
        library = open_library(ctx)
        with console.progress_bar("comparing", unit="%") as progress:
            found = library.evaluate_retrieval(embedders=embedders or None, k=k, progress=progress)
        if as_json:
            console.print_json(found)
        else:
            console.print_retrieval(found)
        return
    if is_given(ctx, "k"):
        raise click.UsageError("-k requires --retrieval.")
    check_search_budget(model, minutes, trials)
    if split and (folds or repeats > 1 or learning_curve):
        raise click.UsageError("--split cannot be combined with --folds, --repeats or --learning-curve.")
    library = open_library(ctx)
    comparison = None
    with (
        console.progress_bar("augmenting", unit="copies") as augmentation_progress,
        console.progress_bar("evaluating", unit=_evaluation_unit(model, minutes, trials)) as progress,
    ):
        if model == "all":
            comparison = library.compare(
                embedders=embedders or None,
                folds=folds,
                augment=augment,
                seed=seed,
                progress=progress,
                copying=augmentation_progress,
            )
        if report or comparison is None:
            result = library.evaluate(
                model="auto" if comparison else model,
                folds=folds,
                split=split,
                repeats=repeats,
                embedders=embedders or None,
                aggregation=aggregation,
                learning_curve=learning_curve,
                minutes=minutes,
                trials=trials,
                augment=augment,
                seed=seed,
                report=report,
                force=force,
                lang=lang,
                compared=comparison,
                progress=progress,
                copying=augmentation_progress,
            )
    if report:
        click.echo(f"report: {report / 'report.html'}", err=True)
    if as_json:
        console.print_json(comparison or result)
    elif comparison:
        console.print_comparison(comparison)
    else:
        console.print_evaluation(result)


def _evaluation_unit(model: str, minutes: float | None, trials: int | None) -> str:
    """Return what an evaluation counts while it runs: trials of a search, folds, or parts of its time or of many fits."""
    if minutes is not None or model == "all":
        return "%"
    return "trials" if trials is not None else "folds"
