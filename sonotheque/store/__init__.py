"""What is stored: one SQLite database with a repository for each subject, and the resumable ingest that fills it.

SQLite is the only source of truth of a library. Everything else in its folder can be computed
again from it, the classifier by training again.
"""

from typing import TYPE_CHECKING

from sonotheque.deprecation import module_getattr
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.ingest import Ingest
from sonotheque.store.label_tracks import label_tracks
from sonotheque.store.records import SpaceSummary, Track
from sonotheque.store.undo import undo_last_change
from sonotheque.store.vectors import StoredVectors

__all__ = ["Catalogue", "Ingest", "SpaceSummary", "StoredVectors", "Track", "label_tracks", "undo_last_change"]

if not TYPE_CHECKING:  # type checkers see only the current names
    __getattr__ = module_getattr(
        __name__,
        {
            "Heard": "sonotheque.extract:Extraction",
            "LabelSource": "sonotheque.metadata:LabelSource",
            "Listener": "sonotheque.extract:ExtractionPool",
            "Progress": "sonotheque.types:Progress",
            "apply_labels": "sonotheque.store:label_tracks",
            "label_source": "sonotheque.metadata:open_label_source",
            "scan": "sonotheque.extract:scan_paths",
        },
    )
