"""The commands that show a person where to look: errors."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, embedder_option, open_library


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
    found = library.errors(embedders=embedders or None, most=most, seed=seed)
    if csv_:
        from sonotheque.explore.decisions import write_decisions

        write_decisions(found, csv_)
    if as_json:
        console.print_json(found)
    else:
        console.show_suspicious(found)
    if csv_:
        click.echo(f"{csv_}: fill in the column decision, then `sonotheque errors --apply {csv_}`", err=True)
