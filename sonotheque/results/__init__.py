"""The results of the methods of `Library`: frozen dataclasses, which are also the documents that ``--json`` prints.

A result does not depend on where the library is stored or on when it was computed.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sonotheque.results.classification import (
    AbstentionResult,
    Candidate,
    ClassificationResult,
    EnsembleMember,
    LabelledNeighbour,
    OutOfFoldPrediction,
    Prediction,
    TimelineSegment,
    TrainingResult,
)
from sonotheque.results.duplicates import (
    DuplicatesResult,
    IdenticalFiles,
    RecordingFile,
    RecordingGroup,
    UnsurePair,
    VersionPair,
)
from sonotheque.results.evaluation import (
    ComparisonResult,
    ComparisonRow,
    EvaluationResult,
    FeatureImportance,
    GenreMetrics,
    LearningCurvePoint,
    UnevaluatedGenre,
)
from sonotheque.results.export import ExportResult, ExportResults, TagChange, TaggingResult
from sonotheque.results.inspection import AutoTag, DescriptorWindow, InspectionResult
from sonotheque.results.label_issues import LabelIssue, LabelIssuesResult, NearDuplicatePair
from sonotheque.results.labels import (
    AdditionPreview,
    HistoryEntry,
    LabelChange,
    LabelHistory,
    LabellingResult,
    UndoResult,
)
from sonotheque.results.map import (
    Cluster,
    ClusterAgreement,
    ConfusedPair,
    MapPosition,
    MapResult,
    ProjectionQuality,
    WeakRegion,
)
from sonotheque.results.playlist import PlaylistResult, PlaylistTrack
from sonotheque.results.retrieval import (
    Hub,
    MeasureEvaluation,
    RetrievalResult,
    RetrievalScore,
    SpaceEvaluation,
)
from sonotheque.results.search import FoundTrack, SearchResult, UnderstoodWords, UnknownWords, WordMatch
from sonotheque.results.similarity import SegmentMatch, Shortfall, SimilarityResult, SimilarTrack
from sonotheque.results.status import (
    FailedFile,
    IndexBuild,
    IndexBuildResult,
    RemovalResult,
    SpaceStatus,
    Status,
    TrackNotice,
)
from sonotheque.results.watch import WatchBatch, WatchResult

__all__ = [
    "AbstentionResult",
    "AdditionPreview",
    "AutoTag",
    "Candidate",
    "ClassificationResult",
    "Cluster",
    "ClusterAgreement",
    "ComparisonResult",
    "ComparisonRow",
    "ConfusedPair",
    "DescriptorWindow",
    "DuplicatesResult",
    "EnsembleMember",
    "EvaluationResult",
    "ExportResult",
    "ExportResults",
    "FailedFile",
    "FeatureImportance",
    "FoundTrack",
    "GenreMetrics",
    "HistoryEntry",
    "Hub",
    "IdenticalFiles",
    "IndexBuild",
    "IndexBuildResult",
    "InspectionResult",
    "LabelChange",
    "LabelHistory",
    "LabelIssue",
    "LabelIssuesResult",
    "LabelledNeighbour",
    "LabellingResult",
    "LearningCurvePoint",
    "MapPosition",
    "MapResult",
    "MeasureEvaluation",
    "NearDuplicatePair",
    "OutOfFoldPrediction",
    "PlaylistResult",
    "PlaylistTrack",
    "Prediction",
    "ProjectionQuality",
    "RecordingFile",
    "RecordingGroup",
    "RemovalResult",
    "RetrievalResult",
    "RetrievalScore",
    "SearchResult",
    "SegmentMatch",
    "Shortfall",
    "SimilarTrack",
    "SimilarityResult",
    "SpaceEvaluation",
    "SpaceStatus",
    "Status",
    "TagChange",
    "TaggingResult",
    "TimelineSegment",
    "TrackNotice",
    "TrainingResult",
    "UnderstoodWords",
    "UndoResult",
    "UnevaluatedGenre",
    "UnknownWords",
    "UnsurePair",
    "VersionPair",
    "WatchBatch",
    "WatchResult",
    "WeakRegion",
    "WordMatch",
    "to_dict",
]


def to_dict(result: Any) -> dict[str, Any]:
    """Convert a result into what `json.dumps` accepts."""
    return asdict(result)
