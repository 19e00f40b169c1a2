"""Suspicious labels as a CSV for a person to decide on, and the decisions back into the catalogue."""

from __future__ import annotations

import logging
import os

from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import Label
from sonotheque.metadata.tables import read_table, write_table
from sonotheque.results import LabelIssuesResult, LabellingResult
from sonotheque.store.catalogue import Catalogue

log = logging.getLogger("sonotheque")

COLUMNS = ("file", "artist", "title", "label", "proposal", "confidence", "support", "decision")


def write_corrections(found: LabelIssuesResult, path: str | os.PathLike[str]) -> None:
    """Write a row for each suspicious label, worst first, its column ``decision`` left empty.

    Raises
    ------
    LabelsError
        If the file cannot be written.
    """
    rows = [
        (one.path, one.artist, one.title, one.label, one.proposal, f"{one.confidence:.3f}", f"{one.support:.3f}", "")
        for one in found.suspicious
    ]
    write_table(path, [COLUMNS, *rows])


def apply_corrections(path: str | os.PathLike[str], *, catalogue: Catalogue) -> LabellingResult:
    """Set the labels that a person has decided on; rows without a decision change nothing.

    Raises
    ------
    LabelsError
        If the table lacks its columns or names a file that is no track; then no label is changed.
    """
    table = read_table(path)
    missing = [name for name in ("file", "decision") if name not in table.header]
    if missing:
        raise LabelsError(
            f"{path}: has no column {missing[0]!r}; give back the file that `errors --csv` wrote, filled in"
        )
    files = catalogue.files.all()
    labels: dict[int, Label] = {}
    for row in table:
        if not row["decision"]:
            continue
        if row["file"] not in files:
            raise LabelsError(
                f"{path}, line {row.line}: {row['file']!r} is no track of this library; nothing is changed"
            )
        labels[files[row["file"]][1]] = Label(row["decision"], os.fspath(path))
    known = {track.label for track in catalogue.tracks.all()}
    new = sorted({label.label for label in labels.values()} - known)
    if new:
        log.warning("new to this library: %s", ", ".join(map(repr, new)))
    return LabellingResult(matched=len(labels), changed=catalogue.labels.assign(labels), unmatched=[])
