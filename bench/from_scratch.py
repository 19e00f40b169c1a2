"""What augmented copies and networks from scratch are worth, and what they cost, for artists that were never heard.

    python bench/from_scratch.py FOLDER LABELS.csv [--copies 3] [--seed 0]

FOLDER holds audio, LABELS.csv names files, genres and artists. One table: each model on the same grouped folds, with and without
copies, the paired difference to logistic regression on all pooled vectors, and the minutes that all folds took on this machine;
then ensembles with and without networks from scratch, whose members and shares are chosen inside each fold. Embedding comes first
and is timed on its own. Nothing is tuned.
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
from sonotheque.classify.data.folds import default_n_folds
from sonotheque.classify.evaluation import bootstrap, metrics, probability_metrics
from sonotheque.classify.evaluation.model_comparison import compare_models, describe_spec
from sonotheque.classify.models.ensemble import out_of_fold_proba
from sonotheque.classify.models.learners import network_specs, space_subsets
from sonotheque.store.augmentation import add_augmented_copies

EMBEDDERS = ("musicnn", "descriptors", "musicnn-frames", "mel")
PLAIN = ("logreg", "knn", "svm", "forest", "lightgbm", "mlp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--library", type=Path, help="keep the library here")
    parser.add_argument("--copies", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as temporary, Library(options.library or temporary) as library:
        print("| embedded | minutes |\n|---|---|")
        for embedder in EMBEDDERS:
            begin = time.perf_counter()
            library.add(options.folder, labels=str(options.labels), embedders=[embedder])
            print(f"| `{embedder}` | {(time.perf_counter() - begin) / 60:.1f} |", flush=True)
        catalogue = library.catalogue
        spaces = [space.id for space in catalogue.spaces.all()]
        labelled = [track for track in catalogue.tracks.all() if track.label]
        begin = time.perf_counter()
        add_augmented_copies(catalogue, labelled, spaces=spaces, count=options.copies)
        spent = (time.perf_counter() - begin) / 60
        print(f"| {options.copies} copies of each track, in all of these | {spent:.1f} |\n", flush=True)
        training = load_training_set(catalogue, spaces=spaces, copies=options.copies)
    data, codes, groups = training.data, training.codes, training.groups
    count = int(codes.max()) + 1
    artists = np.array([len(np.unique(groups[codes == code])) for code in range(count)])
    number = default_n_folds(codes, artists)
    folds = grouped_folds(codes, groups, folds=number, seed=options.seed)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    reference, whose = codes[tested], groups[tested]
    deep = network_specs(spaces)
    everything = space_subsets(spaces)[-1]
    plain = [ModelSpec(model, some) for some in space_subsets(spaces) for model in PLAIN]
    chosen = [ModelSpec("logreg", everything), *(spec for spec in plain if spec.spaces == everything)]
    rows = list(dict.fromkeys([*chosen, *(ModelSpec("logreg", some) for some in space_subsets(spaces)), *deep]))
    base: np.ndarray | None = None
    print("| model | accuracy | balanced | log loss | difference | minutes |\n|---|---|---|---|---|---|")
    for spec in [one for row in rows for one in (row, replace(row, copies=True))]:
        begin = time.perf_counter()
        found = out_of_fold_proba(spec, data, codes, groups=groups, folds=folds, n_classes=count, seed=options.seed)[
            tested
        ]
        spent = (time.perf_counter() - begin) / 60
        answers = found.argmax(axis=1)
        base = answers if base is None else base
        low, high = bootstrap.accuracy_interval(reference, answers, groups=whose)
        difference, (least, most) = bootstrap.paired_difference(reference, answers, base, groups=whose, n_classes=count)
        matrix = metrics.confusion_matrix(reference, answers, n_classes=count)
        print(
            f"| {describe_spec(spec)} | {metrics.accuracy(matrix):.3f} [{low:.3f}, {high:.3f}] | "
            f"{metrics.balanced_accuracy(matrix):.3f} | {probability_metrics.log_loss(reference, found):.2f} | "
            f"{difference:+.3f} [{least:+.3f}, {most:+.3f}] | {spent:.2f} |",
            flush=True,
        )
    alone = EmbeddingSet(data.tracks, data.segments)
    for name, specs in (("without", plain), ("with", [*plain, *deep])):
        begin = time.perf_counter()
        table = compare_models(alone, training.y, groups=groups, specs=specs, folds=number, seed=options.seed)
        spent = (time.perf_counter() - begin) / 60
        row = table.rows[-1]
        low, high = row.accuracy_interval
        print(
            f"| {row.model} of {len(specs)}, {name} networks from scratch | {row.accuracy:.3f} [{low:.3f}, {high:.3f}] | "
            f"{row.balanced_accuracy:.3f} | {row.log_loss:.2f} | | {spent:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
