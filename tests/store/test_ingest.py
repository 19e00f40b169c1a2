"""An ingest does what is missing and nothing twice, whatever happened before."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonotheque import Library, LibraryError
from sonotheque.demo import music
from sonotheque.embed import embed_track
from sonotheque.embed.musicnn import SPACE
from sonotheque.embed.runtime import Compute
from sonotheque.extract import pool
from sonotheque.extract.extraction import Extraction


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def embeddings(folder: Path) -> dict[str, tuple[bytes, bytes]]:
    """Read all vectors by content hash, straight from the file."""
    with sqlite3.connect(folder / "library.sqlite") as db:
        rows = db.execute("SELECT hash, vector, segments FROM vectors JOIN tracks ON tracks.id = track_id").fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {content: (vector, segments) for content, vector, segments in rows}


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record which files are really embedded."""
    asked: list[str] = []
    original = pool._Worker.extract

    def ask(self: pool._Worker, path: str, spaces: list[str], compute: Compute, copy: int | None) -> Extraction:
        asked.append(os.path.basename(path))
        return original(self, path, spaces, compute, copy)

    monkeypatch.setattr(pool._Worker, "extract", ask)
    return asked


def test_everything_is_stored_once(library: Library, clips: Path, embedded: list[str]) -> None:
    status = library.add(clips)
    assert (status.tracks, status.failed) == (3, [])
    assert sorted(embedded) == ["ambient.mp3", "ave.mp3", "metal.ogg"]
    ave = next(track for track in library.catalogue.tracks.all() if track.path.endswith("ave.mp3"))
    assert (ave.artist, ave.album) == ("John Michel", "GNU FreeDink")
    assert ave.seconds == pytest.approx(10, abs=0.1)
    assert library.catalogue.vectors.segments(ave.id, SPACE.id).shape == (1, 200)
    library.add(clips)
    assert len(embedded) == 3


def test_workers_give_what_one_process_gives(library: Library, clips: Path) -> None:
    library.add(clips)
    ids, vectors = library.catalogue.vectors.matrix(SPACE.id)
    tracks = {track.id: track.path for track in library.catalogue.tracks.all()}
    for id_, vector in zip(ids, vectors, strict=True):
        assert vector.tobytes() == embed_track(tracks[int(id_)], spaces=[SPACE.id]).track[SPACE.id].tobytes()


def test_a_moved_file_is_recognised(library: Library, clips: Path, embedded: list[str]) -> None:
    library.add(clips, labels="folder")
    (clips / "slow" / "ave.mp3").rename(clips / "renamed.mp3")
    status = library.add(clips)
    assert (status.tracks, status.files, status.labelled) == (3, 3, 1)
    assert len(embedded) == 3
    assert {Path(track.path).name for track in library.catalogue.tracks.all()} == {
        "renamed.mp3",
        "ambient.mp3",
        "metal.ogg",
    }


def test_a_copy_is_no_second_track(library: Library, clips: Path, embedded: list[str]) -> None:
    for number in range(5):
        shutil.copy(clips / "metal.ogg", clips / f"copy{number}.ogg")
    status = library.add(clips)
    assert (status.tracks, status.files) == (3, 8)
    assert len(embedded) == 3


def test_a_changed_file_is_embedded_again_and_keeps_its_label(
    library: Library, clips: Path, embedded: list[str]
) -> None:
    library.add(clips, labels="folder")
    shutil.copy(music() / "metal" / "david-reeves-david01.mp3", clips / "slow" / "ave.mp3")
    status = library.add(clips)
    assert (status.tracks, status.files, status.labels) == (3, 3, {"slow": 1})
    assert embedded.count("ave.mp3") == 2


def test_failures_have_reasons_and_are_not_tried_again(library: Library, clips: Path, embedded: list[str]) -> None:
    (clips / "words.mp3").write_text("no music")
    (clips / "empty.flac").touch()
    (clips / "notes.txt").write_text("neither a track nor a failure")
    status = library.add(clips)
    reasons = {Path(failure.path).name: failure.reason for failure in status.failed}
    assert status.tracks == 3
    assert reasons.keys() == {"words.mp3", "empty.flac"}
    assert "empty" in reasons["empty.flac"]
    assert str(clips) not in reasons["words.mp3"]
    library.add(clips)
    assert embedded.count("words.mp3") == 1
    library.add(clips, retry=True)
    assert embedded.count("words.mp3") == 2
    shutil.copy(music() / "metal" / "david-reeves-david01.mp3", clips / "words.mp3")
    assert (library.add(clips).tracks, len(library.status().failed)) == (4, 1)


def test_a_file_that_breaks_later_is_a_failure(library: Library, clips: Path) -> None:
    library.add(clips)
    (clips / "metal.ogg").write_text("gone")
    status = library.add(clips)
    assert (status.tracks, len(status.failed)) == (2, 1)


def test_nothing_usable(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LibraryError, match="no audio file"):
        library.add(tmp_path / "empty")
    (tmp_path / "a.mp3").write_text("words")
    with pytest.raises(LibraryError, match=r"a\.mp3: not an audio file"):
        library.add(tmp_path / "a.mp3")


def test_a_decoder_that_crashes_takes_only_its_file_with_it(
    library: Library, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = pool._Worker.extract

    def ask(self: pool._Worker, path: str, spaces: list[str], compute: Compute, copy: int | None) -> Extraction:
        if path.endswith("metal.ogg"):
            self._process.kill()
            self._process.wait()
        return original(self, path, spaces, compute, copy)

    monkeypatch.setattr(pool._Worker, "extract", ask)
    status = library.add(clips)
    assert status.tracks == 2
    assert [Path(failure.path).name for failure in status.failed] == ["metal.ogg"]
    assert "crashed" in status.failed[0].reason


def test_silence_and_truncation_are_remarked(library: Library, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    sf.write(tmp_path / "odd" / "silent.wav", np.zeros(16_000 * 4), 16_000)
    whole = (music() / "metal" / "muldjord-armygeddon.ogg").read_bytes()
    (tmp_path / "odd" / "cut.ogg").write_bytes(whole[: len(whole) // 2])
    notices = {Path(remark.path).name: remark.notice for remark in library.add(tmp_path / "odd").remarks}
    assert notices["silent.wav"].startswith("silent")
    assert notices["cut.ogg"].startswith("truncated")


def test_names_of_any_kind(library: Library, clips: Path) -> None:
    (clips / "metal.ogg").rename(clips / "-rf é 音 'x' \n.ogg")
    os.rename(clips / "ambient.mp3", os.fsencode(clips) + b"/\xff.mp3")
    status = library.add(clips)
    assert status.tracks == 2
    assert "UTF-8" in status.failed[0].reason


def test_two_ingests_at_once(tmp_path: Path, clips: Path) -> None:
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "both"), "add", str(clips)]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in running] == [0, 0]
    assert len(embeddings(tmp_path / "both")) == 3


def _kill_at(moment: float, command: list[str]) -> bool:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_kill_loses_nothing(tmp_path: Path, kills: int) -> None:
    folder, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    with Library(undisturbed) as library:
        begin = time.monotonic()
        library.add(music())
        whole = time.monotonic() - begin
    generator = random.Random(kills)  # noqa: S311
    command = [sys.executable, "-m", "sonotheque", "-L", str(folder), "add", str(music())]
    killed = sum(_kill_at(generator.uniform(0.1, whole / 3), command) for _ in range(kills))
    assert killed >= 2
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert len(embeddings(folder)) == 46
    assert embeddings(folder) == embeddings(undisturbed)


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
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.add(int(entry.name))
    return found


def _is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
