"""Model specifications, and the fitted models and ensembles that are made from them.

A specification names a model, the spaces whose vectors it uses, and how it treats segments: either it classifies the track vector
(*global*), or it classifies the segments and aggregates their predictions (*local*).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import grouped_folds
from sonotheque.classify.models.aggregation import AGGREGATIONS, CERTAINTY_POWERS, aggregate_segments
from sonotheque.classify.models.estimators import NETWORKS, make_classifier
from sonotheque.classify.models.temperature import apply_temperature
from sonotheque.embed.space import kind_of
from sonotheque.errors import ClassifierError
from sonotheque.types import Codes, FloatArray, Probabilities, Rows

MAX_SEGMENTS = 12
"""Segments of one track that a model is trained on, evenly spaced."""

MAX_FRAMES = 60
"""Single frames of one track that a model is trained on, evenly spaced."""


@dataclass(frozen=True)
class ModelSpec:
    """What to train, and on which vectors.

    Attributes
    ----------
    model : str
        One of `sonotheque.classify.models.estimators.MODELS` or ``NETWORKS``.
    spaces : tuple of str
        Ids of the spaces whose vectors are concatenated.
    aggregation : str
        One of `sonotheque.classify.models.aggregation.AGGREGATIONS`.
    settings : tuple of (str, value)
        Parameters of the estimator that differ from its defaults.
    copies : bool
        Whether augmented copies of the tracks are used for training too.

    Raises
    ------
    ClassifierError
        If the model or the aggregation is unknown.
    """

    model: str
    spaces: tuple[str, ...]
    aggregation: str = "track"
    settings: tuple[tuple[str, Any], ...] = ()
    copies: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        if self.aggregation not in AGGREGATIONS:
            raise ClassifierError(f"unknown aggregation {self.aggregation!r}; choose one of {', '.join(AGGREGATIONS)}")
        make_classifier(self.model)


@dataclass(frozen=True)
class FittedModel:
    """A specification and its fitted estimator.

    Attributes
    ----------
    spec : ModelSpec
    estimator : scikit-learn estimator
        Fitted to integer-encoded labels.
    certainty_power : float
        Used by the aggregation ``learned``.
    """

    spec: ModelSpec
    estimator: Any
    certainty_power: float = 0.0

    def predict_proba(self, data: EmbeddingSet, *, n_classes: int) -> Probabilities:
        """Return class probabilities, float64 [N, C]; 0 for classes without a training track."""
        if self.spec.aggregation == "track":
            return _predict_proba(self.estimator, data.track_matrix(self.spec.spaces), n_classes)
        vectors, track_index = data.segment_matrix(self.spec.spaces)
        return aggregate_segments(
            _predict_proba(self.estimator, vectors, n_classes),
            track_index,
            aggregation=self.spec.aggregation,
            certainty_power=self.certainty_power,
        )

    def timeline(self, data: EmbeddingSet, *, n_classes: int) -> Probabilities:
        """Return class probabilities for each segment of a single track, float64 [S, C]."""
        return _predict_proba(self.estimator, data.segment_matrix(self.spec.spaces)[0], n_classes)


@dataclass(frozen=True)
class Ensemble:
    """One or more fitted models whose probabilities are averaged with weights.

    Attributes
    ----------
    members : sequence of FittedModel
    weights : sequence of float
        Weight of each member; they sum to 1.
    temperature : float
        See `sonotheque.classify.models.temperature`. 1 leaves the probabilities unchanged.
    """

    members: Sequence[FittedModel]
    weights: Sequence[float]
    temperature: float = 1.0

    @property
    def needs_segments(self) -> bool:
        """Whether a member classifies segments."""
        return any(member.spec.aggregation != "track" for member in self.members)

    def predict_proba(self, data: EmbeddingSet, *, n_classes: int) -> Probabilities:
        """Return class probabilities, float64 [N, C]."""
        result = np.zeros((len(data), n_classes))
        for member, weight in zip(self.members, self.weights, strict=True):
            result += weight * member.predict_proba(data, n_classes=n_classes)
        result /= result.sum(axis=1, keepdims=True)
        return apply_temperature(result, self.temperature)

    def timeline(self, data: EmbeddingSet, *, n_classes: int) -> Probabilities:
        """Return class probabilities for each segment of a single track, float64 [S, C].

        Members that use single frames are left out.

        Raises
        ------
        ClassifierError
            If all members use single frames.
        """
        parts = [
            (weight, member.timeline(data, n_classes=n_classes))
            for member, weight in zip(self.members, self.weights, strict=True)
            if kind_of(member.spec.spaces[0]) != "frames"
        ]
        if not parts:
            raise ClassifierError("the classifier uses single frames and has no timeline; train another model")
        count = min(len(part) for _, part in parts)
        result: Probabilities = np.sum([weight * part[:count] for weight, part in parts], axis=0)
        result /= result.sum(axis=1, keepdims=True)
        return apply_temperature(result, self.temperature)


def fit_model(
    spec: ModelSpec, data: EmbeddingSet, codes: Codes, *, groups: npt.NDArray[Any], seed: int = 0
) -> FittedModel:
    """Fit a specification to labelled tracks.

    Parameters
    ----------
    spec : ModelSpec
    data : EmbeddingSet
        N tracks.
    codes : int array [N]
        Integer-encoded labels.
    groups : array [N]
        Artists, for the inner folds of the aggregation ``learned``.
    seed : int

    Returns
    -------
    FittedModel
        If all tracks have the same label, a model that always predicts it.
    """
    with warnings.catch_warnings():  # convergence warnings
        warnings.simplefilter("ignore")
        vectors, track_index = training_matrix(spec, data)
        power = 0.0
        if spec.aggregation == "learned":
            segments, segment_index = data.segment_matrix(spec.spaces, limit=MAX_SEGMENTS)
            power = _select_certainty_power(spec, segments, segment_index, codes, groups, seed)
        options = {"groups": groups[track_index]} if spec.model in NETWORKS else {}
        return FittedModel(spec, _fit_estimator(spec, vectors, codes[track_index], seed=seed, **options), power)


def training_matrix(spec: ModelSpec, data: EmbeddingSet) -> tuple[FloatArray, Rows]:
    """Assemble the rows that an estimator is fitted to.

    Returns
    -------
    vectors : float32 array [M, D]
        Track or segment vectors. Those of augmented copies come last.
    track_index : int array [M]
        Track of each row.
    """
    if spec.aggregation == "track":
        vectors, track_index = data.track_matrix(spec.spaces), np.arange(len(data))
    else:
        limit = MAX_FRAMES if kind_of(spec.spaces[0]) == "frames" else MAX_SEGMENTS
        vectors, track_index = data.segment_matrix(spec.spaces, limit=limit)
    if not spec.copies or data.copies is None or not len(data.copies.track_index):
        return vectors, track_index
    more, rows = training_matrix(spec, data.copies.data)
    return np.concatenate([vectors, more]), np.concatenate([track_index, data.copies.track_index[rows]])


def _fit_estimator(spec: ModelSpec, vectors: npt.NDArray[Any], codes: Codes, *, seed: int, **options: Any) -> Any:
    """Fit the estimator. kNN standardises the columns if they have different units.

    The training side of a fold can have a single label, to which most estimators cannot be fitted.
    """
    if codes.min() == codes.max():
        return DummyClassifier(strategy="most_frequent").fit(vectors, codes)
    settings = dict(spec.settings)
    if spec.model == "knn" and (len(spec.spaces) > 1 or kind_of(spec.spaces[0]) == "descriptors"):
        settings.setdefault("scale", True)
    return make_classifier(spec.model, seed=seed, **settings).fit(vectors, codes, **options)


def _predict_proba(estimator: Any, vectors: npt.NDArray[Any], n_classes: int) -> Probabilities:
    """Return probabilities of all classes, also of those that the estimator has not seen."""
    result = np.zeros((len(vectors), n_classes))
    result[:, estimator.classes_] = estimator.predict_proba(vectors)
    return result


def _select_certainty_power(
    spec: ModelSpec, vectors: npt.NDArray[Any], track_index: Rows, codes: Codes, groups: npt.NDArray[Any], seed: int
) -> float:
    """Select the power with the smallest log loss on artist-grouped folds of the training tracks."""
    n_classes = int(codes.max()) + 1
    losses = dict.fromkeys(CERTAINTY_POWERS, 0.0)
    for train, test in grouped_folds(codes, groups, folds=3, seed=seed):
        in_train, in_test = np.isin(track_index, train), np.isin(track_index, test)
        estimator = _fit_estimator(spec, vectors[in_train], codes[track_index[in_train]], seed=seed)
        probabilities = _predict_proba(estimator, vectors[in_test], n_classes)
        _, rows = np.unique(track_index[in_test], return_inverse=True)
        for power in CERTAINTY_POWERS:
            combined = aggregate_segments(probabilities, rows, aggregation="learned", certainty_power=power)
            losses[power] -= np.log(np.maximum(combined[np.arange(len(test)), codes[test]], 1e-6)).sum()
    return min(CERTAINTY_POWERS, key=lambda power: losses[power])
