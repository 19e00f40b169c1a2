"""Keep a catalogue in step with folders: add what is new or changed, follow what was moved, remove what was deleted."""

from __future__ import annotations

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields

from sonotheque.embed.runtime import Compute
from sonotheque.errors import LabelsError, MissingFileError
from sonotheque.extract import AudioFile
from sonotheque.extract.file_identity import printable_path
from sonotheque.extract.scan import scan_paths
from sonotheque.extract.watch import FolderChanges, FolderWatcher
from sonotheque.library.add_files import choose_auto_tags, choose_library_spaces, find_files
from sonotheque.metadata import LabelSource, open_label_source
from sonotheque.metadata.file_names import existing_path
from sonotheque.plurals import pluralize
from sonotheque.results import FailedFile, WatchBatch, WatchResult
from sonotheque.store import Catalogue, Ingest, label_tracks
from sonotheque.types import PathLike, Progress

log = logging.getLogger("sonotheque")

PATIENCE_SECONDS = 30.0
"""A file that fails is recorded as a failure if it has not been written to for this time. Until then its copying may only pause."""

MAX_VANISHED, MAX_VANISHED_FRACTION = 10, 0.2
"""Files of a folder that may vanish at once, as a number and as a fraction of those that the library knows. If both are exceeded,
or if all files vanish, nothing is removed: a drive may be unplugged, or a folder moved away for a while."""

COUNTS = tuple(entry.name for entry in fields(WatchBatch) if entry.name != "failures")
"""What is counted in each batch and summed up."""

Report = Callable[[WatchBatch], None]


@dataclass(frozen=True)
class _Watch:
    """What is the same for every batch, with the sums over the batches so far."""

    catalogue: Catalogue
    folders: Sequence[str]
    labels: str | None
    columns: Sequence[str] | None
    ids: PathLike | None
    new_genres: bool
    command: str
    compute: Compute
    refresh: Callable[[], None]
    report: Report | None
    progress: Progress | None
    sums: Counter[str] = field(default_factory=Counter)
    nested: dict[str, str] = field(default_factory=dict)
    """For each watched folder, a file in one of its subfolders: `FolderLabels` must know that there is one."""


@dataclass
class _Batch:
    """What was done in a batch so far."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[FailedFile] = field(default_factory=list)


def watch_folders(
    catalogue: Catalogue,
    folders: Sequence[PathLike],
    *,
    labels: str | None,
    columns: Sequence[str] | None,
    ids: PathLike | None,
    embedders: Sequence[str],
    auto_tags: bool | None,
    retry: bool,
    new_genres: bool,
    command: str,
    compute: Compute,
    refresh: Callable[[], None],
    report: Report | None,
    stop: threading.Event | None,
    progress: Progress | None,
    fetching: Progress | None,
) -> WatchResult:
    """Add folders, then follow their changes until `stop` is set or Ctrl-C. The parameters are those of `Library.watch`.

    Parameters
    ----------
    refresh : callable
        Called after each batch that has changed the catalogue.

    Returns
    -------
    WatchResult

    Raises
    ------
    MissingFileError
        If a folder does not exist.
    LabelsError
        If the labels are unusable at the start. Nothing is added then.
    """
    roots = list(dict.fromkeys(os.path.abspath(existing_path(folder)) for folder in folders))
    watch = _Watch(catalogue, roots, labels, columns, ids, new_genres, command, compute, refresh, report, progress)
    try:
        with FolderWatcher(roots, stop=stop) as watcher:  # before the first search, so that nothing is missed
            files, source = find_files(
                catalogue, roots, labels=labels, columns=columns, ids=ids, new_genres=new_genres, allow_none=True
            )
            spaces = choose_library_spaces(catalogue, embedders, fetching)
            tagging = choose_auto_tags(catalogue, auto_tags)
            with _open_batch(watch, refresh=True) as batch:
                incomplete = _add(watch, batch, files, spaces=spaces, auto_tags=tagging, retry=retry, source=source)
            watcher.postpone(incomplete, seconds=PATIENCE_SECONDS)
            _report_missing(watch, roots, files)
            log.info("watching %s; Ctrl-C ends it", ", ".join(roots))
            for changes in watcher:
                _apply(watch, watcher, changes)
    except KeyboardInterrupt:
        log.debug("the watch was ended by Ctrl-C")
    sums = {name: watch.sums[name] for name in COUNTS}
    return WatchResult(batches=watch.sums["batches"], tracks=catalogue.tracks.count(), **sums)


def _apply(watch: _Watch, watcher: FolderWatcher, changes: FolderChanges) -> None:
    """Follow some changes: files first, so that a moved file is known at its new path before the old one is looked for."""
    for folder in changes.lost:
        log.warning("%s cannot be reached; its files stay in the library. It is watched again when it is back", folder)
    found: list[AudioFile] = []
    for folder in changes.unsure:
        log.info("%s is searched as a whole: it has come back, or changes may have been missed", folder)
        with suppress(MissingFileError):  # it is gone again, which the watcher reports
            found += scan_paths([folder])
    files = {file.path: file for file in [*found, *changes.files]}
    database = watch.catalogue.database
    with _open_batch(watch) as batch:
        incomplete = _add(
            watch,
            batch,
            [files[path] for path in sorted(files)],
            spaces=(database.get_setting("embedders") or "").split(),
            auto_tags=database.get_setting("auto_tags") == "1",
            retry=not changes.unsure,
        )
        _remove(watch, batch, changes.gone)
    watcher.postpone(incomplete, seconds=PATIENCE_SECONDS)
    if changes.unsure:
        _report_missing(watch, list(filter(os.path.isdir, changes.unsure)), found)


@contextmanager
def _open_batch(watch: _Watch, *, refresh: bool = False) -> Iterator[_Batch]:
    """Collect what is done, also if it is interrupted, and report it at the end.

    The indexes are brought up to date if the catalogue has changed, or if `refresh` asks for it.
    """
    batch = _Batch()
    generation = watch.catalogue.generation
    try:
        yield batch
        if refresh or watch.catalogue.generation != generation:
            watch.refresh()
    except KeyboardInterrupt:
        log.info("interrupted; everything that was already stored is kept, and the next `add` continues")
        raise
    finally:
        counts = {name: batch.counts[name] for name in COUNTS}
        if any(counts.values()):
            watch.sums.update(counts, batches=1)
            if watch.report is not None:
                watch.report(WatchBatch(**counts, failures=batch.failures))


def _add(
    watch: _Watch,
    batch: _Batch,
    files: Sequence[AudioFile],
    *,
    spaces: Sequence[str],
    auto_tags: bool,
    retry: bool,
    source: LabelSource | None = None,
) -> list[AudioFile]:
    """Embed, link and label files. With a `source` labels are replaced, without one only tracks that have none get labels.

    Returns
    -------
    list of AudioFile
        Files that may not be complete, which were left out.
    """
    catalogue = watch.catalogue
    if not files:
        return []
    watch.nested.update((file.root, file.path) for file in files if os.path.dirname(file.path) != file.root)
    ingest = Ingest(
        catalogue, spaces=spaces, auto_tags=auto_tags, compute=watch.compute, retry=retry, patience=PATIENCE_SECONDS
    )
    try:
        ingest.run(files, progress=watch.progress)
    finally:  # files that were added before Ctrl-C get their labels too
        counts = ingest.counts
        batch.counts.update(
            embedded=counts.embedded, analysed=counts.analysed, linked=counts.linked, failed=counts.failed
        )
        batch.failures += ingest.failures
        restored = catalogue.labels.restore_kept(command=watch.command)
        batch.counts["labelled"] += len(restored) + _label(watch, files, source)
    incomplete = set(ingest.incomplete)
    return [file for file in files if file.path in incomplete]


def _label(watch: _Watch, files: Sequence[AudioFile], source: LabelSource | None) -> int:
    """Label files, and return the number of labels that were set or changed.

    Without a source, the requested one is opened again: the CSV may have changed. Unusable labels are only warned of then.
    """
    if watch.labels is None:
        return 0
    catalogue = watch.catalogue
    roots = {file.path: file.root for file in files}
    if source is not None:
        result = label_tracks(catalogue, source, roots=roots, command=watch.command, new_genres=watch.new_genres)
        if result.unmatched:
            rows = pluralize(len(result.unmatched), "row")
            log.warning("%s of the label file without an added file, for example %r", rows, result.unmatched[0])
        return result.changed
    unlabelled = {
        path: root
        for path, root in roots.items()
        if (known := catalogue.files.get(printable_path(path))) and catalogue.labels.get(known[1]) is None
    }
    if not unlabelled:
        return 0
    try:
        source = open_label_source(
            watch.labels,
            paths=[*((file.path, file.root) for file in files), *((path, root) for root, path in watch.nested.items())],
            columns=watch.columns,
            ids=watch.ids,
        )
        return label_tracks(
            catalogue, source, roots=unlabelled, command=watch.command, new_genres=watch.new_genres
        ).changed
    except LabelsError as error:
        log.warning("%s; no label for %s", error, pluralize(len(unlabelled), "new file"))
        return 0


def _remove(watch: _Watch, batch: _Batch, gone: Sequence[str]) -> None:
    """Remove deleted files from the catalogue, unless so many are gone at once that they may not have been deleted.

    A path of a track that has another file is only unlinked. The last file of a track is removed with an entry in the history.
    """
    catalogue = watch.catalogue
    known = {file for path in gone for file in catalogue.files.exactly_inside(printable_path(path))}
    missing = sorted(path for path in known if not os.path.lexists(path))
    deleted = []
    for folder, paths in _group_by_folder(watch.folders, missing).items():
        vanished = [path for path in paths if catalogue.files.get(path) is not None]
        if not os.path.isdir(folder):
            continue  # the watcher reports it
        if vanished and _are_too_many(len(vanished), catalogue.files.count_inside(folder)):
            batch.counts["kept"] += len(vanished)
            log.warning(
                "%s in %s vanished at once, for example %s; they stay in the library. If they were deleted on purpose, "
                "`sonotheque remove --missing` removes them",
                *(pluralize(len(vanished), "file"), folder, vanished[0]),
            )
        else:
            deleted += paths
    unlinked = catalogue.unlink_paths(deleted)
    plan = catalogue.remove_paths(sorted(set(deleted) - set(unlinked)), command=watch.command)
    batch.counts.update(removed=len(unlinked) + len(plan.paths), removed_tracks=len(plan.tracks))


def _group_by_folder(folders: Sequence[str], paths: Sequence[str]) -> dict[str, list[str]]:
    """Group paths by the first of the watched folders that contains them."""
    groups: dict[str, list[str]] = {}
    for path in paths:
        folder = next((folder for folder in folders if path.startswith(folder.rstrip(os.sep) + os.sep)), None)
        if folder is not None:
            groups.setdefault(folder, []).append(path)
    return groups


def _are_too_many(vanished: int, known: int) -> bool:
    """Return whether so many of the known files of a folder are gone that they may not have been deleted.

    Examples
    --------
    >>> _are_too_many(11, 100), _are_too_many(21, 100), _are_too_many(3, 3), _are_too_many(1, 1)
    (False, True, True, False)
    """
    return vanished > max(MAX_VANISHED, MAX_VANISHED_FRACTION * known) or vanished == known > 1


def _report_missing(watch: _Watch, folders: Sequence[str], found: Sequence[AudioFile]) -> None:
    """Say how many files of the library are no longer in the folders. They are not removed: nobody saw how they vanished."""
    files = watch.catalogue.files
    present = {file.path for file in found}
    known = {path for folder in folders for path in files.exactly_inside(folder)} - present
    missing = sorted(path for path in known if not os.path.lexists(path) and files.get(path) is not None)
    if missing:
        log.info(
            "no longer there: %s, for example %s; `sonotheque remove --missing` removes such files from the library",
            *(pluralize(len(missing), "known file"), missing[0]),
        )
