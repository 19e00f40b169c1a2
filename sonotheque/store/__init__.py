"""What is kept: the catalogue in SQLite, where labels come from, and the resumable ingest.

SQLite is the only truth of a library; everything else in its folder can be made again.
"""

from sonotheque.store.catalogue import Catalogue
from sonotheque.store.heard import Heard, Listener
from sonotheque.store.ingest import Ingest, Progress
from sonotheque.store.labelling import apply_labels
from sonotheque.store.labels import LabelSource, label_source
from sonotheque.store.records import Track
from sonotheque.store.scan import scan

__all__ = [
    "Catalogue",
    "Heard",
    "Ingest",
    "LabelSource",
    "Listener",
    "Progress",
    "Track",
    "apply_labels",
    "label_source",
    "scan",
]
