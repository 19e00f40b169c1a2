"""SHAP values of boosted trees, which show how much each column contributes to the predictions.

TreeSHAP (Lundberg, Erion, Chen et al. 2020, "From local explanations to global understanding with explainable AI for trees")
computes exact Shapley values of the margins. LightGBM and XGBoost implement it. The SHAP values of the columns of a track and a
base value add up to the margin of each genre, in units of log odds. They explain the model, not the music.
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
from sonotheque.classify.evaluation.feature_importance import FeatureFamily, column_names, family_slices
from sonotheque.classify.models.estimators import BoostedTrees, unavailable_models
from sonotheque.classify.models.model_spec import Ensemble, FittedModel, ModelSpec, fit_model
from sonotheque.types import Codes, Float64Array, Interval

BLOCK_SIZE = 512
"""Number of tracks whose SHAP values are in memory at a time."""


@dataclass(frozen=True)
class TreeShap:
    """SHAP values of boosted trees on out-of-fold tracks, summarised for F families, D named columns and C genres.

    Attributes
    ----------
    models : tuple of str
        Names of the tree models.
    from_classifier : bool
        Whether the trees are part of the evaluated classifier. Otherwise they were fitted to the same folds for this purpose only.
    families : sequence of FeatureFamily
        A space whose columns have no names is one family.
    strengths : float64 array [F, C]
        Mean absolute SHAP value of a family (the sum over its columns) for a genre, over the tracks.
    means, low, high : float64 arrays [F]
        Mean of `strengths` over the genres, and its 95% bootstrap interval over artists.
    columns : sequence of (space, name)
        The columns that have names.
    column_strengths : float64 array [D, C]
        Mean absolute SHAP value of a single column.
    directions : float64 array [D, C]
        1 if larger values of a column increase the margin of the genre, -1 if they decrease it, 0 if neither.
    """

    models: tuple[str, ...]
    from_classifier: bool
    families: Sequence[FeatureFamily]
    strengths: Float64Array
    means: Float64Array
    low: Float64Array
    high: Float64Array
    columns: Sequence[tuple[str, str]]
    column_strengths: Float64Array
    directions: Float64Array

    def interval(self, number: int) -> Interval:
        """Return the interval of the mean of one family."""
        return float(self.low[number]), float(self.high[number])


def explain_trees(
    data: EmbeddingSet, codes: Codes, validation: CrossValidationResult, *, groups: npt.NDArray[Any], seed: int = 0
) -> TreeShap | None:
    """Explain the predictions of boosted trees for the tested tracks.

    If the classifier of every fold has boosted trees on named columns among its members, these are explained, with their ensemble
    weights. Otherwise LightGBM (or XGBoost, if LightGBM is missing) is fitted to the first space with named columns on the same
    folds.

    Parameters
    ----------
    data : EmbeddingSet
        N tracks.
    codes : int array [N]
        Integer-encoded genres.
    validation : CrossValidationResult
        Cross-validation of these tracks.
    groups : array [N]
        Artists.
    seed : int
        Seed of trees that are fitted here.

    Returns
    -------
    TreeShap or None
        None if no space has named columns, or if no package for boosted trees is installed.
    """
    named_spaces = [space for space in data.spaces if family_slices(space)]
    if not named_spaces:
        return None
    mixtures = [_select_trees(ensemble) for ensemble in validation.ensembles]
    from_classifier = all(mixtures)
    if not from_classifier:
        model = next((name for name in ("lightgbm", "xgboost") if name not in unavailable_models()), None)
        if model is None:
            return None
        spec = ModelSpec(model, (named_spaces[0],))
        mixtures = [
            [(fit_model(spec, data.take(train), codes[train], groups=groups[train], seed=seed), 1.0)]
            for train, _ in validation.splits
        ]
    used = {space for mixture in mixtures for model, _ in mixture for space in model.spec.spaces}
    spaces = tuple(space for space in data.spaces if space in used)
    summary = _ShapSummary(data, spaces, n_classes=len(validation.labels))
    for mixture, (_, test) in zip(mixtures, validation.splits, strict=True):
        for rows in np.array_split(test, max(1, -(-len(test) // BLOCK_SIZE))):
            summary.add(data.take(rows), mixture)
    return summary.result(
        models=tuple(sorted({model.spec.model for mixture in mixtures for model, _ in mixture})),
        from_classifier=from_classifier,
        groups=validation.groups,
    )


def shap_values(model: FittedModel, data: EmbeddingSet, *, n_classes: int) -> tuple[Float64Array, Float64Array]:
    """Compute the SHAP values of boosted trees: the contribution of each column to the margin of each genre.

    Parameters
    ----------
    model : FittedModel
        A model whose estimator is `BoostedTrees`. If it classifies segments, the values are means over the segments of each track,
        whatever its aggregation.
    data : EmbeddingSet
        N tracks.
    n_classes : int

    Returns
    -------
    values : float64 array [N, C, D]
        For the D concatenated columns of the model's spaces. 0 for genres without a training track. With two genres, the trees have
        one margin: it belongs to the second genre, and the first genre has the same values with the opposite sign.
    base : float64 array [C]
        Base value of each genre. The sum of it and the SHAP values of a track is the margin.
    """
    if model.spec.aggregation == "track":
        vectors, track_index = data.track_matrix(model.spec.spaces), np.arange(len(data))
    else:
        vectors, track_index = data.segment_matrix(model.spec.spaces)
    raw = _predict_contributions(model.estimator, vectors.astype(np.float64))
    if raw.shape[1] == 1:
        raw = np.concatenate([-raw, raw], axis=1)
    means = np.zeros((len(data), *raw.shape[1:]))
    np.add.at(means, track_index, raw)
    means /= np.bincount(track_index)[:, None, None]
    values, base = np.zeros((len(data), n_classes, raw.shape[2] - 1)), np.zeros(n_classes)
    values[:, model.estimator.classes_] = means[:, :, :-1]
    base[model.estimator.classes_] = raw[0, :, -1]
    return values, base


def _predict_contributions(estimator: BoostedTrees, vectors: Float64Array) -> Float64Array:
    """Return the SHAP values and, as the last column, the base value, float64 [N, 1 or C, D + 1]."""
    if estimator.package == "lightgbm":
        contributions = estimator.booster_.booster_.predict(vectors, pred_contrib=True, num_threads=1)
        return np.asarray(contributions, dtype=np.float64).reshape(len(vectors), -1, vectors.shape[1] + 1)
    from sonotheque.classify.models.estimators import import_package

    matrix = import_package("xgboost").DMatrix(vectors, nthread=1)
    contributions = estimator.booster_.get_booster().predict(matrix, pred_contribs=True, strict_shape=True)
    return np.asarray(contributions, dtype=np.float64)


def _select_trees(ensemble: Ensemble) -> list[tuple[FittedModel, float]]:
    """Return the members that are boosted trees on named columns, with their weights normalised to sum to 1."""
    trees = [
        (model, float(weight))
        for model, weight in zip(ensemble.members, ensemble.weights, strict=True)
        if isinstance(model.estimator, BoostedTrees) and weight > 0 and any(map(family_slices, model.spec.spaces))
    ]
    total = sum(weight for _, weight in trees)
    return [(model, weight / total) for model, weight in trees]


class _ShapSummary:
    """Accumulates SHAP values over blocks of tracks, so that those of all tracks are never in memory at once."""

    def __init__(self, data: EmbeddingSet, spaces: Sequence[str], *, n_classes: int) -> None:
        self.spaces, self.n_classes = spaces, n_classes
        widths = [data.tracks[space].shape[1] for space in spaces]
        ends = np.cumsum([0, *widths])
        self.space_slices = {space: slice(ends[n], ends[n + 1]) for n, space in enumerate(spaces)}
        self.families = [
            FeatureFamily(space, name, columns)
            for space, width in zip(spaces, widths, strict=True)
            for name, columns in (family_slices(space) or {"": slice(0, width)}).items()
        ]
        self.family_values: list[Float64Array] = []
        self.absolute_sums, self.product_sums, self.shap_sums = (np.zeros((ends[-1], n_classes)) for _ in range(3))
        self.column_sums = np.zeros(ends[-1])

    def add(self, data: EmbeddingSet, mixture: Sequence[tuple[FittedModel, float]]) -> None:
        """Add the SHAP values of some tracks for one weighted mixture of trees."""
        total = np.zeros((len(data), self.n_classes, len(self.column_sums)))
        for model, weight in mixture:
            values, _ = shap_values(model, data, n_classes=self.n_classes)
            first = 0
            for space in model.spec.spaces:
                width = data.tracks[space].shape[1]
                total[:, :, self.space_slices[space]] += weight * values[:, :, first : first + width]
                first += width
        vectors = data.track_matrix(self.spaces).astype(np.float64)
        self.family_values.append(
            np.stack([np.abs(total[:, :, self._family_slice(family)].sum(axis=2)) for family in self.families], axis=1)
        )
        self.absolute_sums += np.abs(total).sum(axis=0).T
        self.shap_sums += total.sum(axis=0).T
        self.product_sums += np.einsum("ncd,nd->dc", total, vectors)
        self.column_sums += vectors.sum(axis=0)

    def _family_slice(self, family: FeatureFamily) -> slice:
        first = self.space_slices[family.space].start
        return slice(first + family.columns.start, first + family.columns.stop)

    def _named_columns(self) -> Iterator[tuple[int, str, str]]:
        for space in self.spaces:
            first = self.space_slices[space].start
            yield from ((first + offset, space, name) for offset, name in enumerate(column_names(space)))

    def result(self, *, models: tuple[str, ...], from_classifier: bool, groups: npt.NDArray[Any]) -> TreeShap:
        """Summarise the values. `groups` [N] are the artists of all tracks, in the order in which they were added."""
        family_values = np.concatenate(self.family_values)
        low, high = mean_interval(family_values.mean(axis=2), groups=groups)
        covariance = self.product_sums - self.column_sums[:, None] * self.shap_sums / len(family_values)
        named = list(self._named_columns())
        indices = [index for index, _, _ in named]
        return TreeShap(
            models=models,
            from_classifier=from_classifier,
            families=self.families,
            strengths=family_values.mean(axis=0),
            means=family_values.mean(axis=(0, 2)),
            low=low,
            high=high,
            columns=[(space, name) for _, space, name in named],
            column_strengths=self.absolute_sums[indices] / len(family_values),
            directions=np.sign(covariance[indices]),
        )
