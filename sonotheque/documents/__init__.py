"""What the methods of `Library` return: plain frozen dataclasses, and just the documents that ``--json`` prints.

Nothing in them depends on where the library lies, on its age or on time.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sonotheque.documents.collection import (
    FailedFile,
    Labelled,
    Remark,
    Removed,
    Similar,
    SimilarTrack,
    SpaceStatus,
    Status,
)
from sonotheque.documents.genres import (
    ApartGenre,
    Candidate,
    Classified,
    Compared,
    ComparedRow,
    CurvePoint,
    Evaluated,
    FamilyImportance,
    GenreFigures,
    LabelledNeighbour,
    Learned,
    Moment,
    Prediction,
    Promised,
    Trained,
)
from sonotheque.documents.inspection import Inspected, Tag, Window
from sonotheque.documents.tagging import Exported, Exports, TagChange, Tagged
from sonotheque.documents.views import (
    Agreement,
    Cluster,
    Confusion,
    Mapped,
    NearDuplicates,
    Place,
    Quality,
    Suspicious,
    SuspiciousLabel,
    WeakArea,
)

__all__ = [
    "Agreement",
    "ApartGenre",
    "Candidate",
    "Classified",
    "Cluster",
    "Compared",
    "ComparedRow",
    "Confusion",
    "CurvePoint",
    "Evaluated",
    "Exported",
    "Exports",
    "FailedFile",
    "FamilyImportance",
    "GenreFigures",
    "Inspected",
    "Labelled",
    "LabelledNeighbour",
    "Learned",
    "Mapped",
    "Moment",
    "NearDuplicates",
    "Place",
    "Prediction",
    "Promised",
    "Quality",
    "Remark",
    "Removed",
    "Similar",
    "SimilarTrack",
    "SpaceStatus",
    "Status",
    "Suspicious",
    "SuspiciousLabel",
    "Tag",
    "TagChange",
    "Tagged",
    "Trained",
    "WeakArea",
    "Window",
    "document",
]


def document(result: Any) -> dict[str, Any]:
    """Turn a result into what JSON takes."""
    return asdict(result)
