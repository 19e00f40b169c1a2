"""Evaluations of classifiers, and comparisons of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class GenreMetrics:
    """Metrics of one genre, on out-of-fold predictions."""

    label: str
    tracks: int
    artists: int
    precision: float
    recall: float
    f1: float
    auc: float


@dataclass(frozen=True)
class UnevaluatedGenre:
    """A genre with too few artists to be evaluated."""

    label: str
    tracks: int
    artists: int
    reason: str


@dataclass(frozen=True)
class FeatureImportance:
    """Permutation importance: how much the predictions get worse if a feature family is permuted among the test tracks.

    Attributes
    ----------
    space : str
        Id of the space.
    family : str or None
        None for the whole space.
    drop : float
        Decrease of the accuracy.
    log_loss_rise : float
        Increase of the log loss.
    drop_interval, log_loss_rise_interval : (float, float)
        95% bootstrap intervals over artists.
    """

    space: str
    family: str | None
    drop: float
    drop_interval: tuple[float, float]
    log_loss_rise: float
    log_loss_rise_interval: tuple[float, float]


@dataclass(frozen=True)
class EvaluationResult:
    """Metrics of a classifier on out-of-fold predictions, with 95% bootstrap intervals over artists.

    Attributes
    ----------
    protocol : str
        Folds and seed, in words.
    model : str
    chosen : sequence of str
        The model that was fitted in each fold.
    spaces : sequence of str
        Ids of the spaces.
    folds, tracks : int
        Number of folds, and of tested tracks.
    labels : sequence of str
    confusion : sequence of sequences of int
        Rows are true labels, columns are predicted labels. Genres that were not evaluated have empty rows.
    genres : sequence of GenreMetrics
    apart : sequence of UnevaluatedGenre
    learning_curve : sequence of LearningCurvePoint
        Empty unless requested.
    importance : sequence of FeatureImportance
        Empty unless a report was written.
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
    """Metrics of a model trained on a part of the training artists; `tracks` is the mean number of training tracks."""

    tracks: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float


@dataclass(frozen=True)
class ComparisonRow:
    """One row of a comparison.

    `decision` is the aggregation of segments; ``track`` if the model classifies track vectors. `difference` is the difference in
    accuracy from the best single model, with its paired bootstrap interval over the same artists.
    """

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
    """Models, spaces, aggregations and ensembles, evaluated on the same folds."""

    protocol: str
    tracks: int
    best: str
    rows: Sequence[ComparisonRow]
