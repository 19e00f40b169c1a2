"""Permutation importance of feature families, and correlations of genre probabilities with other values.

All functions use the models and the test tracks of a `CrossValidationResult`, fold by fold. Nothing is fitted here. SHAP values of
boosted trees are in `sonotheque.classify.evaluation.tree_shap`.

Permutation importance (Breiman 2001, "Random forests", section 10; for any model Fisher, Rudin & Dominici 2019) measures what a
model loses without a family, not what the family contains. Correlated families share importance: the model can lose one of them
and lose little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.evaluation.bootstrap import correlation_interval, mean_interval
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.classify.evaluation.probability_metrics import log_losses
from sonotheque.classify.models.model_spec import Ensemble
from sonotheque.embed import descriptors, essentia
from sonotheque.types import Float64Array, FloatArray, Interval, Probabilities, Rows

N_PERMUTATIONS = 10

BLOCK_SIZE = 4096
"""Number of tracks that are predicted at a time."""


@dataclass(frozen=True)
class FeatureFamily:
    """A group of columns of one space that measure the same property. With an empty name, it is the whole space."""

    space: str
    name: str
    columns: slice


@dataclass(frozen=True)
class PermutationImportance:
    """How much the predictions get worse if the columns of a family are permuted among the test tracks.

    Attributes
    ----------
    family : FeatureFamily
    drop : float
        Decrease of the accuracy.
    rise : float
        Increase of the log loss (natural logarithm).
    drop_interval, rise_interval : (float, float)
        95% bootstrap intervals over artists.
    """

    family: FeatureFamily
    drop: float
    drop_interval: Interval
    rise: float
    rise_interval: Interval


def feature_families(data: EmbeddingSet) -> list[FeatureFamily]:
    """List each space as a whole, followed by its feature families if its columns have names.

    Examples
    --------
    >>> feature_families(EmbeddingSet.from_matrix(np.zeros((3, 2))))
    [FeatureFamily(space='vectors', name='', columns=slice(0, 2, None))]
    """
    result = []
    for space, matrix in data.tracks.items():
        result.append(FeatureFamily(space, "", slice(0, matrix.shape[1])))
        result += [FeatureFamily(space, name, columns) for name, columns in family_slices(space).items()]
    return result


def family_slices(space: str) -> dict[str, slice]:
    """Return the columns of each feature family of a space. Empty if the columns have no names, as those of a network."""
    if space == descriptors.SPACE.id:
        return descriptors.family_slices()
    return essentia.family_slices() if space == essentia.SPACE.id else {}


def column_names(space: str) -> tuple[str, ...]:
    """Return the names of the columns of a space. Empty if they have no names."""
    if space == descriptors.SPACE.id:
        return descriptors.column_names()
    return essentia.column_names() if space == essentia.SPACE.id else ()


def permutation_importance(
    data: EmbeddingSet,
    validation: CrossValidationResult,
    *,
    families: Sequence[FeatureFamily] | None = None,
    repeats: int = N_PERMUTATIONS,
    seed: int = 0,
) -> list[PermutationImportance]:
    """Permute the columns of each feature family among the test tracks of each fold, and compare the predictions.

    Each fold is predicted by the model that was tested on it, and columns are never permuted across folds. The same permutations
    are used for all families. The segments of a track get the columns of the segments of one other track, repeated or skipped to
    match their number.

    Parameters
    ----------
    data : EmbeddingSet
        The tracks that were cross-validated.
    validation : CrossValidationResult
    families : sequence of FeatureFamily or None
        By default all of `feature_families`.
    repeats : int
        Number of permutations of each fold. Results are means over them.
    seed : int
        Seed of the permutations.

    Returns
    -------
    list of PermutationImportance
        In the order of the families. The intervals show how the results vary with the tested artists, not with the training
        artists.
    """
    from threadpoolctl import threadpool_limits

    families = feature_families(data) if families is None else families
    drops = np.zeros((len(validation.tested), len(families)))
    rises = np.zeros_like(drops)
    losses = log_losses(validation.reference, validation.probabilities)
    correct = validation.predicted == validation.reference
    first = 0
    with threadpool_limits(limits=1, user_api="blas"):
        for number, (ensemble, (_, test)) in enumerate(zip(validation.ensembles, validation.splits, strict=True)):
            generator = np.random.default_rng([seed, number])
            permutations = np.stack([generator.permutation(len(test)) for _ in range(repeats)])
            rows = slice(first, first + len(test))
            first = rows.stop
            tested = _drop_unused_segments(data.take(test), ensemble)
            for column, family in enumerate(families):
                probabilities = _predict_permuted(
                    tested, ensemble, family, permutations, n_classes=len(validation.labels)
                )
                reference = np.tile(validation.reference[rows], repeats)
                permuted_correct = (probabilities.argmax(axis=1) == reference).reshape(repeats, -1)
                permuted_losses = log_losses(reference, probabilities).reshape(repeats, -1)
                drops[rows, column] = correct[rows] - permuted_correct.mean(axis=0)
                rises[rows, column] = permuted_losses.mean(axis=0) - losses[rows]
    drop_low, drop_high = mean_interval(drops, groups=validation.groups)
    rise_low, rise_high = mean_interval(rises, groups=validation.groups)
    return [
        PermutationImportance(
            family,
            drop=float(drops[:, column].mean()),
            drop_interval=(float(drop_low[column]), float(drop_high[column])),
            rise=float(rises[:, column].mean()),
            rise_interval=(float(rise_low[column]), float(rise_high[column])),
        )
        for column, family in enumerate(families)
    ]


def permute_family(data: EmbeddingSet, others: EmbeddingSet, family: FeatureFamily) -> EmbeddingSet:
    """Replace the columns of a family in each track by those of another track.

    Parameters
    ----------
    data, others : EmbeddingSet
        N tracks each.
    family : FeatureFamily

    Returns
    -------
    EmbeddingSet
        N tracks. Segment k of S gets the columns of segment floor(k T / S) of the T segments of the other track.
    """

    def replace_columns(vectors: FloatArray, source: FloatArray) -> FloatArray:
        result = vectors.copy()
        rows = np.arange(len(vectors)) * len(source) // max(len(vectors), 1)
        result[:, family.columns] = source[rows, family.columns]
        return result

    space = family.space
    tracks = {**data.tracks, space: replace_columns(data.tracks[space], others.tracks[space])}
    if space not in data.segments:
        return replace(data, tracks=tracks)
    pairs = zip(data.segments[space], others.segments[space], strict=True)
    return EmbeddingSet(tracks, {**data.segments, space: [replace_columns(*pair) for pair in pairs]})


def genre_correlations(
    validation: CrossValidationResult, values: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Correlate values of the tracks with the out-of-fold probability of each genre.

    Parameters
    ----------
    validation : CrossValidationResult
    values : float array [N, K]
        K values of each track that was cross-validated, such as the strengths of auto-tags.

    Returns
    -------
    correlation : float64 array [C, K]
        Spearman's correlation over the tested tracks. 0 if a column is constant.
    low, high : float64 arrays [C, K]
        95% bootstrap intervals over artists, with the ranks of the whole sample.
    """
    from scipy.stats import rankdata

    x, y = rankdata(validation.probabilities, axis=0), rankdata(values[validation.tested], axis=0)
    low, high = correlation_interval(x, y, groups=validation.groups)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    norms = np.linalg.norm(x, axis=0)[:, None] * np.linalg.norm(y, axis=0)
    return np.where(norms > 0, x.T @ y / np.maximum(norms, 1e-12), 0), low, high


def _predict_permuted(
    data: EmbeddingSet, ensemble: Ensemble, family: FeatureFamily, permutations: Rows, *, n_classes: int
) -> Probabilities:
    """Predict N tracks after each of R permutations [R, N] of a family. Returns float64 array [R * N, C]."""
    probabilities = []
    for block in np.array_split(permutations, max(1, -(-permutations.size // BLOCK_SIZE))):
        if len(block):
            rows = np.tile(np.arange(len(data)), len(block))
            permuted = permute_family(data.take(rows), data.take(block.ravel()), family)
            probabilities.append(ensemble.predict_proba(permuted, n_classes=n_classes))
    return np.concatenate(probabilities)


def _drop_unused_segments(data: EmbeddingSet, ensemble: Ensemble) -> EmbeddingSet:
    """Drop the segments if no member of the ensemble uses them."""
    return data if ensemble.needs_segments else replace(data, segments={})
