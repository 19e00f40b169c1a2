"""Write label issues to a CSV, and apply the corrections that a person enters in it."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Collection, Sequence

from sonotheque.errors import LabelsError
from sonotheque.metadata.genres import choose_spellings, genre_key, suggest_genre
from sonotheque.metadata.label_sources import Label
from sonotheque.metadata.tables import Row, read_table, write_table
from sonotheque.output_files import OutputFile
from sonotheque.results import LabelIssue, LabelIssuesResult, LabellingResult
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.label_tracks import list_changes
from sonotheque.types import PathLike

log = logging.getLogger("sonotheque")

KEEP = {"ok", "keep"}
"""Decisions that keep the label, like an empty field. Case and white space do not matter."""

MAX_GENRES = 30
"""Genres that an error message lists."""

COLUMNS = ("file", "artist", "title", "label", "proposal", "confidence", "support", "decision")


def write_corrections(issues: LabelIssuesResult, path: PathLike | OutputFile) -> None:
    """Write one row per label issue, worst first. The column ``decision`` is empty, for the corrected label.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a CSV table.
    """
    write_table(path, [COLUMNS, *map(correction_row, issues.suspicious)])


def correction_row(issue: LabelIssue) -> tuple[str, ...]:
    """Return the fields of a label issue in the order of `COLUMNS`, with an empty decision."""
    return (
        issue.path,
        issue.artist or "",
        issue.title or "",
        issue.label,
        issue.proposal,
        f"{issue.confidence:.3f}",
        f"{issue.support:.3f}",
        "",
    )


def apply_corrections(
    path: PathLike, *, catalogue: Catalogue, command: str, new_genres: bool = False, dry_run: bool = False
) -> LabellingResult:
    """Set the labels that a person has entered in the column ``decision``.

    Rows in which it is empty, or one of `KEEP`, change nothing. A relative path in a row is relative to the folder of the CSV.

    Parameters
    ----------
    path : path of the CSV
    catalogue : Catalogue
    command : str
        What the history says about the change.
    new_genres : bool
        Accept genres that no track of the library has as its label.
    dry_run : bool
        Change nothing; only report what would be changed.

    Returns
    -------
    LabellingResult

    Raises
    ------
    LabelsError
        If a column is missing, a file is not a track, a decision is not a genre of the library, or two rows contradict each other
        about one track. Then no label is changed.
    """
    table = read_table(path)
    missing = [name for name in ("file", "decision") if name not in table.header]
    if missing:
        raise LabelsError(f"{path}: has no column {missing[0]!r}; use the CSV that `errors --csv` wrote, filled in")
    folder = os.path.dirname(os.path.abspath(path))
    decisions: dict[int, list[Row]] = {}
    kept = 0
    for row in table:
        keeps = not row["decision"] or genre_key(row["decision"]) in KEEP
        kept += keeps
        if not row["decision"]:
            continue
        file = catalogue.files.find(os.path.normpath(os.path.join(folder, row["file"])))
        if file is not None:
            decisions.setdefault(file[1], []).append(row)
        elif not keeps:
            raise LabelsError(
                f"{path}, line {row.line}: {row['file']!r} is not a track of this library; no label is changed"
            )
    for rows in decisions.values():
        if len({_decision(row) for row in rows}) > 1:
            found = ", ".join(f"line {row.line}: {row['decision']!r} for {row['file']!r}" for row in rows)
            raise LabelsError(f"{path}: rows contradict each other about one track; {found}. No label is changed")
    corrected = {track: rows[0] for track, rows in decisions.items() if _decision(rows[0]) not in KEEP}
    genres = catalogue.labels.genres()
    spellings = choose_spellings(Counter(row["decision"] for row in corrected.values()), known=genres)
    new = [row for row in corrected.values() if spellings[row["decision"]] not in genres]
    if new and not new_genres:
        raise LabelsError(f"{path}: {_describe_new(new, genres)}")
    if new:
        names = sorted({spellings[row["decision"]] for row in new})
        log.warning("labels that are new to this library: %s", ", ".join(map(repr, names)))
    labels = {}
    for track, row in corrected.items():
        label, before = Label(spellings[row["decision"]], os.fspath(path)), catalogue.labels.get(track)
        if before is None or before.label != label.label:  # otherwise the label keeps its source, too
            labels[track] = label
    changes = catalogue.labels.compare(labels) if dry_run else catalogue.labels.assign(labels, command=command)
    return LabellingResult(
        matched=len(corrected),
        changed=len(changes),
        unmatched=[],
        changes=list_changes(changes),
        kept=kept,
        dry_run=dry_run,
    )


def _decision(row: Row) -> str:
    """Return what a decision means: the same for all spellings of a genre, and for all words that keep the label."""
    key = genre_key(row["decision"])
    return "keep" if key in KEEP else key


def _describe_new(rows: Sequence[Row], genres: Collection[str]) -> str:
    """Say which decisions are not genres of the library, in which lines they are, and what may have been meant."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row["decision"], []).append(str(row.line))
    parts = []
    for decision, numbers in lines.items():
        where = f"line{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}"
        suggestion = suggest_genre(decision, [*genres, *sorted(KEEP)])
        parts.append(f"{decision!r} ({where})" + (f", did you mean {suggestion!r}?" if suggestion else ""))
    known = ", ".join(sorted(genres)[:MAX_GENRES]) or "none"
    return (
        f"not a genre of this library: {'; '.join(parts)}. Its genres are {known}{', ...' if len(genres) > MAX_GENRES else ''}. "
        "No label is changed; --new-genres accepts new genres, and ok, keep or an empty field keep a label"
    )
