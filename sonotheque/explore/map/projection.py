"""Vectors to positions: UMAP on two dimensions for a map, on more for clusters, and a place for a track that comes later.

The steps are umap-learn's own; here they share one graph of exact neighbours, start from the principal components, and run in one
thread, for several give another map each time. What the positions are good for is measured in `sonotheque.explore.map.projection_quality`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from sonotheque.embed.space import kind_of
from sonotheque.index import KnnGraph, l2_normalize
from sonotheque.types import FloatArray

Progress = Callable[[int, int], None]
"""Called with how many steps are done and how many there are."""

NEIGHBOURS, MANY = 15, 10_000
"""Neighbours that shape a map (umap-learn's default), and the number of tracks from which on they become more."""

MIN_DISTANCE = 0.1
"""How close two tracks may lie on a map, in its own units; umap-learn's default."""

EPOCHS_TO_PLACE = 100
"""How often a vector that comes later is moved; umap-learn's default."""

SMALLEST = 10
"""Tracks below which there is no neighbourhood to speak of: the map is the first two principal components."""


def default_n_neighbours(count: int) -> int:
    """Choose how many neighbours shape a map of `count` tracks.

    15 up to 10,000 tracks; from there on 15 more for each tenfold, as PaCMAP does (Wang, Huang, Rudin & Shaposhnik 2021,
    "Understanding how dimension reduction tools work"), or a large map falls to pieces.

    Examples
    --------
    >>> usual_neighbours(200), usual_neighbours(10_000), usual_neighbours(100_000)
    (15, 15, 30)
    """
    return round(NEIGHBOURS + 15 * max(0.0, math.log10(max(count, 1) / MANY)))


def standardize_for_cosine(vectors: FloatArray, *, space: str, among: FloatArray | None = None) -> FloatArray:
    """Bring vectors to where a cosine compares them: columns of different units are standardised.

    Parameters
    ----------
    vectors : float32 array [N, D]
    space : id of their space
    among : float32 array [M, D] or None
        Whose mean and deviation count; by default their own.

    Returns
    -------
    float32 array [N, D]

    Examples
    --------
    >>> vectors = np.array([[1.0, 100.0], [3.0, 300.0]], np.float32)
    >>> comparable(vectors, space="descriptors-librosa-v1-h10.0@1").tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    if kind_of(space) != "descriptors":
        return vectors
    measured = vectors if among is None else among
    result: FloatArray = (vectors - measured.mean(axis=0)) / np.maximum(measured.std(axis=0), np.float32(1e-9))
    return result


def principal_components(vectors: FloatArray, *, dimensions: int, seed: int = 0) -> FloatArray:
    """Return the principal components of the directions of vectors [N, D], float32 [N, dimensions]; the missing ones are 0."""
    from sklearn.decomposition import PCA

    result = np.zeros((len(vectors), dimensions), dtype=np.float32)
    held = min(dimensions, len(vectors) - 1, vectors.shape[1])
    directions = l2_normalize(vectors)
    if held > 0 and np.ptp(directions, axis=0).any():
        result[:, :held] = PCA(held, random_state=seed).fit_transform(directions)
    return result


def project(
    vectors: FloatArray,
    near: KnnGraph,
    *,
    dimensions: int = 2,
    min_distance: float = MIN_DISTANCE,
    seed: int = 0,
    progress: Progress | None = None,
) -> FloatArray:
    """Lay vectors out so that neighbours stay neighbours (McInnes, Healy & Melville 2018, "UMAP").

    Parameters
    ----------
    vectors : float32 array [N, D]
    near : KnnGraph
        Of the vectors; all of its K neighbours shape the result.
    dimensions : int
    min_distance : float
        How close two vectors may come to each other.
    seed : int
    progress : callable
        Called with (epochs done, epochs in all).

    Returns
    -------
    float32 array [N, dimensions]
        The same bytes for the same vectors in the same order, on one kind of processor with the same versions of the packages.
        With fewer than `SMALLEST` vectors the principal components; all on one place where all are equal.
    """
    from threadpoolctl import threadpool_limits

    start = principal_components(vectors, dimensions=dimensions, seed=seed)
    if len(vectors) < SMALLEST or not start.any():
        return start
    umap = _umap()
    random = np.random.RandomState(seed)
    with threadpool_limits(limits=1, user_api="blas"):
        graph = _graph(vectors, near)
        a, b = umap.find_ab_params(1.0, min_distance)
        spread = umap.noisy_scale_coords(start, random, max_coord=10, noise=0.0001)
        positions, _ = umap.simplicial_set_embedding(
            vectors,
            graph,
            n_components=dimensions,
            initial_alpha=1.0,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=5,
            n_epochs=n_epochs(len(vectors)),
            init=spread,
            random_state=random,
            metric="cosine",
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            parallel=False,
            tqdm_kwds=_watched(n_epochs(len(vectors)), progress),
        )
    result: FloatArray = positions.astype(np.float32)
    return result


def n_epochs(count: int) -> int:
    """Say how often `project` goes over the neighbours of `count` vectors: umap-learn's defaults."""
    return 500 if count <= MANY else 200


def transform_one(
    near: KnnGraph, positions: FloatArray, *, min_distance: float = MIN_DISTANCE, seed: int = 0
) -> FloatArray:
    """Put one vector where it belongs among positions that stay as they are.

    What umap-learn's ``transform`` does, for one vector at a time: its result for several depends on which they are.

    Parameters
    ----------
    near : KnnGraph
        Of this one vector, [1, K], among those that have a place.
    positions : float32 array [N, dimensions]
        As `project` gave them.
    min_distance, seed : as they were given to `project`

    Returns
    -------
    float32 array [dimensions]
    """
    import scipy.sparse
    from umap.layouts import optimize_layout_euclidean

    if len(positions) < SMALLEST:
        middle: FloatArray = positions[near.rows[0]].mean(axis=0)
        return middle
    umap = _umap()
    random = np.random.RandomState(seed)
    state = random.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64)
    a, b = umap.find_ab_params(1.0, min_distance)
    distances = (1 - near.similarities).clip(0).astype(np.float32)
    sigmas, rhos = umap.smooth_knn_dist(distances, float(near.rows.shape[1]), local_connectivity=0.0)
    rows, columns, strengths, _ = umap.compute_membership_strengths(near.rows, distances, sigmas, rhos, bipartite=True)
    graph = scipy.sparse.coo_matrix((strengths, (rows, columns)), shape=(1, len(positions)))
    begun = graph.tocsr()
    begun.eliminate_zeros()
    start = umap.init_graph_transform(begun, positions)
    graph.data[graph.data < graph.data.max() / EPOCHS_TO_PLACE] = 0.0
    graph.eliminate_zeros()
    moved: FloatArray = optimize_layout_euclidean(
        start,
        positions.copy(),
        graph.row,
        graph.col,
        EPOCHS_TO_PLACE,
        len(positions),
        umap.make_epochs_per_sample(graph.data, EPOCHS_TO_PLACE),
        a,
        b,
        state,
        initial_alpha=0.25,
        negative_sample_rate=5,
        tqdm_kwds={"disable": True},
    )
    return np.array(moved[0], dtype=np.float32)


def _umap() -> Any:
    """Import umap-learn's functions; what it says of TensorFlow, which nothing here needs, is kept away."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import umap_
    return umap_


def _graph(vectors: FloatArray, near: KnnGraph) -> Any:
    """Make the fuzzy graph of neighbours; umap-learn counts a vector among its own."""
    count = len(vectors)
    rows = np.concatenate([np.arange(count)[:, None], near.rows], axis=1)
    distances = np.concatenate([np.zeros((count, 1)), (1 - near.similarities).clip(0)], axis=1).astype(np.float32)
    graph, _, _ = _umap().fuzzy_simplicial_set(
        vectors, rows.shape[1], np.random.RandomState(0), "cosine", knn_indices=rows, knn_dists=distances
    )
    return graph


def _watched(total: int, progress: Progress | None) -> dict[str, Any]:
    """Make the options of umap-learn's progress bar that send its count to `progress`, drawing nothing."""
    if progress is None:
        return {"disable": True}

    report = progress

    class Count:
        def write(self, text: str) -> None:
            if (done := text.strip("\r\n ")).isdigit():
                report(int(done), total)

        def flush(self) -> None:
            pass

    return {"disable": False, "file": Count(), "bar_format": "{n}", "mininterval": 0.05, "desc": None}
