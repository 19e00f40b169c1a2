"""Arguments and options that several commands share, renamed options, and the library that a command opens."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from sonotheque.parameters import RANGES

if TYPE_CHECKING:
    from sonotheque.library import Library

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def open_library(ctx: click.Context, *, create: bool = False, precision: str = "auto", device: str = "auto") -> Library:
    """Open the library given on the command line. It is closed when the command ends."""
    from sonotheque.console import print_log_messages
    from sonotheque.library import Library

    print_log_messages()
    return ctx.with_resource(Library(ctx.obj, create=create, precision=precision, device=device))


def open_library_for_preview(ctx: click.Context) -> Library:
    """Open the library given on the command line. If there is none, an empty temporary one takes its place."""
    import tempfile

    from sonotheque.library import default_path

    if not ((ctx.obj or default_path()) / "library.sqlite").exists():
        ctx.obj = Path(ctx.with_resource(tempfile.TemporaryDirectory()))
    return open_library(ctx, create=True)


def open_library_if_any(ctx: click.Context) -> Library | None:
    """Open the library given on the command line, or the default one; None if neither -L nor a default library exists."""
    from sonotheque.console import print_log_messages
    from sonotheque.errors import LibraryError
    from sonotheque.library import default_path

    print_log_messages()
    if ctx.obj is None:
        try:
            default = default_path() / "library.sqlite"
        except LibraryError:  # no home folder
            return None
        if not os.path.exists(default):
            return None
    return open_library(ctx)


class FiniteFloatRange(click.FloatRange):
    """A range of floats. NaN is outside of it, unlike in click."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert a text to a number in the range."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number


def number_range(name: str) -> click.IntRange | FiniteFloatRange:
    """Make the type of an option that takes a number, with its range in `sonotheque.parameters.RANGES`."""
    allowed = RANGES[name]
    if allowed.whole:
        return click.IntRange(int(allowed.minimum), int(allowed.maximum))
    return FiniteFloatRange(allowed.minimum, allowed.maximum, min_open=allowed.min_open, max_open=allowed.max_open)


class TextRange(click.ParamType[tuple[float | None, float | None]]):
    """A range that is written as one text: ``1990-1999``, ``1990-``, ``-1999`` or a single value.

    Parameters
    ----------
    name : str
        Shown in the help, such as ``YEARS``.
    minimum, maximum : str
        Names of the ends in `sonotheque.parameters.RANGES`.
    parse : callable
        Converts the text of one end into a number; raises ValueError if it is none.
    """

    def __init__(self, name: str, *, minimum: str, maximum: str, parse: Callable[[str], float]) -> None:
        self.name = name
        self._ends = minimum, maximum
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float | None, float | None]:
        """Convert a text to the two ends of a range; None is no end."""
        if isinstance(value, tuple):
            return value
        low, dash, high = str(value).strip().partition("-")
        try:
            ends = [self._parse(text) if text.strip() else None for text in ((low, high) if dash else (low, low))]
        except ValueError:
            self.fail(f"{value!r} is not a range like 10-20, 10- or -20.", param, ctx)
        for name, end in zip(self._ends, ends, strict=True):
            if end is not None and not RANGES[name].contains(end):
                self.fail(f"{value!r}: each end must be {RANGES[name].describe()}.", param, ctx)
        if ends == [None, None] or (ends[0] is not None and ends[1] is not None and ends[0] > ends[1]):
            self.fail(f"{value!r} is an empty range.", param, ctx)
        return ends[0], ends[1]


def parse_time(text: str) -> float:
    """Convert a time such as ``1:10`` or ``70`` to s.

    Raises
    ------
    ValueError
        If it is not a time.

    Examples
    --------
    >>> parse_time("1:10"), parse_time("90"), parse_time("1:00:00")
    (70.0, 90.0, 3600.0)
    """
    parts = text.strip().split(":")
    if not 1 <= len(parts) <= 3 or not all(part.replace(".", "", 1).isdecimal() for part in parts):
        raise ValueError(text)
    seconds = 0.0
    for part in parts:
        seconds = 60 * seconds + float(part)
    return seconds


def paths_argument(*, required: bool = True) -> Decorator:
    """Make the argument for folders and files."""
    return click.argument(
        "paths",
        nargs=-1,
        required=required,
        type=click.Path(path_type=Path),
        metavar="PATH..." if required else "[PATH]...",
    )


def renamed_option(*names: str, old_name: str, **attributes: Any) -> Decorator:
    """Make an option that is also accepted under its old name, which the help does not list.

    The old name has the same effect and prints a deprecation notice on standard error. Both names at once are a usage error.

    Parameters
    ----------
    *names : str
        Names of the option; the last one is the new long name, such as ``--limit``.
    old_name : str
        The old long name, such as ``--most``.
    **attributes
        Passed to `click.option`.
    """
    new_name = names[-1]
    new_key, old_key = (name.lstrip("-").replace("-", "_") for name in (new_name, old_name))
    hidden_attributes = {key: value for key, value in attributes.items() if key in {"type", "is_flag"}}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run_with_new_name(*arguments: Any, **values: Any) -> Any:
            ctx = click.get_current_context()
            old_value = values.pop(old_key)
            if ctx.get_parameter_source(old_key) is not ParameterSource.DEFAULT:
                if ctx.get_parameter_source(new_key) is not ParameterSource.DEFAULT:
                    raise click.UsageError(f"{old_name} is the old name of {new_name}; give only {new_name}.")
                click.echo(f"warning: {old_name} is deprecated; use {new_name}", err=True)
                values[new_key] = old_value
            return command(*arguments, **values)

        hidden_option = click.option(old_name, hidden=True, **hidden_attributes)
        return click.option(*names, **attributes)(hidden_option(run_with_new_name))

    return decorate


def _split_at_commas(ctx: click.Context, parameter: click.Parameter, value: str | None) -> list[str] | None:
    return None if value is None else [name.strip() for name in value.split(",")]


dry_run_option = click.option(
    "--dry-run", "dry_run", is_flag=True, help="Change nothing; only show what would be changed."
)
new_genres_option = click.option(
    "--new-genres",
    is_flag=True,
    help="Accept labels that are numbers although the genres of the library are names.",
)
force_option = click.option(
    "--force",
    is_flag=True,
    help="Replace an existing output file that was not written by this command, or was changed since. Music, libraries, inputs and "
    "files of another kind are never replaced.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON document.")
ids_option = click.option(
    "--ids",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file that maps genre ids to names (columns genre_id,genre).",
)


def columns_option(names: str, *, help_: str) -> Decorator:
    """Make the option that names the columns of a CSV file."""
    return click.option("--columns", callback=_split_at_commas, metavar=names.upper(), help=help_)


def label_columns_option() -> Decorator:
    """Make the option that names the columns of a CSV file with labels."""
    return columns_option(
        "file,genre[,artist]",
        help_="Column names of the CSV file, in this order. Default: recognised by their usual names.",
    )


MODELS = ("auto", "ensemble", "logreg", "knn", "svm", "forest", "lightgbm", "xgboost", "mlp", "cnn", "head")


def model_options(help_: str, *, extra_models: tuple[str, ...] = ()) -> Decorator:
    """Give a command the options that choose and configure a classification model."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        options: list[Decorator] = [
            click.option(
                "--model",
                type=click.Choice([*MODELS, *extra_models]),
                default="auto",
                show_default=True,
                help=help_,
            ),
            embedder_option("Embedder whose vectors are used; repeatable. Default: all embedders of the library."),
            renamed_option(
                "--aggregation",
                old_name="--decision",
                type=click.Choice(["track", "mean", "vote", "product", "learned"]),
                default="track",
                show_default=True,
                help="track: classify the vector of the whole track. Others: classify its 10 s segments and aggregate "
                "their predictions with this method.",
            ),
            click.option(
                "--minutes",
                type=number_range("minutes"),
                help="With --model auto: search models, spaces and settings within this time, evaluation included.",
            ),
            click.option(
                "--trials",
                type=number_range("trials"),
                help="With --model auto: search with this number of trials. Unlike --minutes, the result is reproducible.",
            ),
            click.option(
                "--augment",
                type=number_range("augment"),
                default=0,
                metavar="COPIES",
                help="Also train on this number of augmented copies of each track (time-stretched, pitch-shifted, noisy, ...).",
            ),
            click.option(
                "--seed", type=number_range("seed"), default=0, show_default=True, help="Random seed of the folds."
            ),
        ]
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def check_search_budget(model: str, minutes: float | None, trials: int | None) -> None:
    """Refuse two search budgets at once, and a budget for a model that is not searched."""
    if minutes is not None and trials is not None:
        raise click.UsageError("--minutes and --trials cannot be combined.")
    if model != "auto" and (minutes is not None or trials is not None):
        raise click.UsageError("--minutes and --trials require --model auto.")


def is_given(ctx: click.Context, name: str) -> bool:
    """Return whether a parameter was given, and is not its default."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def refuse_other_options(ctx: click.Context, option: str, allowed: Collection[str]) -> None:
    """Refuse options that have no effect together with an option.

    Parameters
    ----------
    ctx : click.Context
    option : str
        Such as ``--retrieval``.
    allowed : collection of str
        Names of the parameters that may be given with it.

    Raises
    ------
    click.UsageError
        If another one is given.
    """
    for parameter in ctx.command.params:
        if parameter.name and parameter.name not in allowed and is_given(ctx, parameter.name):
            raise click.UsageError(f"{option} cannot be combined with {parameter.opts[0]}.")


def embedder_option(help_: str) -> Decorator:
    """Make the repeatable option that names embedders."""
    return click.option("--embedder", "embedders", multiple=True, metavar="NAME", help=help_)


def compute_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options for the precision and the device of the neural networks."""
    precision = click.option(
        "--precision",
        type=click.Choice(["auto", "f32", "bf16"]),
        default="auto",
        show_default=True,
        help="Numeric precision of the networks. auto: bf16 for OpenL3 on processors with AMX, otherwise f32.",
    )
    device = click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Device that runs the networks. auto: the GPU if the extra cuda is installed and finds one, otherwise the CPU.",
    )
    return precision(device(command))
