"""Worker processes: same vectors as direct calls, isolation of crashes, and their end with the parent process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sonotheque import Library
from sonotheque.demo import music
from sonotheque.embed import embed_track
from sonotheque.embed.musicnn import SPACE
from sonotheque.embed.runtime import Compute
from sonotheque.extract import Extraction, pool


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as library:
        yield library


def test_worker_processes_and_direct_calls_give_the_same_vectors(library: Library, clips: Path) -> None:
    library.add(clips)
    ids, vectors = library.catalogue.vectors.matrix(SPACE.id)
    tracks = {track.id: track.path for track in library.catalogue.tracks.all()}
    for id_, vector in zip(ids, vectors, strict=True):
        assert vector.tobytes() == embed_track(tracks[int(id_)], spaces=[SPACE.id]).track[SPACE.id].tobytes()


def test_a_crash_of_the_decoder_affects_only_its_file(
    library: Library, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = pool._Worker.extract

    def crashing_extract(
        self: pool._Worker, path: str, spaces: list[str], compute: Compute, seed: int | None
    ) -> Extraction:
        if path.endswith("metal.ogg"):
            self._process.kill()
            self._process.wait()
        return original(self, path, spaces, compute, seed)

    monkeypatch.setattr(pool._Worker, "extract", crashing_extract)
    status = library.add(clips)
    assert status.tracks == 2
    assert [Path(failure.path).name for failure in status.failed] == ["metal.ogg"]
    assert "crashed" in status.failed[0].reason


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "library"), "add", str(music())]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children: set[int] = set()
    deadline = time.monotonic() + 20
    while not children and time.monotonic() < deadline:
        time.sleep(0.1)
        children = _children(process.pid)
    assert children
    process.kill()
    process.wait()
    while any(os.path.exists(f"/proc/{child}") and not _is_zombie(child) for child in children):
        assert time.monotonic() < deadline + 20, "a worker outlives its parent"
        time.sleep(0.1)


def _children(parent: int) -> set[int]:
    if not os.path.exists("/proc"):
        pytest.skip("needs /proc")
    children = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                children.add(int(entry.name))
    return children


def _is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
