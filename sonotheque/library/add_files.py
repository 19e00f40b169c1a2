"""Add audio files to a catalogue: find them, embed those that are new, and label them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sonotheque.embed.registry import choose_spaces, recall_spaces, space_of
from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError
from sonotheque.extract import AudioFile, scan_paths
from sonotheque.extract.file_identity import printable_path
from sonotheque.metadata import LabelSource, open_label_source
from sonotheque.metadata.file_tags import read_tags
from sonotheque.metadata.label_sources import TagLabels
from sonotheque.plurals import pluralize, summarize_counts
from sonotheque.results import AdditionPreview, LabelChange
from sonotheque.store import Catalogue, Ingest, label_tracks
from sonotheque.store.label_tracks import choose_labels, collect_labels, require_names
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
    auto_tags: bool | None,
    retry: bool,
    new_genres: bool,
    command: str,
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
    files, source = find_files(catalogue, paths, labels=labels, columns=columns, ids=ids, new_genres=new_genres)
    spaces = choose_library_spaces(catalogue, embedders, fetching)
    tagging = choose_auto_tags(catalogue, auto_tags)
    ingest = Ingest(catalogue, spaces=spaces, auto_tags=tagging, compute=compute, retry=retry)
    try:
        ingest.run(files, progress=progress)
    finally:  # tracks that were added before Ctrl-C get their labels too
        restored = catalogue.labels.restore_kept(command=command)
        unmatched = _label(catalogue, source, files, command=command, new_genres=new_genres)
    counts = ingest.counts
    done = {
        "embedded": counts.embedded,
        "moved or duplicate": counts.linked,
        "already known": counts.unchanged,
        "failed": counts.failed,
    }
    if any(done.values()) or not counts.analysed:
        log.info("%s", summarize_counts("file", done))
    if restored:
        log.info("%s restored that removed tracks had", pluralize(len(restored), "label"))
    if counts.analysed:
        known = pluralize(counts.analysed, "known track")
        log.info("tempo and key of %s computed; nothing was embedded again for that", known)
    if labels == "tags" and ingest.several_genres:
        path, genres = next(iter(ingest.several_genres.items()))
        log.info(
            "%s with several genres in their tags; the first genre is the label, for example %r of %s in %s",
            *(pluralize(len(ingest.several_genres), "new file"), genres[0], ", ".join(map(repr, genres)), path),
        )
    if unmatched:
        rows = pluralize(len(unmatched), "row")
        log.warning("%s of the label file without an added file, for example %r", rows, unmatched[0])
    return files


def preview_files(
    catalogue: Catalogue,
    paths: Sequence[PathLike],
    *,
    labels: str | None,
    columns: Sequence[str] | None,
    ids: PathLike | None,
    embedders: Sequence[str],
    retry: bool,
    new_genres: bool,
) -> AdditionPreview:
    """Report what `add_files` would do. Files are hashed, but not decoded, and nothing is downloaded.

    Parameters and errors are those of `add_files`.

    Returns
    -------
    AdditionPreview
    """
    files, source = find_files(catalogue, paths, labels=labels, columns=columns, ids=ids, new_genres=new_genres)
    stored = (catalogue.database.get_setting("embedders") or "").split()
    requested = [space_of(name).id for name in embedders if name != "auto"]
    ingest = Ingest(catalogue, spaces=list(dict.fromkeys([*stored, *requested])), retry=retry)
    contents = ingest.preview(files)
    for file in files:
        known = catalogue.files.get(file.path)
        if file.path not in contents and known is not None:
            contents[file.path] = catalogue.tracks.hash_of(known[1])
    changes = _preview_labels(catalogue, source, files, contents, new_genres=new_genres) if source else []
    counts = ingest.counts
    return AdditionPreview(
        embedded=counts.embedded,
        linked=counts.linked,
        unchanged=counts.unchanged,
        failed=counts.failed,
        changed=len(changes),
        changes=changes,
        unmatched=source.unmatched() if source else [],
        analysed=counts.analysed,
    )


def require_usable(catalogue: Catalogue, files: Sequence[AudioFile]) -> None:
    """Check that at least one of the files could be used.

    Raises
    ------
    LibraryError
        If all of them failed.
    """
    paths = [printable_path(file.path) for file in files]
    failure = catalogue.files.get_failure(paths[0])
    if failure is not None and all(catalogue.files.get_failure(path) for path in paths):
        first = f"{paths[0]}: {failure[1]}"
        raise LibraryError(f"none of the {len(files)} files could be used; {first}" if len(files) > 1 else first)


def find_files(
    catalogue: Catalogue,
    paths: Sequence[PathLike],
    *,
    labels: str | None,
    columns: Sequence[str] | None,
    ids: PathLike | None,
    new_genres: bool,
    allow_none: bool = False,
) -> tuple[list[AudioFile], LabelSource | None]:
    """Find the files to add and open the source of their labels. Unusable labels are an error before anything is stored.

    Parameters and errors are those of `add_files`. With `allow_none`, it is no error if there is no audio file.
    """
    files = scan_paths(paths)
    if not files and not allow_none:
        raise LibraryError(f"{', '.join(map(str, paths))}: no audio file found; nothing to add")
    if labels is None:
        return files, None
    source = open_label_source(labels, paths=[(f.path, f.root) for f in files], columns=columns, ids=ids)
    # a row counts as matched even if its file turns out to be unusable
    found = [source.label(file.path, root=file.root, genre=None) for file in files]
    if not new_genres:
        require_names([label.label for label in found if label], genres=catalogue.labels.genres(), source=labels)
    return files, source


def _preview_labels(
    catalogue: Catalogue,
    source: LabelSource,
    files: Sequence[AudioFile],
    contents: Mapping[str, str],
    *,
    new_genres: bool,
) -> list[LabelChange]:
    """List the labels that would be set or changed. Files without a content hash are left out."""
    paths = [file.path for file in files if file.path in contents]
    tags = isinstance(source, TagLabels)
    labels = collect_labels(
        source,
        [(path, contents[path], read_tags(path).genre if tags else None) for path in paths],
        roots={file.path: file.root for file in files},
    )
    before = {content: catalogue.labels.of_content(content) or catalogue.labels.kept(content) for content in labels}
    genres = {content: label.label if label else None for content, label in before.items()}
    chosen = choose_labels(
        labels, current=genres, genres=catalogue.labels.genres(), new_genres=new_genres, dry_run=True
    )
    first = {contents[path]: path for path in reversed(paths)}
    return [
        LabelChange(first[content], genres[content], label.label)
        for content, label in chosen.items()
        if label.label != genres[content]
    ]


def _label(
    catalogue: Catalogue, source: LabelSource | None, files: Sequence[AudioFile], *, command: str, new_genres: bool
) -> Sequence[str]:
    """Label the files from a source, and return its unmatched rows."""
    if source is None:
        return ()
    roots = {file.path: file.root for file in files}
    return label_tracks(catalogue, source, roots=roots, command=command, new_genres=new_genres).unmatched


def choose_library_spaces(catalogue: Catalogue, embedders: Sequence[str], fetching: Progress | None) -> list[str]:
    """Return the ids of the spaces to compute: those that the library already uses, and those of the requested embedders.

    A library that has spaces keeps them: ``auto`` stands for them, whatever weights are on this machine.
    """
    stored = (catalogue.database.get_setting("embedders") or "").split()
    kept = stored or [space.id for space in catalogue.spaces.all() if space.tracks]
    choice = choose_spaces([name for name in embedders if name != "auto" or not kept], progress=fetching)
    if choice.reason:
        log.info("%s", choice.reason)
    spaces = list(dict.fromkeys(space.id for space in [*recall_spaces(kept), *choice.spaces]))
    if spaces != stored:
        catalogue.database.set_setting("embedders", " ".join(spaces))
    return spaces


def choose_auto_tags(catalogue: Catalogue, requested: bool | None) -> bool:
    """Return whether tracks get auto-tags, and remember it; None keeps what was asked for before."""
    stored = catalogue.database.get_setting("auto_tags") == "1"
    if requested is None or requested == stored:
        return stored
    catalogue.database.set_setting("auto_tags", str(int(requested)))
    return requested
