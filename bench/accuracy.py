"""Measure the accuracy of `train` with default settings, against a baseline of MFCC statistics on the same artist-grouped folds.

    python bench/accuracy.py FOLDER

FOLDER has the layout of a challenge: `audio/`, `train.csv` (track_id,genre_id), `genres.csv`. The baseline needs librosa. The
script prints the table of docs/benchmarks/classification.md as Markdown.
"""

from __future__ import annotations

import argparse
import tempfile
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.audio import load
from sonotheque.classify import EmbeddingSet, cross_validate, load_training_set, make_learner

SEEDS = range(5)


def compute_mfcc_statistics(path: str) -> np.ndarray:
    from librosa.feature import mfcc

    samples, rate = load(path, sample_rate=22_050)
    coefficients = mfcc(y=samples, sr=rate, n_mfcc=20)
    return np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)]).astype(np.float32)


def print_row(name: str, data: EmbeddingSet, y: np.ndarray, groups: np.ndarray, model: str) -> None:
    learner = make_learner(model, spaces=data.spaces)
    results = [cross_validate(data, y, groups=groups, learner=learner, seed=seed) for seed in SEEDS]
    low, high = np.mean([result.accuracy_interval for result in results], axis=0)
    metrics = ("accuracy", "balanced_accuracy", "macro_f1")
    means = [np.mean([getattr(result, metric) for result in results]) for metric in metrics]
    print(
        f"| {name} | {model} | {means[0]:.3f} [{low:.3f}, {high:.3f}] | {means[1]:.3f} | {means[2]:.3f} |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary, Library(temporary) as library:
        library.add(folder / "audio", labels=str(folder / "train.csv"), ids=folder / "genres.csv")
        training = load_training_set(library.catalogue, spaces=[space.id for space in library.catalogue.spaces.all()])
    with get_context("spawn").Pool(2) as processes:
        baseline = np.stack(
            processes.map(compute_mfcc_statistics, [track.path for track in training.tracks], chunksize=8)
        )
    data, y, groups = training.data, training.y, training.groups
    result = cross_validate(data, y, groups=groups, learner=make_learner("logreg", spaces=data.spaces))
    unevaluated = ", ".join(genre.label for genre in result.unevaluated_classes)
    print(f"{len(y)} clips, {len(set(groups))} artists; {len(SEEDS)} seeds of {result.folds} artist-grouped folds;")
    print(f"evaluated: {len(result.tested)} clips; genres not evaluated: {unevaluated}\n")
    print("| vectors | model | accuracy, 95% interval | balanced accuracy | macro F1 |")
    print("|---|---|---|---|---|")
    print_row("20 MFCCs, mean and standard deviation", EmbeddingSet.from_matrix(baseline), y, groups, "logreg")
    for model in ("knn", "logreg", "auto"):
        print_row("musicnn", data, y, groups, model)


if __name__ == "__main__":
    main()
