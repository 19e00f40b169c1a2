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
from sonotheque.documents.views import (
    NearDuplicates,
    Suspicious,
    SuspiciousLabel,
)

__all__ = [
    "ApartGenre",
    "Candidate",
    "Classified",
    "Compared",
    "ComparedRow",
    "CurvePoint",
    "Evaluated",
    "FailedFile",
    "FamilyImportance",
    "GenreFigures",
    "Labelled",
    "LabelledNeighbour",
    "Learned",
    "Moment",
    "NearDuplicates",
    "Prediction",
    "Promised",
    "Remark",
    "Removed",
    "Similar",
    "SimilarTrack",
    "SpaceStatus",
    "Status",
    "Suspicious",
    "SuspiciousLabel",
    "Trained",
    "document",
]


def document(result: Any) -> dict[str, Any]:
    """Turn a result into what JSON takes."""
    return asdict(result)
