"""The command ``sonotheque``: it parses, calls `Library`, prints. No logic."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sonotheque import __version__
from sonotheque.cli_weights import weights
from sonotheque.errors import SonothequeError

if TYPE_CHECKING:
    from sonotheque.library import Library


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


def _open(ctx: click.Context, *, create: bool = False) -> Library:
    from sonotheque.console import show_notices
    from sonotheque.library import Library

    show_notices()
    return ctx.with_resource(Library(ctx.obj, create=create))


def _paths(*, required: bool = True) -> Callable[[Any], Any]:
    return click.argument("paths", nargs=-1, required=required, type=click.Path(path_type=Path), metavar="PATH...")


def _split(ctx: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [name.strip() for name in value.split(",")]


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
ids_option = click.option(
    "--ids", type=click.Path(dir_okay=False, path_type=Path), help="CSV of genre ids and names (genre_id,genre)."
)
seed_option = click.option("--seed", default=0, show_default=True, help="Seed of the folds.")


def columns_option(names: str) -> Callable[[Any], Any]:
    """Make the option that names the columns of a CSV."""
    return click.option(
        "--columns", callback=_split, metavar=names.upper(), help=f"Names of the CSV's columns: {names}."
    )


def model_option(help_: str) -> Callable[[Any], Any]:
    """Make the option that names the model."""
    return click.option(
        "--model", type=click.Choice(["auto", "knn", "logreg"]), default="auto", show_default=True, help=help_
    )


def embedder_option(help_: str) -> Callable[[Any], Any]:
    """Make the option that names embedders."""
    return click.option("--embedder", "embedders", multiple=True, metavar="NAME", help=help_)


@cli.command()
@_paths()
@click.option("--labels", metavar="folder|tags|FILE.csv", help="Where the tracks' genres come from.")
@columns_option("file,genre[,artist]")
@ids_option
@embedder_option("auto, openl3 or musicnn; repeatable. Default: what the library uses already, else auto.")
@click.option("--retry", is_flag=True, help="Try files again that failed before.")
@as_json
@click.pass_context
def add(
    ctx: click.Context,
    paths: tuple[Path, ...],
    labels: str | None,
    columns: list[str] | None,
    ids: Path | None,
    embedders: tuple[str, ...],
    retry: bool,
    as_json: bool,
) -> None:
    """Add the music of folders, or single files.

    Folders are searched for audio and video files. What the library knows already is not done again: a command that
    was stopped is simply run once more.
    """
    from sonotheque import console
    from sonotheque.embed.registry import choose
    from sonotheque.store.scan import require_audio

    require_audio(paths)  # before a library is made for nothing
    if embedders and "auto" not in embedders:
        with console.progress_bar("fetching weights", amount="bytes") as received:
            choose(embedders, progress=received)
    library = _open(ctx, create=True)
    with console.progress_bar("embedding") as progress:
        status = library.add(
            *paths,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders or ("auto",),
            retry=retry,
            progress=progress,
        )
    if as_json:
        console.print_json(status)
    else:
        console.show_status(status, library=str(library.path), below=[str(path) for path in paths])


@cli.command()
@as_json
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what the library holds, and which files failed and why."""
    from sonotheque import console

    library = _open(ctx)
    if as_json:
        console.print_json(library.status())
    else:
        console.show_status(library.status(), library=str(library.path))


@cli.command()
@click.argument("source", metavar="FILE.csv|tags")
@columns_option("file,genre[,artist]")
@ids_option
@as_json
@click.pass_context
def label(ctx: click.Context, source: str, columns: list[str] | None, ids: Path | None, as_json: bool) -> None:
    """Set or change genres of tracks that are in the library.

    Rows are matched to files by path, file name or stem.
    """
    from sonotheque import console

    result = _open(ctx).label(source, columns=columns, ids=ids)
    if as_json:
        console.print_json(result)
        return
    for row in result.unmatched[: console.SHOWN]:
        click.echo(f"no such track: {row}", err=True)
    click.echo(
        f"{result.matched} tracks matched, {result.changed} labels changed, {len(result.unmatched)} rows unmatched"
    )


@cli.command()
@_paths(required=False)
@click.option("--missing", is_flag=True, help="Remove every file that no longer exists.")
@as_json
@click.pass_context
def remove(ctx: click.Context, paths: tuple[Path, ...], missing: bool, as_json: bool) -> None:
    """Forget files, or all files of folders. Nothing on disk is touched."""
    from sonotheque import console

    if not paths and not missing:
        raise click.UsageError("Give a PATH, or --missing.")
    result = _open(ctx).remove(*paths, missing=missing)
    if as_json:
        console.print_json(result)
    else:
        click.echo(f"{result.places} files forgotten, {result.removed} tracks removed with them, {result.tracks} left")


@cli.command()
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="How many tracks.")
@click.option("--max-per-artist", type=click.IntRange(min=1), help="How many tracks of one artist at most.")
@click.option("--genre", help="Only tracks of this genre.")
@click.option("--m3u", type=click.Path(dir_okay=False, path_type=Path), help="Write the tracks to this playlist too.")
@as_json
@click.pass_context
def similar(
    ctx: click.Context,
    queries: tuple[str, ...],
    k: int,
    max_per_artist: int | None,
    genre: str | None,
    m3u: Path | None,
    as_json: bool,
) -> None:
    """Find the tracks nearest to one or several tracks or files.

    A QUERY is any audio file, or the name of a track's file. Several queries are averaged.
    """
    from sonotheque import console

    result = _open(ctx).similar(*queries, k=k, max_per_artist=max_per_artist, genre=genre)
    if m3u:
        from sonotheque.explore import playlist

        _write(m3u, playlist(result.results, folder=m3u.parent))
    if as_json:
        console.print_json(result)
    else:
        console.show_similar(result)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written ({error.strerror or error})") from None


@cli.command()
@model_option("auto takes the one that wins on this library's grouped folds.")
@embedder_option("Spaces to learn from; repeatable. Default: all of the library.")
@seed_option
@as_json
@click.pass_context
def train(ctx: click.Context, model: str, embedders: tuple[str, ...], seed: int, as_json: bool) -> None:
    """Learn the genres of the labelled tracks."""
    from sonotheque import console

    result = _open(ctx).train(model=model, embedders=embedders or None, seed=seed)
    if as_json:
        console.print_json(result)
    else:
        console.show_trained(result)


@cli.command()
@_paths()
@click.option(
    "--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), help="Write the genres to this CSV too."
)
@columns_option("file,genre")
@ids_option
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV whose rows the --csv must have, in its order, such as sample_submission.csv.",
)
@as_json
@click.pass_context
def classify(
    ctx: click.Context,
    paths: tuple[Path, ...],
    csv_: Path | None,
    columns: list[str] | None,
    ids: Path | None,
    template: Path | None,
    as_json: bool,
) -> None:
    """Name the genre of files. Nothing is added to the library.

    Beside each genre stand the labelled tracks that speak most for it.
    """
    from sonotheque import console

    if csv_ is None and (columns or ids or template):
        raise click.UsageError("--columns, --ids and --template belong to --csv.")
    if columns and template:
        raise click.UsageError("--template brings its own columns; drop --columns.")
    library = _open(ctx)
    with console.progress_bar("embedding") as progress:
        result = library.classify(*paths, progress=progress)
    unfilled: list[str] = []
    if csv_:
        from sonotheque.classify import hand_in

        unfilled = hand_in(result, csv_, columns=columns, ids=ids, template=template)
    if as_json:
        console.print_json(result)
    else:
        console.show_classified(result)
    for row in unfilled:
        click.echo(f"no prediction for {row}: filled with the most frequent genre, {result.fallback}", err=True)
    if not result.tracks and not template:
        raise click.ClickException("no file could be classified")


@cli.command()
@model_option("auto chooses inside each fold anew.")
@click.option("--folds", type=click.IntRange(min=2), help="Default: up to 5, as the artists allow.")
@embedder_option("Spaces to learn from; repeatable. Default: all of the library.")
@seed_option
@as_json
@click.pass_context
def evaluate(
    ctx: click.Context, model: str, folds: int | None, embedders: tuple[str, ...], seed: int, as_json: bool
) -> None:
    """Judge how well genres are told, with no artist on both sides of a fold.

    Genres with fewer artists than folds are reported apart.
    """
    from sonotheque import console

    result = _open(ctx).evaluate(model=model, folds=folds, embedders=embedders or None, seed=seed)
    if as_json:
        console.print_json(result)
    else:
        console.show_evaluated(result)


@cli.command()
@click.pass_context
def demo(ctx: click.Context) -> None:
    """Show everything on the free music that ships with sonotheque.

    It uses a library of its own unless -L names one.
    """
    import platformdirs

    from sonotheque.demo import music, unlabelled

    ctx.obj = ctx.obj or platformdirs.user_data_path("sonotheque") / "demo"
    folders = {"MUSIC": str(music()), "NEW": str(unlabelled())}
    click.echo(f"MUSIC stands for {folders['MUSIC']}\nNEW stands for {folders['NEW']}")

    def step(text: str, command: click.Command, *arguments: str) -> None:
        click.secho(f"\n{text}", bold=True)
        click.echo(f"$ sonotheque {' '.join([command.name or '', *arguments])}")
        filled = [argument.replace("MUSIC", folders["MUSIC"]).replace("NEW", folders["NEW"]) for argument in arguments]
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


cli.add_command(weights)


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
