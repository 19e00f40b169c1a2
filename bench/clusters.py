"""How far clusters agree with labels, and how true the map is, beside PCA and k-means with as many clusters.

    python bench/clusters.py LIBRARY [--seeds 0 1 2 3 4]

LIBRARY is the folder of a library with labelled tracks; each of its spaces of pooled vectors is drawn. k-means runs on the 20 first
principal components of the directions, with the number of clusters that HDBSCAN found; "leaning" gives each track in no cluster to
the one that it belongs to most, so that both put every track somewhere.
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


def measured(vectors: np.ndarray, labels: Sequence[str], space: str, *, seed: int) -> dict[str, float]:
    layout = compute_layout(vectors, space=space, settings=MapSettings(seed=seed))
    compared = standardize_for_cosine(vectors, space=space)
    found = layout.clusters
    leaning = np.where(found.labels < 0, found.membership.argmax(axis=1), found.labels)
    components = principal_components(compared, dimensions=20)
    means = KMeans(found.n_clusters, n_init=10, random_state=seed).fit_predict(components)
    truth = measure_projection_quality(compared, layout.positions, labels=labels)
    flat = measure_projection_quality(compared, principal_components(compared, dimensions=2), labels=labels)
    return {
        "clusters": found.n_clusters,
        "in none": float((found.labels < 0).mean()),
        "AMI": float(mutual(labels, found.labels)),
        "AMI leaning": float(mutual(labels, leaning)),
        "AMI k-means": float(mutual(labels, means)),
        "trustworthiness": truth.trustworthiness or 0,
        "trustworthiness PCA": flat.trustworthiness or 0,
        "same label, map": truth.same_label_map or 0,
        "same label, PCA": flat.same_label_map or 0,
        "same label, space": truth.same_label_space or 0,
    }


def selections(vectors: np.ndarray, labels: Sequence[str], space: str, seeds: Sequence[int]) -> None:
    """Print what the two ways of choosing clusters, and other sizes, find."""
    compared = standardize_for_cosine(vectors, space=space)
    near = build_knn_graph(compared, k=groups.NEIGHBOURS - 1)
    deep = [
        project(compared, near, dimensions=groups.DIMENSIONS, min_distance=groups.MIN_DISTANCE, seed=seed)
        for seed in seeds
    ]
    print(f"\n{short_name(space)}, clusters chosen otherwise\n")
    print("| chosen by | fewest tracks | clusters, by seed | in none | AMI |\n|---|---|---|---|---|")
    usual = groups.SELECTION
    for selection in ("leaf", "eom"):
        for size in sorted({5, default_cluster_size(len(vectors)), 15}):
            groups.SELECTION = selection
            found = [find_clusters(places, min_size=size) for places in deep]
            counts = ", ".join(str(one.n_clusters) for one in found)
            none = np.mean([(one.labels < 0).mean() for one in found])
            agreed = np.mean([mutual(labels, one.labels) for one in found])
            print(f"| {selection} | {size} | {counts} | {none:.0%} | {agreed:.3f} |")
    groups.SELECTION = usual


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    options = parser.parse_args()
    with Library(options.library, create=False) as library:
        spaces = [one.id for one in library.catalogue.spaces.all() if kind_of(one.id) in {"embedding", "descriptors"}]
        tracks = {track.id: track for track in library.catalogue.tracks.all()}
        held = {space: library.catalogue.vectors.matrix(space) for space in spaces}
    with threadpool_limits(limits=1, user_api="blas"):
        for space, (ids, vectors) in held.items():
            known = [row for row, id_ in enumerate(ids) if tracks[int(id_)].label]
            labels = [str(tracks[int(ids[row])].label) for row in known]
            runs = [measured(vectors[known], labels, space, seed=seed) for seed in options.seeds]
            print(f"\n{short_name(space)}: {len(known)} labelled tracks, mean of {len(runs)} seeds (least, most)\n")
            print("| | mean | least | most |\n|---|---|---|---|")
            for name in runs[0]:
                values = [run[name] for run in runs]
                print(f"| {name} | {np.mean(values):.3f} | {min(values):.3f} | {max(values):.3f} |")
            selections(vectors[known], labels, space, options.seeds)


if __name__ == "__main__":
    main()
