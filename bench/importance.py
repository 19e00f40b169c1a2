"""What models go by: losses without families of columns, what trees make of columns, tags that vary with the answers.

    python bench/importance.py LIBRARY [--model logreg] [--decision track] [--repeats 5] [--embedder descriptors] [--relearn]

LIBRARY is the folder of a library with labelled tracks. All figures are of out-of-fold answers for artists that were not learned.
With --relearn the model also learns anew without each family: that says what the family holds that no other does.
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
from sonotheque.report.feature_importance.importance_data import collect_importance, load_musicnn_vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--model", default="logreg")
    parser.add_argument("--decision", default="track")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--embedder", action="append")
    parser.add_argument("--relearn", action="store_true")
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [space_of(name).id for name in options.embedder or []] or [
            space.id for space in library.catalogue.spaces.all() if space.tracks
        ]
        training = load_training_set(library.catalogue, spaces=spaces)
        musicnn_vectors = load_musicnn_vectors(library.catalogue, training.tracks)
    learner = make_learner(options.model, spaces=training.data.spaces, aggregation=options.aggregation)
    judged = cross_validate(training.data, training.y, groups=training.groups, learner=learner, repeats=options.repeats)
    found = collect_importance(training, judged, musicnn_vectors=musicnn_vectors)
    print(f"{options.model}, {options.aggregation}: accuracy {judged.accuracy:.3f}, log loss {judged.log_loss:.3f}\n")
    print("| family | log loss added | accuracy lost (points) |\n|---|---|---|")
    for loss in (*found.space_losses, *found.family_losses):
        (low, high), (least, most) = loss.rise_interval, loss.drop_interval
        name = loss.family.name or loss.family.space.partition("-")[0]
        print(
            f"| `{name}` | {loss.rise:+.3f} [{low:+.3f}, {high:+.3f}] | "
            f"{100 * loss.drop:+.1f} [{100 * least:+.1f}, {100 * most:+.1f}] |"
        )
    if found.shap is not None:
        print(f"\n{', '.join(found.shap.models)}, {'judged' if found.shap.judged else 'fitted for this'}")
        for number in np.argsort(-found.shap.means)[:8]:
            family = found.shap.families[number]
            low, high = found.shap.interval(number)
            print(f"  {family.name or family.space}: {found.shap.means[number]:.3f} [{low:.3f}, {high:.3f}]")
    for genre in found.auto_tags:
        tags = [
            f"{tag.name} {tag.correlation:+.2f} [{tag.interval[0]:+.2f}, {tag.interval[1]:+.2f}]"
            for tag in (*genre.positive, *genre.negative)
        ]
        print(f"{genre.label}: {', '.join(tags)}")
    if options.relearn:
        print("\n| learned without | log loss added | accuracy lost (points) |\n|---|---|---|")
        for loss in found.family_losses:
            less = cross_validate(
                without(training.data, loss.family),
                training.y,
                groups=training.groups,
                learner=learner,
                repeats=options.repeats,
            )
            rises = losses(less)[:, None] - losses(judged)[:, None]
            (low,), (high,) = mean_interval(rises, groups=judged.groups)
            lost, (least, most) = bootstrap.paired_difference(
                judged.reference, judged.predicted, less.predicted, groups=judged.groups, n_classes=len(judged.labels)
            )
            print(
                f"| `{loss.family.name}` | {rises.mean():+.3f} [{low:+.3f}, {high:+.3f}] | "
                f"{100 * lost:+.1f} [{100 * least:+.1f}, {100 * most:+.1f}] |"
            )


def without(data: EmbeddingSet, family: FeatureFamily) -> EmbeddingSet:
    """Take the columns of a family out of its space."""
    tracks, segments = dict(data.tracks), dict(data.segments)
    tracks[family.space] = np.delete(tracks[family.space], family.columns, axis=1)
    segments[family.space] = [np.delete(parts, family.columns, axis=1) for parts in segments[family.space]]
    return EmbeddingSet(tracks, segments)


def losses(judged: CrossValidationResult) -> np.ndarray:
    """Return -ln p(true genre) of each answer."""
    given = judged.probabilities[np.arange(len(judged.reference)), judged.reference]
    return np.asarray(-np.log(np.maximum(given, 1e-15)))


if __name__ == "__main__":
    main()
