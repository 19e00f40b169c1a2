"""The resumable ingest: detect which files are new, changed, moved or duplicates, and embed or link them.

The tempo and key are estimated along with the vectors. A track of an older library that lacks only these is decoded once more, and
nothing is embedded again.

Each track is committed separately. An ingest that is stopped or killed loses at most the tracks in flight, and the next one
processes only what is missing.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import tag_logits
from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError
from sonotheque.extract.extraction import Extraction
from sonotheque.extract.file_identity import FileStamp, content_hash, name_problem, printable_path
from sonotheque.extract.pool import ExtractionPool
from sonotheque.extract.scan import AudioFile
from sonotheque.metadata.file_tags import read_tags
from sonotheque.results import FailedFile
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import FloatArray, Progress

TAG_SPACE = musicnn.SPACE.id
"""The space whose vectors give the auto-tags. They are computed but not stored if only the auto-tags are wanted."""

log = logging.getLogger("sonotheque")


@dataclass
class _Work:
    """One content to embed, with all paths that have this content so far.

    `track` is the id of its track if the content is known. Without spaces, only the tempo and key are missing.
    """

    content: str
    spaces: tuple[str, ...]
    track: int | None
    files: dict[str, FileStamp] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return next(iter(self.files))


@dataclass
class IngestCounts:
    """What an ingest did with the files.

    Attributes
    ----------
    embedded : int
        Embedded.
    analysed : int
        Already embedded, but their tempo and key were missing.
    linked : int
        Linked to a track that is already known: moved files and duplicates.
    unchanged : int
        Already known at their path.
    failed : int
        Not usable.
    """

    embedded: int = 0
    analysed: int = 0
    linked: int = 0
    unchanged: int = 0
    failed: int = 0


NO_STAMP = FileStamp(-1, -1)
"""The stamp of a failed file that is tried again next time."""


class Ingest:
    """Add files to a catalogue.

    Parameters
    ----------
    catalogue : Catalogue
    spaces : sequence of str
        Ids of the spaces in which every track gets vectors.
    auto_tags : bool
        Whether every track gets auto-tags, also where the spaces do not give them.
    compute : Compute
    retry : bool
        Try unchanged files again that failed before.
    workers : int or None
        Worker processes. By default one per processor.
    patience : float
        A file that fails, or changes while it is read, and that was written less than this many s ago may not be complete. It is
        not recorded as a failure, but listed in `incomplete`, and so is a file that is gone when it is read.

    Attributes
    ----------
    counts : IngestCounts
    failures : list of FailedFile
        The files that failed.
    incomplete : list of str
        Paths that were left out because of `patience`.
    several_genres : dict of path to tuple of str
        The embedded files that name several genres in their tags.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        spaces: Sequence[str],
        auto_tags: bool = False,
        compute: Compute = Compute(),
        retry: bool = False,
        workers: int | None = None,
        patience: float = 0.0,
    ) -> None:
        self._catalogue = catalogue
        self._tags_only = auto_tags and TAG_SPACE not in spaces
        self._spaces = (*spaces, TAG_SPACE) if self._tags_only else tuple(spaces)
        self._compute = compute
        self._retry = retry
        self._workers = workers
        self._patience = patience
        self.failures: list[FailedFile] = []
        self.incomplete: list[str] = []
        self.counts = IngestCounts()
        self.several_genres: dict[str, tuple[str, ...]] = {}
        self._in_flight: dict[str, _Work] = {}
        self._recording = True
        self._contents: dict[str, str] = {}
        self._done = self._total = 0
        self._progress: Progress = lambda done, total: None

    def run(self, audio_files: Sequence[AudioFile], *, progress: Progress | None = None) -> None:
        """Embed what is missing, and record what fails.

        Parameters
        ----------
        audio_files : sequence of AudioFile
            As returned by `sonotheque.extract.scan_paths`.
        progress : callable or None
            Called with (files done, files to do); not called if there is nothing to do.
        """
        self._progress = progress or self._progress
        pending = list(self._pending(audio_files))
        self.counts.unchanged = len(audio_files) - len(pending) - self.counts.failed - len(self.incomplete)
        self._done, self._total = 0, len(pending)
        if not pending:
            return
        self._progress(0, self._total)
        with ExtractionPool(files=len(pending), compute=self._compute, workers=self._workers, tempo_key=True) as pool:
            for work, extraction in pool.map(self._work(pending), key=lambda work: (work.path, work.spaces)):
                del self._in_flight[work.content]
                if isinstance(extraction, AudioError) and work.track is not None and not work.spaces:
                    log.warning("%s; the track has no tempo and key", extraction)
                elif isinstance(extraction, AudioError):
                    for path, stamp in work.files.items():
                        self._fail(path, stamp, str(extraction).removeprefix(f"{work.path}: "))
                elif changed := [path for path, stamp in work.files.items() if not _unchanged(path, stamp)]:
                    for path in changed:
                        if self._patience:
                            self.incomplete.append(path)
                        else:
                            self._fail(path, NO_STAMP, "changed while it was read; add it again")
                else:
                    if len(extraction.tags.genres) > 1:
                        self.several_genres[work.path] = extraction.tags.genres
                    self._store(work, extraction)
                self._advance(len(work.files))

    def preview(self, audio_files: Sequence[AudioFile]) -> dict[str, str]:
        """Count what `run` would do, without decoding or storing anything. Whether a file can be decoded is not tested.

        Returns
        -------
        dict of path to content hash
            Of the files that would be embedded, analysed or linked.
        """
        self._recording = False
        pending = list(self._pending(audio_files))
        self.counts.unchanged = len(audio_files) - len(pending) - self.counts.failed
        for work in self._work(pending):
            if work.spaces or work.track is None:
                self.counts.embedded += 1
            else:
                self.counts.analysed += 1
        for work in self._in_flight.values():
            self._contents |= dict.fromkeys(work.files, work.content)
            self.counts.linked += len(work.files) - 1
        return self._contents

    def _store(self, work: _Work, extraction: Extraction) -> None:
        """Store an extraction, with auto-tags in place of the vectors that are needed for them only."""
        if work.spaces or work.track is None or extraction.tempo_key is None:
            tags: tuple[str, FloatArray] | None = None
            if self._tags_only and TAG_SPACE in extraction.vectors:
                vectors = dict(extraction.vectors)
                vector, _ = vectors.pop(TAG_SPACE)
                tags = TAG_SPACE, tag_logits(vector[None])[0].astype("float32")
                extraction = replace(extraction, vectors=vectors)
            track = self._catalogue.store_extraction(work.content, work.files, extraction, auto_tags=tags)
            self.counts.embedded += 1
        else:
            track = work.track
            self._catalogue.store_tempo_key(track, extraction.tempo_key)
            moved = {
                path: stamp for path, stamp in work.files.items() if self._catalogue.files.get(path) != (stamp, track)
            }
            if moved:
                self._catalogue.link_files(track, moved)
            self.counts.analysed += 1
        self.counts.linked += len(work.files) - 1

    def _fail(self, path: str, stamp: FileStamp, reason: str) -> None:
        if self._patience and _is_recent(path, self._patience):
            self.incomplete.append(path)
        else:
            self._record_failure(path, stamp, reason)

    def _record_failure(self, path: str, stamp: FileStamp, reason: str) -> None:
        if self._recording:
            self._catalogue.record_failure(path, stamp, reason)
            self.failures.append(FailedFile(path, reason))
        self.counts.failed += 1

    def _advance(self, count: int) -> None:
        self._done += count
        self._progress(self._done, self._total)

    def _pending(self, audio_files: Sequence[AudioFile]) -> Iterator[tuple[str, FileStamp]]:
        """Yield the files to process, determined by path, size and modification time only."""
        files = self._catalogue.files
        for path in (file.path for file in audio_files):
            problem = name_problem(path)
            if problem:
                if not self._patience or os.path.lexists(path):
                    self._record_failure(printable_path(path), NO_STAMP, problem)
                continue
            try:
                stamp = FileStamp.of(path)
            except OSError as error:
                self._fail(path, NO_STAMP, f"cannot be opened ({error.strerror})")
                continue
            known = files.get(path)
            if known and known[0] == stamp and not self._missing_spaces(known[1]) and self._is_analysed(known[1]):
                if self._recording and self._catalogue.tracks.lacks_year(known[1]):
                    self._catalogue.tracks.set_year(known[1], read_tags(path).year)
                continue
            if not self._retry and (failure := files.get_failure(path)) and failure[0] == stamp:
                continue
            yield path, stamp

    def _work(self, pending: Sequence[tuple[str, FileStamp]]) -> Iterator[_Work]:
        """Hash the files one by one. Link those whose content is known, and yield those that must be embedded."""
        for path, stamp in pending:
            try:
                content = content_hash(path)
            except OSError as error:
                self._fail(path, stamp, f"cannot be read ({error.strerror})")
                self._advance(1)
                continue
            if content in self._in_flight:
                self._in_flight[content].files[path] = stamp
                continue
            track = self._catalogue.tracks.find(content)
            missing = self._spaces if track is None else self._missing_spaces(track)
            if track is not None and not missing and self._is_analysed(track):
                if self._recording:
                    self._catalogue.link_files(track, {path: stamp})
                else:
                    self._contents[path] = content
                self.counts.linked += 1
                self._advance(1)
                continue
            work = _Work(content, missing, track, {path: stamp})
            self._in_flight[content] = work
            yield work

    def _missing_spaces(self, track: int) -> tuple[str, ...]:
        """Return the spaces in which a track still needs a vector, or auto-tags in place of one."""
        tagged = self._tags_only and self._catalogue.auto_tags.has(track, TAG_SPACE)
        return tuple(
            space
            for space in self._spaces
            if not self._catalogue.vectors.has(track, space) and not (tagged and space == TAG_SPACE)
        )

    def _is_analysed(self, track: int) -> bool:
        return self._catalogue.tempo_keys.get(track) is not None


def _is_recent(path: str, seconds: float) -> bool:
    """Return whether a file was written less than some seconds ago, or is gone."""
    try:
        return abs(time.time() - os.stat(path).st_mtime) < seconds
    except OSError:
        return not os.path.lexists(path)


def _unchanged(path: str, stamp: FileStamp) -> bool:
    try:
        return FileStamp.of(path) == stamp
    except OSError:
        return False
