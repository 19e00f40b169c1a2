"""Add audio files to a catalogue: find them, embed those that are new, and label them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sonotheque.embed.registry import choose_spaces
from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError
from sonotheque.extract import AudioFile, scan_paths
from sonotheque.metadata import LabelSource, open_label_source
from sonotheque.store import Catalogue, Ingest, label_tracks
from sonotheque.types import PathLike, Progress

log = logging.getLogger("sonotheque")


def add_files(
    catalogue: Catalogue,
    paths: Sequence[PathLike],
    *,
    labels: str | None,
    columns: Sequence[str] | None,
    ids: PathLike | None,
    embedders: Sequence[str],
    retry: bool,
    compute: Compute,
    progress: Progress | None,
    fetching: Progress | None,
) -> list[AudioFile]:
    """Embed the audio files of folders and set their labels. The parameters are those of `Library.add`.

    Returns
    -------
    list of AudioFile
        All audio files in the folders, whether or not they could be used.

    Raises
    ------
    LibraryError
        If there is no audio file.
    LabelsError
        If the labels are unusable. Nothing is added then.
    """
    files = scan_paths(paths)
    if not files:
        raise LibraryError(f"{', '.join(map(str, paths))}: no audio file found; nothing to add")
    source = None
    if labels is not None:
        source = open_label_source(labels, paths=[(f.path, f.root) for f in files], columns=columns, ids=ids)
        for file in files:  # a row counts as matched even if its file turns out to be unusable
            source.label(file.path, root=file.root, genre=None)
    spaces = _choose_spaces(catalogue, embedders, fetching)
    ingest = Ingest(catalogue, spaces=spaces, compute=compute, retry=retry)
    try:
        ingest.run(files, progress=progress)
    finally:  # tracks that were added before Ctrl-C get their labels too
        unmatched = _label(catalogue, source, files)
    counts = ingest.counts
    log.info(
        "%d files embedded, %d moved or duplicate, %d already known, %d failed",
        *(counts.embedded, counts.linked, counts.unchanged, counts.failed),
    )
    if unmatched:
        log.warning(
            "%d rows of the label file match none of the added files, for example %r", len(unmatched), unmatched[0]
        )
    return files


def require_usable(catalogue: Catalogue, files: Sequence[AudioFile]) -> None:
    """Check that at least one of the files could be used.

    Raises
    ------
    LibraryError
        If all of them failed.
    """
    failed = catalogue.files.failures()
    if all(file.path in failed for file in files):
        first = f"{files[0].path}: {failed[files[0].path][1]}"
        raise LibraryError(f"none of the {len(files)} files could be used; {first}" if len(files) > 1 else first)


def _label(catalogue: Catalogue, source: LabelSource | None, files: Sequence[AudioFile]) -> Sequence[str]:
    """Label the files from a source, and return its unmatched rows."""
    if source is None:
        return ()
    return label_tracks(catalogue, source, roots={file.path: file.root for file in files}).unmatched


def _choose_spaces(catalogue: Catalogue, embedders: Sequence[str], fetching: Progress | None) -> list[str]:
    """Return the ids of the spaces to compute: those that the library already uses, and those of the requested embedders."""
    stored = (catalogue.database.get_setting("embedders") or "").split()
    requested = [name for name in embedders if name != "auto"]
    choice = choose_spaces([*stored, *requested] or ["auto"], progress=fetching)
    if choice.reason:
        log.info("%s", choice.reason)
    spaces = list(dict.fromkeys(space.id for space in choice.spaces))
    if spaces != stored:
        catalogue.database.set_setting("embedders", " ".join(spaces))
    return spaces
