"""How well plain `train` tells genres on artists that it never heard, against MFCC statistics in the same folds.

    python bench/accuracy.py FOLDER

FOLDER is in the challenge's layout: `audio/`, `train.csv` (track_id,genre_id), `genres.csv`. The yardstick needs librosa.
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


def mfcc_statistics(path: str) -> np.ndarray:
    from librosa.feature import mfcc

    samples, rate = load(path, sample_rate=22_050)
    coefficients = mfcc(y=samples, sr=rate, n_mfcc=20)
    return np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)]).astype(np.float32)


def row(name: str, data: EmbeddingSet, y: np.ndarray, groups: np.ndarray, model: str) -> None:
    learner = make_learner(model, spaces=data.spaces)
    results = [cross_validate(data, y, groups=groups, learner=learner, seed=seed) for seed in SEEDS]
    low, high = np.mean([result.accuracy_interval for result in results], axis=0)
    means = [np.mean([getattr(r, name) for r in results]) for name in ("accuracy", "balanced_accuracy", "macro_f1")]
    print(
        f"| {name} | {model} | {means[0]:.3f} [{low:.3f}, {high:.3f}] | {means[1]:.3f} | {means[2]:.3f} |", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as place, Library(place) as library:
        library.add(folder / "audio", labels=str(folder / "train.csv"), ids=folder / "genres.csv")
        data = load_training_set(library.catalogue, spaces=[space.id for space in library.catalogue.spaces.all()])
    with get_context("spawn").Pool(2) as processes:
        yardstick = np.stack(processes.map(mfcc_statistics, [track.path for track in data.tracks], chunksize=8))
    result = cross_validate(
        data.data, data.y, groups=data.groups, learner=make_learner("logreg", spaces=data.data.spaces)
    )
    print(
        f"{len(data.y)} clips, {len(set(data.groups))} artists; {len(SEEDS)} seeds of {result.folds} artist-grouped folds;"
    )
    print(
        f"judged: {len(result.tested)} clips; apart: {', '.join(genre.label for genre in result.unevaluated_classes)}\n"
    )
    print("| vectors | model | accuracy, 95 % interval | balanced accuracy | macro F1 |")
    print("|---|---|---|---|---|")
    row("20 MFCCs, mean and deviation", EmbeddingSet.from_matrix(yardstick), data.y, data.groups, "logreg")
    for model in ("knn", "logreg", "auto"):
        row("musicnn", data.data, data.y, data.groups, model)


if __name__ == "__main__":
    main()
