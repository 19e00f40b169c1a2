"""How much music by artists never heard is called none of these, and how well strange sounds are told from it.

    python bench/familiar.py LIBRARY [--strange LIBRARY] [--seeds 5]

LIBRARY is the folder of a library with labelled tracks, and --strange that of one with speech, noise and the like in the same
spaces. The artists are dealt to five folds; each fold's tracks, and all strange ones, are judged by the tracks of the others.
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
    parser.add_argument("--strange", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [space.id for space in library.catalogue.spaces.all()]
        training = load_training_set(library.catalogue, spaces=spaces)
    strange = EmbeddingSet({space: np.zeros((0, 1), np.float32) for space in spaces})
    if options.strange:
        with Library(options.strange, create=False) as library:
            strange = EmbeddingSet({space: library.catalogue.vectors.matrix(space)[1] for space in spaces})
    print("| spaces | new artists called strange, 95 % interval | strange sounds called so | AUC, least of the folds |")
    print("|---|---|---|---|")
    chosen = [[space] for space in spaces] + ([spaces] if len(spaces) > 1 else [])
    for names in chosen:
        music = EmbeddingSet({space: training.data.tracks[space] for space in names})
        sounds = EmbeddingSet({space: strange.tracks[space] for space in names})
        called, artists, told, areas = [], [], [], []
        for seed in range(options.seeds):
            _, members = np.unique(training.groups, return_inverse=True)
            dealt = np.random.default_rng(seed).permutation(members.max() + 1)[members] % FOLDS
            for fold in range(FOLDS):
                test = dealt == fold
                familiar = NoveltyDetector.fit(music.take(np.flatnonzero(~test)), groups=members[~test])
                usual = familiar.novelty_score(music.take(np.flatnonzero(test)))
                called.append(usual > 1)
                artists.append(members[test])
                if len(sounds):
                    odd = familiar.novelty_score(sounds)
                    told.append(odd > 1)
                    scores, truth = np.concatenate([usual, odd]), np.repeat([0, 1], [len(usual), len(odd)])
                    areas.append(probability_metrics.auc(truth, np.stack([-scores, scores], axis=1))[1])
        strangers = np.concatenate(called)
        share = f"{strangers.mean():.3f}"
        low, high = bootstrap_interval(lambda rows, s=strangers: float(s[rows].mean()), groups=np.concatenate(artists))  # type: ignore[misc]
        found = [f"{np.mean(told):.2f}", f"{np.mean(areas):.3f}, {min(areas):.3f}"] if told else ["", ""]
        print(f"| {' + '.join(names)} | {share} [{low:.3f}, {high:.3f}] | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
