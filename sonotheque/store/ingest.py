"""The resumable ingest: which files are new, changed, moved or copied, and what is done about each.

Each track is committed on its own, so that an ingest that is stopped or killed loses at most the tracks in flight, and
the next one does only what is missing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.heard import Listener
from sonotheque.store.records import Stamp
from sonotheque.store.scan import Found

Progress = Callable[[int, int], None]
"""Called with how many files are done and how many there are to do."""


def content_hash(path: str) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class _Work:
    """One content to embed, with all the paths at which it was met so far."""

    content: str
    spaces: tuple[str, ...]
    files: dict[str, Stamp] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return next(iter(self.files))


@dataclass
class Counts:
    """What an ingest did with the files: listened to, found at a new place, left alone, given up."""

    heard: int = 0
    placed: int = 0
    unchanged: int = 0
    failed: int = 0


NEVER = Stamp(-1, -1)
"""The stamp of a file that is to be looked at again next time."""


class Ingest:
    """Bring files into a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    spaces : ids of the spaces that every track is to have
    compute : Compute
    retry : bool
        Try files again that failed before and have not changed.
    workers : int or None
        Worker processes; one for each processor by default.

    Attributes
    ----------
    counts : Counts
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        spaces: Sequence[str],
        compute: Compute = Compute(),
        retry: bool = False,
        workers: int | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._spaces = tuple(spaces)
        self._compute = compute
        self._retry = retry
        self._workers = workers
        self._hashes = catalogue.hashes()
        self._embedded = catalogue.embedded(self._spaces)
        self.counts = Counts()
        self._flying: dict[str, _Work] = {}
        self._done = self._total = 0
        self._progress: Progress = lambda done, total: None

    def run(self, found: Sequence[Found], *, progress: Progress | None = None) -> None:
        """Embed what is missing; note what fails.

        Parameters
        ----------
        found : files, as `sonotheque.store.scan` gives them
        progress : callable
            Called with (done, total) as files become ready; not at all where nothing is to be done.
        """
        self._progress = progress or self._progress
        pending = list(self._pending(found))
        self.counts.unchanged = len(found) - len(pending) - self.counts.failed
        self._done, self._total = 0, len(pending)
        if not pending:
            return
        self._progress(0, self._total)
        with Listener(files=len(pending), compute=self._compute, workers=self._workers) as listener:
            for work, heard in listener.map(self._work(pending), key=lambda work: (work.path, work.spaces)):
                del self._flying[work.content]
                if isinstance(heard, AudioError):
                    for path, stamp in work.files.items():
                        self._fail(path, stamp, str(heard).removeprefix(f"{work.path}: "))
                elif changed := [path for path, stamp in work.files.items() if not _unchanged(path, stamp)]:
                    for path in changed:
                        self._fail(path, NEVER, "changed while it was read; add it again")
                else:
                    track = self._catalogue.store(work.content, work.files, heard)
                    self.counts.heard += 1
                    self.counts.placed += len(work.files) - 1
                    self._hashes[work.content] = track
                    self._embedded.setdefault(track, set()).update(work.spaces)
                self._step(len(work.files))

    def _fail(self, path: str, stamp: Stamp, reason: str) -> None:
        self._catalogue.fail(path, stamp, reason)
        self.counts.failed += 1

    def _step(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._total)

    def _pending(self, found: Sequence[Found]) -> Iterator[tuple[str, Stamp]]:
        """Pick the files about which something is to be done, by name, size and time alone."""
        files, failed = self._catalogue.files(), self._catalogue.failed()
        complete = {track for track, spaces in self._embedded.items() if len(spaces) == len(self._spaces)}
        for path in (file.path for file in found):
            try:
                path.encode()
            except UnicodeEncodeError:
                readable = os.fsencode(path).decode("utf-8", "backslashreplace")
                self._fail(readable, NEVER, "its name is not valid UTF-8; rename it")
                continue
            try:
                stamp = Stamp.of(path)
            except OSError as error:
                self._fail(path, NEVER, f"cannot be opened ({error.strerror})")
                continue
            known = files.get(path)
            if known and known[0] == stamp and known[1] in complete:
                continue
            if path in failed and failed[path][0] == stamp and not self._retry:
                continue
            yield path, stamp

    def _work(self, pending: Sequence[tuple[str, Stamp]]) -> Iterator[_Work]:
        """Hash files one by one; settle what is known by content, pass on what must be embedded."""
        for path, stamp in pending:
            try:
                content = content_hash(path)
            except OSError as error:
                self._fail(path, stamp, f"cannot be read ({error.strerror})")
                self._step(1)
                continue
            if content in self._flying:
                self._flying[content].files[path] = stamp
                continue
            track = self._hashes.get(content)
            have = self._embedded.get(track, set()) if track is not None else set()
            missing = tuple(space for space in self._spaces if space not in have)
            if track is not None and not missing:
                self._catalogue.place(track, {path: stamp})
                self.counts.placed += 1
                self._step(1)
                continue
            work = _Work(content, missing, {path: stamp})
            self._flying[content] = work
            yield work


def _unchanged(path: str, stamp: Stamp) -> bool:
    try:
        return Stamp.of(path) == stamp
    except OSError:
        return False
