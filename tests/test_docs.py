"""The docs say what the program does: every command, option, space, error and export is in them, and they run."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shutil
from pathlib import Path

import click
import pytest

import sonotheque
from sonotheque import errors
from sonotheque.cli import cli
from sonotheque.demo import music, unlabelled
from sonotheque.embed import embedder_names, musicnn
from sonotheque.embed.openl3.frontend import FRONT_ENDS, INPUT_REPRS
from sonotheque.embed.weights.openl3 import MODELS

ROOT = Path(__file__).parent.parent
DOCS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = README + DOCS.replace((ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), "")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_command_reference_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "write_cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == module.render_reference(), "run `make docs`"


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_and_option_is_in_the_guide(name: str) -> None:
    assert f"sonotheque {name}" in GUIDE
    command = cli.commands[name]
    inner = command.commands if isinstance(command, click.Group) else {}
    for other in inner:
        assert f"sonotheque {name} {other}" in GUIDE
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert any(option in GUIDE for option in parameter.opts), f"{name} {parameter.opts}"


def test_every_error_is_in_the_guide_and_the_tree() -> None:
    classes = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}
    tree = re.findall(r"^ *[│ ]*[├└]── (\w+)", errors.__doc__ or "", flags=re.MULTILINE)
    assert sorted([*tree, "SonothequeError"]) == sorted(classes)
    for name, value in classes.items():
        assert issubclass(value, errors.SonothequeError)
        assert f"`{name}`" in GUIDE


def test_every_space_is_in_the_guide() -> None:
    assert f"`{musicnn.SPACE.id}`" in GUIDE
    assert "`openl3-music-mel256-512-kapre-h1.0@1`" in GUIDE
    for name in [*embedder_names(), *INPUT_REPRS, *FRONT_ENDS, *MODELS]:
        assert f"`{name}`" in GUIDE


def test_exports() -> None:
    assert sorted(sonotheque.__all__) == sonotheque.__all__
    for name in sonotheque.__all__:
        assert getattr(sonotheque, name) is not None
        assert f"`{name}`" in GUIDE


def test_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for genre, folder in (("rock", "metal"), ("folk", "acoustic"), ("ambient", "ambient")):
        shutil.copytree(music() / folder, tmp_path / "Music" / genre)
    (tmp_path / "Music" / "rock" / "obsidian-shell-fear.mp3").rename(tmp_path / "Music" / "rock" / "a.mp3")
    shutil.copytree(unlabelled(), tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert 6 <= len(block.strip().splitlines()) <= 12
    exec(block, {})  # noqa: S102
    assert len(capsys.readouterr().out.splitlines()) == 5 + 1 + 9


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_registry_and_no_machine_is_named() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line) for line in lines)


def test_files_stay_readable() -> None:
    for path in (ROOT / "sonotheque").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path
        assert ast.get_docstring(ast.parse(text)), path


def test_layers_know_only_those_above() -> None:
    names = "errors deprecation types output_files results documents audio embed metadata extract store index classify explore report library demo console cli"
    order = names.split()
    for path in (ROOT / "sonotheque").rglob("*.py"):
        layer = path.relative_to(ROOT / "sonotheque").parts[0].removesuffix(".py")
        if layer not in order:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sonotheque."):
                imported = str(node.module).split(".")[1]
                assert order.index(imported) <= order.index(layer), f"{path.name} imports {node.module}"
