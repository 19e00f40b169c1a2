"""Every number of every command and method has a range, and NaN, infinity and huge numbers are refused."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner

from sonotheque import Library, ParameterError
from sonotheque.cli import cli
from sonotheque.cli.index import KINDS as INDEX_KINDS
from sonotheque.cli.similarity import MOODS
from sonotheque.embed.auto_tags import GROUPS
from sonotheque.index.approximate import KINDS as INDEXES
from sonotheque.parameters import RANGES, require_in_range

NO_NUMBERS = ("nan", "NaN", "inf", "-inf", "1e400", "-1e400", "", "1,5", "0x10", "1_0_", "9" * 5000)
OUTSIDE = ("-1", str(2**32), str(2**63), str(10**30), str(-(10**30)))


def numeric_options(
    command: click.Command, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Option]]:
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from numeric_options(child, (*path, name))
    for parameter in command.params:
        assert not (isinstance(parameter, click.Argument) and _is_number(parameter)), f"{path}: {parameter.name}"
        if isinstance(parameter, click.Option) and _is_number(parameter):
            yield path, parameter


def _is_number(parameter: click.Parameter) -> bool:
    return isinstance(parameter.type, (type(click.INT), type(click.FLOAT))) and not getattr(parameter, "count", False)


OPTIONS = list(numeric_options(cli))
IDS = [" ".join([*path, option.opts[-1]]) for path, option in OPTIONS]


def test_the_walk_finds_the_options() -> None:
    found = {(path[0], option.opts[-1]) for path, option in OPTIONS}
    assert found >= {
        *(("train", name) for name in ("--minutes", "--trials", "--augment", "--seed")),
        *(("evaluate", name) for name in ("--folds", "--repeats", "--seed")),
        *(("classify", "--abstain"), ("tag", "--probability"), ("similar", "-k"), ("similar", "--max-per-artist")),
        *(("playlist", name) for name in ("-n", "--minutes", "--min-minutes", "--max-per-album")),
        *(("errors", "--most"), ("map", "--neighbours"), ("clusters", "--cluster-size")),
    }


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=IDS)
def test_an_option_refuses_what_is_outside_its_range(path: tuple[str, ...], option: click.Option) -> None:
    allowed = option.type
    assert isinstance(allowed, (click.IntRange, click.FloatRange))
    assert allowed.min is not None
    assert allowed.max is not None
    command: click.Command = cli
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    arguments = ["x" for parameter in command.params if isinstance(parameter, click.Argument) and parameter.required]
    limits = (np.nextafter(allowed.min, -np.inf), np.nextafter(allowed.max, np.inf))
    outside = [value for value in OUTSIDE if not allowed.min <= float(value) <= allowed.max]
    for value in (*NO_NUMBERS, *outside, *map(repr, map(float, limits))):
        result = CliRunner().invoke(
            cli,
            [
                *path,
                *arguments,
                f"{option.opts[-1]}={value}" if option.opts[-1][1] == "-" else f"{option.opts[-1]}{value or ' '}",
            ],
        )
        assert result.exit_code == 2, (value[:20], result.output)
        assert f"Invalid value for '{option.opts[0]}" in result.stderr, value[:20]
    convert: Any = allowed.convert
    for limit, is_open in ((allowed.min, allowed.min_open), (allowed.max, allowed.max_open)):
        assert is_open or convert(str(limit), None, None) == limit


METHODS = [
    (method, name)
    for method, function in inspect.getmembers(Library, inspect.isfunction)
    for name in inspect.signature(function).parameters
    if name in RANGES and not method.startswith("_")
]


def test_methods_with_numbers() -> None:
    assert {name for _, name in METHODS} == set(RANGES)
    numbers = {
        (method, name)
        for method, function in inspect.getmembers(Library, inspect.isfunction)
        for name, parameter in inspect.signature(function).parameters.items()
        if not method.startswith("_")
        and ("int" in str(parameter.annotation).split(" | ") or "float" in str(parameter.annotation))
    }
    assert numbers == set(METHODS)


@pytest.mark.parametrize(("method", "name"), METHODS)
def test_a_method_refuses_what_is_outside_a_range(method: str, name: str, tmp_path: Path) -> None:
    bad: tuple[Any, ...] = (math.nan, math.inf, -math.inf, -1, 10**30, "1", True, np.float64("nan"))
    if RANGES[name].whole:
        bad = (*bad, 2.5)
    paths = ("x",) if method in {"similar", "search", "classify"} else ()
    with Library(tmp_path / "library") as library:
        for value in bad:
            with pytest.raises(ParameterError, match=name):
                getattr(library, method)(*paths, **{name: value})


def test_numbers_of_numpy_are_numbers() -> None:
    require_in_range(seed=np.int64(3), probability=np.float32(0.5), minutes=1, folds=None)
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 4294967295"):
        require_in_range(seed=-1)


@pytest.mark.parametrize("model", ["logreg", "knn", "svm", "forest", "lightgbm", "xgboost", "mlp"])
def test_models_take_the_largest_seed(model: str) -> None:
    from sonotheque.classify.models.estimators import make_classifier

    X = np.random.default_rng(0).normal(size=(12, 3))
    make_classifier(model, seed=2**32 - 1).fit(X, np.arange(12) % 2)


def test_choices_of_the_commands_are_those_of_the_packages() -> None:
    """The commands repeat some names, because importing them takes time."""
    assert sorted(MOODS) == sorted(GROUPS["mood"])
    assert ("auto", "exact", *INDEXES) == INDEX_KINDS
