"""Write label issues to a CSV, and apply the corrections that a person enters in it."""

from __future__ import annotations

import logging
import os

from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import Label
from sonotheque.metadata.tables import read_table, write_table
from sonotheque.results import LabelIssuesResult, LabellingResult
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import PathLike

log = logging.getLogger("sonotheque")

COLUMNS = ("file", "artist", "title", "label", "proposal", "confidence", "support", "decision")


def write_corrections(issues: LabelIssuesResult, path: PathLike) -> None:
    """Write one row per label issue, worst first. The column ``decision`` is empty, for the corrected label.

    Raises
    ------
    LabelsError
        If the file cannot be written.
    """
    rows = [
        (
            issue.path,
            issue.artist,
            issue.title,
            issue.label,
            issue.proposal,
            f"{issue.confidence:.3f}",
            f"{issue.support:.3f}",
            "",
        )
        for issue in issues.suspicious
    ]
    write_table(path, [COLUMNS, *rows])


def apply_corrections(path: PathLike, *, catalogue: Catalogue) -> LabellingResult:
    """Set the labels that a person has entered in the column ``decision``. Rows where it is empty change nothing.

    Raises
    ------
    LabelsError
        If a column is missing or a file is not a track. Then no label is changed.
    """
    table = read_table(path)
    missing = [name for name in ("file", "decision") if name not in table.header]
    if missing:
        raise LabelsError(f"{path}: has no column {missing[0]!r}; use the CSV that `errors --csv` wrote, filled in")
    files = catalogue.files.all()
    labels: dict[int, Label] = {}
    for row in table:
        if not row["decision"]:
            continue
        if row["file"] not in files:
            raise LabelsError(
                f"{path}, line {row.line}: {row['file']!r} is not a track of this library; no label is changed"
            )
        labels[files[row["file"]][1]] = Label(row["decision"], os.fspath(path))
    known = {track.label for track in catalogue.tracks.all()}
    new = sorted({label.label for label in labels.values()} - known)
    if new:
        log.warning("labels that are new to this library: %s", ", ".join(map(repr, new)))
    return LabellingResult(matched=len(labels), changed=catalogue.labels.assign(labels), unmatched=[])
