"""Write genre and tempo into file tags, and update the catalogue accordingly. The caller provides the values.

A verified copy with the new tags replaces each file, so a file is always either unchanged or complete.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sonotheque.errors import AudioError
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.metadata.file_tags import read_tags
from sonotheque.metadata.tag_rewriting import require_stated_length, temporary_copy, write_verified
from sonotheque.metadata.writable_tags import WritableTags
from sonotheque.results import FailedFile, TagChange, TaggingResult
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import Progress

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class TagRequest:
    """The tags to write to the files of a track.

    Attributes
    ----------
    track : Track
    genre : str or None
        None leaves the genre as it is.
    bpm : int or None
        Tempo in beats per minute. None leaves the tempo as it is.
    paths : frozenset of str or None
        Only these files of the track are changed; by default all.
    """

    track: Track
    genre: str | None = None
    bpm: int | None = None
    paths: frozenset[str] | None = None

    def fields(self) -> dict[str, str]:
        """Map the names of the fields to write to their texts."""
        texts = {"genre": (self.genre or "").strip(), "tempo": str(self.bpm or "")}
        return {name: text for name, text in texts.items() if text}


@dataclass
class _Outcome:
    changes: list[TagChange] = field(default_factory=list)
    failed: list[FailedFile] = field(default_factory=list)
    written: int = 0
    kept: int = 0

    def result(self, *, dry_run: bool) -> TaggingResult:
        failed = sorted(self.failed, key=lambda failure: failure.path)
        return TaggingResult(self.changes, self.written, self.kept, failed, dry_run)

    @contextlib.contextmanager
    def collect_failure(self, file: _TrackFile) -> Iterator[None]:
        """Catch an error about one file and add it to `failed`."""
        try:
            yield
        except AudioError as error:
            text = str(error)
            for path in (file.real_path, file.path):
                text = text.removeprefix(f"{path}: ")
            self.failed.append(FailedFile(file.path, text))
        except OSError as error:
            self.failed.append(FailedFile(file.path, f"cannot be written ({error.strerror or error})"))


@dataclass(frozen=True)
class _TrackFile:
    """One real file of a track, with the stamps of all paths that lead to it. Messages name `path`."""

    real_path: str
    path: str
    stamps: Mapping[str, FileStamp]


def plan_tags(
    catalogue: Catalogue, requests: Sequence[TagRequest], *, overwrite: bool = False, progress: Progress | None = None
) -> TaggingResult:
    """List the changes that `write_tags` would make, and the files that it would refuse.

    The same checks are made on a copy in the folder for temporary files. The files themselves and their folders are not written.

    Parameters
    ----------
    catalogue : Catalogue
    requests : sequence of TagRequest
        Each track once.
    overwrite : bool
        Replace an existing genre or tempo. A tempo of 0 counts as none. A tempo that rounds to the requested one is equal.
    progress : callable or None
        Called with (tracks done, tracks to do).

    Returns
    -------
    TaggingResult
    """
    outcome = _Outcome()
    for done, (request, files) in enumerate(_files_of(catalogue, requests), start=1):
        for file in files:
            with outcome.collect_failure(file):
                changes, kept = _checked_changes(request, file, overwrite=overwrite)
                outcome.kept += kept
                if changes:
                    _rehearse(file, changes)
                    outcome.changes += changes
        if progress:
            progress(done, len(requests))
    return outcome.result(dry_run=True)


def write_tags(
    catalogue: Catalogue, requests: Sequence[TagRequest], *, overwrite: bool = False, progress: Progress | None = None
) -> TaggingResult:
    """Write genres and tempos into files and update the catalogue track by track, so that nothing must be embedded again.

    A symbolic link stays a link, and the file that it points to is changed. A hard link is broken: only the file at this path gets
    the new bytes. All files of a track get the same change. A file that cannot be written stays unchanged, byte for byte. If the
    process is killed after a file was changed and before the catalogue was updated, the next `add` embeds that file again and
    keeps its label.

    Parameters
    ----------
    catalogue : Catalogue
    requests : sequence of TagRequest
        Each track once.
    overwrite : bool
        See `plan_tags`.
    progress : callable or None
        Called with (tracks done, tracks to do).

    Returns
    -------
    TaggingResult
    """
    outcome = _Outcome()
    try:
        for done, (request, files) in enumerate(_files_of(catalogue, requests), start=1):
            _write_track(catalogue, request, files, outcome, overwrite=overwrite)
            if progress:
                progress(done, len(requests))
    except KeyboardInterrupt:
        for change in outcome.changes:
            log.info("written: %s: %s %s", change.path, change.field, change.after)
        raise
    return outcome.result(dry_run=False)


def _files_of(catalogue: Catalogue, requests: Sequence[TagRequest]) -> Iterator[tuple[TagRequest, list[_TrackFile]]]:
    """Yield each request with the files of its track, in the order of their paths."""
    stamps: dict[int, dict[str, FileStamp]] = {}
    for path, (stamp, track) in sorted(catalogue.files.all().items()):
        stamps.setdefault(track, {})[path] = stamp
    for request in requests:
        real: dict[str, dict[str, FileStamp]] = {}
        for path, stamp in stamps.get(request.track.id, {}).items():
            if request.paths is None or path in request.paths:
                real.setdefault(os.path.realpath(path), {})[path] = stamp
        yield request, [_TrackFile(file, file if file in paths else min(paths), paths) for file, paths in real.items()]


def _require_known_content(request: TagRequest, file: _TrackFile) -> None:
    """Check that a file still has the content that the catalogue knows."""
    if not os.path.exists(file.real_path):
        raise AudioError("no such file; `sonotheque remove --missing` removes it from the library")
    if FileStamp.of(file.real_path) not in file.stamps.values() and content_hash(file.real_path) != request.track.hash:
        raise AudioError("has changed since it was added; `sonotheque add` it again first")


def _require_writable(file: _TrackFile) -> None:
    """Check that a file and its folder may be written."""
    if not os.access(file.real_path, os.W_OK) or not os.stat(file.real_path).st_mode & 0o222:
        raise AudioError("is read-only; make it writable first")
    if not os.access(os.path.dirname(file.real_path), os.W_OK):
        raise AudioError("its folder is read-only; make it writable first")


def _checked_changes(request: TagRequest, file: _TrackFile, *, overwrite: bool) -> tuple[list[TagChange], int]:
    """List the changes to one file, after the checks that need no copy. See `_changes`."""
    _require_known_content(request, file)
    require_stated_length(file.real_path)
    changes, kept = _changes(WritableTags(file.real_path), file.path, request.fields(), overwrite=overwrite)
    if changes:
        _require_writable(file)
    return changes, kept


def _rehearse(file: _TrackFile, changes: Sequence[TagChange]) -> None:
    """Write the changes to a copy in the folder for temporary files, and verify the copy.

    Raises
    ------
    AudioError
        If the copy is not as expected.
    """
    try:
        with temporary_copy(file.real_path, folder=tempfile.gettempdir()) as copy:
            write_verified(copy, file.real_path, {change.field: change.after for change in changes})
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        log.warning("%s: not checked, since %s has no room for a copy of it", file.path, tempfile.gettempdir())


def _changes(
    tags: WritableTags, path: str, fields: Mapping[str, str], *, overwrite: bool
) -> tuple[list[TagChange], int]:
    """List the changes to one file, and count the existing values that are kept although another one is requested."""
    changes, kept = [], 0
    for name, text in fields.items():
        existing = tags.values(name)
        if name == "tempo":
            existing = [value for value in existing if _rounded(value) != 0]
            equal = [_rounded(value) for value in existing] == [int(text)]
        else:
            equal = existing == [text]
        if equal:
            continue
        if existing and not overwrite:
            kept += 1
            continue
        tags.require_storable(name, text)
        changes.append(TagChange(path, name, "; ".join(existing) or None, text))
    return changes, kept


def _rounded(text: str) -> int | None:
    try:
        return round(float(text.replace(",", ".")))
    except (ValueError, OverflowError):
        return None


def _write_track(
    catalogue: Catalogue, request: TagRequest, files: Sequence[_TrackFile], outcome: _Outcome, *, overwrite: bool
) -> None:
    """Write the files of one track. Files that were written are recorded in the catalogue even after Ctrl-C."""
    contents: dict[str, str] = {}
    stamps: dict[str, FileStamp] = {}
    try:
        for file in files:
            with outcome.collect_failure(file):
                changes, kept = _checked_changes(request, file, overwrite=overwrite)
                outcome.kept += kept
                if not changes:
                    continue
                before = FileStamp.of(file.real_path)
                with temporary_copy(file.real_path) as copy:
                    write_verified(copy, file.real_path, {change.field: change.after for change in changes})
                    contents.update(dict.fromkeys(file.stamps, content_hash(copy)))
                    stamps.update(dict.fromkeys(file.stamps, FileStamp.of(copy)))
                    if FileStamp.of(file.real_path) != before:
                        raise AudioError("was changed by another program in the meantime; try again")
                    os.replace(copy, file.real_path)
                outcome.changes += changes
                outcome.written += 1
    finally:
        written = {path: stamp for path, stamp in stamps.items() if _current_stamp(path) == stamp}
        if written:
            path = next(iter(written))
            if not catalogue.update_content(request.track.id, contents[path], written, read_tags(path).genre):
                log.warning("%s is now a duplicate of another track; `sonotheque add` it again to merge the two", path)


def _current_stamp(path: str) -> FileStamp | None:
    try:
        return FileStamp.of(path)
    except OSError:
        return None
