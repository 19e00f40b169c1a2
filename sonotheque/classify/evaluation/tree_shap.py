"""What boosted trees make of each column: exact Shapley values of their margins, which LightGBM and XGBoost compute themselves.

TreeSHAP (Lundberg, Erion, Chen et al. 2020, "From local explanations to global understanding with explainable AI for trees"): the
contributions of a recording's columns and a base value add up to the margin of each genre, in units of log odds. They explain the
model, not the music.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.evaluation.bootstrap import mean_interval
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.classify.evaluation.feature_importance import FeatureFamily, named_columns, named_families
from sonotheque.classify.models.estimators import BoostedTrees, unavailable_models
from sonotheque.classify.models.model_spec import Ensemble, FittedModel, ModelSpec, fit_model
from sonotheque.types import Codes, Float64Array, Interval

BLOCK = 512
"""Recordings whose contributions are held at a time."""


@dataclass(frozen=True)
class TreeShap:
    """What trees make of out-of-fold recordings; F families, D named columns, C genres.

    Attributes
    ----------
    models : tuple of str
        Names of the models of the trees.
    judged : bool
        Whether they are part of the judged classifier; else they learned on the same folds for this alone.
    families : sequence of Family
        A space whose columns have no names is one of them.
    strengths : float64 array [F, C]
        Mean over the recordings of the absolute value of what a family's columns contribute together to the margin of a genre.
    means, low, high : float64 arrays [F]
        Their mean over the genres and its 95 % interval, bootstrap over artists.
    columns : sequence of (space, name)
        Those that have names.
    column_strengths : float64 array [D, C]
        The same for single columns.
    directions : float64 array [D, C]
        1 where more of a column speaks for the genre, -1 where less, 0 where neither.
    """

    models: tuple[str, ...]
    judged: bool
    families: Sequence[FeatureFamily]
    strengths: Float64Array
    means: Float64Array
    low: Float64Array
    high: Float64Array
    columns: Sequence[tuple[str, str]]
    column_strengths: Float64Array
    directions: Float64Array

    def interval(self, number: int) -> Interval:
        """Return the interval of a family's mean strength."""
        return float(self.low[number]), float(self.high[number])


def explain_trees(
    data: EmbeddingSet, codes: Codes, judged: CrossValidationResult, *, groups: npt.NDArray[Any], seed: int = 0
) -> TreeShap | None:
    """Explain the answers of boosted trees for the tested recordings.

    The trees are those of the judged classifier, mixed by their shares, where each fold has some that see named columns. Else
    LightGBM (XGBoost, where that is missing) learns from the first space with named columns, on the same folds.

    Parameters
    ----------
    data : Recordings
    codes : int array [N]
        Of their genres.
    judged : Evaluation
        Of these.
    groups : array [N]
        Their artists.
    seed : int

    Returns
    -------
    Shapley or None
        None where no space has named columns, or no package for trees is there.
    """
    named = [space for space in data.spaces if named_families(space)]
    if not named:
        return None
    mixtures = [_trees(fitted) for fitted in judged.ensembles]
    own = all(mixtures)
    if not own:
        model = next((name for name in ("lightgbm", "xgboost") if name not in unavailable_models()), None)
        if model is None:
            return None
        spec = ModelSpec(model, (named[0],))
        mixtures = [
            [(fit_model(spec, data.take(train), codes[train], groups=groups[train], seed=seed), 1.0)]
            for train, _ in judged.splits
        ]
    used = {space for mixture in mixtures for member, _ in mixture for space in member.spec.spaces}
    spaces = tuple(space for space in data.spaces if space in used)
    sums = _Sums(data, spaces, n_classes=len(judged.labels))
    for mixture, (_, test) in zip(mixtures, judged.splits, strict=True):
        for rows in np.array_split(test, max(1, -(-len(test) // BLOCK))):
            sums.add(data.take(rows), mixture)
    return sums.result(
        models=tuple(sorted({member.spec.model for mixture in mixtures for member, _ in mixture})),
        judged=own,
        groups=judged.groups,
    )


def shap_values(member: FittedModel, data: EmbeddingSet, *, n_classes: int) -> tuple[Float64Array, Float64Array]:
    """Compute what each column contributes to the margin of each genre, by boosted trees.

    Parameters
    ----------
    member : Member
        Its estimator is a `Boosted`. A local one answers by the mean of its segments here, whatever its decision.
    data : Recordings
        N of them.
    labels : int

    Returns
    -------
    values : float64 array [N, C, D]
        D columns of the member's spaces side by side; 0 for genres that it has not learned. Of two genres the second has the
        margin of the trees, the first the same with the other sign.
    base : float64 array [C]
        The values of a recording and this add up to its margin.
    """
    if member.spec.aggregation == "track":
        vectors, track_index = data.track_matrix(member.spec.spaces), np.arange(len(data))
    else:
        vectors, track_index = data.segment_matrix(member.spec.spaces)
    raw = _raw(member.estimator, vectors.astype(np.float64))
    if raw.shape[1] == 1:
        raw = np.concatenate([-raw, raw], axis=1)
    means = np.zeros((len(data), *raw.shape[1:]))
    np.add.at(means, track_index, raw)
    means /= np.bincount(track_index)[:, None, None]
    values, base = np.zeros((len(data), n_classes, raw.shape[2] - 1)), np.zeros(n_classes)
    values[:, member.estimator.classes_] = means[:, :, :-1]
    base[member.estimator.classes_] = raw[0, :, -1]
    return values, base


def _raw(estimator: BoostedTrees, vectors: Float64Array) -> Float64Array:
    """Return contributions and, as the last column, the base value: float64 [N, 1 or C, D + 1]."""
    if estimator.package == "lightgbm":
        found = estimator.booster_.booster_.predict(vectors, pred_contrib=True, num_threads=1)
        return np.asarray(found, dtype=np.float64).reshape(len(vectors), -1, vectors.shape[1] + 1)
    from sonotheque.classify.models.estimators import import_package

    matrix = import_package("xgboost").DMatrix(vectors, nthread=1)
    found = estimator.booster_.get_booster().predict(matrix, pred_contribs=True, strict_shape=True)
    return np.asarray(found, dtype=np.float64)


def _trees(fitted: Ensemble) -> list[tuple[FittedModel, float]]:
    """Return the members that are boosted trees on named columns, and their shares, which add up to 1."""
    found = [
        (member, float(share))
        for member, share in zip(fitted.members, fitted.weights, strict=True)
        if isinstance(member.estimator, BoostedTrees) and share > 0 and any(map(named_families, member.spec.spaces))
    ]
    whole = sum(share for _, share in found)
    return [(member, share / whole) for member, share in found]


class _Sums:
    """Adds up contributions over folds, so that those of all recordings are never held at once."""

    def __init__(self, data: EmbeddingSet, spaces: Sequence[str], *, n_classes: int) -> None:
        self.spaces, self.n_classes = spaces, n_classes
        widths = [data.tracks[space].shape[1] for space in spaces]
        ends = np.cumsum([0, *widths])
        self.places = {space: slice(ends[n], ends[n + 1]) for n, space in enumerate(spaces)}
        self.families = [
            FeatureFamily(space, name, columns)
            for space, width in zip(spaces, widths, strict=True)
            for name, columns in (named_families(space) or {"": slice(0, width)}).items()
        ]
        self.together: list[Float64Array] = []
        self.absolute, self.products, self.values = (np.zeros((ends[-1], n_classes)) for _ in range(3))
        self.columns = np.zeros(ends[-1])

    def add(self, data: EmbeddingSet, mixture: Sequence[tuple[FittedModel, float]]) -> None:
        """Add some recordings that one mixture of trees answers for."""
        found = np.zeros((len(data), self.n_classes, len(self.columns)))
        for member, share in mixture:
            values, _ = shap_values(member, data, n_classes=self.n_classes)
            first = 0
            for space in member.spec.spaces:
                width = data.tracks[space].shape[1]
                found[:, :, self.places[space]] += share * values[:, :, first : first + width]
                first += width
        vectors = data.track_matrix(self.spaces).astype(np.float64)
        self.together.append(
            np.stack([np.abs(found[:, :, self._place(family)].sum(axis=2)) for family in self.families], axis=1)
        )
        self.absolute += np.abs(found).sum(axis=0).T
        self.values += found.sum(axis=0).T
        self.products += np.einsum("ncd,nd->dc", found, vectors)
        self.columns += vectors.sum(axis=0)

    def _place(self, family: FeatureFamily) -> slice:
        first = self.places[family.space].start
        return slice(first + family.columns.start, first + family.columns.stop)

    def _named(self) -> Iterator[tuple[int, str, str]]:
        for space in self.spaces:
            first = self.places[space].start
            yield from ((first + place, space, name) for place, name in enumerate(named_columns(space)))

    def result(self, *, models: tuple[str, ...], judged: bool, groups: npt.NDArray[Any]) -> TreeShap:
        """Take the means; `groups` [N] are the artists of all recordings in the order in which they were added."""
        together = np.concatenate(self.together)
        low, high = mean_interval(together.mean(axis=2), groups=groups)
        covariance = self.products - self.columns[:, None] * self.values / len(together)
        named = list(self._named())
        places = [place for place, _, _ in named]
        return TreeShap(
            models=models,
            judged=judged,
            families=self.families,
            strengths=together.mean(axis=0),
            means=together.mean(axis=(0, 2)),
            low=low,
            high=high,
            columns=[(space, name) for _, space, name in named],
            column_strengths=self.absolute[places] / len(together),
            directions=np.sign(covariance[places]),
        )
