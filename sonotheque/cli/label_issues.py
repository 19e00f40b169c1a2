"""The command ``sonotheque errors``: labels that are probably wrong, and their corrections."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, embedder_option, open_library, renamed_option


@click.command()
@click.option(
    "--csv",
    "csv_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the list to this CSV file, with an empty column `decision` for the correct labels.",
)
@click.option(
    "--apply",
    "apply_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Apply such a CSV file: the decision in each row becomes the label of its file. Rows without one change nothing.",
)
@renamed_option(
    "-n",
    "--limit",
    old_name="--most",
    type=click.IntRange(min=1),
    help="Maximum number of labels to list. Default: a tenth of the labelled tracks.",
)
@embedder_option("Embedder whose vectors are used; repeatable. Default: all embedders of the library.")
@click.option("--seed", default=0, show_default=True, help="Random seed of the folds.")
@as_json
@click.pass_context
def errors(
    ctx: click.Context,
    csv_: Path | None,
    apply_: Path | None,
    limit: int | None,
    embedders: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """List labels that are probably wrong, worst first.

    No label is changed unless --apply is given. Near-duplicates, outliers, and silent or damaged tracks are listed separately.
    """
    from sonotheque import console

    if apply_ and (csv_ or limit or embedders):
        raise click.UsageError("--apply cannot be combined with --csv, --limit or --embedder.")
    library = open_library(ctx)
    if apply_:
        labelling = library.apply_corrections(apply_)
        if as_json:
            console.print_json(labelling)
        else:
            console.print_applied_corrections(labelling, path=str(apply_))
        return
    issues = library.errors(embedders=embedders or None, limit=limit, seed=seed, csv=csv_)
    if as_json:
        console.print_json(issues)
    else:
        console.print_label_issues(issues)
    if csv_:
        click.echo(f"{csv_}: fill in the column decision, then run `sonotheque errors --apply {csv_}`", err=True)
