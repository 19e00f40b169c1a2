"""Measure feature importance: permutation importance of feature families, SHAP values of trees, and correlated auto-tags.

    python bench/importance.py LIBRARY [--model logreg] [--aggregation track] [--repeats 5] [--embedder descriptors] [--retrain]

LIBRARY is the folder of a library with labelled tracks. All values are computed on out-of-fold predictions with artist-grouped
folds. With --retrain, the model is also retrained without each family, which measures what no other family contains.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.classify import CrossValidationResult, EmbeddingSet, cross_validate, load_training_set, make_learner
from sonotheque.classify.evaluation import bootstrap
from sonotheque.classify.evaluation.bootstrap import mean_interval
from sonotheque.classify.evaluation.feature_importance import FeatureFamily
from sonotheque.embed import space_of
from sonotheque.report.feature_importance.importance_data import collect_importance, load_logits_of_tracks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", default="logreg")
    parser.add_argument("--aggregation", default="track")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--embedder", action="append")
    parser.add_argument("--retrain", action="store_true")
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [space_of(name).id for name in options.embedder or []] or [
            space.id for space in library.catalogue.spaces.all() if space.tracks
        ]
        training = load_training_set(library.catalogue, spaces=spaces)
        tag_logits = load_logits_of_tracks(library.catalogue, training.tracks)
    learner = make_learner(options.model, spaces=training.data.spaces, aggregation=options.aggregation)
    validation = cross_validate(
        training.data, training.y, groups=training.groups, learner=learner, repeats=options.repeats
    )
    importance = collect_importance(training, validation, tag_logits=tag_logits)
    print(
        f"{options.model}, {options.aggregation}: accuracy {validation.accuracy:.3f}, log loss {validation.log_loss:.3f}\n"
    )
    print("| family | increase in log loss | decrease in accuracy (points) |\n|---|---|---|")
    for loss in (*importance.space_losses, *importance.family_losses):
        (rise_low, rise_high), (drop_low, drop_high) = loss.rise_interval, loss.drop_interval
        name = loss.family.name or loss.family.space.partition("-")[0]
        print(
            f"| `{name}` | {loss.rise:+.3f} [{rise_low:+.3f}, {rise_high:+.3f}] | "
            f"{100 * loss.drop:+.1f} [{100 * drop_low:+.1f}, {100 * drop_high:+.1f}] |"
        )
    if importance.shap is not None:
        origin = "part of the model" if importance.shap.from_classifier else "fitted for this purpose"
        print(f"\n{', '.join(importance.shap.models)}, {origin}")
        for number in np.argsort(-importance.shap.means)[:8]:
            family = importance.shap.families[number]
            low, high = importance.shap.interval(number)
            print(f"  {family.name or family.space}: {importance.shap.means[number]:.3f} [{low:.3f}, {high:.3f}]")
    for genre in importance.auto_tags:
        tags = [
            f"{tag.name} {tag.correlation:+.2f} [{tag.interval[0]:+.2f}, {tag.interval[1]:+.2f}]"
            for tag in (*genre.positive, *genre.negative)
        ]
        print(f"{genre.label}: {', '.join(tags)}")
    if options.retrain:
        print("\n| retrained without | increase in log loss | decrease in accuracy (points) |\n|---|---|---|")
        for loss in importance.family_losses:
            reduced = cross_validate(
                drop_family(training.data, loss.family),
                training.y,
                groups=training.groups,
                learner=learner,
                repeats=options.repeats,
            )
            rises = compute_log_losses(reduced)[:, None] - compute_log_losses(validation)[:, None]
            (rise_low,), (rise_high,) = mean_interval(rises, groups=validation.groups)
            drop, (drop_low, drop_high) = bootstrap.paired_difference(
                validation.reference,
                validation.predicted,
                reduced.predicted,
                groups=validation.groups,
                n_classes=len(validation.labels),
            )
            print(
                f"| `{loss.family.name}` | {rises.mean():+.3f} [{rise_low:+.3f}, {rise_high:+.3f}] | "
                f"{100 * drop:+.1f} [{100 * drop_low:+.1f}, {100 * drop_high:+.1f}] |"
            )


def drop_family(data: EmbeddingSet, family: FeatureFamily) -> EmbeddingSet:
    """Remove the columns of a family from its space."""
    tracks, segments = dict(data.tracks), dict(data.segments)
    tracks[family.space] = np.delete(tracks[family.space], family.columns, axis=1)
    segments[family.space] = [np.delete(parts, family.columns, axis=1) for parts in segments[family.space]]
    return EmbeddingSet(tracks, segments)


def compute_log_losses(validation: CrossValidationResult) -> np.ndarray:
    """Compute -ln p(true genre) of each prediction."""
    true_genre = validation.probabilities[np.arange(len(validation.reference)), validation.reference]
    return np.asarray(-np.log(np.maximum(true_genre, 1e-15)))


if __name__ == "__main__":
    main()
