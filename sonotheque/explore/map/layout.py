"""Compute a map and its clusters from vectors. The two projections share one graph of neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from sonotheque.explore.map import clustering
from sonotheque.explore.map.clustering import Clustering, default_cluster_size, find_clusters
from sonotheque.explore.map.projection import default_n_epochs, default_n_neighbours, project, standardize_for_cosine
from sonotheque.index import KnnGraph, build_knn_graph
from sonotheque.types import FloatArray, Progress

PACKAGES = ("umap-learn", "hdbscan", "numba", "numpy", "scikit-learn")
"""Packages whose versions are stored with a map, because other versions may give other positions."""


@dataclass(frozen=True)
class MapSettings:
    """Settings of a map. None is replaced by a default that depends on the number of tracks.

    Attributes
    ----------
    seed : int or None
        0 by default.
    neighbours : int or None
        Number of neighbours of the projection, see `default_n_neighbours`.
    cluster_size : int or None
        Minimum number of tracks in a cluster, see `default_cluster_size`.
    """

    seed: int | None = None
    neighbours: int | None = None
    cluster_size: int | None = None

    def with_defaults(self, n_tracks: int) -> MapSettings:
        """Replace None by the defaults for a number of tracks."""
        return MapSettings(
            self.seed or 0,
            self.neighbours or default_n_neighbours(n_tracks),
            self.cluster_size or default_cluster_size(n_tracks),
        )


@dataclass(frozen=True)
class Layout:
    """Map positions and clusters of N vectors.

    Attributes
    ----------
    positions : float32 array [N, 2]
    clusters : Clustering
    neighbours : KnnGraph
        The nearest neighbours of the vectors by cosine similarity.
    """

    positions: FloatArray
    clusters: Clustering
    neighbours: KnnGraph


def compute_layout(
    vectors: FloatArray, *, space: str, settings: MapSettings = MapSettings(), progress: Progress | None = None
) -> Layout:
    """Compute a map and find clusters.

    Parameters
    ----------
    vectors : float32 array [N, D]
        The result depends on their order, so it must not depend on the order in which tracks were added.
    space : str
        Space id.
    settings : MapSettings
    progress : callable or None
        Called with (steps done, total steps); a step is roughly a thousandth of the work.

    Returns
    -------
    Layout
    """
    settings = settings.with_defaults(len(vectors))
    standardized = standardize_for_cosine(vectors, space=space)
    steps = _StepProgress(progress, {"neighbours": 100, "map": 300, "cluster space": 500, "clusters": 100})
    k = max(settings.neighbours or 0, clustering.NEIGHBOURS) - 1  # umap-learn counts a vector among its own neighbours
    neighbours = build_knn_graph(standardized, k=k, progress=steps.of("neighbours"))
    seed = settings.seed or 0
    map_neighbours = neighbours.nearest((settings.neighbours or k) - 1)
    positions = rotate_to_widest(project(standardized, map_neighbours, seed=seed, progress=steps.of("map")))
    cluster_space = project(
        standardized,
        neighbours.nearest(clustering.NEIGHBOURS - 1),
        dimensions=min(clustering.DIMENSIONS, max(2, len(vectors) // 4)),
        min_distance=clustering.MIN_DISTANCE,
        seed=seed,
        progress=steps.of("cluster space"),
    )
    steps.finish("cluster space")
    clusters = find_clusters(cluster_space, min_size=settings.cluster_size or 0)
    steps.finish("clusters")
    return Layout(positions, clusters, neighbours)


def rotate_to_widest(positions: FloatArray) -> FloatArray:
    """Rotate a map so that its variance is largest from left to right, because screens are wide. Its directions have no meaning.

    Parameters
    ----------
    positions : float32 array [N, 2]

    Returns
    -------
    float32 array [N, 2]

    Examples
    --------
    >>> np.ptp(rotate_to_widest(np.array([[0.0, 0.0], [0.0, 4.0], [1.0, 2.0]], np.float32)), axis=0).tolist()
    [4.0, 1.0]
    """
    if not len(positions):
        return positions
    centred = positions.astype(np.float64) - positions.mean(axis=0, dtype=np.float64)
    (a, b), (_, d) = centred.T @ centred
    angle = 0.5 * np.arctan2(2 * b, a - d)
    axes = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    result: FloatArray = (centred @ axes).astype(np.float32)
    return result


def layout_parameters(settings: MapSettings, n_tracks: int) -> Mapping[str, int | float | str]:
    """List the parameters of a layout of `n_tracks` vectors, with the versions of the packages, to be stored with the map."""
    settings = settings.with_defaults(n_tracks)
    return {
        "method": "UMAP",
        "metric": "cosine",
        "start": "principal components",
        "seed": settings.seed or 0,
        "neighbours": settings.neighbours or 0,
        "epochs": default_n_epochs(n_tracks),
        "clusters": "HDBSCAN",
        "cluster_dimensions": clustering.DIMENSIONS,
        "cluster_neighbours": clustering.NEIGHBOURS,
        "cluster_size": settings.cluster_size or 0,
        "cluster_samples": clustering.MIN_SAMPLES,
        "cluster_selection": clustering.SELECTION,
        "cluster_largest_share": clustering.MAX_CLUSTER_FRACTION,
        **{name: version(name) for name in PACKAGES},
    }


class _StepProgress:
    """Combines the progress of several parts, each with its own count, into one count of steps."""

    def __init__(self, progress: Progress | None, parts: Mapping[str, int]) -> None:
        self._progress, self._parts = progress, parts
        self._total = sum(parts.values())

    def of(self, part: str) -> Progress | None:
        if self._progress is None:
            return None
        report = self._progress
        before = self._steps_before(part)
        return lambda done, total: report(before + self._parts[part] * done // max(total, 1), self._total)

    def finish(self, part: str) -> None:
        if self._progress is not None:
            self._progress(self._steps_before(part) + self._parts[part], self._total)

    def _steps_before(self, part: str) -> int:
        names = list(self._parts)
        return sum(self._parts[name] for name in names[: names.index(part)])
