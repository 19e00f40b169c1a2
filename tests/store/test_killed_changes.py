"""A change of labels, a removal and an undo that are killed at any moment have happened as a whole or not at all."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_history import add_track, write_labels

from sonotheque import Library
from sonotheque.demo import music as demo_music

KILLED_AT_A_STATEMENT = """
import itertools, os, shutil, signal, sys
from sonotheque.library import Library
from sonotheque.store.database import Database

folder, copies, step, action = sys.argv[1:]
execute, executemany = Database.execute, Database.executemany
calls = 0

def kill_at(number):
    def counted(method):
        def run(self, *arguments):
            global calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(self, *arguments)
        return run
    Database.execute, Database.executemany = counted(execute), counted(executemany)

for number in itertools.count(1, int(step)):
    copy = os.path.join(copies, str(number))
    shutil.copytree(folder, copy)
    child = os.fork()
    if not child:
        with Library(copy) as library:
            kill_at(number)
            eval(action)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert status == 0
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
"""

TABLES = (
    *("tracks", "files", "failures", "labels", "kept_labels", "vectors", "changes", "label_changes"),
    *("removed_tracks", "removed_files", "removed_vectors"),
)


def read_state(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Read everything but times, and check that the file is sound."""
    with sqlite3.connect(folder / "library.sqlite") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = {name: sorted(db.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in TABLES}  # noqa: S608
    db.close()
    rows["changes"] = [(*row[:3], *row[4:6], row[6] is not None) for row in rows["changes"]]
    return rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library of six tracks, in which labels were set and two tracks were removed."""
    with Library(tmp_path / "library") as library:
        (tmp_path / "music").mkdir()
        for number in range(6):
            path = tmp_path / "music" / f"{number}.mp3"
            path.write_text(str(number))
            add_track(library, path, vector=number)
        library.label(write_labels(tmp_path, {str(number): "rock" for number in range(6)}))
        library.remove(tmp_path / "music" / "0.mp3", tmp_path / "music" / "1.mp3")
    return tmp_path / "library"


ACTIONS = ("label", "remove", "undo", "undo of labels")


def make_action(action: str, tmp_path: Path) -> str:
    """Return the call that is killed."""
    return {
        "label": f"library.label({write_labels(tmp_path, {'2': 'pop', '3': 'jazz', '4': 'pop'}, 'new.csv')!r})",
        "remove": f"library.remove({str(tmp_path / 'music')!r})",
    }.get(action, "library.undo()")


def check_every_moment(folder: Path, tmp_path: Path, action: str, *, step: int) -> int:
    """Kill an action at every `step`-th statement, check what is left, and return the number of moments."""
    if action == "undo of labels":
        with Library(folder) as library:
            library.undo()
    before, copies = read_state(folder), tmp_path / "copies"
    copies.mkdir()
    call = make_action(action, tmp_path)
    command = [sys.executable, "-c", KILLED_AT_A_STATEMENT, str(folder), str(copies), str(step), call]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    moments = sorted(copies.iterdir(), key=lambda copy: int(copy.name))
    after = read_state(moments[-1])
    assert after != before
    for copy in moments[:-1]:
        assert read_state(copy) == before, copy.name
        if action == "remove":
            with Library(copy) as library:
                assert library.remove(tmp_path / "music").removed == 4
            assert read_state(copy) == after
    return len(moments)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_change_that_is_killed_has_not_happened(folder: Path, tmp_path: Path, action: str) -> None:
    assert check_every_moment(folder, tmp_path, action, step=11) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_a_change_that_is_killed_at_any_statement_has_not_happened(folder: Path, tmp_path: Path, action: str) -> None:
    assert check_every_moment(folder, tmp_path, action, step=1) >= 25


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS)
def test_commands_that_are_killed_from_outside_are_all_or_nothing(
    demo_folder: Path, tmp_path: Path, action: str
) -> None:
    """The command itself, killed from outside: also while SQLite writes, and after the change."""
    base = tmp_path / "base"
    shutil.copytree(demo_folder, base)
    with Library(base) as library:
        if action == "undo":
            library.remove(demo_music())
        names = [Path(track.path).stem for track in library.catalogue.tracks.all()]
    source = write_labels(tmp_path, dict.fromkeys(names, "rock"))
    arguments = {"label": ["label", source], "remove": ["remove", str(demo_music())]}.get(action, ["undo"])

    def start(folder: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sonotheque", "-L", str(folder), *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    shutil.copytree(base, tmp_path / "whole")
    began = time.monotonic()
    assert start(tmp_path / "whole").wait() == 0
    duration = time.monotonic() - began
    before, after = read_state(base), read_state(tmp_path / "whole")
    for number, fraction in enumerate(np.linspace(0.5, 1.1, 12)):
        copy = Path(shutil.copytree(base, tmp_path / f"{number}"))
        process = start(copy)
        time.sleep(fraction * duration)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert read_state(copy) in (before, after)
