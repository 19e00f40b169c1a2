"""The registry resolves names and ids to spaces, and `auto` depends on the weights that are on this machine only."""

from __future__ import annotations

import gzip
import hashlib
import logging
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from sonotheque import Library
from sonotheque.cli import cli
from sonotheque.embed import choose_spaces, open_embedder, space_of
from sonotheque.embed.registry import MEASURED, knows_space
from sonotheque.embed.weights import fetch
from sonotheque.embed.weights.openl3 import MODELS, PublishedModel
from sonotheque.errors import SonothequeError, SpaceError, WeightsError

NAME = "openl3-music-mel256"
OPENL3 = f"{NAME}-512-kapre-h1.0@1"
MUSICNN = "musicnn-msd-penultimate-h3.0@1"
BENCHMARKS = Path(__file__).parents[2] / "docs" / "benchmarks"


@pytest.fixture
def fetched(openl3_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place in the cache of the weights of OpenL3; those that are published are random weights here."""
    content = gzip.compress(openl3_weights.read_bytes(), compresslevel=1)
    model = replace(MODELS[NAME], sha256=hashlib.sha256(content).hexdigest(), unpacked_sha256=None)
    monkeypatch.setitem(MODELS, NAME, model)
    monkeypatch.setenv("SONOTHEQUE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "published").write_bytes(content)
    return tmp_path / "cache" / model.filename


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that would have been downloaded; every download fails."""
    names: list[str] = []

    def refuse(model: PublishedModel, **_: object) -> Path:
        names.append(model.name)
        raise WeightsError("no download in this test")

    monkeypatch.setattr(fetch, "_download_with_retries", refuse)
    monkeypatch.delenv("SONOTHEQUE_OFFLINE")
    return names


def test_a_name_and_an_id_resolve_to_the_same_space() -> None:
    space = space_of("musicnn")
    assert space_of(space.id) is space
    assert open_embedder(space.id).space == space


def test_auto_takes_musicnn_without_weights_and_downloads_nothing(no_downloads: list[str]) -> None:
    choice = choose_spaces(("auto",))
    assert [space.id for space in choice.spaces] == [MUSICNN]
    assert choice.reason is not None
    assert len(choice.reason.splitlines()) == 1
    for part in (
        "embedder: musicnn",
        "330 clips",
        "accuracy 0.66",
        "would download 17 MB once",
        "not measured",
        "not on this machine",
    ):
        assert part in choice.reason
    assert no_downloads == []


def test_auto_takes_openl3_if_its_weights_are_there(fetched: Path, no_downloads: list[str]) -> None:
    shutil.copy(fetched.parent.parent / "published", fetched)
    choice = choose_spaces(("auto", "descriptors", "auto"))
    assert [space.embedder for space in choice.spaces] == ["openl3", "descriptors"]
    assert choice.spaces[0].id == OPENL3
    assert choice.reason is not None
    assert choice.reason.startswith("embedder: openl3, because its weights are on this machine (about ")
    assert "`--embedder musicnn` needs no download (about 330 clips" in choice.reason
    assert no_downloads == []


def test_auto_does_not_take_damaged_weights(fetched: Path, no_downloads: list[str]) -> None:
    fetched.write_bytes((fetched.parent.parent / "published").read_bytes()[:-1])
    choice = choose_spaces(("auto",))
    assert [space.id for space in choice.spaces] == [MUSICNN]
    assert choice.reason is not None
    assert "are damaged" in choice.reason
    with pytest.raises(WeightsError, match=f"is damaged; `sonotheque weights fetch {NAME}`"):
        space_of("openl3")
    assert no_downloads == []
    with pytest.raises(WeightsError, match="no download"):
        choose_spaces(("openl3",))
    assert no_downloads == [NAME]
    assert fetched.exists()


def test_auto_takes_the_file_that_the_environment_names(
    openl3_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SONOTHEQUE_OPENL3_WEIGHTS", str(openl3_weights))
    assert choose_spaces(("auto",)).spaces == (space_of("openl3"),)
    (tmp_path / "words.h5").write_text("words")
    for name, message in (("words.h5", "not a Keras file"), ("none.h5", "no such file")):
        monkeypatch.setenv("SONOTHEQUE_OPENL3_WEIGHTS", str(tmp_path / name))
        with pytest.raises(WeightsError, match=message):
            choose_spaces(("auto",))


def test_offline_changes_nothing_for_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    online = choose_spaces(("auto",))
    monkeypatch.setenv("SONOTHEQUE_OFFLINE", "1")
    assert choose_spaces(("auto",)) == online


@pytest.mark.parametrize("name", ["openl3", NAME, OPENL3.removesuffix("@1"), "openl3-frames"])
def test_an_embedder_that_is_named_is_downloaded(name: str, no_downloads: list[str]) -> None:
    with pytest.raises(WeightsError, match="no download"):
        choose_spaces((name,))
    assert no_downloads == [NAME]


def test_a_library_keeps_its_space_when_weights_appear(
    fetched: Path, tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Library(tmp_path / "library") as library:
        library.add(clips / "slow")
        assert "embedder: musicnn" in caplog.text
        caplog.clear()
        shutil.copy(fetched.parent.parent / "published", fetched)
        for embedders in (("auto",), ("auto", "mel"), ()):
            library.add(clips / "slow", embedders=embedders)
        library.catalogue.database.execute("DELETE FROM library WHERE key = 'embedders'")  # as if it had never been set
        library.add(clips, embedders=("auto",))
        assert {space.id.partition("-")[0] for space in library.status().spaces if space.tracks == 3} == {
            "musicnn",
            "mel",
        }
        assert "embedder:" not in caplog.text
        library.remove(clips)
        assert [space.id for space in library.catalogue.spaces.all() if "openl3" in space.id] == []


def test_the_spaces_of_a_library_are_not_downloaded(tmp_path: Path, clips: Path, no_downloads: list[str]) -> None:
    with Library(tmp_path / "library") as library:
        library.catalogue.database.set_setting("embedders", OPENL3)
        with pytest.raises(WeightsError, match=f"not on this machine; `sonotheque weights fetch {NAME}`"):
            library.add(clips)
        assert no_downloads == []
        library.catalogue.database.set_setting("embedders", OPENL3.replace("@", "-w01234567@"))
        with pytest.raises(WeightsError, match="set SONOTHEQUE_OPENL3_WEIGHTS to that file"):
            library.add(clips)
    assert no_downloads == []


@pytest.mark.parametrize("arguments", [[], ["openl3"], [NAME], [OPENL3], ["openl3-frames"]])
def test_fetch_and_path_accept_the_alias(
    fetched: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, no_downloads: list[str]
) -> None:
    def download(model: PublishedModel, **_: object) -> Path:
        no_downloads.append(model.name)
        return Path(shutil.copy(fetched.parent.parent / "published", fetched))

    monkeypatch.setattr(fetch, "_download_with_retries", download)
    for command in ("fetch", "path"):
        result = CliRunner().invoke(cli, ["weights", command, *arguments])
        assert (result.exit_code, result.stdout) == (0, f"{fetched}\n")
    assert no_downloads == [NAME]


def test_names_without_weights_to_fetch() -> None:
    for name, message in (("musicnn", "nothing to download"), ("vggish", f"use openl3 or one of {NAME}")):
        result = CliRunner().invoke(cli, ["weights", "fetch", name])
        assert isinstance(result.exception, SonothequeError) or message in result.output
        assert message in f"{result.exception} {result.output}"


def test_unknown_name() -> None:
    with pytest.raises(SpaceError, match=r"'vggish'.*musicnn"):
        choose_spaces(["vggish"])


def test_spaces_are_known_without_their_weights() -> None:
    assert all(map(knows_space, (OPENL3, OPENL3.replace("@", "-frames@"), MUSICNN, OPENL3.replace("@", "-w01234567@"))))
    assert not any(map(knows_space, ("openl3@1", "openl3", "vggish@1", OPENL3.replace("@1", "@2"))))


def test_measured_figures_are_those_of_the_benchmarks() -> None:
    speed = (BENCHMARKS / "speed.md").read_text(encoding="utf-8")
    for name, measured in MEASURED.items():
        row = re.search(rf"^\| `add`, {name}\b.*\| about (\d+) clips a minute", speed, re.MULTILINE)
        assert row is not None
        assert int(row[1]) == measured.clips_per_minute
    table = (BENCHMARKS / "classification.md").read_text(encoding="utf-8")
    accuracy = re.search(r"^\| musicnn \| auto \| (0\.\d+)", table, re.MULTILINE)
    assert accuracy is not None
    assert round(float(accuracy[1]), 2) == MEASURED["musicnn"].accuracy
