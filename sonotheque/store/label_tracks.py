"""Label the tracks of a catalogue from a label source."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from sonotheque.metadata.label_sources import Label, LabelSource
from sonotheque.results import LabellingResult
from sonotheque.store.catalogue import Catalogue

log = logging.getLogger("sonotheque")

MAX_CONFLICTS_SHOWN = 3


def label_tracks(
    catalogue: Catalogue, source: LabelSource, *, roots: Mapping[str, str] | None = None
) -> LabellingResult:
    """Label the tracks whose files have a label in a label source.

    Files are looked up in the order of their paths. If a track has several byte-identical files, it gets the label of the first
    file that has one.

    Parameters
    ----------
    catalogue : Catalogue
    source : LabelSource
    roots : mapping of path to root, or None
        Label only these files; the root is the PATH under which each was found. None labels all files.

    Returns
    -------
    LabellingResult
    """
    tracks = {track.id: track for track in catalogue.tracks.all()}
    labels: dict[int, Label] = {}
    conflicts = []
    for path, (_, track) in sorted(catalogue.files.all().items()):
        if roots is not None and path not in roots:
            continue
        label = source.label(path, root=(roots or {}).get(path), genre=tracks[track].genre)
        if label is None:
            continue
        first = labels.setdefault(track, label)
        if first.label != label.label:
            conflicts.append(
                f"{path} ({label.label}) is a duplicate of a file labelled {first.label}; that label is used"
            )
    for conflict in conflicts[:MAX_CONFLICTS_SHOWN]:
        log.warning("%s", conflict)
    if len(conflicts) > MAX_CONFLICTS_SHOWN:
        log.warning("%d more duplicates have conflicting labels", len(conflicts) - MAX_CONFLICTS_SHOWN)
    if labels and all(label.label.isdecimal() for label in labels.values()):
        log.warning("the labels are numbers; --ids FILE converts them to names")
    replaced = [track for track, label in labels.items() if tracks[track].label not in {None, label.label}]
    if replaced:
        before, after = tracks[replaced[0]].label, labels[replaced[0]].label
        log.warning("%d labels were replaced, for example %r by %r", len(replaced), before, after)
    return LabellingResult(matched=len(labels), changed=catalogue.labels.assign(labels), unmatched=source.unmatched())
