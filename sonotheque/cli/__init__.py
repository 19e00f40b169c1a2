"""The ``sonotheque`` command: its commands, grouped by task. Each command parses its arguments, calls `Library` and prints."""

from __future__ import annotations

import errno
import logging
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from sonotheque import __version__
from sonotheque.cli.classification import classify, evaluate, train
from sonotheque.cli.demo import demo
from sonotheque.cli.duplicates import duplicates
from sonotheque.cli.export import export, tag
from sonotheque.cli.index import index
from sonotheque.cli.inspection import inspect
from sonotheque.cli.label_issues import errors
from sonotheque.cli.library import add, label, remove, status, undo
from sonotheque.cli.maps import clusters, map_
from sonotheque.cli.playlists import playlist
from sonotheque.cli.search import search
from sonotheque.cli.similarity import similar
from sonotheque.cli.standard_streams import (
    discard_output,
    escape_what_cannot_be_shown,
    flush_standard_output,
    open_closed_streams,
    output_error,
    use_utf8_file_names,
)
from sonotheque.cli.weights import weights
from sonotheque.errors import SonothequeError

SECTIONS: dict[str, tuple[click.Command, ...]] = {
    "Library": (add, status, label, remove, undo, index),
    "Similarity and search": (similar, search, playlist, duplicates),
    "Genre classification": (train, classify, evaluate, errors),
    "Maps and inspection": (map_, clusters, inspect),
    "Export": (export, tag),
    "Setup": (demo, weights),
}
"""The commands under the headings of ``sonotheque --help``."""


MAX_MESSAGE = 300
"""Characters of the message of an unexpected error that are printed; the log has all of them."""


class SectionedGroup(click.Group):
    """A group that lists its commands by task and reports the package's errors in one line, with exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of `SECTIONS`."""
        return [command.name or "" for commands in SECTIONS.values() for command in commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one section for each task, with the summary of each command in full."""
        width = max(map(len, self.list_commands(ctx)))
        for heading, commands in SECTIONS.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [((command.name or "").ljust(width), command.get_short_help_str(limit=200)) for command in commands]
                )

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SonothequeError as error:
            raise click.ClickException(" ".join(str(error).split())) from None


@click.group(cls=SectionedGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "-L",
    "--library",
    type=click.Path(file_okay=False, path_type=Path),
    help="Library folder. Default: $SONOTHEQUE_LIBRARY if it is set, otherwise a folder in your user data directory.",
)
@click.pass_context
def cli(ctx: click.Context, library: Path | None) -> None:
    """Find similar tracks, classify genres and draw maps of a music collection.

    Start with `sonotheque demo`, or with your own music: `sonotheque add FOLDER`.
    """
    ctx.obj = library


for section in SECTIONS.values():
    for command in section:
        cli.add_command(command)


def main() -> None:
    """Run the command line and exit with its status.

    No exception leaves as a traceback: an unexpected one is logged, and told in one line. With $SONOTHEQUE_DEBUG it is raised.
    """
    use_utf8_file_names()
    open_closed_streams()
    escape_what_cannot_be_shown()
    debugging = os.environ.get("SONOTHEQUE_DEBUG", "0") not in {"", "0"}
    if not debugging and not sys.warnoptions:  # the warnings of other packages; those of this one have a handler
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        status = _run()
    except Exception as error:
        if debugging:
            raise
        status = _report_unexpected_error(error)
    discard_output()
    sys.exit(status)


def _run() -> int:
    """Run the command line and return its exit status."""
    try:
        status = cli(prog_name="sonotheque", standalone_mode=False)
        flush_standard_output()
    except click.Abort:  # Ctrl-C
        click.echo(
            "interrupted; everything that was already stored is kept. Run the command again to continue", err=True
        )
        return 130
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.option_name in {"-L", "--library"}:
            click.echo("Put the library before the command: sonotheque -L FOLDER COMMAND", err=True)
        return error.exit_code
    except click.exceptions.Exit as end:
        return end.exit_code
    return status if isinstance(status, int) else 0


def _report_unexpected_error(error: Exception) -> int:
    """Say in one line what happened and where the details are, and return the exit status."""
    failure = output_error(error)
    if failure is not None:
        message = "" if failure.errno == errno.EPIPE else f"standard output: cannot be written ({failure.strerror})"
    elif isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        message = f"{error.filename or 'the disk'}: the disk is full; free some space, then run the command again"
    else:
        message = _describe_unexpected_error(error)
    with suppress(OSError):
        if message:
            click.echo(f"Error: {message}", err=True)
    return 1


def _describe_unexpected_error(error: Exception) -> str:
    from sonotheque.error_log import write_error_log

    if isinstance(error, MemoryError):
        what = "not enough memory; close other programs, or give the command fewer files"
    else:
        what = f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:MAX_MESSAGE]}"
    log = None
    with suppress(Exception):  # nothing that goes wrong here may hide the error
        log = write_error_log(error)
    if log is None:
        return f"{what}. No log could be written; please report this with the output of the command under SONOTHEQUE_DEBUG=1"
    return f"{what}. Please report this to the developers with the log {log}"
