"""Measure how often music by new artists is marked as novel, and how well other sounds are detected.

    python bench/familiar.py LIBRARY [--other-sounds LIBRARY] [--seeds 5]

LIBRARY is the folder of a library with labelled tracks, and --other-sounds that of a library with speech, noise and the like in the
same spaces. The artists are divided into five folds. The novelty of the tracks of each fold, and of all other sounds, is computed
by a detector that is fitted to the other folds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sonotheque import Library
from sonotheque.classify import EmbeddingSet, load_training_set
from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.evaluation.bootstrap import bootstrap_interval
from sonotheque.classify.inference.novelty import NoveltyDetector

FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--other-sounds", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [space.id for space in library.catalogue.spaces.all()]
        training = load_training_set(library.catalogue, spaces=spaces)
    other_sounds = EmbeddingSet({space: np.zeros((0, 1), np.float32) for space in spaces})
    if options.other_sounds:
        with Library(options.other_sounds, create=False) as library:
            other_sounds = EmbeddingSet({space: library.catalogue.vectors.matrix(space)[1] for space in spaces})
    print("| spaces | music by new artists marked, 95% interval | other sounds marked | AUC: mean, lowest fold |")
    print("|---|---|---|---|")
    subsets = [[space] for space in spaces] + ([spaces] if len(spaces) > 1 else [])
    for subset in subsets:
        music = EmbeddingSet({space: training.data.tracks[space] for space in subset})
        sounds = EmbeddingSet({space: other_sounds.tracks[space] for space in subset})
        music_marked, artists, sounds_marked, areas = [], [], [], []
        for seed in range(options.seeds):
            _, group_index = np.unique(training.groups, return_inverse=True)
            fold_of_track = np.random.default_rng(seed).permutation(group_index.max() + 1)[group_index] % FOLDS
            for fold in range(FOLDS):
                test = fold_of_track == fold
                detector = NoveltyDetector.fit(music.take(np.flatnonzero(~test)), groups=group_index[~test])
                music_scores = detector.novelty_score(music.take(np.flatnonzero(test)))
                music_marked.append(music_scores > 1)
                artists.append(group_index[test])
                if len(sounds):
                    sound_scores = detector.novelty_score(sounds)
                    sounds_marked.append(sound_scores > 1)
                    scores = np.concatenate([music_scores, sound_scores])
                    reference = np.repeat([0, 1], [len(music_scores), len(sound_scores)])
                    areas.append(probability_metrics.auc(reference, np.stack([-scores, scores], axis=1))[1])
        marked = np.concatenate(music_marked)
        low, high = bootstrap_interval(lambda rows, m=marked: float(m[rows].mean()), groups=np.concatenate(artists))  # type: ignore[misc]
        sound_cells = ["", ""]
        if sounds_marked:
            sound_cells = [f"{np.mean(sounds_marked):.2f}", f"{np.mean(areas):.3f}, {min(areas):.3f}"]
        print(
            f"| {' + '.join(subset)} | {marked.mean():.3f} [{low:.3f}, {high:.3f}] | {' | '.join(sound_cells)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
