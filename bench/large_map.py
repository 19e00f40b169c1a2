"""Time and memory of a map and its clusters for many tracks.

    python bench/large_map.py [--tracks 100000] [--dimensions 512]

The vectors are synthetic but have structure: genres of several styles each, styles of artists, artists of tracks, each level nearer
than the one above, on a curved surface of 24 dimensions inside the space, with noise.
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


def synthetic(tracks: int, dimensions: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make vectors [tracks, dimensions] and the style of each."""
    generator = np.random.default_rng(seed)
    inner = 24
    genres = 3 * generator.standard_normal((12, inner))
    styles = np.repeat(genres, 5, axis=0) + 1.5 * generator.standard_normal((60, inner))
    style = generator.integers(0, len(styles), tracks // 10)
    artists = styles[style] + 0.6 * generator.standard_normal((len(style), inner))
    artist = generator.integers(0, len(artists), tracks)
    points = artists[artist] + 0.4 * generator.standard_normal((tracks, inner))
    weights = [generator.standard_normal((inner, dimensions)) / np.sqrt(inner) for _ in range(2)]
    vectors = np.maximum(points @ weights[0] + 0.5 * np.tanh(points @ weights[1]), 0)
    noise = 0.1 * generator.standard_normal(vectors.shape, dtype=np.float32)
    return (vectors + noise).astype(np.float32), style[artist]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=512)
    options = parser.parse_args()
    vectors, styles = synthetic(options.tracks, options.dimensions)
    begin = time.perf_counter()
    with progress_bar("drawing", unit="steps") as progress:
        layout = compute_layout(vectors, space="openl3-music", progress=progress)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept = layout.clusters.labels != NO_CLUSTER
    begin = time.perf_counter()
    truth = measure_projection_quality(vectors, layout.positions, labels=[str(style) for style in styles])
    print(f"{options.tracks} vectors of {options.dimensions}: {seconds / 60:.1f} min, peak {peak:.0f} MB")
    print(f"trustworthiness {truth.trustworthiness:.3f} ({time.perf_counter() - begin:.0f} s to measure)")
    print(f"{layout.clusters.n_clusters} clusters, {kept.mean():.0%} of the tracks in one, ", end="")
    print(f"AMI with the styles {adjusted_mutual_info_score(styles[kept], layout.clusters.labels[kept]):.3f}")


if __name__ == "__main__":
    main()
