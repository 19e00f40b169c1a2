"""The command ``sonotheque demo``: the main commands, run on the music that ships with the package."""

from __future__ import annotations

import shlex

import click

from sonotheque.cli.classification import classify, evaluate, train
from sonotheque.cli.library import add
from sonotheque.cli.maps import map_
from sonotheque.cli.similarity import similar

QUERY = "MUSIC/classical/john-michel-ave-maria-1.mp3"


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Run the main commands on the free music that is included.

    The demo has its own library unless -L names another one.
    """
    from sonotheque.demo import music, unlabelled
    from sonotheque.user_folders import data_folder

    ctx.obj = ctx.obj or data_folder() / "demo"
    page, report = ctx.obj / "map.html", ctx.obj / "report"
    paths = {"MUSIC": str(music()), "NEW": str(unlabelled()), "PAGE": str(page), "REPORT": str(report)}
    click.echo("In the commands below:")
    for name, path in paths.items():
        click.echo(f"  {name:<6} stands for {path}")

    def run_step(title: str, command: click.Command, *arguments: str) -> None:
        click.secho(f"\n{title}", bold=True)
        click.echo(f"$ sonotheque {' '.join([command.name or '', *arguments])}")
        command.main([_expand(argument, paths) for argument in arguments], parent=ctx, standalone_mode=False)

    run_step(
        "Add 46 clips with labels in 5 genres.",
        add,
        *("MUSIC", "--labels", "MUSIC/metadata.csv", "--embedder", "musicnn"),
    )
    run_step("Find tracks that sound like this cello.", similar, QUERY, *("-k", "5", "--max-per-artist", "1"))
    run_step(
        "Estimate how accurate the genre classification is for new artists, and write a report.",
        evaluate,
        *("--report", "REPORT"),
    )
    click.echo(
        "(There are only about two clips by each artist, selected for this demo. The numbers are not a benchmark.)"
    )
    run_step("Train the genre classifier on all labelled clips.", train)
    run_step("Classify 9 clips that are not in the library.", classify, "NEW")
    run_step("Draw a map of the library as an HTML page that plays the clips.", map_, *("-o", "PAGE"))
    click.echo("(These numbers are not a benchmark either.)")
    click.secho("\nEnd of the demo.", bold=True)
    click.echo(f"The demo library is in {ctx.obj}")
    click.echo("Continue with your own music:")
    for line in (
        "sonotheque add FOLDER --labels folder      add a folder; labels are folder names (or a CSV, or file tags)",
        "sonotheque similar TRACK                   find tracks that sound alike",
        "sonotheque evaluate                        estimate how accurately your genres are classified",
        "sonotheque --help                          list all commands",
    ):
        click.echo(f"  {line}")
    click.echo("Or look at the demo library again:")
    click.echo(f"  {shlex.join(['sonotheque', '-L', str(ctx.obj)])} status")
    click.echo("Open these pages in a browser:")
    for name, path in (("map", page), ("report", report / "report.html")):
        click.echo(f"  {name:<7} {path.absolute().as_uri()}")


def _expand(argument: str, paths: dict[str, str]) -> str:
    """Replace a placeholder at the start of an argument by its path."""
    for name, path in paths.items():
        if argument.startswith(name):
            return argument.replace(name, path, 1)
    return argument
