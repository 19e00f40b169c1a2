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
from sonotheque.classify import Recipe, curves, grouped_folds, metrics, training_set
from sonotheque.classify.comparison import compare, describe
from sonotheque.classify.ensemble import out_of_fold
from sonotheque.classify.folds import default_folds
from sonotheque.classify.learners import deep_recipes, space_sets
from sonotheque.classify.recordings import Recordings
from sonotheque.store.copies import make_copies

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
        spaces = [space.id for space in catalogue.spaces()]
        labelled = [track for track in catalogue.tracks() if track.label]
        begin = time.perf_counter()
        make_copies(catalogue, labelled, spaces=spaces, count=options.copies)
        spent = (time.perf_counter() - begin) / 60
        print(f"| {options.copies} copies of each track, in all of these | {spent:.1f} |\n", flush=True)
        training = training_set(catalogue, spaces=spaces, copies=options.copies)
    data, codes, groups = training.data, training.codes, training.groups
    count = int(codes.max()) + 1
    artists = np.array([len(np.unique(groups[codes == code])) for code in range(count)])
    number = default_folds(codes, artists)
    folds = grouped_folds(codes, groups, folds=number, seed=options.seed)
    tested = np.sort(np.concatenate([test for _, test in folds]))
    reference, whose = codes[tested], groups[tested]
    deep = deep_recipes(spaces)
    everything = space_sets(spaces)[-1]
    plain = [Recipe(model, some) for some in space_sets(spaces) for model in PLAIN]
    chosen = [Recipe("logreg", everything), *(recipe for recipe in plain if recipe.spaces == everything)]
    rows = list(dict.fromkeys([*chosen, *(Recipe("logreg", some) for some in space_sets(spaces)), *deep]))
    base: np.ndarray | None = None
    print("| model | accuracy | balanced | log loss | difference | minutes |\n|---|---|---|---|---|---|")
    for recipe in [one for row in rows for one in (row, replace(row, copies=True))]:
        begin = time.perf_counter()
        found = out_of_fold(recipe, data, codes, groups=groups, folds=folds, labels=count, seed=options.seed)[tested]
        spent = (time.perf_counter() - begin) / 60
        answers = found.argmax(axis=1)
        base = answers if base is None else base
        low, high = metrics.accuracy_interval(reference, answers, groups=whose)
        difference, (least, most) = metrics.paired_difference(reference, answers, base, groups=whose, labels=count)
        matrix = metrics.confusion(reference, answers, labels=count)
        print(
            f"| {describe(recipe)} | {metrics.accuracy(matrix):.3f} [{low:.3f}, {high:.3f}] | "
            f"{metrics.balanced_accuracy(matrix):.3f} | {curves.log_loss(reference, found):.2f} | "
            f"{difference:+.3f} [{least:+.3f}, {most:+.3f}] | {spent:.2f} |",
            flush=True,
        )
    alone = Recordings(data.tracks, data.segments)
    for name, recipes in (("without", plain), ("with", [*plain, *deep])):
        begin = time.perf_counter()
        table = compare(alone, training.y, groups=groups, recipes=recipes, folds=number, seed=options.seed)
        spent = (time.perf_counter() - begin) / 60
        row = table.rows[-1]
        low, high = row.accuracy_interval
        print(
            f"| {row.model} of {len(recipes)}, {name} networks from scratch | {row.accuracy:.3f} [{low:.3f}, {high:.3f}] | "
            f"{row.balanced_accuracy:.3f} | {row.log_loss:.2f} | | {spent:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
