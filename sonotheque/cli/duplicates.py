"""The command ``sonotheque duplicates``: files and tracks that may be the same."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, force_option, open_library


@click.command()
@click.option(
    "--embedder",
    metavar="NAME",
    help="Embedder whose vectors propose the pairs. Default: the first embedder of the library that pools its vectors.",
)
@click.option(
    "--fingerprint",
    type=click.Choice(["auto", "chromaprint", "spectral"]),
    default="auto",
    show_default=True,
    help="Fingerprints that decide. auto: chromaprint if fpcalc or pyacoustid is installed, otherwise spectral, which is always "
    "there.",
)
@click.option(
    "--csv",
    "csv_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the groups to this CSV file, with one row for each file.",
)
@force_option
@as_json
@click.pass_context
def duplicates(
    ctx: click.Context, embedder: str | None, fingerprint: str, csv_: Path | None, force: bool, as_json: bool
) -> None:
    """List files that are byte-identical, the same recording, or perhaps another version.

    Pairs that are not certain are listed separately. Nothing is merged, removed or changed. The first run decodes the files that
    are compared; their fingerprints are stored in the library.
    """
    from sonotheque import console

    library = open_library(ctx)
    with console.silence_decoders(), console.progress_bar("computing fingerprints") as progress:
        result = library.duplicates(
            embedder=embedder, fingerprint=fingerprint, csv=csv_, force=force, progress=progress
        )
    if as_json:
        console.print_json(result)
    else:
        console.print_duplicates(result)
    if csv_:
        click.echo(f"duplicates: {csv_}", err=True)
