"""Measure how many planted label errors are in the first tenth of the ranking of `errors`, in comparison with other rankings.

    python bench/wrong_labels.py LIBRARY [--fraction 0.05] [--seeds 0 1 2 3 4]

LIBRARY is the folder of a library with labelled tracks. For each seed, a fraction of the labels is changed to one of the three
most distant genres (by the cosine of the genres' mean vectors), and all labelled tracks are ranked. If the package cleanlab is
installed, its methods rank them by the same probabilities.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from sonotheque import Library
from sonotheque.classify import TrainingSet, load_training_set
from sonotheque.classify.models.learners import select_spaces
from sonotheque.explore.label_issues.label_quality import compute_label_quality, nearest_rows
from sonotheque.explore.label_issues.out_of_fold import out_of_fold_predictions

MODELS = ("logreg", "knn", "svm", "forest")


def plant_errors(training: TrainingSet, *, fraction: float, seed: int) -> tuple[TrainingSet, np.ndarray]:
    """Change some labels. Returns the changed training set, and whether each label was changed, bool [N]."""
    names, codes = np.unique(training.y, return_inverse=True)
    vectors = training.data.tracks[training.data.spaces[0]]
    centres = np.stack([vectors[codes == code].mean(axis=0) for code in range(len(names))]) - vectors.mean(axis=0)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    most_distant = np.argsort(centres @ centres.T, axis=1)[:, :3]
    generator = np.random.default_rng(seed)
    rows = np.sort(generator.permutation(len(codes))[: round(fraction * len(codes))])
    y = training.y.copy()
    for row in rows:
        y[row] = names[generator.choice(most_distant[codes[row]])]
    return replace(training, y=y), np.isin(np.arange(len(codes)), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--fraction", type=float, default=0.05)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = select_spaces("logreg", [space.id for space in library.catalogue.spaces.all()])
        training = load_training_set(library.catalogue, spaces=spaces, segments=False)
    with threadpool_limits(limits=1, user_api="blas"):  # several threads wait for each other and take minutes
        compare_rankings(training, fraction=options.fraction, seeds=options.seeds)


def score_by_cleanlab(codes: np.ndarray, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Score the labels by cleanlab's methods, from the same probabilities. Empty if cleanlab is not installed."""
    if find_spec("cleanlab") is None:
        return {}
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    result = {
        f"cleanlab: {method}{', adjusted' * adjusted}": get_label_quality_scores(
            codes, probabilities, method=method, adjust_pred_probs=adjusted
        )
        for method, adjusted in (
            ("self_confidence", False),
            ("self_confidence", True),
            ("normalized_margin", False),
            ("normalized_margin", True),
            ("confidence_weighted_entropy", False),
        )
    }
    for pruning in ("prune_by_noise_rate", "both", "confident_learning"):
        issues = find_label_issues(codes, probabilities, filter_by=pruning, n_jobs=1)
        result[f"cleanlab: issues by {pruning} first"] = result["cleanlab: self_confidence"] - issues
    return result


def compare_rankings(training: TrainingSet, *, fraction: float, seeds: Sequence[int]) -> None:
    spaces = training.data.spaces
    n_found: dict[str, list[int]] = {}
    precision: dict[str, list[float]] = {}
    for seed in seeds:
        changed, wrong = plant_errors(training, fraction=fraction, seed=seed)
        codes, rows = changed.codes, np.arange(len(wrong))
        scores = {
            f"errors ({model} and neighbours)": compute_label_quality(changed, model=model, seed=seed).scores[
                rows, codes
            ]
            for model in MODELS
        }
        nearest = nearest_rows(changed.data.tracks[spaces[0]], space=spaces[0])[0]
        votes = (codes[nearest] == codes[:, None]).mean(axis=1)
        scores["vote of 10 neighbours alone"] = votes
        probabilities = out_of_fold_predictions(changed, seed=seed).probabilities
        scores["self-confidence of logreg alone"] = probabilities[rows, codes]
        scores |= score_by_cleanlab(codes, probabilities)
        for name, score in scores.items():
            first = np.argsort(score, kind="stable")[: round(len(rows) / 10)]
            n_found.setdefault(name, []).append(int(wrong[first].sum()))
            precision.setdefault(name, []).append(float(average_precision_score(wrong, -score)))
    print(f"{int(wrong.sum())} of {len(wrong)} labels planted\n")
    print("| ranked by | found in the first tenth, by seed | together | average precision |\n|---|---|---|---|")
    for name, counts in n_found.items():
        together = sum(counts) / (len(counts) * wrong.sum())
        print(f"| {name} | {', '.join(map(str, counts))} | {together:.0%} | {np.mean(precision[name]):.2f} |")


if __name__ == "__main__":
    main()
