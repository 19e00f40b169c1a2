"""The command ``sonotheque errors``: labels that are probably wrong, and their corrections."""

from __future__ import annotations

from pathlib import Path

import click
from click.core import ParameterSource

from sonotheque.cli.options import (
    as_json,
    dry_run_option,
    embedder_option,
    force_option,
    number_range,
    open_library,
    renamed_option,
)


@click.command()
@click.option(
    "--csv",
    "csv_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the list to this CSV file, with an empty column `decision` for the correct labels.",
)
@click.option(
    "--page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="Also write an HTML page that works offline: listen to each track and to its nearest tracks, decide, and save the "
    "corrections as a CSV file for --apply.",
)
@click.option(
    "--audio",
    default="auto",
    show_default=True,
    metavar="auto|embed|files|none|ADDRESS",
    help="What the page plays. embed: an excerpt stored in the page. files: the file on disk. ADDRESS: the file below this web "
    "address. auto: embed for up to 300 tracks, otherwise files.",
)
@click.option("--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the page.")
@click.option(
    "--apply",
    "apply_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Apply such a CSV file: the decision in each row becomes the label of its file. Rows without one, or with ok or keep, "
    "change nothing.",
)
@click.option("--new-genres", is_flag=True, help="With --apply: accept genres that the library does not have.")
@dry_run_option
@renamed_option(
    "-n",
    "--limit",
    old_name="--most",
    type=number_range("limit"),
    help="Maximum number of labels to list. Default: a tenth of the labelled tracks.",
)
@embedder_option("Embedder whose vectors are used; repeatable. Default: all embedders of the library.")
@click.option("--seed", type=number_range("seed"), default=0, show_default=True, help="Random seed of the folds.")
@force_option
@as_json
@click.pass_context
def errors(
    ctx: click.Context,
    csv_: Path | None,
    page: Path | None,
    audio: str,
    lang: str,
    apply_: Path | None,
    new_genres: bool,
    dry_run: bool,
    limit: int | None,
    embedders: tuple[str, ...],
    seed: int,
    force: bool,
    as_json: bool,
) -> None:
    """List labels that are probably wrong, worst first.

    No label is changed unless --apply is given, and `sonotheque undo` takes that back. Near-duplicates, outliers, and silent
    or damaged tracks are listed separately.
    """
    from sonotheque import console

    if apply_ and (csv_ or page or limit or embedders):
        raise click.UsageError("--apply cannot be combined with --csv, --page, --limit or --embedder.")
    if (new_genres or dry_run) and not apply_:
        raise click.UsageError("--new-genres and --dry-run require --apply.")
    for name in ("audio", "lang"):
        if page is None and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise click.UsageError(f"--{name} requires --page.")
    library = open_library(ctx)
    if apply_:
        labelling = library.apply_corrections(apply_, new_genres=new_genres, dry_run=dry_run)
        if as_json:
            console.print_json(labelling)
        else:
            console.print_applied_corrections(labelling, path=str(apply_))
        return
    with console.silence_decoders(), console.progress_bar("extracting excerpts", unit="excerpts") as progress:
        issues = library.errors(
            embedders=embedders or None,
            limit=limit,
            seed=seed,
            csv=csv_,
            page=page,
            audio=audio,
            lang=lang,
            force=force,
            cutting=progress,
        )
    if as_json:
        console.print_json(issues)
    else:
        console.print_label_issues(issues)
    if page:
        click.echo(f"page: {page}", err=True)
    if csv_:
        click.echo(f"{csv_}: fill in the column decision, then run `sonotheque errors --apply {csv_}`", err=True)
