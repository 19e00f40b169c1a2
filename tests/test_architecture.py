"""The structure of the package: which layer may import which, and names that are no longer used."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import click
import pytest

from sonotheque.cli import cli

PACKAGE = Path(__file__).parent.parent / "sonotheque"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    *(
        "errors",
        "deprecation",
        "types",
        "parameters",
        "user_folders",
        "error_log",
        "plurals",
        "output_files",
        "results",
        "documents",
        "audio",
        "embed",
        "metadata",
        "extract",
    ),
    *("store", "index", "classify", "explore", "report", "library", "demo", "console", "cli"),
)
"""Each layer may import those before it. `documents` is the old name of `results`, `deprecation` holds old names."""

with (Path(__file__).parent / "retired_names.csv").open(encoding="utf-8", newline="") as file:
    RETIRED = [(row["kind"], row["retired"], row["now"]) for row in csv.DictReader(file)]


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_layers(path: Path) -> Iterator[str]:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            if node.module == "sonotheque":
                yield from (alias.name for alias in node.names)
            elif (node.module or "").startswith("sonotheque."):
                yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("sonotheque."))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_at_module_level(path: Path, names: set[str]) -> set[str]:
    """Collect the modules of the package that a module imports when it is imported itself."""
    imported: set[str] = set()
    for node in parse(path).body:
        if isinstance(node, ast.ImportFrom) and node.module in names:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & names
            imported |= submodules
            if len(submodules) < len(node.names):
                imported.add(str(node.module))
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names} & names
    return imported


def test_imports_at_module_level_have_no_cycle() -> None:
    modules = {module_name(path): path for path in MODULES}
    graph = {name: imports_at_module_level(path, set(modules)) for name, path in modules.items()}
    assert "sonotheque.store" in graph["sonotheque.library.library"]
    list(TopologicalSorter(graph).static_order())  # raises CycleError


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in MODULES} - {"__init__", "__main__"} == set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_layers_before_its_own(path: Path) -> None:
    if layer_of(path) in LAYERS:
        for imported in imported_layers(path):
            if imported in LAYERS:
                assert LAYERS.index(imported) <= LAYERS.index(layer_of(path)), f"imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(parse(path))


def test_no_class_is_cut_into_a_chain_of_bases() -> None:
    """A class of the package may derive from another one only if that one has several children."""
    bases: dict[str, list[str]] = {}
    names: set[str] = set()
    for path in MODULES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ClassDef):
                names.add(node.name)
                for base in node.bases:
                    if isinstance(base, ast.Name):
                        bases.setdefault(base.id, []).append(node.name)
    only_children = {base: children for base, children in bases.items() if base in names and len(children) == 1}
    assert only_children == {}


def defined_names(kind: str) -> set[str]:
    """Collect the names of one kind that the package defines."""
    found: set[str] = set()
    for path in MODULES:
        if kind == "module":
            found.add(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
            continue
        if path.name == "documents.py":
            continue
        for node in ast.walk(parse(path)):
            if (kind == "class" and isinstance(node, ast.ClassDef)) or (
                kind == "function" and isinstance(node, ast.FunctionDef)
            ):
                found.add(node.name)
            elif kind == "parameter" and isinstance(node, ast.arg):
                found.add(node.arg)
            elif kind == "attribute" and layer_of(path) != "results":  # the fields of results are JSON keys
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    found.add(node.target.id)
                elif isinstance(node, ast.Assign):
                    found.update(target.id for target in node.targets if isinstance(target, ast.Name))
                    found.update(target.attr for target in node.targets if isinstance(target, ast.Attribute))
                elif isinstance(node, ast.FunctionDef):
                    found.add(node.name)
    return found


@pytest.mark.parametrize("kind", ["module", "class", "function", "parameter", "attribute"])
def test_retired_names_do_not_come_back(kind: str) -> None:
    retired = {name for of_kind, name, _ in RETIRED if of_kind == kind}
    assert retired
    exempt = {"fit"} if kind == "function" else {"documents"} if kind == "module" else set()
    assert retired & defined_names(kind) - exempt == set()


def test_retired_options_are_hidden() -> None:
    retired = {name for kind, name, _ in RETIRED if kind == "option"}
    assert retired
    for name, command in cli.commands.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option) and retired & set(parameter.opts):
                assert parameter.hidden, f"{name} {parameter.opts}"


def test_every_retired_name_says_what_replaced_it() -> None:
    assert all(now for _, _, now in RETIRED)
    assert {kind for kind, _, _ in RETIRED} == {"module", "class", "function", "parameter", "attribute", "option"}
