"""Trained classifiers and their predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sonotheque.results.evaluation import EvaluationResult
from sonotheque.results.status import FailedFile


@dataclass(frozen=True)
class Candidate:
    """A model that `train` compared on grouped folds."""

    model: str
    accuracy: float


@dataclass(frozen=True)
class EnsembleMember:
    """A part of a classifier: its model, spaces, decision (``track``: on the track vector, else on segments), and share."""

    model: str
    spaces: Sequence[str]
    decision: str
    copies: bool
    share: float


@dataclass(frozen=True)
class TrainingResult:
    """The classifier that `train` kept; after a search, with the score of the same search inside grouped folds."""

    model: str
    spaces: Sequence[str]
    tracks: int
    labels: Mapping[str, int]
    candidates: Sequence[Candidate]
    members: Sequence[EnsembleMember]
    evaluated: EvaluationResult | None


@dataclass(frozen=True)
class LabelledNeighbour:
    """A labelled track that speaks for a prediction."""

    path: str
    label: str
    similarity: float


@dataclass(frozen=True)
class TimelineSegment:
    """The genre of one segment; `start` in s."""

    start: float
    genre: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The genre of one file, and along it where that was asked for.

    `answered` is false below the threshold of an accuracy that was asked for. `strangeness` is the distance from the labelled
    tracks, 1 where all but 1 % of them lie nearer to each other; above that `none_of_these` is true.
    """

    path: str
    genre: str
    probability: float
    probabilities: Mapping[str, float]
    neighbours: Sequence[LabelledNeighbour]
    timeline: Sequence[TimelineSegment] | None
    answered: bool
    none_of_these: bool
    strangeness: float


@dataclass(frozen=True)
class ClassificationResult:
    """The genres of files; `fallback` is the most frequent label of the training set."""

    model: str
    tracks: Sequence[Prediction]
    failed: Sequence[FailedFile]
    fallback: str
    promise: AbstentionResult | None


@dataclass(frozen=True)
class AbstentionResult:
    """The threshold of probability that keeps a wanted accuracy; `threshold` is None where none does.

    `coverage`, `accuracy` and its one-sided 95 % lower bound are those of out-of-fold answers at the threshold.
    """

    target: float
    threshold: float | None
    coverage: float
    accuracy: float | None
    lower: float | None
