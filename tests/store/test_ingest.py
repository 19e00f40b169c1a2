"""An ingest embeds exactly what is missing, also after interruptions, moved files and failures."""

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
from sonotheque.embed.musicnn import SPACE
from sonotheque.embed.runtime import Compute
from sonotheque.extract import pool
from sonotheque.extract.extraction import Extraction

FEWER = music() / "metal"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


def embeddings(folder: Path) -> dict[str, tuple[bytes, bytes]]:
    """Read all vectors by content hash, directly from the database."""
    with sqlite3.connect(folder / "library.sqlite") as db:
        rows = db.execute("SELECT hash, vector, segments FROM vectors JOIN tracks ON tracks.id = track_id").fetchall()
    assert len({row[0] for row in rows}) == len(rows)
    return {content: (vector, segments) for content, vector, segments in rows}


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the files that are embedded."""
    extracted: list[str] = []
    original = pool._Worker.extract

    def recorded_extract(
        self: pool._Worker, path: str, spaces: list[str], compute: Compute, seed: int | None
    ) -> Extraction:
        extracted.append(os.path.basename(path))
        return original(self, path, spaces, compute, seed)

    monkeypatch.setattr(pool._Worker, "extract", recorded_extract)
    return extracted


def test_each_file_is_embedded_once(library: Library, clips: Path, embedded: list[str]) -> None:
    status = library.add(clips)
    assert (status.tracks, status.failed) == (3, [])
    assert sorted(embedded) == ["ambient.mp3", "ave.mp3", "metal.ogg"]
    ave = next(track for track in library.catalogue.tracks.all() if track.path.endswith("ave.mp3"))
    assert (ave.artist, ave.album) == ("John Michel", "GNU FreeDink")
    assert ave.seconds == pytest.approx(10, abs=0.1)
    assert library.catalogue.vectors.segments(ave.id, SPACE.id).shape == (1, 200)
    library.add(clips)
    assert len(embedded) == 3


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


def test_a_duplicate_is_not_a_second_track(library: Library, clips: Path, embedded: list[str]) -> None:
    for number in range(5):
        shutil.copy(clips / "metal.ogg", clips / f"duplicate{number}.ogg")
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


def test_failures_have_reasons_and_are_not_retried_by_default(
    library: Library, clips: Path, embedded: list[str]
) -> None:
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


def test_a_file_that_becomes_unusable_is_a_failure(library: Library, clips: Path) -> None:
    library.add(clips)
    (clips / "metal.ogg").write_text("gone")
    status = library.add(clips)
    assert (status.tracks, len(status.failed)) == (2, 1)


def test_adding_no_usable_file_is_an_error(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LibraryError, match="no audio file"):
        library.add(tmp_path / "empty")
    (tmp_path / "a.mp3").write_text("words")
    with pytest.raises(LibraryError, match=r"a\.mp3: not an audio file"):
        library.add(tmp_path / "a.mp3")


def test_silent_and_truncated_files_have_notices(library: Library, tmp_path: Path) -> None:
    (tmp_path / "damaged").mkdir()
    sf.write(tmp_path / "damaged" / "silent.wav", np.zeros(16_000 * 4), 16_000)
    content = (music() / "metal" / "muldjord-armygeddon.ogg").read_bytes()
    (tmp_path / "damaged" / "cut.ogg").write_bytes(content[: len(content) // 2])
    notices = {Path(remark.path).name: remark.notice for remark in library.add(tmp_path / "damaged").remarks}
    assert notices["silent.wav"].startswith("silent")
    assert notices["cut.ogg"].startswith("truncated")


def test_unusual_file_names(library: Library, clips: Path) -> None:
    (clips / "metal.ogg").rename(clips / "-rf é 音 'x' \n.ogg")
    os.rename(clips / "ambient.mp3", os.fsencode(clips) + b"/\xff.mp3")
    status = library.add(clips)
    assert status.tracks == 2
    assert "UTF-8" in status.failed[0].reason


def test_two_concurrent_ingests(tmp_path: Path, clips: Path) -> None:
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "both"), "add", str(clips)]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(120) for process in running] == [0, 0]
    assert len(embeddings(tmp_path / "both")) == 3


def _run_and_kill(command: list[str], *, after: float) -> bool:
    """Run a command, kill it after some seconds, and return whether it was still running."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_a_killed_ingest_can_be_resumed(tmp_path: Path, kills: int) -> None:
    folder, uninterrupted = tmp_path / "killed", tmp_path / "uninterrupted"
    with Library(uninterrupted) as library:
        begin = time.monotonic()
        library.add(FEWER)
        duration = time.monotonic() - begin
    generator = random.Random(kills)  # noqa: S311
    command = [sys.executable, "-m", "sonotheque", "-L", str(folder), "add", str(FEWER)]
    killed = sum(_run_and_kill(command, after=generator.uniform(0.1, duration / 3)) for _ in range(kills))
    assert killed >= 2
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert len(embeddings(folder)) == len(list(FEWER.iterdir()))
    assert embeddings(folder) == embeddings(uninterrupted)
