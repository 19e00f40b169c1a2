"""Measure whether kNN classification, `errors` and the map gain from the similarity measure.

    python bench/similarity_uses.py LIBRARY [--seeds 5]

LIBRARY is the folder of a library with labelled tracks and artists. *Centred* is the cosine after subtracting the mean, *hubs
corrected* the default measure of the space, fitted on the training tracks of each fold. Errors are planted as in
bench/wrong_labels.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import adjusted_mutual_info_score, average_precision_score
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))

from wrong_labels import plant_errors

from sonotheque import Library
from sonotheque.classify import TrainingSet, load_training_set
from sonotheque.classify.data.folds import grouped_folds
from sonotheque.classify.evaluation.bootstrap import mean_interval
from sonotheque.classify.models.estimators import NearestNeighbours
from sonotheque.embed.space import kind_of, short_name
from sonotheque.explore.label_issues.label_quality import N_NEIGHBOURS
from sonotheque.explore.label_issues.out_of_fold import out_of_fold_predictions
from sonotheque.explore.map import clustering
from sonotheque.explore.map.clustering import default_cluster_size, find_clusters
from sonotheque.explore.map.projection import default_n_neighbours, project, standardize_for_cosine
from sonotheque.explore.map.projection_quality import measure_projection_quality
from sonotheque.index import COSINE, KnnGraph, MeasureSettings, SimilarityMeasure, build_knn_graph, default_measure

FOLDS = 5

Matrix = npt.NDArray[Any]


def list_settings(space: str) -> dict[str, MeasureSettings]:
    scale = kind_of(space) == "descriptors"
    return {
        "plain cosine": COSINE,
        "centred": MeasureSettings(scale=scale, hub_weight=0.0),
        "hubs corrected": default_measure(space),
    }


def classify_by_neighbours(train: Matrix, codes: Matrix, test: Matrix, settings: MeasureSettings) -> Matrix:
    """Predict as `NearestNeighbours` does, with its default parameters, from the similarities of a measure."""
    defaults = NearestNeighbours()
    measure = SimilarityMeasure.fit(train, settings=settings)
    queries = measure.transform_queries(test)
    similarities = measure.similarities(queries @ measure.transform_rows(train).T, queries=queries)
    nearest = np.argsort(-similarities, axis=1, kind="stable")[:, : defaults.n_neighbors]
    votes = np.maximum(np.take_along_axis(similarities, nearest, axis=1), 1e-6) ** 2
    weights = (np.bincount(codes) / len(codes)) ** -defaults.balance
    sums = np.zeros((len(test), codes.max() + 1))
    np.add.at(sums, (np.arange(len(test))[:, None], codes[nearest]), votes * weights[codes[nearest]])
    result: Matrix = sums.argmax(axis=1)
    return result


def print_classification(training: TrainingSet, space: str, *, seeds: int) -> None:
    vectors, codes, groups = training.data.tracks[space], training.codes, training.groups
    correct: dict[str, Matrix] = {}
    for seed in range(seeds):
        folds = grouped_folds(codes, groups, folds=FOLDS, seed=seed)
        for name, settings in list_settings(space).items():
            for train, test in folds:
                predicted = classify_by_neighbours(vectors[train], codes[train], vectors[test], settings)
                correct.setdefault(name, np.full((seeds, len(codes)), np.nan))[seed, test] = predicted == codes[test]
        knn = correct.setdefault("`knn` as it is", np.full((seeds, len(codes)), np.nan))
        for train, test in folds:
            model = NearestNeighbours(scale=kind_of(space) == "descriptors").fit(vectors[train], codes[train])
            knn[seed, test] = model.predict(vectors[test]) == codes[test]
    tested = ~np.isnan(correct["centred"]).any(axis=0)
    means = {name: values[:, tested].mean(axis=0) for name, values in correct.items()}
    print(f"\n{short_name(space)}: kNN, {seeds} seeds of {FOLDS} artist-grouped folds, {tested.sum()} tracks tested\n")
    print("| neighbours | accuracy | difference from `knn` as it is, 95% interval |\n|---|---|---|")
    for name, values in means.items():
        change = (values - means["`knn` as it is"])[:, None]
        low, high = mean_interval(change, groups=groups[tested])
        print(f"| {name} | {values.mean():.3f} | {change.mean():+.3f} [{low[0]:+.3f}, {high[0]:+.3f}] |", flush=True)


def print_label_errors(training: TrainingSet, space: str, *, seeds: int, fraction: float = 0.05) -> None:
    found: dict[str, list[tuple[int, float]]] = {}
    wrong = np.empty(0, dtype=bool)
    for seed in range(seeds):
        changed, wrong = plant_errors(training, fraction=fraction, seed=seed)
        codes, rows = changed.codes, np.arange(len(wrong))
        probabilities = out_of_fold_predictions(changed, seed=seed).probabilities[rows, codes]
        for name, settings in list_settings(space).items():
            vectors = changed.data.tracks[space]
            measure = SimilarityMeasure.fit(vectors, settings=settings)
            nearest = build_knn_graph(vectors, k=N_NEIGHBOURS, measure=measure).rows
            votes = (codes[nearest] == codes[:, None]).mean(axis=1)
            for kind, score in ((f"vote alone, {name}", votes), (f"`errors`, {name}", (votes + probabilities) / 2)):
                first = np.argsort(score, kind="stable")[: round(len(rows) / 10)]
                precision = float(average_precision_score(wrong, -score))
                found.setdefault(kind, []).append((int(wrong[first].sum()), precision))
    print(f"\n{short_name(space)}: {wrong.sum()} of {len(wrong)} labels changed, {seeds} seeds\n")
    print("| ranked by | found in the first tenth, by seed | together | average precision |\n|---|---|---|---|")
    for name, runs in found.items():
        counts, precisions = zip(*runs, strict=True)
        together = sum(counts) / (len(counts) * wrong.sum())
        print(f"| {name} | {', '.join(map(str, counts))} | {together:.0%} | {np.mean(precisions):.2f} |", flush=True)


def draw_map(vectors: Matrix, graph: KnnGraph, *, seed: int) -> tuple[Matrix, Matrix]:
    """Compute positions and clusters as `compute_layout` does, from a given graph."""
    positions = project(vectors, graph.nearest(default_n_neighbours(len(vectors)) - 1), seed=seed)
    cluster_space = project(
        vectors,
        graph.nearest(clustering.NEIGHBOURS - 1),
        dimensions=clustering.DIMENSIONS,
        min_distance=clustering.MIN_DISTANCE,
        seed=seed,
    )
    return positions, find_clusters(cluster_space, min_size=default_cluster_size(len(vectors))).labels


def print_maps(training: TrainingSet, space: str, *, seeds: int) -> None:
    vectors, labels = training.data.tracks[space], [str(label) for label in training.y]
    print(f"\n{short_name(space)}: the map, mean over {seeds} seeds (minimum, maximum)\n")
    print("| neighbours | trustworthiness, centred | same label, map | clusters' AMI with genres |\n|---|---|---|---|")
    k = max(default_n_neighbours(len(vectors)), clustering.NEIGHBOURS) - 1
    centred = SimilarityMeasure.fit(vectors, settings=list_settings(space)["centred"]).transform_rows(vectors)
    draw: Mapping[str, Callable[[], tuple[Matrix, KnnGraph]]] = {
        "as it is": lambda: (
            standardize_for_cosine(vectors, space=space),
            build_knn_graph(standardize_for_cosine(vectors, space=space), k=k),
        ),
        "centred": lambda: (centred, build_knn_graph(centred, k=k)),
        "hubs corrected": lambda: (
            centred,
            build_knn_graph(vectors, k=k, measure=SimilarityMeasure.fit(vectors, settings=default_measure(space))),
        ),
    }
    for name, prepare in draw.items():
        prepared, graph = prepare()
        runs = []
        for seed in range(seeds):
            positions, clusters = draw_map(prepared, graph, seed=seed)
            quality = measure_projection_quality(centred, positions, labels=labels)
            runs.append(
                (
                    quality.trustworthiness or 0,
                    quality.same_label_map or 0,
                    float(adjusted_mutual_info_score(labels, clusters)),
                )
            )
        columns = (f"{np.mean(c):.3f} ({min(c):.3f}, {max(c):.3f})" for c in zip(*runs, strict=True))
        print(f"| {name} | {' | '.join(columns)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [
            space.id
            for space in library.catalogue.spaces.all()
            if space.tracks and kind_of(space.id) in {"embedding", "descriptors"}
        ]
        for space in spaces:
            training = load_training_set(library.catalogue, spaces=[space], segments=False)
            with threadpool_limits(limits=1, user_api="blas"):
                print_classification(training, space, seeds=options.seeds)
                print_label_errors(training, space, seeds=options.seeds)
                print_maps(training, space, seeds=options.seeds)


if __name__ == "__main__":
    main()
