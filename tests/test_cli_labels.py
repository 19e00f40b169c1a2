"""The commands that change labels or remove tracks, as a user sees them: questions, dry runs, undo."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sonotheque import Library
from sonotheque.cli import cli
from sonotheque.demo import music

METAL = music() / "metal"


@pytest.fixture
def library(demo_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo_folder, tmp_path / "library"))


def run(library: Path, *arguments: str | Path, status: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["-L", str(library), *map(str, arguments)], standalone_mode=True)
    assert result.exit_code == status, result.output
    return result


def labels_of(library: Path) -> dict[str, int]:
    with Library(library) as opened:
        return dict(opened.status().labels)


def answer(library: Path, reply: bytes, *arguments: str | Path) -> tuple[int, str]:
    """Run a command whose input and messages are a terminal, and reply when it asks. Return its exit status and what it shows."""
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "sonotheque", "-L", str(library), *map(str, arguments)]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown, asked, deadline = b"", False, time.monotonic() + 60
    with contextlib.suppress(OSError):  # raised at the end of the process
        while time.monotonic() < deadline:
            if not select.select([main], [], [], 1)[0]:
                continue
            part = os.read(main, 1 << 16)
            if not part:
                break
            shown += part
            if b"[y/N]" in shown and not asked:
                asked = True
                os.write(main, reply)
    status = process.wait(timeout=60)
    os.close(main)
    return status, shown.decode()


@pytest.mark.parametrize(("reply", "removed"), [(b"y\n", True), (b"\n", False), (b"\x04", False)])
def test_remove_asks_on_a_terminal(library: Path, reply: bytes, removed: bool) -> None:
    status, shown = answer(library, reply, "remove", METAL)
    assert "10 files and 10 tracks will be removed from the library, but not from disk, 36 tracks left; " in shown
    assert "10 labels: metal (10)" in shown
    assert "muldjord-chaos-god.mp3" in shown
    assert "Remove them? [y/N]" in shown
    assert status == (0 if removed else 1)
    assert ("nothing was removed" in shown) is not removed
    assert ("metal" in labels_of(library)) is not removed


def test_remove_does_not_ask_with_yes(library: Path) -> None:
    status, shown = answer(library, b"", "remove", METAL, "--yes")
    assert (status, "[y/N]" in shown, "metal" in labels_of(library)) == (0, False, False)
    status, shown = answer(library, b"", "remove", music() / "ambient", "--dry-run")
    assert (status, "[y/N]" in shown, "ambient" in labels_of(library)) == (0, False, True)


def test_remove_without_a_terminal_says_how_to_undo(library: Path) -> None:
    before = labels_of(library)
    planned = run(library, "remove", METAL, "--dry-run")
    assert planned.stdout.count("would be removed: ") == 10
    counts = "36 tracks left; 10 labels: metal (10)"
    assert planned.stdout.splitlines()[-1] == f"dry run: 10 files and 10 tracks would be removed, {counts}"
    assert labels_of(library) == before
    removed = run(library, "remove", METAL)
    assert removed.stdout == f"10 files and 10 tracks removed from the library, {counts}\n"
    assert "`sonotheque undo` brings them back" in removed.stderr
    assert labels_of(library) == {genre: count for genre, count in before.items() if genre != "metal"}
    planned = run(library, "undo", "--dry-run")
    assert planned.stdout.splitlines()[-1].startswith(f"dry run: would undo: remove {METAL} (")
    assert "metal" not in labels_of(library)
    undone = run(library, "undo")
    assert undone.stdout.count("(no label) -> metal") == 10
    assert undone.stdout.splitlines()[-1].endswith("10 tracks and 10 files brought back, 10 labels set back")
    assert labels_of(library) == before


def test_label_changes_are_shown_recorded_and_undone(library: Path, tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("file,genre\nobsidian-shell-fear,doom\nmuldjord-chaos-god,metal\nnobody,doom\n")
    before = labels_of(library)
    planned = run(library, "label", tmp_path / "new.csv", "--dry-run")
    assert "obsidian-shell-fear.mp3: metal -> doom" in planned.stdout
    assert planned.stdout.splitlines()[-1] == (
        "dry run: 2 tracks matched, 2 labels would be set or changed, 1 row unmatched; nothing was changed"
    )
    assert labels_of(library) == before
    run(library, "label", tmp_path / "new.csv")
    history = run(library, "label", "--history").stdout
    assert f"label {tmp_path / 'new.csv'}: 2 labels set or changed" in history
    assert "metal -> doom" in history
    assert "(no label) -> metal: 10 tracks" in history  # the labels of `add`
    document = json.loads(run(library, "label", "--history", METAL / "obsidian-shell-fear.mp3", "--json").stdout)
    assert [entry["changes"][0]["after"] for entry in document["history"]] == ["doom", "metal"]
    assert json.loads(run(library, "undo", "--json").stdout)["changed"] == 2
    assert "(undone)" in run(library, "label", "--history").stdout
    assert labels_of(library) == before
    assert "--labels" in json.loads(run(library, "undo", "--json").stdout)["command"]
    assert labels_of(library) == {}
    assert "nothing to undo" in run(library, "undo", status=1).stderr


def test_add_dry_run(library: Path, tmp_path: Path) -> None:
    shown = run(library, "add", METAL, "--labels", "folder", "--dry-run").stdout
    assert shown == ("dry run: 10 files already known, 0 labels would be set or changed; nothing was changed\n")
    shutil.copytree(METAL, tmp_path / "doom")
    shown = run(library, "add", tmp_path / "doom", "--labels", "folder", "--dry-run").stdout
    assert "metal -> doom" in shown
    assert "10 files moved or duplicate" in shown
    preview = json.loads(run(tmp_path / "none", "add", METAL, "--labels", "folder", "--dry-run", "--json").stdout)
    assert (preview["embedded"], preview["changed"], preview["changes"][0]["before"]) == (10, 10, None)
    assert not (tmp_path / "none").exists()


def test_corrections_on_the_command_line(library: Path, tmp_path: Path) -> None:
    before = labels_of(library)
    path = METAL / "obsidian-shell-fear.mp3"
    (tmp_path / "issues.csv").write_text(f"file,decision\n{path},metall\n{METAL / 'muldjord-chaos-god.mp3'},ok\n")
    refused = run(library, "errors", "--apply", tmp_path / "issues.csv", status=1)
    assert "'metall' (line 2), did you mean 'metal'?" in refused.stderr
    planned = run(library, "errors", "--apply", tmp_path / "issues.csv", "--new-genres", "--dry-run")
    assert planned.stdout.splitlines()[-1] == (
        f"dry run: {tmp_path / 'issues.csv'}: 1 decision, 1 label would be changed, 1 row kept"
    )
    assert labels_of(library) == before
    run(library, "errors", "--apply", tmp_path / "issues.csv", "--new-genres")
    assert labels_of(library)["metall"] == 1
    run(library, "undo")
    assert labels_of(library) == before


def test_options_that_exclude_each_other(library: Path, tmp_path: Path) -> None:
    for arguments in (
        ["label"],
        ["label", "--history", "--dry-run"],
        ["label", "--history", "--ids", "x.csv"],
        ["errors", "--dry-run"],
        ["errors", "--new-genres"],
        ["tag", "--write", "--dry-run"],
        ["remove", "--dry-run"],
    ):
        run(library, *arguments, status=2)
    assert json.loads(run(library, "tag", METAL, "--only", "genre", "--dry-run", "--json").stdout)["dry_run"]
