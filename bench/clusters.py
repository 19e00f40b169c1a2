"""Measure the agreement of clusters with labels and the quality of the map, in comparison with k-means and PCA.

    python bench/clusters.py LIBRARY [--seeds 0 1 2 3 4]

LIBRARY is the folder of a library with labelled tracks. A map is computed for each of its spaces of pooled vectors. k-means runs
on the first 20 principal components of the standardised vectors, with as many clusters as HDBSCAN clustering. "Nearest cluster"
assigns each track in no cluster to the cluster with the highest membership, for a fair comparison with k-means, which leaves no
track out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_mutual_info_score as mutual
from threadpoolctl import threadpool_limits

from sonotheque import Library
from sonotheque.embed.space import kind_of, short_name
from sonotheque.explore.map import clustering as groups
from sonotheque.explore.map.clustering import default_cluster_size, find_clusters
from sonotheque.explore.map.layout import MapSettings, compute_layout
from sonotheque.explore.map.projection import principal_components, project, standardize_for_cosine
from sonotheque.explore.map.projection_quality import measure_projection_quality
from sonotheque.index import build_knn_graph


def measure_clusters(vectors: np.ndarray, labels: Sequence[str], space: str, *, seed: int) -> dict[str, float]:
    layout = compute_layout(vectors, space=space, settings=MapSettings(seed=seed))
    standardized = standardize_for_cosine(vectors, space=space)
    clustering = layout.clusters
    nearest = np.where(clustering.labels < 0, clustering.membership.argmax(axis=1), clustering.labels)
    components = principal_components(standardized, dimensions=20)
    means = KMeans(clustering.n_clusters, n_init=10, random_state=seed).fit_predict(components)
    map_quality = measure_projection_quality(standardized, layout.positions, labels=labels)
    pca_quality = measure_projection_quality(
        standardized, principal_components(standardized, dimensions=2), labels=labels
    )
    return {
        "clusters": clustering.n_clusters,
        "in none": float((clustering.labels < 0).mean()),
        "AMI": float(mutual(labels, clustering.labels)),
        "AMI nearest cluster": float(mutual(labels, nearest)),
        "AMI k-means": float(mutual(labels, means)),
        "trustworthiness": map_quality.trustworthiness or 0,
        "trustworthiness PCA": pca_quality.trustworthiness or 0,
        "same label, map": map_quality.same_label_map or 0,
        "same label, PCA": pca_quality.same_label_map or 0,
        "same label, space": map_quality.same_label_space or 0,
    }


def print_selections(vectors: np.ndarray, labels: Sequence[str], space: str, seeds: Sequence[int]) -> None:
    """Print the results of both methods of cluster selection and of several minimum sizes."""
    standardized = standardize_for_cosine(vectors, space=space)
    neighbours = build_knn_graph(standardized, k=groups.NEIGHBOURS - 1)
    projections = [
        project(standardized, neighbours, dimensions=groups.DIMENSIONS, min_distance=groups.MIN_DISTANCE, seed=seed)
        for seed in seeds
    ]
    print(f"\n{short_name(space)}, other cluster selections\n")
    print("| selection | minimum size | clusters, by seed | in none | AMI |\n|---|---|---|---|---|")
    default = groups.SELECTION
    for selection in ("leaf", "eom"):
        for size in sorted({5, default_cluster_size(len(vectors)), 15}):
            groups.SELECTION = selection
            clusterings = [find_clusters(positions, min_size=size) for positions in projections]
            counts = ", ".join(str(clustering.n_clusters) for clustering in clusterings)
            in_none = np.mean([(clustering.labels < 0).mean() for clustering in clusterings])
            agreement = np.mean([mutual(labels, clustering.labels) for clustering in clusterings])
            print(f"| {selection} | {size} | {counts} | {in_none:.0%} | {agreement:.3f} |")
    groups.SELECTION = default


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [
            space.id for space in library.catalogue.spaces.all() if kind_of(space.id) in {"embedding", "descriptors"}
        ]
        tracks = {track.id: track for track in library.catalogue.tracks.all()}
        matrices = {space: library.catalogue.vectors.matrix(space) for space in spaces}
    with threadpool_limits(limits=1, user_api="blas"):
        for space, (ids, vectors) in matrices.items():
            labelled = [row for row, id_ in enumerate(ids) if tracks[int(id_)].label]
            labels = [str(tracks[int(ids[row])].label) for row in labelled]
            runs = [measure_clusters(vectors[labelled], labels, space, seed=seed) for seed in options.seeds]
            print(
                f"\n{short_name(space)}: {len(labelled)} labelled tracks, mean of {len(runs)} seeds (minimum, maximum)\n"
            )
            print("| | mean | minimum | maximum |\n|---|---|---|---|")
            for name in runs[0]:
                values = [run[name] for run in runs]
                print(f"| {name} | {np.mean(values):.3f} | {min(values):.3f} | {max(values):.3f} |")
            print_selections(vectors[labelled], labels, space, options.seeds)


if __name__ == "__main__":
    main()
