"""Watch folders: a stream of the audio files in them that are new, changed or gone, once they have stopped changing.

The events come from `watchfiles`. Only paths that have an event are looked at; a folder is searched as a whole only if it is new
or comes back, or if events were lost. Which files count is decided as in `sonotheque.extract.scan`.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sonotheque.errors import MissingFileError
from sonotheque.extract.file_identity import FileStamp
from sonotheque.extract.scan import AudioFile, has_audio_name, scan_paths
from sonotheque.metadata.file_names import existing_path

if TYPE_CHECKING:
    from watchfiles import Change

log = logging.getLogger("sonotheque")

SETTLE_SECONDS = 2.0
"""A file is taken to be complete if it has not changed for this time."""

MAX_WAIT_SECONDS = 30.0
"""Files that are complete wait this long for others that are still changing, so that all of them are one batch."""

POLL_SECONDS = 10.0
"""Time between two searches where the file system reports no changes."""

TICK_MS, STEP_MS = 500, 100
"""How long to wait for an event, and for further ones behind it."""

CHECK_SECONDS = 1.0
"""Time between two checks that the watched folders are still there."""

FILE_SYSTEMS_WITHOUT_EVENTS = frozenset(
    {
        "9p",
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "fuse.vmhgfs-fuse",
    }
    | {"lustre", "nfs", "nfs4", "prl_fs", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
"""Types of file systems of which another machine can change the files without an event on this one."""


@dataclass(frozen=True)
class FolderChanges:
    """Changes in the watched folders since the last ones.

    Attributes
    ----------
    files : sequence of AudioFile
        New or changed files, which are complete, sorted by path.
    gone : sequence of str
        Paths at which there is no file or folder any more.
    lost : sequence of str
        Watched folders that cannot be reached any more. `gone` contains no path in them.
    unsure : sequence of str
        Watched folders that must be searched as a whole, because they came back or because events were lost.
    """

    files: Sequence[AudioFile] = ()
    gone: Sequence[str] = ()
    lost: Sequence[str] = ()
    unsure: Sequence[str] = ()


@dataclass(frozen=True)
class _Pending:
    """A file with an event: its root, its stamp, and since when it has had that stamp.

    `complete` means that it has not changed for long enough. A file that was `postponed` does not make others wait.
    """

    root: str
    stamp: FileStamp | None
    since: float
    complete: bool = False
    postponed: bool = False


class FolderWatcher:
    """Watches folders from the moment on at which it is made. Iterating over it waits for changes.

    Parameters
    ----------
    folders : sequence of str
        Absolute paths of existing folders.
    stop : threading.Event or None
        Ends the iteration when it is set.

    Raises
    ------
    MissingFileError
        If a folder does not exist or is not a folder.
    """

    def __init__(self, folders: Sequence[str], *, stop: threading.Event | None = None) -> None:
        require_folders(folders)
        self._folders = list(dict.fromkeys(folders))
        self._stop = stop or threading.Event()
        self._real = {folder: os.path.realpath(folder) for folder in self._folders}
        self._devices: dict[str, int | None] = {folder: _device(folder) for folder in self._folders}
        self._pending: dict[str, _Pending] = {}
        self._new_folders: dict[str, tuple[str, float]] = {}
        self._gone: dict[str, float] = {}
        self._complete_since: float | None = None
        self._checked = time.monotonic()
        self._restarted: set[str] = set()  # folders with lost events
        self._polling = False
        self._events: Generator[set[tuple[Change, str]], None, None] | None = None
        self._open()
        if self._events is None:
            raise MissingFileError(
                f"{', '.join(self._folders)}: cannot be watched; the system reports no changes there"
            )

    def __enter__(self) -> Self:
        """Return the watcher."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop watching."""
        self.close()

    def close(self) -> None:
        """Stop watching."""
        if self._events is not None:
            self._events.close()

    def __iter__(self) -> Iterator[FolderChanges]:
        """Yield the changes until `stop` is set."""
        while not self._stop.is_set():
            self._read_events()
            lost, unsure = self._check_folders()
            files, gone = self._take_complete()
            if files or gone or lost or unsure:
                yield FolderChanges(files, gone, lost, unsure)

    def postpone(self, files: Sequence[AudioFile], *, seconds: float) -> None:
        """Yield some files again after a time, or earlier if they change."""
        since = time.monotonic() + seconds - SETTLE_SECONDS
        for file in files:
            self._pending.setdefault(file.path, _Pending(file.root, _stamp(file.path), since, postponed=True))

    def _open(self) -> None:
        """Start watching the folders that are there, with polling if the system has no events for them.

        If it fails, because a folder vanishes at this moment, there are no events until the next call.
        """
        before, self._events = self._events, None
        folders = [folder for folder in self._folders if _device(folder) is not None]
        if not self._polling and "WATCHFILES_FORCE_POLLING" not in os.environ:
            for folder in folders:
                file_system = _file_system(self._real[folder])
                if file_system in FILE_SYSTEMS_WITHOUT_EVENTS:
                    self._poll(f"{folder} is on a file system without reliable change events ({file_system})")
                    break
        for polling in (False, True):
            if not folders or (self._polling and not polling):
                continue
            events = _watch([self._real[folder] for folder in folders], polling, self._stop, tick=TICK_MS, step=STEP_MS)
            try:
                self._note_all(next(events, set()))
            except FileNotFoundError as error:
                log.debug("%s", error)
                break
            except (OSError, RuntimeError) as error:
                if not polling:
                    self._poll(_describe_limit(error))
                continue
            self._events = events
            break
        if before is not None:  # closed after the new one has started, so that nothing is missed in between
            with suppress(OSError, RuntimeError):
                self._note_all(next(before, set()))
            before.close()

    def _poll(self, reason: str) -> None:
        log.info("%s; the folders are searched for changes every %.0f s instead", reason, POLL_SECONDS)
        self._polling = True

    def _read_events(self) -> None:
        """Wait for events, for at most `TICK_MS`."""
        if self._events is None:
            self._stop.wait(CHECK_SECONDS)
            return
        try:
            self._note_all(next(self._events, set()))
        except (OSError, RuntimeError) as error:  # such as a name that is not valid UTF-8
            log.debug("watching starts again: %s", error)
            self._stop.wait(CHECK_SECONDS)
            self._restarted.update(self._folders)

    def _note_all(self, events: set[tuple[Change, str]]) -> None:
        from watchfiles import Change

        now = time.monotonic()
        for change, real_path in events:
            path = self._given_path(real_path)
            root = self._root_of(path)
            if path in self._devices and change == Change.deleted:
                self._checked = 0.0
                self._restarted.add(path)
            elif root is None:
                continue
            elif os.path.isdir(path):
                if change == Change.added and not os.path.islink(path):
                    self._new_folders[path] = (root, now)
                    self._note_files_in(path, now)
            elif not os.path.lexists(path):
                self._pending.pop(path, None)
                self._gone[path] = now
            elif has_audio_name(path) and (os.path.isfile(path) or not os.path.exists(path)):
                self._note_file(path, root, now)

    def _note_file(self, path: str, root: str, now: float) -> None:
        self._gone.pop(path, None)
        self._pending[path] = _Pending(root, _stamp(path), now)

    def _note_files_in(self, folder: str, now: float) -> None:
        for file in _search(folder):
            known = self._pending.get(file.path)
            if known is None or known.stamp != _stamp(file.path):
                self._note_file(file.path, self._root_of(file.path) or file.root, now)

    def _given_path(self, real_path: str) -> str:
        """Return a path as it begins in the arguments, which may be symbolic links."""
        for folder, real in self._real.items():
            if real_path == real or real_path.startswith(_as_prefix(real)):
                return folder + real_path[len(real) :] if real != os.sep else real_path
        return real_path

    def _root_of(self, path: str) -> str | None:
        """Return the first watched folder in which a search would come across a path, or None."""
        for folder in self._folders:
            if not path.startswith(_as_prefix(folder)):
                continue
            parts = path[len(_as_prefix(folder)) :].split(os.sep)
            parents = [os.path.join(folder, *parts[:count]) for count in range(1, len(parts))]
            if not any(part.startswith(".") for part in parts) and not any(map(os.path.islink, parents)):
                return folder
        return None

    def _check_folders(self) -> tuple[list[str], list[str]]:
        """Find the watched folders that are lost, and those to search as a whole: they are back, or events were lost."""
        now = time.monotonic()
        if now - self._checked < CHECK_SECONDS and not self._restarted:
            return [], []
        self._checked = now
        lost, changed = [], []
        for folder, device in self._devices.items():
            current = _device(folder)
            if current is None and device is not None:
                lost.append(folder)
            elif current is not None and (current != device or folder in self._restarted):
                changed.append(folder)
            self._devices[folder] = current
        self._restarted.clear()
        for folder in [*lost, *changed]:  # what is missing there may only be unmounted
            prefix = _as_prefix(folder)
            self._gone = {path: since for path, since in self._gone.items() if not path.startswith(prefix)}
        for folder in lost:
            prefix = _as_prefix(folder)
            self._pending = {path: file for path, file in self._pending.items() if not path.startswith(prefix)}
        if changed:
            self._open()
            if self._events is None:  # tried again at the next check
                self._restarted.update(changed)
                return lost, []
        return lost, changed

    def _take_complete(self) -> tuple[list[AudioFile], list[str]]:
        """Take the files that are complete and the paths that are gone, once nothing is changing any more."""
        now = time.monotonic()
        for folder, (_, since) in list(self._new_folders.items()):
            if now - since >= SETTLE_SECONDS:  # for what was written there before it was watched
                del self._new_folders[folder]
                self._note_files_in(folder, now)
                self._require_events(folder)
        for path, file in list(self._pending.items()):
            if file.complete or now - file.since < SETTLE_SECONDS:
                continue
            stamp = _stamp(path)
            if stamp is None and not os.path.lexists(path):
                del self._pending[path]
                self._gone.setdefault(path, now)
            elif stamp == file.stamp:
                self._pending[path] = replace(file, complete=True)
            else:
                self._pending[path] = _Pending(file.root, stamp, now)
        complete = [path for path, file in self._pending.items() if file.complete]
        settled = [path for path, since in self._gone.items() if now - since >= SETTLE_SECONDS]
        if not complete and not settled:
            self._complete_since = None
            return [], []
        if self._complete_since is None:
            self._complete_since = now
        changing = len(settled) < len(self._gone) or any(
            not (file.complete or file.postponed) for file in self._pending.values()
        )
        if (changing or self._new_folders) and now - self._complete_since < MAX_WAIT_SECONDS:
            return [], []
        self._complete_since = None
        for path in settled:
            del self._gone[path]
        return [AudioFile(path, self._pending.pop(path).root) for path in sorted(complete)], sorted(settled)

    def _require_events(self, folder: str) -> None:
        """Change to polling if the system has no more events for a new folder. `watchfiles` does not report that."""
        if self._polling:
            return
        events = _watch([folder], False, self._stop, tick=1, step=1)
        try:
            next(events, None)
        except FileNotFoundError:
            return
        except (OSError, RuntimeError) as error:
            self._poll(_describe_limit(error))
            self._restarted.update(self._folders)
        finally:
            events.close()


def require_folders(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Check that paths are existing folders.

    Raises
    ------
    MissingFileError
        If one is not.
    """
    for path in map(existing_path, paths):
        if not os.path.lexists(path):
            raise MissingFileError(f"{path}: no such folder")
        if not os.path.isdir(path):
            raise MissingFileError(f"{path}: not a folder; only folders can be watched")


def _watch(
    folders: Sequence[str], polling: bool, stop: threading.Event, *, tick: int, step: int
) -> Generator[set[tuple[Change, str]], None, None]:
    """Return the events of folders. Watching starts with the first call of `next`."""
    from watchfiles import watch

    return watch(
        *folders,
        watch_filter=None,
        debounce=2 * tick,
        step=step,
        rust_timeout=tick,
        yield_on_timeout=True,
        stop_event=stop,
        force_polling=True if polling else None,
        poll_delay_ms=int(POLL_SECONDS * 1000),
        ignore_permission_denied=True,
    )


def _describe_limit(error: Exception) -> str:
    """Say why the system does not report changes."""
    text = str(error)
    if "watch limit" in text:
        return "too many folders for the system's change events (on Linux, fs.inotify.max_user_watches is the limit)"
    if "os error 24" in text:
        return "too many programs use the system's change events (on Linux, fs.inotify.max_user_instances is the limit)"
    return f"the system does not report changes ({' '.join(text.split())})"


def _search(folder: str) -> list[AudioFile]:
    try:
        return scan_paths([folder])
    except MissingFileError:  # it is gone again
        return []


def _stamp(path: str) -> FileStamp | None:
    try:
        return FileStamp.of(path)
    except OSError:
        return None


def _device(folder: str) -> int | None:
    """Return the number of the device that a folder is on; None if it cannot be reached."""
    try:
        return os.stat(folder).st_dev if os.path.isdir(folder) else None
    except OSError:
        return None


def _as_prefix(folder: str) -> str:
    return folder.rstrip(os.sep) + os.sep


def _file_system(path: str) -> str | None:
    """Return the type of the file system that a path is on; None if the system does not tell (only Linux does)."""
    found, longest = None, -1
    with suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            mount, _, source = line.partition(" - ")
            point = mount.split(" ")[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
            if (path == point or path.startswith(_as_prefix(point))) and len(point) >= longest:
                found, longest = source.split(" ")[0], len(point)
    return found
