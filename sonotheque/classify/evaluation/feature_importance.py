"""What an evaluated classifier goes by: families of columns that it cannot do without, and figures that vary with its answers.

Everything is asked of the models and the tested recordings of an `Evaluation`, fold by fold; nothing is fitted here. Trees tell
more: `sonotheque.classify.evaluation.tree_shap`.

Permutation importance (Breiman 2001, "Random forests", section 10; for any model Fisher, Rudin & Dominici 2019) says what a model
loses without a family, not what the family holds: where two families say the same, the model can lose either and lose little.
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
from sonotheque.types import Float64Array, FloatArray, Probabilities, Rows

REPEATS = 10
"""Times that the tested recordings of a fold exchange their columns."""

BLOCK = 4096
"""Recordings that are answered at a time."""

Interval = tuple[float, float]


@dataclass(frozen=True)
class FeatureFamily:
    """Columns of one space that measure the same thing; without a name, the whole space."""

    space: str
    name: str
    columns: slice


@dataclass(frozen=True)
class FamilyImportance:
    """What the answers lose when the tested recordings exchange the columns of a family.

    Attributes
    ----------
    family : Family
    drop : float
        Of the accuracy.
    rise : float
        Of the log loss (natural logarithm).
    drop_interval, rise_interval : (float, float)
        95 %, bootstrap over artists.
    """

    family: FeatureFamily
    drop: float
    drop_interval: Interval
    rise: float
    rise_interval: Interval


def feature_families(data: EmbeddingSet) -> list[FeatureFamily]:
    """List each space as a whole, followed by its families where its columns are named.

    Examples
    --------
    >>> families_of(EmbeddingSet.from_matrix(np.zeros((3, 2))))
    [Family(space='vectors', name='', columns=slice(0, 2, None))]
    """
    result = []
    for space, matrix in data.tracks.items():
        result.append(FeatureFamily(space, "", slice(0, matrix.shape[1])))
        result += [FeatureFamily(space, name, columns) for name, columns in named_families(space).items()]
    return result


def named_families(space: str) -> dict[str, slice]:
    """Say where the families of a space lie; empty where its columns have no names, as those of a network."""
    if space == descriptors.SPACE.id:
        return descriptors.family_slices()
    return essentia.family_slices() if space == essentia.SPACE.id else {}


def named_columns(space: str) -> tuple[str, ...]:
    """Name the columns of a space; empty where they have no names."""
    if space == descriptors.SPACE.id:
        return descriptors.column_names()
    return essentia.column_names() if space == essentia.SPACE.id else ()


def permutation_importance(
    data: EmbeddingSet,
    judged: CrossValidationResult,
    *,
    families: Sequence[FeatureFamily] | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
) -> list[FamilyImportance]:
    """Let the tested recordings of each fold exchange one family of columns, and judge the answers again.

    Each fold is answered by the model that was judged on it, and recordings never exchange columns across folds. All families are
    exchanged by the same permutations. The segments of a recording get those of one other, stretched or thinned to their number.

    Parameters
    ----------
    data : Recordings
        That `judged` comes from.
    judged : Evaluation
    families : sequence of Family or None
        All of `families_of` by default.
    repeats : int
        Permutations of each fold; losses are means over them.
    seed : int
        Of the permutations.

    Returns
    -------
    list of FamilyLoss
        In the order of the families. The intervals say how the loss varies with the artists tested, not with those learned from.
    """
    from threadpoolctl import threadpool_limits

    families = feature_families(data) if families is None else families
    drops = np.zeros((len(judged.tested), len(families)))
    rises = np.zeros_like(drops)
    losses = log_losses(judged.reference, judged.probabilities)
    right = judged.predicted == judged.reference
    first = 0
    with threadpool_limits(limits=1, user_api="blas"):
        for number, (fitted, (_, test)) in enumerate(zip(judged.ensembles, judged.splits, strict=True)):
            generator = np.random.default_rng([seed, number])
            orders = np.stack([generator.permutation(len(test)) for _ in range(repeats)])
            rows = slice(first, first + len(test))
            first = rows.stop
            tested = _needed(data.take(test), fitted)
            for column, family in enumerate(families):
                answers = _exchanged(tested, fitted, family, orders, n_classes=len(judged.labels))
                reference = np.tile(judged.reference[rows], repeats)
                found = (answers.argmax(axis=1) == reference).reshape(repeats, -1)
                drops[rows, column] = right[rows] - found.mean(axis=0)
                rises[rows, column] = log_losses(reference, answers).reshape(repeats, -1).mean(axis=0) - losses[rows]
    bounds = [mean_interval(values, groups=judged.groups) for values in (drops, rises)]
    (drop_low, drop_high), (rise_low, rise_high) = bounds
    return [
        FamilyImportance(
            family,
            drop=float(drops[:, column].mean()),
            drop_interval=(float(drop_low[column]), float(drop_high[column])),
            rise=float(rises[:, column].mean()),
            rise_interval=(float(rise_low[column]), float(rise_high[column])),
        )
        for column, family in enumerate(families)
    ]


def permute_family(data: EmbeddingSet, others: EmbeddingSet, family: FeatureFamily) -> EmbeddingSet:
    """Give each recording the columns of a family from another one.

    Parameters
    ----------
    data, others : Recordings
        N each.
    family : Family

    Returns
    -------
    Recordings
        N new ones; segment k of S takes from segment floor(k T / S) of the other's T.
    """

    def mixed(own: FloatArray, other: FloatArray) -> FloatArray:
        result = own.copy()
        places = np.arange(len(own)) * len(other) // max(len(own), 1)
        result[:, family.columns] = other[places, family.columns]
        return result

    space = family.space
    tracks = {**data.tracks, space: mixed(data.tracks[space], others.tracks[space])}
    if space not in data.segments:
        return replace(data, tracks=tracks)
    pairs = zip(data.segments[space], others.segments[space], strict=True)
    return EmbeddingSet(tracks, {**data.segments, space: [mixed(own, other) for own, other in pairs]})


def genre_correlations(
    judged: CrossValidationResult, figures: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Say which figures of the recordings rise and fall with the out-of-fold probability of each genre.

    Parameters
    ----------
    judged : Evaluation
    figures : float array [N, K]
        Of all recordings, such as the strengths of tags.

    Returns
    -------
    correlation : float64 array [C, K]
        Spearman's, over the tested recordings; 0 where a column does not change.
    low, high : float64 arrays [C, K]
        95 %, bootstrap over artists, with the ranks of the whole sample.
    """
    from scipy.stats import rankdata

    x, y = rankdata(judged.probabilities, axis=0), rankdata(figures[judged.tested], axis=0)
    low, high = correlation_interval(x, y, groups=judged.groups)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    spread = np.linalg.norm(x, axis=0)[:, None] * np.linalg.norm(y, axis=0)
    return np.where(spread > 0, x.T @ y / np.maximum(spread, 1e-12), 0), low, high


def _exchanged(
    data: EmbeddingSet, fitted: Ensemble, family: FeatureFamily, orders: Rows, *, n_classes: int
) -> Probabilities:
    """Answer N recordings after each of R exchanges, float64 [R * N, C]."""
    answers = []
    for some in np.array_split(orders, max(1, -(-orders.size // BLOCK))):
        if len(some):
            own = np.tile(np.arange(len(data)), len(some))
            mixed = permute_family(data.take(own), data.take(some.ravel()), family)
            answers.append(fitted.predict_proba(mixed, n_classes=n_classes))
    return np.concatenate(answers)


def _needed(data: EmbeddingSet, fitted: Ensemble) -> EmbeddingSet:
    """Leave out segments that no member looks at."""
    return data if fitted.needs_segments else replace(data, segments={})
