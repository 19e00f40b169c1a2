"""The docs say what the program does: every command, option, space, error and export is in them, and they run."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import click
import pytest

import sonotheque
from sonotheque import errors, results
from sonotheque.cli import cli
from sonotheque.demo import music, unlabelled
from sonotheque.embed import embedder_names, musicnn
from sonotheque.embed.openl3.frontend import FRONT_ENDS, INPUT_REPRS
from sonotheque.embed.weights.openl3 import MODELS

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").rglob("*.md"))
COMMANDS = ROOT / "docs" / "reference" / "cli.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = "\n".join([README, *(path.read_text(encoding="utf-8") for path in DOCS if path != COMMANDS)])
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]


def load_tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_up_to_date() -> None:
    reference = load_tool("write_cli_reference").render_reference()
    assert COMMANDS.read_text(encoding="utf-8") == reference, "run `make docs`"


def test_the_vocabulary_page_is_up_to_date() -> None:
    page = ROOT / "docs" / "reference" / "vocabulary.md"
    assert page.read_text(encoding="utf-8") == load_tool("write_vocabulary").render_vocabulary(), "run `make docs`"


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


def test_every_key_of_a_result_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "results-json.md").read_text(encoding="utf-8")
    for name in results.__all__:
        value = getattr(results, name)
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                assert f"`{field.name}`" in text, f"{name}.{field.name}"


def test_per_cent_is_written_in_one_way() -> None:
    """English has no space before the sign (95%), as Python's format and the report write it; French has one."""
    phrases = ROOT / "sonotheque" / "report" / "translations" / "en.toml"
    console = sorted((ROOT / "sonotheque" / "console").glob("*.py"))
    for path in [*PAGES, phrases, *console]:
        found = re.findall(r".{0,30}\d\s+%.{0,20}", path.read_text(encoding="utf-8"))
        assert found == [], path.relative_to(ROOT)


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_scripts_that_are_named_exist() -> None:
    for page in PAGES:
        for script in re.findall(r"\b(?:bench|tools)/\w+\.py", page.read_text(encoding="utf-8")):
            assert (ROOT / script).exists(), f"{page.relative_to(ROOT)}: {script}"


def test_pictures_are_used_and_small() -> None:
    for picture in (ROOT / "docs" / "pictures").iterdir():
        assert f"pictures/{picture.name}" in GUIDE
        assert picture.stat().st_size < 300_000, picture.name


class Resources(HTMLParser):
    """Collects the addresses of what a page loads: scripts, styles, fonts, icons, pictures, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.addresses += [values[name] or "" for name in ("src", "srcset", "data", "poster") if name in values]
        if tag == "link" and values.get("rel") not in {"prev", "next", "canonical"}:
            self.addresses.append(values.get("href") or "")


def test_the_site_builds_and_loads_nothing_from_another_host(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == len(DOCS) + 1  # and 404.html
    elsewhere = re.compile(r"^\s*(https?:)?//", re.IGNORECASE)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        resources = Resources()
        resources.feed(text)
        assert resources.addresses
        assert not [address for address in resources.addresses if elsewhere.match(address)], page
        assert 'class="mermaid"' not in text, "the theme would load mermaid from another host"
    for style in tmp_path.rglob("*.css"):
        addresses = re.findall(r"""(?:url\(|@import)\s*["']?([^"')]+)""", style.read_text(encoding="utf-8"))
        assert not [address for address in addresses if elsewhere.match(address)], style


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path: Path) -> None:
    tool = load_tool("refresh_tutorial")
    shutil.copytree(music(), tmp_path / "Music")
    shutil.copytree(unlabelled(), tmp_path / "New")
    shown = tool.refresh((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"), folder=tmp_path)
    assert len(tool.BLOCK.findall(shown)) == 8
    assert {"map.html", "genres.csv", "inspect.png"} <= {path.name for path in tmp_path.iterdir()}


def test_no_registry_and_no_machine_is_named() -> None:
    for lock in ROOT.glob("requirements*.lock"):
        lines = [line for line in lock.read_text().splitlines() if not line.startswith("#")]
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!-]+", line) for line in lines)
