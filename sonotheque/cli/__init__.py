"""The command ``sonotheque``: it parses, calls `Library`, prints. No logic. Its commands are in the modules beside this one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from sonotheque import __version__
from sonotheque.cli.collection import add, label, remove, similar, status
from sonotheque.cli.demo import demo
from sonotheque.cli.exports import export, tag
from sonotheque.cli.genres import classify, evaluate, train
from sonotheque.cli.views import clusters, errors, inspect, map_
from sonotheque.cli.weights import weights
from sonotheque.errors import SonothequeError


class Commands(click.Group):
    """Turns the package's errors into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SonothequeError as error:
            raise click.ClickException(" ".join(str(error).split())) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "-L",
    "--library",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the library. Default: $SONOTHEQUE_LIBRARY, else a folder among your user data.",
)
@click.pass_context
def cli(ctx: click.Context, library: Path | None) -> None:
    """Listen to a music collection: find similar tracks, name genres.

    Start with `sonotheque demo`, or with your own music: `sonotheque add FOLDER`.
    """
    ctx.obj = library


COMMANDS = (
    *(add, status, label, remove, similar, train, classify, evaluate, map_, clusters, errors, inspect, tag, export),
    *(demo, weights),
)

for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    try:
        cli(prog_name="sonotheque", standalone_mode=False)
    except click.Abort:  # Ctrl-C
        click.echo("stopped; what was done is kept, and the same command goes on from there", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.option_name in {"-L", "--library"}:
            click.echo("The library goes before the command: sonotheque -L FOLDER COMMAND", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
