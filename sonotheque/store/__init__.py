"""What is stored: one SQLite database with a repository for each subject, and the resumable ingest that fills it.

SQLite is the only source of truth of a library. Everything else in its folder can be computed again.
"""

from sonotheque.store.catalogue import Catalogue
from sonotheque.store.ingest import Ingest
from sonotheque.store.label_tracks import label_tracks
from sonotheque.store.records import SpaceSummary, Track
from sonotheque.store.vectors import StoredVectors

__all__ = ["Catalogue", "Ingest", "SpaceSummary", "StoredVectors", "Track", "label_tracks"]
