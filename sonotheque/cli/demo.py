"""The command ``sonotheque demo``: every main command once, on the music that ships."""

from __future__ import annotations

import shlex

import click

from sonotheque.cli.collection import add, similar
from sonotheque.cli.genres import classify, evaluate, train
from sonotheque.cli.views import map_


@click.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Show everything on the free music that ships with sonotheque.

    It uses a library of its own unless -L names one.
    """
    import platformdirs

    from sonotheque.demo import music, unlabelled

    ctx.obj = ctx.obj or platformdirs.user_data_path("sonotheque") / "demo"
    places = {"MUSIC": str(music()), "NEW": str(unlabelled()), "PAGE": str(ctx.obj / "map.html")}
    for name, place in places.items():
        click.echo(f"{name} stands for {place}")

    def step(text: str, command: click.Command, *arguments: str) -> None:
        click.secho(f"\n{text}", bold=True)
        click.echo(f"$ sonotheque {' '.join([command.name or '', *arguments])}")
        filled = [
            next(
                (argument.replace(name, place, 1) for name, place in places.items() if argument.startswith(name)),
                argument,
            )
            for argument in arguments
        ]
        command.main(filled, parent=ctx, standalone_mode=False)

    step(
        "46 labelled clips of 5 genres are embedded.",
        add,
        "MUSIC",
        "--labels",
        "MUSIC/metadata.csv",
        "--embedder",
        "musicnn",
    )
    cello = "MUSIC/classical/john-michel-ave-maria-1.mp3"
    step("What sounds like this cello?", similar, cello, "-k", "5", "--max-per-artist", "1")
    step("How well can the genres be told, for artists that were never heard?", evaluate)
    click.echo("(Two clips of each artist, picked to show the program: these figures measure nothing.)")
    step("The classifier learns the genres,", train)
    step("and names those of 9 clips that it has never heard.", classify, "NEW")
    step("All of it as a map: a page to look at and listen to.", map_, "-o", "PAGE")
    click.echo("(These figures measure nothing either.)")
    click.secho("\nThat was sonotheque.", bold=True)
    click.echo(f"This library lies in {ctx.obj}")
    click.echo("Next, your own music:")
    for line in (
        "sonotheque add FOLDER --labels folder      genres are the folders' names; or a CSV, or the files' tags",
        "sonotheque similar TRACK                   what sounds like it",
        "sonotheque evaluate                        how well your genres can be told",
        f"{shlex.join(['sonotheque', '-L', str(ctx.obj)])} status",
    ):
        click.echo(f"  {line}")
