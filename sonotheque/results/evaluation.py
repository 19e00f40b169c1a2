"""Evaluations of a classifier, and comparisons of several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class GenreMetrics:
    """How well one genre is told, on out-of-fold answers."""

    label: str
    tracks: int
    artists: int
    precision: float
    recall: float
    f1: float
    auc: float


@dataclass(frozen=True)
class UnevaluatedGenre:
    """A genre with too few artists to be judged."""

    label: str
    tracks: int
    artists: int
    reason: str


@dataclass(frozen=True)
class FeatureImportance:
    """What answers lose, in accuracy and in log loss, when the tested tracks exchange a family of columns of a space.

    `family` is None for the whole space.
    """

    space: str
    family: str | None
    drop: float
    drop_interval: tuple[float, float]
    log_loss_rise: float
    log_loss_rise_interval: tuple[float, float]


@dataclass(frozen=True)
class EvaluationResult:
    """Honest figures, with 95 % intervals over artists.

    The rows of `confusion` are true, its columns predicted labels; genres apart have empty rows. `importance` comes with a report.
    """

    protocol: str
    model: str
    chosen: Sequence[str]
    spaces: Sequence[str]
    folds: int
    tracks: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    balanced_accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    log_loss: float
    auc: float
    labels: Sequence[str]
    confusion: Sequence[Sequence[int]]
    genres: Sequence[GenreMetrics]
    apart: Sequence[UnevaluatedGenre]
    learning_curve: Sequence[LearningCurvePoint]
    importance: Sequence[FeatureImportance] = ()


@dataclass(frozen=True)
class LearningCurvePoint:
    """Figures of a model that heard only some of the training artists; `tracks` is the mean number of training tracks."""

    tracks: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float


@dataclass(frozen=True)
class ComparisonRow:
    """One line of a comparison; `difference` is in accuracy, to the best single model, with the interval over the same artists."""

    model: str
    spaces: Sequence[str]
    decision: str
    copies: bool
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    balanced_accuracy_interval: tuple[float, float]
    log_loss: float
    auc: float
    difference: float
    difference_interval: tuple[float, float]


@dataclass(frozen=True)
class ComparisonResult:
    """Spaces, models, decisions and ensembles on the same folds."""

    protocol: str
    tracks: int
    best: str
    rows: Sequence[ComparisonRow]
