"""Every command gives a right answer or one clear line with few tracks, few genres, one artist, silence or one sound."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from few_tracks import CASES, Case, add_clips, all_commands, check_command, make_clips, make_library, quick_commands

from sonotheque.cli import cli

QUICK = (
    "no track",
    "3 tracks, 2 genres",
    "2 genres, one of them on one track",
    "all silent, 2 genres",
    "one sound, 2 genres",
)
"""The cases that are not left to the slow tests."""

Clips = Mapping[str, Sequence[Path]]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return make_clips(tmp_path_factory.mktemp("few"), count=6)


@pytest.fixture(scope="session")
def source(clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "library"
    add_clips(folder, clips, embedders=["musicnn"])
    return folder


@pytest.fixture(scope="session")
def all_clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return make_clips(tmp_path_factory.mktemp("few"))


@pytest.fixture(scope="session")
def full_source(all_clips: Clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few") / "library"
    add_clips(folder, all_clips)
    return folder


@pytest.mark.parametrize("name", QUICK)
def test_every_command(name: str, source: Path, clips: Clips, tmp_path: Path) -> None:
    case = CASES[name]
    library = make_library(tmp_path / "library", case, source=source, clips=clips)
    said = {command[0]: check_command(library, command) for command in quick_commands(clips[case.sound][0], tmp_path)}
    n_genres = len(set(case.labels) - {"-"})
    assert said["status"] == "ok"
    for command in ("similar", "playlist", "duplicates", "map", "clusters", "export", "tag"):
        empty = said[command].startswith("Error: ") and "the library is empty" in said[command]
        no_classifier = command == "tag" and "no trained classifier" in said[command]
        assert empty if not case.labels else said[command] == "ok" or no_classifier
    nothing_known = "nothing to search by" in said["search"] and case.sound == "silence"
    assert said["search"] == "ok" or nothing_known if case.labels else "the library is empty" in said["search"]
    for command in ("train", "errors"):
        assert (said[command] == "ok") == (n_genres > 1), said[command]
    assert said["classify"] == "ok" if n_genres > 1 else "no trained classifier" in said["classify"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_command_with_every_model(name: str, full_source: Path, all_clips: Clips, tmp_path: Path) -> None:
    case = CASES[name]
    library = make_library(tmp_path / "library", case, source=full_source, clips=all_clips)
    for command in all_commands(all_clips[case.sound][0], tmp_path):
        check_command(library, command)


def run_json(library: Path, *arguments: str) -> tuple[dict[str, Any], str]:
    result = CliRunner().invoke(cli, ["-L", str(library), *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def test_a_genre_with_one_track_is_not_judged(source: Path, clips: Clips, tmp_path: Path) -> None:
    library = make_library(tmp_path / "library", Case("PPPPPR"), source=source, clips=clips)
    errors, _ = run_json(library, "errors")
    assert (errors["alone"], errors["tracks"]) == (["rock"], 5)
    assert all(issue["label"] == "pop" for issue in errors["suspicious"])
    for command in (["map", "-o", str(tmp_path / "m.html"), "--audio", "none"], ["clusters"]):
        summary, notes = run_json(library, *command)
        assert (summary["alone"], summary["judged"]) == (["rock"], 5)
        assert "cannot be judged, because only one track has them: rock" in notes
    _, notes = run_json(library, "export", "--parquet", str(tmp_path / "p.parquet"))
    assert "only one track has them: rock" in notes
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / "p.parquet").to_pydict()
    verdicts = dict(zip(table["label"], table["verdict"], strict=True))
    assert verdicts["rock"] is None
    assert verdicts["pop"] in {"right", "wrong"}


def test_two_genres_on_two_tracks_have_nothing_to_judge(source: Path, clips: Clips, tmp_path: Path) -> None:
    library = make_library(tmp_path / "library", Case("PR"), source=source, clips=clips)
    summary, _ = run_json(library, "clusters")
    assert (summary["alone"], summary["judged"], summary["error_rate"]) == (["pop", "rock"], 0, None)
    errors, _ = run_json(library, "errors")
    assert (errors["alone"], errors["suspicious"]) == (["pop", "rock"], [])
