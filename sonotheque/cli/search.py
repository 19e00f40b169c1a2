"""The command ``sonotheque search``: tracks that fit words."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import as_json, force_option, number_range, open_library


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="WORDS...")
@click.option("-k", default=10, show_default=True, type=number_range("k"), help="Number of tracks to return.")
@click.option("--genre", help="Return only tracks of this genre.")
@click.option(
    "--m3u", type=click.Path(dir_okay=False, path_type=Path), help="Also write the tracks to this M3U playlist."
)
@force_option
@as_json
@click.pass_context
def search(
    ctx: click.Context, words: tuple[str, ...], k: int, genre: str | None, m3u: Path | None, force: bool, as_json: bool
) -> None:
    """Find the tracks that fit words best, such as "slow acoustic female vocals".

    WORDS can describe the genre, the mood, instruments, voices, the era, the tempo (slow, 120 bpm, 90-110 bpm), the key (in A
    minor) or the level, and can be parts of titles, artists and albums. "no", "not", "without" and a minus sign negate what
    follows. Inner quotation marks keep a name together: '"blue train" slow'. The output says which words were understood, and why
    each track was found.
    """
    from sonotheque import console

    library = open_library(ctx)
    with console.progress_bar("predicting genres", unit="tracks") as progress:
        result = library.search(" ".join(words), k=k, genre=genre, m3u=m3u, force=force, progress=progress)
    if as_json:
        console.print_json(result)
    else:
        console.print_found_tracks(result)
