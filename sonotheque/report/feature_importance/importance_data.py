"""Collect the feature importance of an evaluated model: permutation importance, SHAP values of trees, and auto-tags.

The measures come from `sonotheque.classify.evaluation.feature_importance` and `sonotheque.classify.evaluation.tree_shap`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque import results
from sonotheque.classify.data.training_set import TrainingSet
from sonotheque.classify.evaluation.bootstrap import round_interval
from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.classify.evaluation.feature_importance import (
    PermutationImportance,
    genre_correlations,
    permutation_importance,
)
from sonotheque.classify.evaluation.tree_shap import TreeShap, explain_trees
from sonotheque.embed import auto_tags, musicnn
from sonotheque.embed.auto_tags import TAGS
from sonotheque.explore.track_attributes import load_tag_logits
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import Float64Array, Interval

log = logging.getLogger("sonotheque")

MAX_POSITIVE, MAX_NEGATIVE = 4, 2
"""Auto-tags listed for each genre, with positive and with negative correlation."""


@dataclass(frozen=True)
class AutoTagCorrelation:
    """Spearman's rank correlation of an auto-tag with the probability of a genre, and its 95% confidence interval."""

    name: str
    correlation: float
    interval: Interval


@dataclass(frozen=True)
class GenreAutoTags:
    """The auto-tags most correlated with a genre, the strongest first; only those whose interval does not contain 0."""

    label: str
    positive: Sequence[AutoTagCorrelation]
    negative: Sequence[AutoTagCorrelation]


@dataclass(frozen=True)
class ImportanceData:
    """Feature importance of an evaluated model.

    Attributes
    ----------
    losses : sequence of PermutationImportance
        Permutation importance, see `sonotheque.classify.evaluation.feature_importance.permutation_importance`.
    shap : TreeShap or None
        SHAP values of boosted trees, see `sonotheque.classify.evaluation.tree_shap.explain_trees`.
    auto_tags : sequence of GenreAutoTags
        One per tested genre; empty if a track has no auto-tags.
    """

    losses: Sequence[PermutationImportance]
    shap: TreeShap | None
    auto_tags: Sequence[GenreAutoTags]

    @property
    def family_losses(self) -> list[PermutationImportance]:
        """Losses of the feature families, the most important first."""
        return sorted((loss for loss in self.losses if loss.family.name), key=lambda loss: -loss.rise)

    @property
    def space_losses(self) -> list[PermutationImportance]:
        """Losses of whole spaces, the most important first."""
        return sorted((loss for loss in self.losses if not loss.family.name), key=lambda loss: -loss.rise)


def collect_importance(
    training: TrainingSet,
    cross_validation: CrossValidationResult,
    *,
    tag_logits: Float64Array | None = None,
    seed: int = 0,
) -> ImportanceData:
    """Compute the feature importance of an evaluated model.

    Parameters
    ----------
    training : TrainingSet
        N tracks.
    cross_validation : Evaluation
        Of these tracks.
    tag_logits : float64 array [N, 50] or None
        The tracks' auto-tags; by default computed from the musicnn vectors of the training set, if it has any.
    seed : int
        Of the permutations, and of trees that are trained for their SHAP values only.
    """
    if tag_logits is None and musicnn.SPACE.id in training.data.tracks:
        tag_logits = auto_tags.tag_logits(training.data.tracks[musicnn.SPACE.id])
    return ImportanceData(
        losses=permutation_importance(training.data, cross_validation, seed=seed),
        shap=explain_trees(training.data, training.codes, cross_validation, groups=training.groups, seed=seed),
        auto_tags=[] if tag_logits is None else correlate_auto_tags(cross_validation, tag_logits),
    )


def load_logits_of_tracks(catalogue: Catalogue, tracks: Sequence[Track]) -> Float64Array | None:
    """Load the logits of the auto-tags of tracks, float64 [N, 50]; None, with a notice, if a track has none."""
    logits = load_tag_logits(catalogue)
    missing = sum(track.id not in logits for track in tracks)
    if missing:
        log.info(
            "the report has no section on auto-tags: %s (of %d) without any; `sonotheque add FOLDER --auto-tags` computes them",
            *(pluralize(missing, "track"), len(tracks)),
        )
        return None
    return np.stack([logits[track.id] for track in tracks])


def correlate_auto_tags(cross_validation: CrossValidationResult, tag_logits: Float64Array) -> list[GenreAutoTags]:
    """Find the auto-tags that correlate with the predicted probability of each tested genre.

    Parameters
    ----------
    cross_validation : Evaluation
    tag_logits : float64 array [N, 50]
        Of all labelled tracks.
    """
    values, low, high = genre_correlations(cross_validation, tag_logits)
    result = []
    for code in np.unique(cross_validation.reference):
        tags = [
            AutoTagCorrelation(name, float(values[code, tag]), (float(low[code, tag]), float(high[code, tag])))
            for tag, name in enumerate(TAGS)
        ]
        ordered = sorted(tags, key=lambda tag: -tag.correlation)
        positive = [tag for tag in ordered if tag.interval[0] > 0]
        negative = [tag for tag in ordered[::-1] if tag.interval[1] < 0]
        label = cross_validation.labels[code]
        result.append(GenreAutoTags(label, positive[:MAX_POSITIVE], negative[:MAX_NEGATIVE]))
    return result


def importance_results(importance: ImportanceData) -> list[results.FeatureImportance]:
    """Convert the permutation importance to results: whole spaces first, the most important first."""
    return [
        results.FeatureImportance(
            space=loss.family.space,
            family=loss.family.name or None,
            drop=round(loss.drop, 6),
            drop_interval=round_interval(loss.drop_interval),
            log_loss_rise=round(loss.rise, 6),
            log_loss_rise_interval=round_interval(loss.rise_interval),
        )
        for loss in (*importance.space_losses, *importance.family_losses)
    ]
