"""Genre and tempo into the files' own tags: what would change, and the changing. Which genre is wanted is the caller's to say.

A file is changed as a copy beside it, which takes its place only once it is known to sound the same and to carry the wanted tags
and, apart from them, the old ones. So a file is as it was or as it should be. Formats: `sonotheque.store.tagged`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sonotheque.audio.decode import open_decoder
from sonotheque.documents import FailedFile
from sonotheque.documents.tagging import TagChange, Tagged
from sonotheque.errors import AudioError
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.ingest import Progress, content_hash
from sonotheque.store.records import Stamp, Track
from sonotheque.store.tagged import TaggedFile
from sonotheque.store.tags import read_tags

log = logging.getLogger("sonotheque")


@dataclass(frozen=True)
class Wanted:
    """What the files of a track are to say; None leaves a field alone. Only those at `places` are touched, by default all."""

    track: Track
    genre: str | None = None
    bpm: int | None = None
    places: frozenset[str] | None = None

    def fields(self) -> dict[str, str]:
        """Map the fields to their texts."""
        texts = {"genre": (self.genre or "").strip(), "tempo": str(self.bpm or "")}
        return {name: text for name, text in texts.items() if text}


@dataclass
class _Outcome:
    changes: list[TagChange] = field(default_factory=list)
    failed: list[FailedFile] = field(default_factory=list)
    written: int = 0
    kept: int = 0

    def document(self, *, dry_run: bool) -> Tagged:
        return Tagged(self.changes, self.written, self.kept, sorted(self.failed, key=lambda one: one.path), dry_run)


@dataclass(frozen=True)
class _Place:
    """One real file of a track, with all the paths that lead to it; `path` is the one that is spoken of."""

    real: str
    path: str
    stamps: Mapping[str, Stamp]


def plan_tags(catalogue: Catalogue, wanted: Sequence[Wanted], *, overwrite: bool = False) -> Tagged:
    """Say what `write_tags` would do. Tags are read, nothing is decoded, nothing is written.

    Parameters
    ----------
    catalogue : Catalogue
    wanted : sequence of Wanted
        Each track once.
    overwrite : bool
        Change a genre or a tempo that is there already. A tempo of 0 stands for none; one that rounds to the wanted is equal.

    Returns
    -------
    Tagged
    """
    outcome = _Outcome()
    for one, places in _placed(catalogue, wanted):
        for place in places:
            with _kept_apart(outcome, place):
                changes, kept = _changes(
                    _open(one, place, writing=False), place.path, one.fields(), overwrite=overwrite
                )
                outcome.changes += changes
                outcome.kept += kept
    return outcome.document(dry_run=True)


def write_tags(
    catalogue: Catalogue, wanted: Sequence[Wanted], *, overwrite: bool = False, progress: Progress | None = None
) -> Tagged:
    """Write genres and tempi into files, and let the catalogue follow, track by track: nothing has to be listened to again.

    A symbolic link stays one: the file that it leads to is changed. A hard link is cut: the file gets new bytes under this name
    alone. All files of a track get the same change. One that cannot be written is left as it is, byte for byte. If the process is
    killed between a file's change and the catalogue's, the next `add` listens to that one file again and its label stays.

    Parameters
    ----------
    catalogue : Catalogue
    wanted : sequence of Wanted
        Each track once.
    overwrite : bool
        See `plan_tags`.
    progress : callable
        Called with (tracks done, tracks to do).

    Returns
    -------
    Tagged
    """
    outcome = _Outcome()
    try:
        for done, (one, places) in enumerate(_placed(catalogue, wanted), start=1):
            _write_track(catalogue, one, places, outcome, overwrite=overwrite)
            if progress:
                progress(done, len(wanted))
    except KeyboardInterrupt:
        for change in outcome.changes:
            log.info("written: %s: %s %s", change.path, change.field, change.after)
        raise
    return outcome.document(dry_run=False)


def _placed(catalogue: Catalogue, wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, list[_Place]]]:
    """Find the files of each track, in the order of their paths."""
    stamps: dict[int, dict[str, Stamp]] = {}
    for path, (stamp, track) in sorted(catalogue.files().items()):
        stamps.setdefault(track, {})[path] = stamp
    for one in wanted:
        real: dict[str, dict[str, Stamp]] = {}
        for path, stamp in stamps.get(one.track.id, {}).items():
            if one.places is None or path in one.places:
                real.setdefault(os.path.realpath(path), {})[path] = stamp
        yield one, [_Place(file, file if file in paths else min(paths), paths) for file, paths in real.items()]


@contextlib.contextmanager
def _kept_apart(outcome: _Outcome, place: _Place) -> Iterator[None]:
    """Turn what is wrong with one file into an entry of `failed`."""
    try:
        yield
    except AudioError as error:
        outcome.failed.append(FailedFile(place.path, _reason(error, place)))
    except OSError as error:
        outcome.failed.append(FailedFile(place.path, f"cannot be written ({error.strerror or error})"))


def _reason(error: AudioError, place: _Place) -> str:
    text = str(error)
    for path in (place.real, place.path):
        text = text.removeprefix(f"{path}: ")
    return text


def _open(one: Wanted, place: _Place, *, writing: bool) -> TaggedFile:
    """Open a file's tags, if it is the one that the catalogue knows and, for writing, may be written."""
    if not os.path.exists(place.real):
        raise AudioError("no such file; `sonotheque remove --missing` forgets it")
    if Stamp.of(place.real) not in place.stamps.values() and content_hash(place.real) != one.track.hash:
        raise AudioError("has changed since it was added; `sonotheque add` it again first")
    if not writing:
        return TaggedFile(place.real)
    if not os.access(place.real, os.W_OK) or not os.stat(place.real).st_mode & 0o222:
        raise AudioError("may only be read; allow writing to it first")
    if not os.access(os.path.dirname(place.real), os.W_OK):
        raise AudioError("its folder may only be read; allow writing to it first")
    return TaggedFile(place.real)


def _changes(
    tagged: TaggedFile, path: str, fields: Mapping[str, str], *, overwrite: bool
) -> tuple[list[TagChange], int]:
    """List the changes of one file, and count the values that stay although another one is wanted."""
    changes, kept = [], 0
    for name, text in fields.items():
        have = tagged.values(name)
        if name == "tempo":
            have = [value for value in have if _whole(value) != 0]
            equal = [_whole(value) for value in have] == [int(text)]
        else:
            equal = have == [text]
        if equal:
            continue
        if have and not overwrite:
            kept += 1
            continue
        tagged.require(name, text)
        changes.append(TagChange(path, name, "; ".join(have) or None, text))
    return changes, kept


def _whole(text: str) -> int | None:
    try:
        return round(float(text.replace(",", ".")))
    except (ValueError, OverflowError):
        return None


def _write_track(
    catalogue: Catalogue, one: Wanted, places: Sequence[_Place], outcome: _Outcome, *, overwrite: bool
) -> None:
    """Write the files of one track, then note in the catalogue those that were written, also where Ctrl-C stops the writing."""
    contents: dict[str, str] = {}
    stamps: dict[str, Stamp] = {}
    try:
        for place in places:
            with _kept_apart(outcome, place):
                changes, kept = _changes(_open(one, place, writing=True), place.path, one.fields(), overwrite=overwrite)
                outcome.kept += kept
                if not changes:
                    continue
                with _copy_beside(place.real) as (part, before):
                    _rewrite(part, place.real, changes)
                    contents.update(dict.fromkeys(place.stamps, content_hash(part)))
                    stamps.update(dict.fromkeys(place.stamps, Stamp.of(part)))
                    if Stamp.of(place.real) != before:
                        raise AudioError("was changed by another program just now; try again")
                    os.replace(part, place.real)
                outcome.changes += changes
                outcome.written += 1
    finally:
        written = {path: stamp for path, stamp in stamps.items() if _stamp(path) == stamp}
        if written:
            path = next(iter(written))
            if not catalogue.rehash(one.track.id, contents[path], written, read_tags(path).genre):
                log.warning("%s is now a copy of another track; `sonotheque add` it again to join the two", path)


def _stamp(path: str) -> Stamp | None:
    try:
        return Stamp.of(path)
    except OSError:
        return None


@contextlib.contextmanager
def _copy_beside(path: str) -> Iterator[tuple[str, Stamp]]:
    """Copy a file to a hidden one in its folder, with owner, permissions and extended attributes; remove it if it is still there.

    Yields the copy's path, and the stamp of the file that was copied.
    """
    before, facts = Stamp.of(path), os.stat(path)
    handle, part = tempfile.mkstemp(prefix=".sonotheque-", suffix=os.path.splitext(path)[1], dir=os.path.dirname(path))
    try:
        os.close(handle)
        shutil.copyfile(path, part)
        if hasattr(os, "chown"):
            with contextlib.suppress(PermissionError):  # another's file in a shared folder becomes one's own
                os.chown(part, facts.st_uid, facts.st_gid)
        shutil.copystat(path, part)
        yield part, before
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def _rewrite(part: str, original: str, changes: Sequence[TagChange]) -> None:
    """Change the tags of a copy and check it against the original.

    Raises
    ------
    AudioError
        If the copy is not what it should be.
    """
    wanted = {change.field: change.after for change in changes}
    tagged = TaggedFile(part)
    others = tagged.others(wanted)
    tagged.write(wanted)
    again = TaggedFile(part)
    for name, text in wanted.items():
        if again.values(name) != [text]:
            raise AudioError(
                f"its tags would not hold the {name} {text!r}, but {'; '.join(again.values(name)) or 'nothing'}"
            )
    if again.others(wanted) != others:
        raise AudioError("its other tags would not survive; it is left alone")
    if sound(part) != sound(original) or again.streams() != TaggedFile(original).streams():
        raise AudioError("it would not sound the same; it is left alone")
    with open(part, "rb+") as file:
        os.fsync(file.fileno())


def sound(path: str) -> str:
    """Condense what a file sounds like: SHA-256 of its decoded samples, with rate, channels, and where it breaks off.

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    decoder = open_decoder(path)
    try:
        digest = hashlib.sha256(f"{decoder.sample_rate} {decoder.channels}".encode())
        for block in decoder.blocks():
            digest.update(block.tobytes())
        digest.update(str(decoder.truncated).encode())
    finally:
        decoder.close()
    return digest.hexdigest()
