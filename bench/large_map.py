"""Measure the time and memory that a map and its clusters take for many tracks.

    python bench/large_map.py [--tracks 100000] [--dimensions 512]

The vectors are synthetic and hierarchical: each genre has several styles, each style several artists, and each artist several
tracks, with less variance at each level. They are on a curved surface of 24 dimensions in the space, with noise.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score

from sonotheque.console import progress_bar
from sonotheque.explore.map.clustering import NO_CLUSTER
from sonotheque.explore.map.layout import compute_layout
from sonotheque.explore.map.projection_quality import measure_projection_quality


def make_synthetic_vectors(tracks: int, dimensions: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make vectors, float32 [tracks, dimensions], and the style of each, int [tracks]."""
    generator = np.random.default_rng(seed)
    surface_dimensions = 24
    genres = 3 * generator.standard_normal((12, surface_dimensions))
    styles = np.repeat(genres, 5, axis=0) + 1.5 * generator.standard_normal((60, surface_dimensions))
    style = generator.integers(0, len(styles), tracks // 10)
    artists = styles[style] + 0.6 * generator.standard_normal((len(style), surface_dimensions))
    artist = generator.integers(0, len(artists), tracks)
    points = artists[artist] + 0.4 * generator.standard_normal((tracks, surface_dimensions))
    weights = [
        generator.standard_normal((surface_dimensions, dimensions)) / np.sqrt(surface_dimensions) for _ in range(2)
    ]
    vectors = np.maximum(points @ weights[0] + 0.5 * np.tanh(points @ weights[1]), 0)
    noise = 0.1 * generator.standard_normal(vectors.shape, dtype=np.float32)
    return (vectors + noise).astype(np.float32), style[artist]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=512)
    options = parser.parse_args()
    vectors, styles = make_synthetic_vectors(options.tracks, options.dimensions)
    start = time.perf_counter()
    with progress_bar("computing the map", unit="steps") as progress:
        layout = compute_layout(vectors, space="openl3-music", progress=progress)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    clustered = layout.clusters.labels != NO_CLUSTER
    start = time.perf_counter()
    quality = measure_projection_quality(vectors, layout.positions, labels=[str(style) for style in styles])
    print(f"{options.tracks} vectors of {options.dimensions}: {seconds / 60:.1f} min, peak {peak:.0f} MB")
    print(f"trustworthiness {quality.trustworthiness:.3f} ({time.perf_counter() - start:.0f} s to measure)")
    print(f"{layout.clusters.n_clusters} clusters, {clustered.mean():.0%} of the tracks in one, ", end="")
    print(f"AMI with the styles {adjusted_mutual_info_score(styles[clustered], layout.clusters.labels[clustered]):.3f}")


if __name__ == "__main__":
    main()
