"""Project vectors with UMAP: to two dimensions for a map, to more for clustering. Later vectors are added one at a time.

The algorithm is umap-learn's. Here its steps share one graph of exact neighbours, start from the principal components, and run in
one thread, because several threads would give a different map each time. `sonotheque.explore.map.projection_quality` measures how
well the positions preserve neighbourhoods.
"""

from __future__ import annotations

import functools
import math
import warnings
from contextlib import suppress
from typing import Any

import numpy as np

from sonotheque.embed.space import kind_of
from sonotheque.index import KnnGraph, l2_normalize
from sonotheque.types import FloatArray, Progress
from sonotheque.user_folders import give_numba_a_cache

N_NEIGHBOURS, LARGE = 15, 10_000
"""Number of neighbours of the projection (umap-learn's default), and the number of tracks above which it grows."""

MIN_DISTANCE = 0.1
"""Minimum distance between points on a map, in map units (umap-learn's default)."""

TRANSFORM_EPOCHS = 100
"""Number of optimisation epochs for a vector that is added later (umap-learn's default)."""

MIN_TRACKS = 10
"""Minimum number of tracks for UMAP. A smaller map shows the first two principal components."""


def default_n_neighbours(n_tracks: int) -> int:
    """Return the default number of neighbours for a map of `n_tracks` tracks.

    It is 15 for up to 10,000 tracks, and grows by 15 for each factor of ten above, as in PaCMAP (Wang, Huang, Rudin & Shaposhnik
    2021, "Understanding how dimension reduction tools work"). Otherwise a large map would fall apart into fragments.

    Examples
    --------
    >>> default_n_neighbours(200), default_n_neighbours(10_000), default_n_neighbours(100_000)
    (15, 15, 30)
    """
    return round(N_NEIGHBOURS + 15 * max(0.0, math.log10(max(n_tracks, 1) / LARGE)))


def default_n_epochs(n_vectors: int) -> int:
    """Return the number of optimisation epochs of `project` for `n_vectors` vectors: the defaults of umap-learn."""
    return 500 if n_vectors <= LARGE else 200


def standardize_for_cosine(vectors: FloatArray, *, space: str, fit_on: FloatArray | None = None) -> FloatArray:
    """Standardise the columns of descriptors, which have different units. Embeddings are returned unchanged.

    Parameters
    ----------
    vectors : float32 array [N, D]
    space : str
        Space id.
    fit_on : float32 array [M, D] or None
        The vectors whose mean and standard deviation are used; by default `vectors`.

    Returns
    -------
    float32 array [N, D]

    Examples
    --------
    >>> vectors = np.array([[1.0, 100.0], [3.0, 300.0]], np.float32)
    >>> standardize_for_cosine(vectors, space="descriptors-librosa-v1-h10.0@1").tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    if kind_of(space) != "descriptors":
        return vectors
    fitted = vectors if fit_on is None else fit_on
    result: FloatArray = (vectors - fitted.mean(axis=0)) / np.maximum(fitted.std(axis=0), np.float32(1e-9))
    return result


def principal_components(vectors: FloatArray, *, dimensions: int, seed: int = 0) -> FloatArray:
    """Compute the principal components of the L2-normalised vectors.

    Parameters
    ----------
    vectors : float32 array [N, D]
    dimensions : int
    seed : int

    Returns
    -------
    float32 array [N, dimensions]
        Components that do not exist are 0.
    """
    from sklearn.decomposition import PCA

    result = np.zeros((len(vectors), dimensions), dtype=np.float32)
    n_components = min(dimensions, len(vectors) - 1, vectors.shape[1])
    directions = l2_normalize(vectors)
    if n_components > 0 and np.ptp(directions, axis=0).any():
        result[:, :n_components] = PCA(n_components, random_state=seed).fit_transform(directions)
    return result


def project(
    vectors: FloatArray,
    neighbours: KnnGraph,
    *,
    dimensions: int = 2,
    min_distance: float = MIN_DISTANCE,
    seed: int = 0,
    progress: Progress | None = None,
) -> FloatArray:
    """Project vectors with UMAP, which preserves neighbourhoods (McInnes, Healy & Melville 2018, "UMAP").

    Parameters
    ----------
    vectors : float32 array [N, D]
    neighbours : KnnGraph
        The nearest neighbours of the vectors. All K of them are used.
    dimensions : int
    min_distance : float
        Minimum distance between projected points.
    seed : int
    progress : callable or None
        Called with (epochs done, total epochs).

    Returns
    -------
    float32 array [N, dimensions]
        The same bytes for the same vectors in the same order, on the same kind of processor with the same versions of the packages.
        With fewer than `MIN_TRACKS` vectors, the principal components; if all vectors are equal, all positions are 0.
    """
    from threadpoolctl import threadpool_limits

    start = principal_components(vectors, dimensions=dimensions, seed=seed)
    if len(vectors) < MIN_TRACKS or not start.any():
        return start
    umap = _import_umap()
    random = np.random.RandomState(seed)
    with threadpool_limits(limits=1, user_api="blas"):
        graph = _fuzzy_graph(vectors, neighbours)
        a, b = umap.find_ab_params(1.0, min_distance)
        init = umap.noisy_scale_coords(start, random, max_coord=10, noise=0.0001)
        positions, _ = umap.simplicial_set_embedding(
            vectors,
            graph,
            n_components=dimensions,
            initial_alpha=1.0,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=5,
            n_epochs=default_n_epochs(len(vectors)),
            init=init,
            random_state=random,
            metric="cosine",
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            parallel=False,
            tqdm_kwds=_tqdm_options(default_n_epochs(len(vectors)), progress),
        )
    result: FloatArray = positions.astype(np.float32)
    return result


def transform_one(
    neighbours: KnnGraph, positions: FloatArray, *, min_distance: float = MIN_DISTANCE, seed: int = 0
) -> FloatArray:
    """Find the position of one new vector on a projection whose positions stay fixed.

    This is the ``transform`` of umap-learn for one vector at a time. Its result for several vectors depends on the other ones.

    Parameters
    ----------
    neighbours : KnnGraph
        The neighbours of the new vector, [1, K], as rows of `positions`.
    positions : float32 array [N, dimensions]
        Returned by `project`.
    min_distance, seed
        As passed to `project`.

    Returns
    -------
    float32 array [dimensions]
    """
    import scipy.sparse

    if len(positions) < MIN_TRACKS:
        mean: FloatArray = positions[neighbours.rows[0]].mean(axis=0)
        return mean
    umap = _import_umap()
    from umap.layouts import optimize_layout_euclidean

    random = np.random.RandomState(seed)
    state = random.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64)
    a, b = umap.find_ab_params(1.0, min_distance)
    distances = (1 - neighbours.similarities).clip(0).astype(np.float32)
    sigmas, rhos = umap.smooth_knn_dist(distances, float(neighbours.rows.shape[1]), local_connectivity=0.0)
    rows, columns, strengths, _ = umap.compute_membership_strengths(
        neighbours.rows, distances, sigmas, rhos, bipartite=True
    )
    graph = scipy.sparse.coo_matrix((strengths, (rows, columns)), shape=(1, len(positions)))
    init_graph = graph.tocsr()
    init_graph.eliminate_zeros()
    init = umap.init_graph_transform(init_graph, positions)
    graph.data[graph.data < graph.data.max() / TRANSFORM_EPOCHS] = 0.0
    graph.eliminate_zeros()
    optimized: FloatArray = optimize_layout_euclidean(
        init,
        positions.copy(),
        graph.row,
        graph.col,
        TRANSFORM_EPOCHS,
        len(positions),
        umap.make_epochs_per_sample(graph.data, TRANSFORM_EPOCHS),
        a,
        b,
        state,
        initial_alpha=0.25,
        negative_sample_rate=5,
        tqdm_kwds={"disable": True},
    )
    return np.array(optimized[0], dtype=np.float32)


@functools.cache
def _import_umap() -> Any:
    """Import the functions of umap-learn, whose compiled code is then kept on disk by numba.

    Compiling takes some 15 s in each process otherwise: far longer than a small map. The warning that TensorFlow is missing is
    suppressed; it is not needed here.
    """
    give_numba_a_cache()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import layouts, umap_
    for function in (
        umap_.smooth_knn_dist,
        umap_.compute_membership_strengths,
        umap_.init_graph_transform,
        layouts._nb_optimize_layout_euclidean_single_epoch,
    ):
        if hasattr(function, "enable_caching"):
            with suppress(RuntimeError, OSError):
                function.enable_caching()
    return umap_


def _fuzzy_graph(vectors: FloatArray, neighbours: KnnGraph) -> Any:
    """Compute the fuzzy neighbourhood graph. umap-learn counts each vector among its own neighbours."""
    count = len(vectors)
    rows = np.concatenate([np.arange(count)[:, None], neighbours.rows], axis=1)
    distances = np.concatenate([np.zeros((count, 1)), (1 - neighbours.similarities).clip(0)], axis=1).astype(np.float32)
    graph, _, _ = _import_umap().fuzzy_simplicial_set(
        vectors, rows.shape[1], np.random.RandomState(0), "cosine", knn_indices=rows, knn_dists=distances
    )
    return graph


def _tqdm_options(total: int, progress: Progress | None) -> dict[str, Any]:
    """Return options with which umap-learn's progress bar passes its count to `progress` instead of printing it."""
    if progress is None:
        return {"disable": True}

    report = progress

    class CountWriter:
        def write(self, text: str) -> None:
            if (done := text.strip("\r\n ")).isdigit():
                report(int(done), total)

        def flush(self) -> None:
            pass

    return {"disable": False, "file": CountWriter(), "bar_format": "{n}", "mininterval": 0.05, "desc": None}
