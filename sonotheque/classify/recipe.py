"""What can be learned from recordings: a recipe (model, spaces, decision, settings), and the members that it makes.

A decision is *global* (on the track's vector) or *local* (on its segments, whose answers are combined). A `Fitted` classifier is
one member, or several whose probabilities are mixed.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.classify.calibration import Probabilities, soften
from sonotheque.classify.estimators import DEEP, make_classifier
from sonotheque.classify.metrics import Codes
from sonotheque.classify.recordings import Recordings, Rows
from sonotheque.embed.space import kind_of
from sonotheque.errors import ClassifierError

DECISIONS = ("track", "mean", "vote", "product", "learned")
"""On the track vector; or on segments: mean or product of their probabilities, their votes, a mean with learned weights."""

MOST_SEGMENTS = 12
"""Segments of one recording that a model learns from, evenly spread."""

MOST_FRAMES = 60
"""Single frames, likewise."""

SHARPNESS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Powers of a segment's certainty that `learned` chooses from: 0 is the plain mean."""


@dataclass(frozen=True)
class Recipe:
    """One way to learn genres.

    Attributes
    ----------
    model : str
        See `sonotheque.classify.estimators.MODELS`.
    spaces : tuple of str
        Ids of the spaces whose vectors are joined.
    decision : str
        One of `DECISIONS`.
    settings : tuple of (str, value)
        Of the estimator, where they are not its defaults.
    copies : bool
        Whether it learns from the recordings' augmented copies too.

    Raises
    ------
    ClassifierError
        If model or decision is unknown.
    """

    model: str
    spaces: tuple[str, ...]
    decision: str = "track"
    settings: tuple[tuple[str, Any], ...] = ()
    copies: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        if self.decision not in DECISIONS:
            raise ClassifierError(f"unknown decision {self.decision!r}; known are {', '.join(DECISIONS)}")
        make_classifier(self.model)


@dataclass(frozen=True)
class Member:
    """A recipe that has learned.

    Attributes
    ----------
    recipe : Recipe
    estimator : scikit-learn estimator
        Fitted to codes of labels.
    sharpness : float
        Of the decision ``learned``.
    """

    recipe: Recipe
    estimator: Any
    sharpness: float = 0.0

    def probabilities(self, data: Recordings, *, labels: int) -> Probabilities:
        """Return the probability of each label, float64 [N, C]; 0 for labels that it has not learned."""
        if self.recipe.decision == "track":
            return _spread(self.estimator, data.joined(self.recipe.spaces), labels)
        vectors, owners = data.cut(self.recipe.spaces)
        return combine(
            _spread(self.estimator, vectors, labels),
            owners,
            decision=self.recipe.decision,
            sharpness=self.sharpness,
        )

    def timeline(self, data: Recordings, *, labels: int) -> Probabilities:
        """Return the probability of each label for each segment of one recording, float64 [S, C]."""
        return _spread(self.estimator, data.cut(self.recipe.spaces)[0], labels)


@dataclass(frozen=True)
class Fitted:
    """A classifier that has learned: members and their shares, which add up to 1.

    Attributes
    ----------
    members : sequence of Member
    shares : sequence of float
    temperature : float
        See `sonotheque.classify.calibration`; 1 leaves the probabilities as they are.
    """

    members: Sequence[Member]
    shares: Sequence[float]
    temperature: float = 1.0

    @property
    def needs_segments(self) -> bool:
        """Whether a member decides locally."""
        return any(member.recipe.decision != "track" for member in self.members)

    def probabilities(self, data: Recordings, *, labels: int) -> Probabilities:
        """Return the probability of each label, float64 [N, C]."""
        result = np.zeros((len(data), labels))
        for member, share in zip(self.members, self.shares, strict=True):
            result += share * member.probabilities(data, labels=labels)
        result /= result.sum(axis=1, keepdims=True)
        return soften(result, self.temperature)

    def timeline(self, data: Recordings, *, labels: int) -> Probabilities:
        """Return the probability of each label for each segment of one recording, float64 [S, C].

        Members that hear single frames have no say.

        Raises
        ------
        ClassifierError
            If all do.
        """
        parts = [
            (share, member.timeline(data, labels=labels))
            for member, share in zip(self.members, self.shares, strict=True)
            if kind_of(member.recipe.spaces[0]) != "frames"
        ]
        if not parts:
            raise ClassifierError("the classifier hears single frames and has no timeline; train another model")
        count = min(len(part) for _, part in parts)
        result: Probabilities = np.sum([share * part[:count] for share, part in parts], axis=0)
        result /= result.sum(axis=1, keepdims=True)
        return soften(result, self.temperature)


def fit(recipe: Recipe, data: Recordings, codes: Codes, *, groups: npt.NDArray[Any], seed: int = 0) -> Member:
    """Learn from labelled recordings.

    Parameters
    ----------
    recipe : Recipe
    data : Recordings
        N of them.
    codes : int array [N]
        Of their labels.
    groups : array [N]
        Their artists, for what ``learned`` learns.
    seed : int
    """
    estimator = _estimator(recipe, seed)
    with warnings.catch_warnings():  # an optimiser that is not quite done is no news
        warnings.simplefilter("ignore")
        vectors, owners = lesson(recipe, data)
        sharpness = 0.0
        if recipe.decision == "learned":
            parts = data.cut(recipe.spaces, most=MOST_SEGMENTS)
            sharpness = _learn_sharpness(recipe, *parts, codes, groups, seed)
        more = {"groups": groups[owners]} if recipe.model in DEEP else {}
        return Member(recipe, estimator.fit(vectors, codes[owners], **more), sharpness)


def lesson(recipe: Recipe, data: Recordings) -> tuple[FloatArray, Rows]:
    """Put together what an estimator learns from.

    Returns
    -------
    vectors : float32 array [M, D]
        Of tracks or segments; augmented copies come last.
    owners : int array [M]
        The recording of each.
    """
    if recipe.decision == "track":
        vectors, owners = data.joined(recipe.spaces), np.arange(len(data))
    else:
        most = MOST_FRAMES if kind_of(recipe.spaces[0]) == "frames" else MOST_SEGMENTS
        vectors, owners = data.cut(recipe.spaces, most=most)
    if not recipe.copies or data.copies is None or not len(data.copies.owners):
        return vectors, owners
    more, rows = lesson(recipe, data.copies.data)
    return np.concatenate([vectors, more]), np.concatenate([owners, data.copies.owners[rows]])


def combine(probabilities: Probabilities, owners: Rows, *, decision: str, sharpness: float = 0.0) -> Probabilities:
    """Combine the answers for the segments of each recording.

    Parameters
    ----------
    probabilities : float64 array [M, C]
    owners : int array [M]
        The recording of each segment; 0 to N - 1, ascending, each at least once.
    decision : str
        ``mean``; ``vote``: the share of segments that each label wins; ``product``: the geometric mean, scaled to 1;
        ``learned``: the mean, weighted by certainty (1 - entropy / log C) to the power of `sharpness`.
    sharpness : float

    Returns
    -------
    float64 array [N, C]

    Examples
    --------
    >>> segments = np.array([[0.6, 0.4], [0.6, 0.4], [0.0, 1.0]])
    >>> [combine(segments, np.zeros(3, int), decision=d).argmax() for d in ("mean", "vote", "product")]
    [np.int64(1), np.int64(0), np.int64(1)]
    """
    count, labels = owners[-1] + 1, probabilities.shape[1]
    values = probabilities
    weights = np.ones(len(owners))
    if decision == "vote":
        values = np.eye(labels)[probabilities.argmax(axis=1)]
    elif decision == "product":
        values = np.log(np.maximum(probabilities, 1e-6))
    elif decision == "learned":
        entropy = -(probabilities * np.log(np.maximum(probabilities, 1e-12))).sum(axis=1)
        weights = np.maximum(1 - entropy / np.log(labels), 1e-3) ** sharpness
    result: Probabilities = np.zeros((count, labels))
    np.add.at(result, owners, values * weights[:, None])
    result /= np.bincount(owners, weights=weights)[:, None]
    if decision == "product":
        result = np.exp(result - result.max(axis=1, keepdims=True))
    result /= result.sum(axis=1, keepdims=True)
    return result


def _estimator(recipe: Recipe, seed: int) -> Any:
    """Make the estimator; neighbours are near by the columns' deviations where the columns have different units."""
    settings = dict(recipe.settings)
    if recipe.model == "knn" and (len(recipe.spaces) > 1 or kind_of(recipe.spaces[0]) == "descriptors"):
        settings.setdefault("scale", True)
    return make_classifier(recipe.model, seed=seed, **settings)


def _spread(estimator: Any, vectors: npt.NDArray[Any], labels: int) -> Probabilities:
    result = np.zeros((len(vectors), labels))
    result[:, estimator.classes_] = estimator.predict_proba(vectors)
    return result


def _learn_sharpness(
    recipe: Recipe, vectors: npt.NDArray[Any], owners: Rows, codes: Codes, groups: npt.NDArray[Any], seed: int
) -> float:
    """Take the power with the least log loss on grouped folds of the training recordings."""
    from sonotheque.classify.folds import grouped_folds

    labels = int(codes.max()) + 1
    losses = dict.fromkeys(SHARPNESS, 0.0)
    for train, test in grouped_folds(codes, groups, folds=3, seed=seed):
        learned, asked = np.isin(owners, train), np.isin(owners, test)
        estimator = _estimator(recipe, seed).fit(vectors[learned], codes[owners[learned]])
        answers = _spread(estimator, vectors[asked], labels)
        _, rows = np.unique(owners[asked], return_inverse=True)
        for power in SHARPNESS:
            combined = combine(answers, rows, decision="learned", sharpness=power)
            losses[power] -= np.log(np.maximum(combined[np.arange(len(test)), codes[test]], 1e-6)).sum()
    return min(SHARPNESS, key=lambda power: losses[power])
