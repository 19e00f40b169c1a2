"""The watch of folders: what it takes for a change, and what it does where the system reports no changes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from sonotheque.extract import watch
from sonotheque.extract.watch import FolderChanges, FolderWatcher


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SETTLE_SECONDS", 0.3), ("CHECK_SECONDS", 0.1), ("TICK_MS", 60), ("STEP_MS", 20)):
        monkeypatch.setattr(watch, name, value)
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "100")


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect the messages of the package."""
    found: list[str] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", lambda record: found.append(record.getMessage()))
    logger, level = logging.getLogger("sonotheque"), logging.getLogger("sonotheque").level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    (tmp_path / "music" / "rock").mkdir(parents=True)
    (tmp_path / "music" / "rock" / "a.mp3").touch()
    return tmp_path / "music"


def next_changes(watcher: FolderWatcher) -> FolderChanges:
    """Wait for the next changes, for at most 60 s."""
    timer = threading.Timer(60, watcher._stop.set)
    timer.start()
    try:
        return next(iter(watcher))
    finally:
        timer.cancel()


def describe(changes: FolderChanges, folder: Path) -> tuple[list[str], list[str]]:
    return [os.path.relpath(file.path, folder) for file in changes.files], [
        os.path.relpath(path, folder) for path in changes.gone
    ]


def test_one_batch_has_all_that_happens_at_about_the_same_time(music: Path) -> None:
    with FolderWatcher([str(music)]) as watcher:
        (music / "new" / "deep").mkdir(parents=True)
        for name in ("new/deep/b.ogg", "new/c.flac", "d.wav", "new/notes.txt", "d.WAV.part"):
            (music / name).touch()
        (music / "rock" / "a.mp3").rename(music / "rock" / "z.mp3")
        changes = next_changes(watcher)
        assert describe(changes, music) == (["d.wav", "new/c.flac", "new/deep/b.ogg", "rock/z.mp3"], ["rock/a.mp3"])
        assert {file.root for file in changes.files} == {str(music)}
        (music / "rock").rename(music / "metal")
        assert describe(next_changes(watcher), music) == (["metal/z.mp3"], ["rock"])


def test_a_linked_folder_that_is_named_keeps_its_name(music: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(music)
    with FolderWatcher([str(tmp_path / "link")]) as watcher:
        (music / "rock" / "b.mp3").touch()
        assert [file.path for file in next_changes(watcher).files] == [str(tmp_path / "link" / "rock" / "b.mp3")]


def test_a_file_belongs_to_the_first_folder_that_contains_it(music: Path) -> None:
    with FolderWatcher([str(music / "rock"), str(music)]) as watcher:
        (music / "rock" / "b.mp3").touch()
        (music / "c.mp3").touch()
        assert [file.root for file in next_changes(watcher).files] == [str(music), str(music / "rock")]


def test_a_name_that_is_not_utf8_does_not_end_the_watch(music: Path) -> None:
    with FolderWatcher([str(music)]) as watcher:
        Path(os.fsdecode(os.fsencode(music) + b"/no\xfftext.mp3")).touch()
        assert next_changes(watcher).unsure == [str(music)]  # the search finds the file, and reports it as a failure
        (music / "b.mp3").touch()
        changes = next_changes(watcher)
        while not changes.files:
            changes = next_changes(watcher)
        assert describe(changes, music)[0] == ["b.mp3"]


def test_a_lost_folder_does_not_disturb_the_others(music: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with FolderWatcher([str(music), str(tmp_path / "other")]) as watcher:
        music.rename(tmp_path / "away")
        changes = next_changes(watcher)
        assert (list(changes.lost), list(changes.gone), list(changes.unsure)) == ([str(music)], [], [])
        (tmp_path / "other" / "b.mp3").touch()
        assert describe(next_changes(watcher), tmp_path) == (["other/b.mp3"], [])
        (tmp_path / "away").rename(music)
        assert next_changes(watcher).unsure == [str(music)]
        (music / "c.mp3").touch()
        assert describe(next_changes(watcher), tmp_path) == (["music/c.mp3"], [])


def test_too_many_new_folders_for_events_are_polled(
    music: Path, monkeypatch: pytest.MonkeyPatch, messages: list[str]
) -> None:
    real, calls = watchfiles.watch, []

    def limited(*folders: str, force_polling: bool | None, **options: Any) -> Iterator[Any]:
        calls.append(folders)
        if len(calls) > 1 and not force_polling:
            raise OSError("OS file watch limit reached. about ...")
        yield from real(*folders, force_polling=force_polling, **options)

    monkeypatch.setattr(watchfiles, "watch", limited)
    with FolderWatcher([str(music)]) as watcher:
        (music / "new").mkdir()
        assert next_changes(watcher).unsure == [str(music)]
        assert [message.split(" (")[0] for message in messages] == ["too many folders for the system's change events"]
        (music / "new" / "b.mp3").touch()
        assert describe(next_changes(watcher), music) == (["new/b.mp3"], [])


def test_a_network_share_is_polled(music: Path, monkeypatch: pytest.MonkeyPatch, messages: list[str]) -> None:
    monkeypatch.setattr(watch, "_file_system", lambda path: "nfs4")
    with FolderWatcher([str(music)]) as watcher:
        assert messages == [
            f"{music} is on a file system without reliable change events (nfs4); "
            "the folders are searched for changes every 10 s instead"
        ]
        (music / "rock" / "a.mp3").rename(music / "b.mp3")
        assert describe(next_changes(watcher), music) == (["b.mp3"], ["rock/a.mp3"])


def test_the_file_system_is_that_of_the_nearest_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = (
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
        "30 22 0:40 / /mnt/my\\040music rw shared:2 - cifs //nas/music rw\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda self, **options: mounts)
    assert watch._file_system("/mnt/my music/rock") == "cifs"
    assert watch._file_system("/mnt/my music 2") == "ext4"
    assert watch._file_system(str(tmp_path)) == "ext4"
