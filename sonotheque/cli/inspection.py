"""The command ``sonotheque inspect``: the analysis of one audio file."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, force_option, open_library_if_any


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the analysis as a PNG image: waveform, spectra, spectrograms, chroma, onsets, descriptors, genre over time.",
)
@force_option
@as_json
@click.pass_context
def inspect(ctx: click.Context, file: Path, output: Path | None, force: bool, as_json: bool) -> None:
    """Analyse one file: tempo, key, loudness and auto-tags.

    No library is needed. If the library has a trained classifier, the genre over time is shown too.
    """
    from sonotheque import console
    from sonotheque.library import inspect_file

    library = open_library_if_any(ctx)
    with console.silence_decoders():
        result = (library.inspect if library else inspect_file)(file, picture=output, force=force)
    if output:
        click.echo(f"picture: {output}", err=True)
    if as_json:
        console.print_json(result)
    else:
        console.print_inspection(result)
