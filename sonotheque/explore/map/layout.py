"""A map and its clusters from vectors: the two projections share their neighbours. It knows vectors, not tracks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np

from sonotheque.explore.map import clustering as groups
from sonotheque.explore.map.clustering import Clustering, default_cluster_size, find_clusters
from sonotheque.explore.map.projection import default_n_neighbours, n_epochs, project, standardize_for_cosine
from sonotheque.index import KnnGraph, build_knn_graph
from sonotheque.types import FloatArray, Progress

PACKAGES = ("umap-learn", "hdbscan", "numba", "numpy", "scikit-learn")
"""Whose versions a layout is recorded with: another one may give other positions."""


@dataclass(frozen=True)
class MapSettings:
    """What a person may choose; None is chosen by the number of tracks.

    Attributes
    ----------
    seed : int or None
        0 by default.
    neighbours : int or None
        That shape the map, see `usual_neighbours`.
    cluster_size : int or None
        Fewest tracks of a cluster, see `usual_size`.
    """

    seed: int | None = None
    neighbours: int | None = None
    cluster_size: int | None = None

    def among(self, count: int) -> MapSettings:
        """Fill in what is chosen by the number of tracks."""
        return MapSettings(
            self.seed or 0,
            self.neighbours or default_n_neighbours(count),
            self.cluster_size or default_cluster_size(count),
        )


@dataclass(frozen=True)
class Layout:
    """Where N vectors lie.

    Attributes
    ----------
    positions : float32 array [N, 2]
    clusters : Clusters
    near : KnnGraph
        By cosine, of the vectors themselves.
    """

    positions: FloatArray
    clusters: Clustering
    near: KnnGraph


def compute_layout(
    vectors: FloatArray, *, space: str, settings: MapSettings = MapSettings(), progress: Progress | None = None
) -> Layout:
    """Draw a map and find clusters.

    Parameters
    ----------
    vectors : float32 array [N, D]
        In an order that does not depend on how tracks came: the result depends on it.
    space : id of their space
    settings : Settings
    progress : callable
        Called with (steps done, steps in all); a step is a thousandth of the work, roughly.

    Returns
    -------
    Layout
    """
    chosen = settings.among(len(vectors))
    compared = standardize_for_cosine(vectors, space=space)
    steps = _Steps(progress, {"near": 100, "map": 300, "deep": 500, "clusters": 100})
    k = max(chosen.neighbours or 0, groups.NEIGHBOURS) - 1  # umap-learn counts a vector among its own neighbours
    near = build_knn_graph(compared, k=k, progress=steps.of("near"))
    seed = chosen.seed or 0
    shaping = near.nearest((chosen.neighbours or k) - 1)
    positions = rotate_to_widest(project(compared, shaping, seed=seed, progress=steps.of("map")))
    deep = project(
        compared,
        near.nearest(groups.NEIGHBOURS - 1),
        dimensions=min(groups.DIMENSIONS, max(2, len(vectors) // 4)),
        min_distance=groups.MIN_DISTANCE,
        seed=seed,
        progress=steps.of("deep"),
    )
    steps.finish("deep")
    found = find_clusters(deep, size=chosen.cluster_size or 0)
    steps.finish("clusters")
    return Layout(positions, found, near)


def rotate_to_widest(positions: FloatArray) -> FloatArray:
    """Turn a map so that it is widest from left to right, float32 [N, 2]; directions mean nothing on it, and screens are wide.

    Examples
    --------
    >>> np.ptp(turned(np.array([[0.0, 0.0], [0.0, 4.0], [1.0, 2.0]], np.float32)), axis=0).tolist()
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


def layout_parameters(settings: MapSettings, count: int) -> Mapping[str, int | float | str]:
    """Write down what a layout of `count` vectors was made with."""
    chosen = settings.among(count)
    return {
        "method": "UMAP",
        "metric": "cosine",
        "start": "principal components",
        "seed": chosen.seed or 0,
        "neighbours": chosen.neighbours or 0,
        "epochs": n_epochs(count),
        "clusters": "HDBSCAN",
        "cluster_dimensions": groups.DIMENSIONS,
        "cluster_neighbours": groups.NEIGHBOURS,
        "cluster_size": chosen.cluster_size or 0,
        "cluster_samples": groups.SAMPLES,
        "cluster_selection": groups.SELECTION,
        "cluster_largest_share": groups.LARGEST,
        **{name: version(name) for name in PACKAGES},
    }


class _Steps:
    """Joins the progress of parts, each of which counts on its own, to one."""

    def __init__(self, progress: Progress | None, parts: Mapping[str, int]) -> None:
        self._progress, self._parts = progress, parts
        self._total = sum(parts.values())

    def of(self, part: str) -> Progress | None:
        if self._progress is None:
            return None
        report = self._progress
        before = self._before(part)
        return lambda done, total: report(before + self._parts[part] * done // max(total, 1), self._total)

    def finish(self, part: str) -> None:
        if self._progress is not None:
            self._progress(self._before(part) + self._parts[part], self._total)

    def _before(self, part: str) -> int:
        names = list(self._parts)
        return sum(self._parts[name] for name in names[: names.index(part)])
