"""Asks a source of labels about the files of a catalogue, and keeps what it says."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sonotheque.documents import Labelled
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.labels import LabelSource
from sonotheque.store.records import Label

log = logging.getLogger("sonotheque")

SHOWN = 3
"""Clashes that are spelled out."""


def apply_labels(catalogue: Catalogue, source: LabelSource, *, roots: Mapping[str, str] | None = None) -> Labelled:
    """Label the tracks whose files a source knows. Files are asked by path; of copies, the first that it knows decides.

    Parameters
    ----------
    catalogue : Catalogue
    source : LabelSource
    roots : mapping of path to the PATH it was found under, or None
        Ask only about these files; None asks about all.

    Returns
    -------
    Labelled
    """
    tracks = {track.id: track for track in catalogue.tracks()}
    labels: dict[int, Label] = {}
    clashes = []
    for path, (_, track) in sorted(catalogue.files().items()):
        if roots is not None and path not in roots:
            continue
        found = source.label(path, root=(roots or {}).get(path), genre=tracks[track].genre)
        if found is None:
            continue
        kept = labels.setdefault(track, found)
        if kept.label != found.label:
            clashes.append(f"{path} ({found.label}) is a copy of a track labelled {kept.label}, which stays")
    for clash in clashes[:SHOWN]:
        log.warning("%s", clash)
    if len(clashes) > SHOWN:
        log.warning("%d more copies are labelled in two ways", len(clashes) - SHOWN)
    if labels and all(label.label.isdecimal() for label in labels.values()):
        log.warning("the labels are numbers; --ids FILE gives them names")
    replaced = [track for track, label in labels.items() if tracks[track].label not in {None, label.label}]
    if replaced:
        before, after = tracks[replaced[0]].label, labels[replaced[0]].label
        log.warning("%d tracks had another label until now, such as %r, now %r", len(replaced), before, after)
    return Labelled(matched=len(labels), changed=catalogue.label(labels), unmatched=source.unmatched())
