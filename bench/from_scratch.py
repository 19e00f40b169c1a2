"""Measure the effect of augmented copies and of networks trained from scratch on the accuracy, and their computing time.

    python bench/from_scratch.py FOLDER LABELS.csv [--copies 3] [--seed 0]

FOLDER contains audio; LABELS.csv has columns for files, genres and artists. The embeddings are computed first, and their time is
printed separately. Then one table compares all models on the same artist-grouped folds, with and without copies: accuracy, the
paired difference from logistic regression on all pooled vectors, and the minutes for all folds on this machine. It ends with
ensembles with and without networks trained from scratch, whose members and weights are selected inside each fold. Nothing is
tuned.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.classify import ModelSpec, grouped_folds, load_training_set
from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import count_artists, default_n_folds
from sonotheque.classify.evaluation import bootstrap, metrics, probability_metrics
from sonotheque.classify.evaluation.model_comparison import compare_models, describe_spec
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.learners import network_specs, space_subsets
from sonotheque.store.augmentation import add_augmented_copies

EMBEDDERS = ("musicnn", "descriptors", "musicnn-frames", "mel")
POOLED_MODELS = ("logreg", "knn", "svm", "forest", "lightgbm", "mlp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--library", type=Path, help="folder in which to keep the library")
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as temporary, Library(options.library or temporary) as library:
        print("| embedded | minutes |\n|---|---|")
        for embedder in EMBEDDERS:
            start = time.perf_counter()
            library.add(options.folder, labels=str(options.labels), embedders=[embedder])
            print(f"| `{embedder}` | {(time.perf_counter() - start) / 60:.1f} |", flush=True)
        catalogue = library.catalogue
        spaces = [space.id for space in catalogue.spaces.all()]
        labelled = [track for track in catalogue.tracks.all() if track.label]
        start = time.perf_counter()
        add_augmented_copies(catalogue, labelled, spaces=spaces, count=options.copies)
        minutes = (time.perf_counter() - start) / 60
        print(f"| {options.copies} copies of each track, in all of these | {minutes:.1f} |\n", flush=True)
        training = load_training_set(catalogue, spaces=spaces, copies=options.copies)
    data, codes, groups = training.data, training.codes, training.groups
    n_classes = int(codes.max()) + 1
    n_folds = default_n_folds(codes, count_artists(codes, groups, n_classes=n_classes))
    folds = grouped_folds(codes, groups, folds=n_folds, seed=options.seed)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    reference, tested_groups = codes[tested], groups[tested]
    networks = network_specs(spaces)
    subsets = space_subsets(spaces)
    all_spaces = subsets[-1]
    pooled = [ModelSpec(model, subset) for subset in subsets for model in POOLED_MODELS]
    on_all_spaces = [ModelSpec("logreg", all_spaces), *(spec for spec in pooled if spec.spaces == all_spaces)]
    specs = list(dict.fromkeys([*on_all_spaces, *(ModelSpec("logreg", subset) for subset in subsets), *networks]))
    baseline: np.ndarray | None = None
    print("| model | accuracy | balanced | log loss | difference | minutes |\n|---|---|---|---|---|---|")
    for spec in [variant for plain in specs for variant in (plain, replace(plain, copies=True))]:
        start = time.perf_counter()
        probabilities = out_of_fold_proba(
            spec, data, codes, groups=groups, folds=folds, n_classes=n_classes, seed=options.seed
        )[tested]
        minutes = (time.perf_counter() - start) / 60
        predicted = probabilities.argmax(axis=1)
        baseline = predicted if baseline is None else baseline
        low, high = bootstrap.accuracy_interval(reference, predicted, groups=tested_groups)
        difference, (difference_low, difference_high) = bootstrap.paired_difference(
            reference, predicted, baseline, groups=tested_groups, n_classes=n_classes
        )
        matrix = metrics.confusion_matrix(reference, predicted, n_classes=n_classes)
        print(
            f"| {describe_spec(spec)} | {metrics.accuracy(matrix):.3f} [{low:.3f}, {high:.3f}] | "
            f"{metrics.balanced_accuracy(matrix):.3f} | {probability_metrics.log_loss(reference, probabilities):.2f} | "
            f"{difference:+.3f} [{difference_low:+.3f}, {difference_high:+.3f}] | {minutes:.2f} |",
            flush=True,
        )
    without_copies = EmbeddingSet(data.tracks, data.segments)
    for name, members in (("without", pooled), ("with", [*pooled, *networks])):
        start = time.perf_counter()
        comparison = compare_models(
            without_copies, training.y, groups=groups, specs=members, folds=n_folds, seed=options.seed
        )
        minutes = (time.perf_counter() - start) / 60
        row = comparison.rows[-1]
        low, high = row.accuracy_interval
        print(
            f"| {row.model} of {len(members)}, {name} networks from scratch | {row.accuracy:.3f} [{low:.3f}, {high:.3f}] | "
            f"{row.balanced_accuracy:.3f} | {row.log_loss:.2f} | | {minutes:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
