"""Take back the last change of labels or the last removal."""

from __future__ import annotations

from sonotheque.errors import LibraryError
from sonotheque.results import LabelChange, UndoResult
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.removals import RestoredTracks


def undo_last_change(catalogue: Catalogue, *, dry_run: bool = False) -> UndoResult:
    """Take back the last change that was not taken back before, in one transaction.

    After a removal, the tracks come back with their files, labels and vectors. After a change of labels, each track gets the label
    that it had before.

    Parameters
    ----------
    catalogue : Catalogue
    dry_run : bool
        Only report what would be done.

    Returns
    -------
    UndoResult

    Raises
    ------
    LibraryError
        If there is no such change.
    """
    with catalogue.database.transaction(dry_run=dry_run):
        change = catalogue.history.last()
        if change is None:
            raise LibraryError(
                f"{catalogue.path.parent}: nothing to undo; no change of labels and no removal is in the history"
            )
        restored = catalogue.removals.restore(change.id) if change.kind == "removal" else RestoredTracks(0, 0, 0, 0)
        changes = []
        for label in catalogue.history.label_changes(change.id):
            now, in_library = catalogue.labels.of_content(label.hash), catalogue.tracks.has(label.hash)
            catalogue.labels.set(label.hash, label.before)
            if in_library and now != label.before:
                changes.append(
                    LabelChange(label.path, now.label if now else None, label.before.label if label.before else None)
                )
        catalogue.history.mark_undone(change.id)
        catalogue.database.mark_changed()
        return UndoResult(
            number=change.id,
            command=change.command,
            kind=change.kind,
            time=change.time,
            changed=len(changes),
            changes=changes,
            tracks=restored.tracks,
            places=restored.files,
            present=restored.present,
            without_vectors=restored.without_vectors,
            left=catalogue.history.count(),
            dry_run=dry_run,
        )
