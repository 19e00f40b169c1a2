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
    """A fitted model of a classifier.

    Attributes
    ----------
    model : str
    spaces : sequence of str
        Ids of the spaces.
    decision : str
        How segments are aggregated; ``track`` if the model classifies the track vector.
    copies : bool
        Whether augmented copies were used for training.
    share : float
        Weight in the ensemble.
    """

    model: str
    spaces: Sequence[str]
    decision: str
    copies: bool
    share: float


@dataclass(frozen=True)
class TrainingResult:
    """The classifier that `train` fitted and stored.

    Attributes
    ----------
    model : str
    spaces : sequence of str
        Ids of the spaces.
    tracks : int
        Number of training tracks.
    labels : mapping of str to int
        Number of training tracks of each genre.
    candidates : sequence of Candidate
        The models among which ``auto`` selected.
    members : sequence of EnsembleMember
    evaluated : EvaluationResult or None
        After a search: its evaluation by nested cross-validation, with a search inside each fold.
    protocol : str or None
        How the accuracies were measured, as in `EvaluationResult`; None if there are too few artists for folds.
    tested : int
        Number of tracks that these folds test.
    accuracy : float or None
        Accuracy of the trained model with this protocol: that of ``evaluate`` with this model. None for an ensemble, whose weights
        were learned from the same tracks.
    """

    model: str
    spaces: Sequence[str]
    tracks: int
    labels: Mapping[str, int]
    candidates: Sequence[Candidate]
    members: Sequence[EnsembleMember]
    evaluated: EvaluationResult | None
    protocol: str | None = None
    tested: int = 0
    accuracy: float | None = None


@dataclass(frozen=True)
class LabelledNeighbour:
    """One of the labelled tracks that are most similar to a track; `similarity` is a cosine."""

    path: str
    label: str
    similarity: float
    title: str | None = None
    artist: str | None = None


@dataclass(frozen=True)
class TimelineSegment:
    """The predicted genre of one segment; `start` in s, `unsure` as in `Prediction`."""

    start: float
    genre: str
    probability: float
    unsure: bool = False


@dataclass(frozen=True)
class OutOfFoldPrediction:
    """The prediction for a training track by models of the same kind that were fitted without its artist.

    Attributes
    ----------
    genre : str
    probability : float
    probabilities : mapping of str to float
    unsure : bool
        See `Prediction`.
    """

    genre: str
    probability: float
    probabilities: Mapping[str, float]
    unsure: bool


@dataclass(frozen=True)
class Prediction:
    """The predicted genre of one file.

    Attributes
    ----------
    path, genre : str
    probability : float
        Probability of the predicted genre.
    probabilities : mapping of str to float
        Probability of each genre.
    neighbours : sequence of LabelledNeighbour
    timeline : sequence of TimelineSegment or None
        Predictions for the segments, if requested.
    answered : bool
        False if the probability is below the threshold of an abstention.
    none_of_these : bool
        Whether the file is novel: its novelty score is above 1.
    strangeness : float
        Novelty score: the local distance from the labelled tracks, relative to the distance that 99% of them have from each other.
    margin : float
        Difference of the two highest probabilities.
    unsure : bool
        Whether the margin is below `sonotheque.classify.inference.margin.MIN_MARGIN`. It does not depend on an abstention.
    learned_from : bool or None
        Whether the classifier was trained on this track. Its probability is then too high. None if the classifier was trained by a
        version that did not record its training tracks.
    label : str or None
        The label that the track had in training.
    out_of_fold : OutOfFoldPrediction or None
        For a training track: the prediction without its artist. None if its genre has too few artists for that.
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
    margin: float = 1.0
    unsure: bool = False
    learned_from: bool | None = None
    label: str | None = None
    out_of_fold: OutOfFoldPrediction | None = None


@dataclass(frozen=True)
class ClassificationResult:
    """The predicted genres of files; `fallback` is the most frequent label of the training set."""

    model: str
    tracks: Sequence[Prediction]
    failed: Sequence[FailedFile]
    fallback: str
    promise: AbstentionResult | None


@dataclass(frozen=True)
class AbstentionResult:
    """The probability threshold above which predictions have a target accuracy.

    Attributes
    ----------
    target : float
        Target accuracy.
    threshold : float or None
        None if no threshold reaches the target.
    coverage : float
        Fraction of the out-of-fold predictions at or above the threshold.
    accuracy, lower : float or None
        Accuracy of those predictions, and its one-sided 95% lower bound.
    """

    target: float
    threshold: float | None
    coverage: float
    accuracy: float | None
    lower: float | None
