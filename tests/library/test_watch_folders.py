"""`Library.watch` follows what happens in a folder: real files, real events, and the real command with Ctrl-C.

Almost all files are clips that the library knows, so that nothing is embedded.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sonotheque import Library, results
from sonotheque.cli import cli
from sonotheque.demo import music, unlabelled
from sonotheque.errors import MissingFileError
from sonotheque.extract import watch
from sonotheque.extract.file_identity import content_hash
from sonotheque.library import watch_folders
from sonotheque.library.add_files import find_files
from sonotheque.store import ingest

CLIPS = {
    "metal.ogg": music() / "metal" / "muldjord-armygeddon.ogg",
    "slow/ave.mp3": music() / "classical" / "john-michel-ave-maria-1.mp3",
    "slow/ambient.mp3": music() / "ambient" / "nikola-whallon-ambient-2.mp3",
}
SPARE = music() / "classical" / "alexander-zhelanov-tailwind.mp3"
"""A clip that the library knows, of which there is no copy in the watched folder yet."""

DEADLINE = 60.0


def wait_until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"not seen within {DEADLINE:.0f} s: {what}"
        time.sleep(0.05)


@dataclass
class Watched:
    """A watch that runs in a thread, and a second connection to its library."""

    folder: Path
    library: Library
    batches: list[results.WatchBatch] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    result: results.WatchResult | None = None

    def wait_until(self, condition: Callable[[], Any], what: str) -> None:
        wait_until(lambda: self.errors or condition(), what)
        if self.errors:
            raise self.errors[0]

    def tracks(self) -> dict[str, tuple[int, str | None]]:
        """Map the files, relative to the folder, to the ids and labels of their tracks."""
        files, labels = self.library.catalogue.files, self.library.catalogue.labels
        found = {}
        for path in files.exactly_inside(str(self.folder)):
            known = files.get(path)
            label = labels.get(known[1]) if known else None
            found[os.path.relpath(path, self.folder)] = (known[1] if known else 0, label.label if label else None)
        return found

    def expect_files(self, *names: str) -> None:
        expected = {str(self.folder / name) for name in names}
        files = self.library.catalogue.files
        self.wait_until(lambda: files.exactly_inside(str(self.folder)) == expected, f"only {sorted(names)}")

    def expect_message(self, text: str) -> None:
        self.wait_until(lambda: any(text in message for message in self.messages), f"{text!r} in {self.messages}")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less: for a file to be complete, for events, and between two checks."""
    monkeypatch.setattr(watch, "SETTLE_SECONDS", 0.5)
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(watch, "TICK_MS", 100)
    monkeypatch.setattr(watch, "STEP_MS", 50)
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "200")


@pytest.fixture
def folder(demo_library: Library, tmp_path: Path) -> Path:
    """A folder with three clips. The library knows these files, and `SPARE` elsewhere, and nothing else."""
    folder = tmp_path / "music"
    for name, clip in CLIPS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, folder / name)
    demo_library.add(folder)
    demo_library.remove(*(path for path in demo_library.catalogue.files.inside(str(music())) if path != str(SPARE)))
    assert demo_library.status().tracks == 4
    return folder


@contextmanager
def watching(library: Library, folder: Path, **options: Any) -> Iterator[Watched]:
    """Watch a folder in a thread, with a connection of its own."""
    watched = Watched(folder, library)
    stop = threading.Event()
    logger, handler = logging.getLogger("sonotheque"), logging.Handler()
    handler.emit = lambda record: watched.messages.append(record.getMessage())  # type: ignore[method-assign]
    level = logger.level

    def run() -> None:
        try:
            with Library(library.path) as own:
                watched.result = own.watch(folder, report=watched.batches.append, stop=stop, **options)
        except BaseException as error:
            watched.errors.append(error)

    thread = threading.Thread(target=run)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        thread.start()
        watched.wait_until(lambda: any(text.startswith("watching ") for text in watched.messages), "the start")
        yield watched
    finally:
        stop.set()
        thread.join(DEADLINE)
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert not thread.is_alive()
    if watched.errors:
        raise watched.errors[0]


@pytest.mark.usefixtures("quick")
def test_files_are_added_moved_and_removed(demo_library: Library, folder: Path) -> None:
    with watching(demo_library, folder) as watched:
        before = watched.tracks()
        assert before["metal.ogg"][1] == "metal"

        (folder / "metal.ogg").rename(folder / "slow" / "renamed.ogg")
        watched.expect_files("slow/ave.mp3", "slow/ambient.mp3", "slow/renamed.ogg")
        assert watched.tracks()["slow/renamed.ogg"] == before["metal.ogg"]

        (folder / "slow").rename(folder / "calm")
        watched.expect_files("calm/ave.mp3", "calm/ambient.mp3", "calm/renamed.ogg")
        assert set(watched.tracks().values()) == set(before.values())

        shutil.copy(folder / "calm" / "ave.mp3", folder / "calm" / "copy.mp3")
        watched.expect_files("calm/ave.mp3", "calm/ambient.mp3", "calm/renamed.ogg", "calm/copy.mp3")
        (folder / "calm" / "ave.mp3").unlink()  # one of two files: the track stays, and nothing is to be undone
        watched.expect_files("calm/copy.mp3", "calm/ambient.mp3", "calm/renamed.ogg")
        assert set(watched.tracks().values()) == set(before.values())
        assert demo_library.label_history().history[0].command.startswith("remove ")

        (folder / "calm" / "copy.mp3").unlink()  # the last file
        watched.expect_files("calm/ambient.mp3", "calm/renamed.ogg")
        assert demo_library.label_history().history[0].command == f"add --watch {folder}"
        undone = demo_library.undo()
        assert (undone.tracks, undone.command) == (1, f"add --watch {folder}")
        assert watched.tracks()["calm/copy.mp3"] == before["slow/ave.mp3"]
    assert watched.result is not None
    assert (watched.result.removed, watched.result.removed_tracks, watched.result.linked) == (2, 1, 5)
    assert (watched.result.embedded, watched.result.kept, watched.result.tracks) == (0, 0, 4)
    assert watched.result.batches == len(watched.batches) >= 5


@pytest.mark.usefixtures("quick")
def test_what_a_search_skips_is_ignored(demo_library: Library, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / "linked").symlink_to(outside)
    with watching(demo_library, folder) as watched:
        (folder / ".hidden").mkdir()
        for path in (folder / ".hidden" / "a.mp3", folder / ".b.mp3", folder / "c.part", outside / "d.mp3"):
            shutil.copy(SPARE, path)
        (folder / "later").symlink_to(outside)
        (folder / "c.part").rename(folder / "done.mp3")  # a download moved into place
        watched.expect_files(*CLIPS, "done.mp3")
        time.sleep(1.0)
        watched.expect_files(*CLIPS, "done.mp3")
    assert [batch.failed for batch in watched.batches] == [0] * len(watched.batches)


@pytest.mark.usefixtures("quick")
def test_a_file_that_grows_is_no_failure(demo_library: Library, folder: Path) -> None:
    data = SPARE.read_bytes()
    with watching(demo_library, folder) as watched:
        with (folder / "slow" / "growing.mp3").open("wb") as file:
            for start in range(0, len(data), -(-len(data) // 8)):
                file.write(data[start : start + -(-len(data) // 8)])
                file.flush()
                assert watched.tracks().keys() == CLIPS.keys()
                time.sleep(0.2)
        watched.expect_files(*CLIPS, "slow/growing.mp3")
        assert demo_library.catalogue.files.failures() == {}
    assert [batch.linked for batch in watched.batches] == [1]


@pytest.mark.usefixtures("quick")
def test_a_copy_that_pauses_is_tried_again(
    demo_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_folders, "PATIENCE_SECONDS", 2.0)
    with watching(demo_library, folder) as watched:
        (folder / "broken.mp3").touch()
        started = time.monotonic()
        watched.wait_until(lambda: watched.batches, "the failure")
        assert time.monotonic() - started > 1.5
        assert [failed.path for failed in watched.batches[0].failures] == [str(folder / "broken.mp3")]
        assert list(demo_library.catalogue.files.failures()) == [str(folder / "broken.mp3")]
        shutil.copy(SPARE, folder / "broken.mp3")
        watched.wait_until(lambda: not demo_library.catalogue.files.failures(), "no failure")
        watched.expect_files(*CLIPS, "broken.mp3")


@pytest.mark.usefixtures("quick")
def test_nothing_is_removed_if_the_folder_or_very_much_vanishes(demo_library: Library, folder: Path) -> None:
    with watching(demo_library, folder) as watched:
        folder.rename(folder.with_name("unplugged"))
        watched.expect_message(f"{folder} cannot be reached; its files stay in the library")
        shutil.copy(SPARE, folder.with_name("unplugged") / "new.mp3")
        folder.with_name("unplugged").rename(folder)
        watched.expect_files(*CLIPS, "new.mp3")
        assert watched.tracks()["metal.ogg"][1] == "metal"

        for path in folder.iterdir():  # what is left of a mount point whose drive was unplugged
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        watched.expect_message(f"4 files in {folder} vanished at once, for example {folder / 'metal.ogg'}")
        assert watched.tracks().keys() == {*CLIPS, "new.mp3"}
        watched.wait_until(lambda: watched.batches[-1].kept == 4, "the batch")
        assert not demo_library.label_history().history[0].command.startswith("add --watch")


@pytest.mark.usefixtures("quick")
def test_files_that_come_during_the_first_search_are_not_missed(
    demo_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find_and_copy(*arguments: Any, **options: Any) -> Any:
        found = find_files(*arguments, **options)
        shutil.copy(SPARE, folder / "meanwhile.mp3")
        return found

    monkeypatch.setattr(watch_folders, "find_files", find_and_copy)
    with watching(demo_library, folder) as watched:
        watched.expect_files(*CLIPS, "meanwhile.mp3")


@pytest.mark.usefixtures("quick")
def test_an_event_costs_one_file(demo_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def recorded_hash(path: str) -> str:
        hashed.append(path)
        return content_hash(path)

    monkeypatch.setattr(ingest, "content_hash", recorded_hash)
    with watching(demo_library, folder) as watched:
        searched: list[Any] = []
        for module in (watch, watch_folders):
            monkeypatch.setattr(module, "scan_paths", searched.append)
        shutil.copy(SPARE, folder / "new.mp3")
        watched.expect_files(*CLIPS, "new.mp3")
        (folder / "new.mp3").unlink()
        watched.expect_files(*CLIPS)
    assert (hashed, searched) == ([str(folder / "new.mp3")], [])


@pytest.mark.usefixtures("quick")
def test_new_files_get_labels_and_labels_of_persons_stay(demo_library: Library, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "genres.csv").write_text("file,genre\nave.mp3,choir\n")
    spare = demo_library.catalogue.files.get(str(SPARE))
    assert spare is not None
    demo_library.catalogue.labels.set(demo_library.catalogue.tracks.hash_of(spare[1]), None)
    with watching(demo_library, folder, labels=str(tmp_path / "genres.csv")) as watched:
        (tmp_path / "genres.csv").write_text("file,genre\nave.mp3,pop\nspare.mp3,quartet\n")
        shutil.copy(SPARE, folder / "spare.mp3")
        os.utime(folder / "slow" / "ave.mp3")
        watched.expect_files(*CLIPS, "spare.mp3")
        watched.wait_until(lambda: watched.tracks()["spare.mp3"][1] == "quartet", "the label")
        assert watched.tracks()["slow/ave.mp3"][1] == "choir"


@pytest.mark.usefixtures("quick")
def test_polling_takes_over_where_there_are_no_events(
    demo_library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import watchfiles

    real = watchfiles.watch

    def limited(*folders: str, force_polling: bool | None, **options: Any) -> Iterator[Any]:
        if not force_polling:
            raise OSError(f"OS file watch limit reached. about {list(folders)}")
        yield from real(*folders, force_polling=True, **options)

    monkeypatch.setattr(watchfiles, "watch", limited)
    with watching(demo_library, folder) as watched:
        assert "too many folders for the system's change events" in watched.messages[0]
        assert "searched for changes every 10 s instead" in watched.messages[0]
        (folder / "metal.ogg").rename(folder / "moved.ogg")
        watched.expect_files("slow/ave.mp3", "slow/ambient.mp3", "moved.ogg")
    assert watched.result is not None
    assert (watched.result.linked, watched.result.removed) == (1, 0)


@pytest.mark.usefixtures("quick")
def test_an_empty_folder_can_be_watched(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    with Library(tmp_path / "new") as library, watching(library, tmp_path / "inbox") as watched:
        (tmp_path / "inbox" / "broken.mp3").write_bytes(b"no audio")
        os.utime(tmp_path / "inbox" / "broken.mp3", (0, 0))  # old, so it is not taken for a copy in progress
        watched.wait_until(lambda: watched.batches, "the failure")
        assert [failed.path for failed in watched.batches[0].failures] == [str(tmp_path / "inbox" / "broken.mp3")]
        (tmp_path / "inbox" / "broken.mp3").unlink()
        watched.wait_until(lambda: not library.catalogue.files.failures(), "no failure")
    assert watched.result is not None
    assert (watched.result.failed, watched.result.removed, watched.result.removed_tracks) == (1, 1, 0)


def test_only_folders_are_watched(demo_library: Library, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such folder"):
        demo_library.watch(tmp_path / "missing")
    with pytest.raises(MissingFileError, match="only folders can be watched"):
        demo_library.watch(folder / "metal.ogg")


def test_options_that_do_not_fit(run_cli: Callable[..., Any], tmp_path: Path, folder: Path) -> None:
    result = run_cli("add", folder, "--watch", "--dry-run", library=tmp_path / "new")
    assert result.exit_code == 2
    result = run_cli("add", folder / "metal.ogg", "--watch", library=tmp_path / "new")
    assert result.exit_code == 1
    assert "only folders can be watched" in result.stderr
    assert not (tmp_path / "new").exists()


@pytest.fixture
def run_cli() -> Callable[..., Any]:
    from click.testing import CliRunner

    return lambda *arguments, library: CliRunner().invoke(cli, ["-L", str(library), *map(str, arguments)])


@contextmanager
def command(library: Library, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the real command; a shell's background jobs ignore SIGINT, so it is set back."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sonotheque", "-L", str(library.path), "add", str(folder), "--watch", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def test_ctrl_c_ends_the_command_with_one_document(demo_library: Library, folder: Path) -> None:
    (new,) = sorted(unlabelled().glob("*.mp3"))[:1]
    with command(demo_library, folder, "--json", "--labels", "folder") as process:
        assert process.stderr is not None
        started = process.stderr.readline()
        while started and not started.startswith("note: watching"):
            started = process.stderr.readline()
        assert started, "the command ended"
        shutil.copy(new, folder / "new.mp3")
        files = demo_library.catalogue.files
        wait_until(lambda: files.get(str(folder / "new.mp3")), "the new file")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    assert "1 file embedded" in errors
    document = json.loads(output)
    (space,) = demo_library.status().spaces
    assert (space.tracks, space.index) == (5, "exact")
    assert demo_library.similar(folder / "new.mp3", k=4).results[3].rank == 4
    assert (document["embedded"], document["failed"], document["tracks"]) == (1, 0, 5)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_batch_loses_only_what_is_in_flight(
    demo_library: Library, folder: Path, number: signal.Signals
) -> None:
    demo_library.remove(folder)
    with command(demo_library, folder, "--embedder", "descriptors") as process:
        shutil.copytree(music(), folder / "all")
        wait_until(lambda: demo_library.catalogue.tracks.count() > 3, "the first tracks")
        process.send_signal(number)
        output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    assert "interrupted; everything that was already stored is kept" in errors
    assert " in the library" in output
    status = demo_library.status()
    assert 3 < status.tracks < 46
    assert status.failed == []
    demo_library.add(folder)
    assert demo_library.status().tracks == 46


@pytest.mark.slow
def test_two_watchers_and_a_search_at_once(demo_library: Library, folder: Path) -> None:
    clips = sorted(path for path in music().rglob("*.*") if path.suffix in {".mp3", ".ogg"})[:12]
    with watching(demo_library, folder), watching(demo_library, folder) as second:
        for number, clip in enumerate(clips):
            shutil.copy(clip, folder / f"{number}{clip.suffix}")
            demo_library.similar(folder / "slow" / "ave.mp3", k=2)
        names = {f"{number}{clip.suffix}" for number, clip in enumerate(clips)}
        second.expect_files(*CLIPS, *names)
        for name in sorted(names)[:4]:
            (folder / name).unlink()
        second.expect_files(*CLIPS, *sorted(names)[4:])
        assert demo_library.status().failed == []
    database = demo_library.catalogue.database
    assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
