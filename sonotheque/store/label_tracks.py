"""Label the tracks of a catalogue from a label source."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from sonotheque.errors import LabelsError
from sonotheque.metadata.genres import (
    choose_spellings,
    clean_genre,
    find_variants,
    is_number,
    list_spellings,
    suggest_genre,
)
from sonotheque.metadata.label_sources import CsvLabels, Label, LabelSource, TagLabels
from sonotheque.plurals import pluralize
from sonotheque.results import LabelChange, LabellingResult
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import TrackLabelChange

log = logging.getLogger("sonotheque")

MAX_LOOKED_UP = 0.25
"""Rows of a CSV, relative to the files of the library, up to which each row is looked up; beyond, all files are."""

MIN_FILES = 10_000
"""Number of files from which on rows are looked up; fewer are read faster than their names."""

MAX_WARNINGS = 3
"""Warnings of one kind that are shown."""

Key = TypeVar("Key", int, str)


def label_tracks(
    catalogue: Catalogue,
    source: LabelSource,
    *,
    roots: Mapping[str, str] | None = None,
    command: str = "label",
    new_genres: bool = False,
    dry_run: bool = False,
) -> LabellingResult:
    """Label the tracks whose files have a label in a label source.

    Files are looked up in the order of their paths. If a track has several byte-identical files, it gets the label of the first
    file that has one. Spellings of one genre become one, see `choose_labels`.

    Parameters
    ----------
    catalogue : Catalogue
    source : LabelSource
    roots : mapping of path to root, or None
        Label only these files; the root is the PATH under which each was found. None labels all files.
    command : str
        What the history says about the change.
    new_genres : bool
        Accept numbers as new genres of a library whose genres are names.
    dry_run : bool
        Change nothing; only report what would be changed.

    Returns
    -------
    LabellingResult

    Raises
    ------
    LabelsError
        If the labels are numbers, and the genres of the library are names. No label is changed then.
    """
    files = catalogue.files.with_genres(_paths_to_look_up(catalogue, source) if roots is None else sorted(roots))
    labels = collect_labels(source, files, roots=roots)
    before = {track: catalogue.labels.get(track) for track in labels}
    labels = choose_labels(
        labels,
        current={track: label.label if label else None for track, label in before.items()},
        genres=catalogue.labels.genres(),
        new_genres=new_genres,
        dry_run=dry_run,
    )
    changes = catalogue.labels.compare(labels) if dry_run else catalogue.labels.assign(labels, command=command)
    return LabellingResult(
        matched=len(labels),
        changed=len(changes),
        unmatched=source.unmatched(),
        changes=list_changes(changes),
        dry_run=dry_run,
    )


def _paths_to_look_up(catalogue: Catalogue, source: LabelSource) -> list[str] | None:
    """List the paths that a CSV may name, without reading the others; None for all, if it has rows for much of the library."""
    if not isinstance(source, CsvLabels):
        return None
    keys, count = source.keys(), catalogue.files.count()
    if count < MIN_FILES or len(keys) > MAX_LOOKED_UP * count:
        return None
    paths = catalogue.search_names.paths_named(os.path.basename(key) for key in keys)
    return sorted(paths)


def collect_labels(
    source: LabelSource, files: Iterable[tuple[str, Key, str | None]], *, roots: Mapping[str, str] | None = None
) -> dict[Key, Label]:
    """Ask a source for the labels of files. Conflicting labels of byte-identical files are warned about.

    Parameters
    ----------
    source : LabelSource
    files : iterable of (path, track, genre in the file tags)
        In the order in which they are looked up. A track is identified by its id or its content hash.
    roots : mapping of path to root, or None

    Returns
    -------
    dict of track to Label
        Without the tracks that have none.
    """
    labels: dict[Key, Label] = {}
    untagged: dict[Key, str] = {}
    conflicts = []
    for path, track, genre in files:
        label = source.label(path, root=(roots or {}).get(path), genre=genre)
        if label is None or not clean_genre(label.label):
            untagged.setdefault(track, path)
            continue
        first = labels.setdefault(track, label)
        if find_variants([first.label, label.label]) == [] and first.label != label.label:
            conflicts.append(
                f"{path} ({label.label}) is a duplicate of a file labelled {first.label}; that label is used"
            )
    _warn(conflicts, more="duplicates have conflicting labels")
    _warn(source.ambiguous(), more="files match rows that disagree")
    if isinstance(source, TagLabels) and untagged:
        log.warning(
            "tracks without a genre in their tags, which get no label: %d of %d, for example %s",
            *(len(untagged), len(untagged.keys() | labels.keys()), min(untagged.values())),
        )
    return labels


def choose_labels(
    labels: Mapping[Key, Label],
    *,
    current: Mapping[Key, str | None],
    genres: Mapping[str, int],
    new_genres: bool = False,
    dry_run: bool = False,
) -> dict[Key, Label]:
    """Give each genre one spelling, and warn about labels that are probably not meant.

    Spellings that differ only in case, white space or Unicode normalisation are one genre. The spelling of the tracks that
    keep their label is used, else the most frequent one of the new labels.

    Parameters
    ----------
    labels : mapping of track to Label
    current : mapping of track to label or None
        The labels that these tracks have now.
    genres : mapping of genre to number of tracks
        All labels of the library.
    new_genres, dry_run : see `label_tracks`

    Returns
    -------
    dict of track to Label

    Raises
    ------
    LabelsError
        See `label_tracks`.
    """
    if not new_genres:
        require_names([label.label for label in labels.values()], genres=genres, source=_source(labels))
    spelled: Counter[str] = Counter(label.label for label in labels.values())
    kept = Counter(genres) - Counter(filter(None, current.values()))
    spellings: dict[str, str] = choose_spellings(spelled, known=kept)
    variants = [
        f"{list_spellings(names)} are spellings of one genre, which is written {spellings.get(names[0], names[0])!r}"
        for names in find_variants([*spelled, *spellings.values()])
    ]
    _warn(variants, more="genres have several spellings")
    chosen = {track: replace(label, label=spellings[label.label]) for track, label in labels.items()}
    counts = Counter(label.label for label in chosen.values())
    if counts and all(map(is_number, counts)):
        log.warning("the labels are numbers; --ids FILE converts them to names")
    similar = {genre: suggest_genre(genre, genres) for genre in sorted(counts.keys() - genres.keys())}
    _warn(
        [
            f"the genre {genre!r} is new to this library ({pluralize(counts[genre], 'track')}); did you mean {near!r}?"
            for genre, near in similar.items()
            if near in counts | kept  # otherwise the genre is renamed
        ],
        more="new genres resemble others",
    )
    _warn_of_replaced(chosen, current, dry_run=dry_run)
    return chosen


def require_names(labels: Iterable[str], *, genres: Mapping[str, int], source: str) -> None:
    """Refuse labels that are numbers in a library whose genres are names: they are ids without the table of their names.

    Raises
    ------
    LabelsError
        If all labels are numbers, one of them is not a genre of the library, and the library has genres that are names.
    """
    numbers = list(dict.fromkeys(labels))
    names = [genre for genre in genres if not is_number(genre)]
    if numbers and names and all(map(is_number, numbers)) and not genres.keys() >= set(numbers):
        remedy = "" if source in {"folder", "tags"} else "--ids FILE converts them to names, "
        raise LabelsError(
            f"{source}: its labels are numbers such as {numbers[0]!r}, but the genres of this library are names such as "
            f"{names[0]!r}; {remedy}--new-genres accepts the numbers. No label is changed"
        )


def list_changes(changes: Iterable[TrackLabelChange]) -> list[LabelChange]:
    """Convert changes of labels into those of a result, in the order of their paths."""
    return sorted(
        (
            LabelChange(
                change.path,
                change.before.label if change.before else None,
                change.after.label if change.after else None,
            )
            for change in changes
        ),
        key=lambda change: change.path,
    )


def _warn(messages: Sequence[str], *, more: str) -> None:
    for message in messages[:MAX_WARNINGS]:
        log.warning("%s", message)
    if len(messages) > MAX_WARNINGS:
        log.warning("%d more %s", len(messages) - MAX_WARNINGS, more)


def _source(labels: Mapping[Key, Label]) -> str:
    return next((label.source for label in labels.values()), "")


def _warn_of_replaced(labels: Mapping[Key, Label], current: Mapping[Key, str | None], *, dry_run: bool) -> None:
    replaced = [track for track, label in labels.items() if current[track] not in {None, label.label}]
    if not replaced:
        return
    verb = "would be" if dry_run else "was" if len(replaced) == 1 else "were"
    labels_text = "label" if len(replaced) == 1 else "labels"
    log.warning(
        "%d %s %s replaced, for example %r by %r%s",
        *(len(replaced), labels_text, verb, current[replaced[0]], labels[replaced[0]].label),
        "" if dry_run else "; `sonotheque undo` takes this back",
    )
