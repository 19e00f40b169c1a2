"""What a report needs to know of a model's reasons: losses of families, what trees make of columns, tags that vary with answers.

The measures themselves are `sonotheque.classify.evaluation.feature_importance`'s and `shapley`'s; nothing here is drawn or put into words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque import results
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.evaluation.bootstrap import round_interval
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.classify.evaluation.feature_importance import (
    FamilyImportance,
    genre_correlations,
    permutation_importance,
)
from sonotheque.classify.evaluation.tree_shap import TreeShap, explain_trees
from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import TAGS, tag_logits
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, Interval

RISING, FALLING = 4, 2
"""Tags that are named for each genre."""


@dataclass(frozen=True)
class Tag:
    """A tag whose strength varies with the probability of a genre: Spearman's correlation and its 95 % interval."""

    name: str
    correlation: float
    interval: Interval


@dataclass(frozen=True)
class GenreTags:
    """The tags that vary most with a genre, of those whose interval does not hold 0; the strongest first."""

    label: str
    rising: Sequence[Tag]
    falling: Sequence[Tag]


@dataclass(frozen=True)
class Importance:
    """What a model goes by.

    Attributes
    ----------
    losses : sequence of FamilyLoss
        See `sonotheque.classify.evaluation.feature_importance.permutation`.
    trees : Shapley or None
        See `sonotheque.classify.evaluation.tree_shap.explain_trees`.
    tags : sequence of GenreTags
        Of the genres that were tested; empty where there are no vectors of musicnn.
    """

    losses: Sequence[FamilyImportance]
    trees: TreeShap | None
    tags: Sequence[GenreTags]

    @property
    def families(self) -> list[FamilyImportance]:
        """Families inside spaces, the one that is needed most first."""
        return sorted((loss for loss in self.losses if loss.family.name), key=lambda loss: -loss.rise)

    @property
    def spaces(self) -> list[FamilyImportance]:
        """Whole spaces, the one that is needed most first."""
        return sorted((loss for loss in self.losses if not loss.family.name), key=lambda loss: -loss.rise)


def collect_importance(
    training: TrainingSet, judged: CrossValidationResult, *, heard: FloatArray | None = None, seed: int = 0
) -> Importance:
    """Ask an evaluation for its reasons.

    Parameters
    ----------
    training : TrainingSet
        N tracks.
    judged : Evaluation
        Of these.
    heard : float32 array [N, 200] or None
        The tracks' vectors in the space of musicnn; by default those of the training set, if it has any.
    seed : int
        Of the permutations, and of trees that are fitted for this.
    """
    vectors = training.data.tracks.get(musicnn.SPACE.id) if heard is None else heard
    return Importance(
        losses=permutation_importance(training.data, judged, seed=seed),
        trees=explain_trees(training.data, training.codes, judged, groups=training.groups, seed=seed),
        tags=[] if vectors is None else find_tags(judged, vectors),
    )


def musicnn_vectors(catalogue: Catalogue, tracks: Sequence[Track]) -> FloatArray | None:
    """Look up the tracks' vectors in the space of musicnn, float32 [N, 200]; None where the library lacks it or one of them."""
    if not any(space.id == musicnn.SPACE.id for space in catalogue.spaces.all()):
        return None
    ids, vectors = catalogue.vectors.matrix(musicnn.SPACE.id)
    rows = {int(number): row for row, number in enumerate(ids)}
    if not all(track.id in rows for track in tracks):
        return None
    return vectors[[rows[track.id] for track in tracks]]


def find_tags(judged: CrossValidationResult, vectors: FloatArray) -> list[GenreTags]:
    """Find the tags that vary with the probability of each genre that was tested.

    Parameters
    ----------
    judged : Evaluation
    vectors : float32 array [N, 200]
        Of all recordings, in the space of musicnn.
    """
    found, low, high = genre_correlations(judged, tag_logits(vectors))
    result = []
    for code in np.unique(judged.reference):
        tags = [
            Tag(name, float(found[code, tag]), (float(low[code, tag]), float(high[code, tag])))
            for tag, name in enumerate(TAGS)
        ]
        ordered = sorted(tags, key=lambda tag: -tag.correlation)
        rising = [tag for tag in ordered if tag.interval[0] > 0]
        falling = [tag for tag in ordered[::-1] if tag.interval[1] < 0]
        result.append(GenreTags(judged.labels[code], rising[:RISING], falling[:FALLING]))
    return result


def documented(importance: Importance) -> list[results.FeatureImportance]:
    """Put the losses into documents, those of whole spaces first, the greatest first."""
    return [
        results.FeatureImportance(
            space=loss.family.space,
            family=loss.family.name or None,
            drop=round(loss.drop, 6),
            drop_interval=round_interval(loss.drop_interval),
            log_loss_rise=round(loss.rise, 6),
            log_loss_rise_interval=round_interval(loss.rise_interval),
        )
        for loss in (*importance.spaces, *importance.families)
    ]
