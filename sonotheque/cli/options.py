"""What several commands share: opening the library, arguments and options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sonotheque.library import Library


def open_library(ctx: click.Context, *, create: bool = False, precision: str = "auto", device: str = "auto") -> Library:
    """Open the library of the command line; it is closed with the command."""
    from sonotheque.console import show_notices
    from sonotheque.library import Library

    show_notices()
    return ctx.with_resource(Library(ctx.obj, create=create, precision=precision, device=device))


def open_library_if_any(ctx: click.Context) -> Library | None:
    """Open the library of the command line; None where nobody named one and there is none in the usual place."""
    from sonotheque.console import show_notices
    from sonotheque.library import default_path

    show_notices()
    if ctx.obj is None and not (default_path() / "library.sqlite").exists():
        return None
    return open_library(ctx)


def paths_argument(*, required: bool = True) -> Callable[[Any], Any]:
    """Make the argument for folders and files."""
    return click.argument("paths", nargs=-1, required=required, type=click.Path(path_type=Path), metavar="PATH...")


def _split(ctx: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [name.strip() for name in value.split(",")]


as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
ids_option = click.option(
    "--ids", type=click.Path(dir_okay=False, path_type=Path), help="CSV of genre ids and names (genre_id,genre)."
)


def columns_option(names: str) -> Callable[[Any], Any]:
    """Make the option that names the columns of a CSV."""
    return click.option(
        "--columns", callback=_split, metavar=names.upper(), help=f"Names of the CSV's columns: {names}."
    )


MODELS = ("auto", "ensemble", "logreg", "knn", "svm", "forest", "lightgbm", "xgboost", "mlp", "cnn", "head")


def model_options(help_: str, *, also: tuple[str, ...] = ()) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options that say what learns."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        options = [
            click.option("--model", type=click.Choice([*MODELS, *also]), default="auto", show_default=True, help=help_),
            embedder_option("Spaces to learn from; repeatable. Default: all of the library."),
            click.option(
                "--decision",
                type=click.Choice(["track", "mean", "vote", "product", "learned"]),
                default="track",
                show_default=True,
                help="On the whole track, or on its segments of 10 s, whose answers are combined so.",
            ),
            click.option(
                "--minutes",
                type=click.FloatRange(min=0, min_open=True),
                help="auto searches models, spaces and settings for so long, all included.",
            ),
            click.option(
                "--trials",
                type=click.IntRange(min=1),
                help="auto searches with so many trials: the same result each time.",
            ),
            click.option(
                "--augment",
                type=click.IntRange(0, 20),
                default=0,
                metavar="COPIES",
                help="Learn from so many augmented copies of each track too: stretched, shifted, noisy, ...",
            ),
            click.option("--seed", default=0, show_default=True, help="Seed of the folds."),
        ]
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def check_budget(model: str, minutes: float | None, trials: int | None) -> None:
    """Refuse a budget that nothing uses, and two at once."""
    if minutes is not None and trials is not None:
        raise click.UsageError("--minutes and --trials exclude each other.")
    if model != "auto" and (minutes is not None or trials is not None):
        raise click.UsageError("--minutes and --trials belong to --model auto.")


def embedder_option(help_: str) -> Callable[[Any], Any]:
    """Make the option that names embedders."""
    return click.option("--embedder", "embedders", multiple=True, metavar="NAME", help=help_)


def compute_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how networks are computed."""
    precision = click.option(
        "--precision",
        type=click.Choice(["auto", "f32", "bf16"]),
        default="auto",
        show_default=True,
        help="Of the networks. auto: for OpenL3 bf16 where the processor has AMX, else f32.",
    )
    device = click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where they run. auto: on a GPU where the extra cuda is installed and finds one.",
    )
    return precision(device(command))
