"""Measure how well a map preserves neighbourhoods: trustworthiness, and label agreement among neighbours.

Conventions
-----------
All measures use the `K` nearest neighbours. With more than `SAMPLE_SIZE` tracks, they are averaged over that many tracks, evenly
spaced; the neighbours are still searched among all tracks. If the tracks are ordered by content hash, this is a random sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sonotheque.index import l2_normalize
from sonotheque.results import ProjectionQuality
from sonotheque.types import FloatArray, Rows

K = 10
SAMPLE_SIZE = 2_000
BLOCK_SIZE = 256


def measure_projection_quality(
    vectors: FloatArray,
    positions: FloatArray,
    *,
    labels: Sequence[str | None],
    k: int = K,
    sample_size: int = SAMPLE_SIZE,
) -> ProjectionQuality:
    """Measure how well a map preserves the neighbourhoods of its vectors.

    Parameters
    ----------
    vectors : float32 array [N, D]
        Compared by cosine similarity.
    positions : float32 array [N, 2]
        Compared by Euclidean distance.
    labels : sequence of str or None, length N
    k : int
        Number of neighbours.
    sample_size : int
        Maximum number of tracks whose neighbourhoods are measured.

    Returns
    -------
    ProjectionQuality
        ``trustworthiness`` is None with too few vectors, see `trustworthiness`. ``same_label_map`` and ``same_label_space`` are the
        fractions of a labelled track's nearest labelled tracks that have the same label, on the map and in the space;
        ``same_label_chance`` is the expected value for random positions. They are None without labels. Nothing is rounded.
    """
    labelled = np.array([label is not None for label in labels], dtype=bool)
    same_label: tuple[float | None, float | None, float | None] = (None, None, None)
    if labelled.sum() > k:
        names = np.array([label for label in labels if label is not None])
        same_label = _label_agreement(vectors[labelled], positions[labelled], names, k=k, sample_size=sample_size)
    return ProjectionQuality(trustworthiness(vectors, positions, k=k, sample_size=sample_size), *same_label)


def trustworthiness(
    vectors: FloatArray, positions: FloatArray, *, k: int = K, sample_size: int = SAMPLE_SIZE
) -> float | None:
    """Measure whether the nearest neighbours on a map are near in the space too.

    It is 1 if all of them are, and about 0.5 for random positions (Venna & Kaski 2001, "Neighborhood preservation in nonlinear
    projection methods").

    Parameters
    ----------
    vectors : float32 array [N, D]
    positions : float32 array [N, 2]
    k : int
    sample_size : int

    Returns
    -------
    float or None
        None with fewer than 2 `k` + 1 vectors, for which the measure is not defined.
    """
    count = len(vectors)
    if count <= 2 * k:
        return None
    directions = l2_normalize(vectors)
    sample = _sample_rows(count, sample_size)
    neighbours = _nearest_on_map(positions, sample, k)
    penalty = 0.0
    for start in range(0, len(sample), BLOCK_SIZE):
        rows = sample[start : start + BLOCK_SIZE]
        similarities = directions[rows] @ directions.T
        similarities[np.arange(len(rows)), rows] = -np.inf
        of_neighbours = np.take_along_axis(similarities, neighbours[start : start + BLOCK_SIZE], 1)
        ordered = np.sort(similarities, axis=1)
        ranks = [
            count - np.searchsorted(row, values, side="right")
            for row, values in zip(ordered, of_neighbours, strict=True)
        ]
        penalty += float(np.maximum(np.array(ranks) + 1 - k, 0).sum())
    return 1 - penalty * 2 / (len(sample) * k * (2 * count - 3 * k - 1))


def _label_agreement(
    vectors: FloatArray, positions: FloatArray, labels: npt.NDArray[np.str_], *, k: int, sample_size: int
) -> tuple[float, float, float]:
    """Return the fraction of neighbours with the same label: on the map, in the space, and by chance."""
    codes = np.unique(labels, return_inverse=True)[1]
    sample = _sample_rows(len(labels), sample_size)
    own = codes[sample][:, None]
    on_map = float((codes[_nearest_on_map(positions, sample, k)] == own).mean())
    directions = l2_normalize(vectors)
    equal = 0
    for start in range(0, len(sample), BLOCK_SIZE):
        rows = sample[start : start + BLOCK_SIZE]
        similarities = directions[rows] @ directions.T
        similarities[np.arange(len(rows)), rows] = -np.inf
        nearest = np.argpartition(-similarities, k - 1, axis=1)[:, :k]
        equal += int((codes[nearest] == codes[rows][:, None]).sum())
    counts = np.bincount(codes).astype(np.float64)
    chance = float((counts * (counts - 1)).sum() / (len(codes) * (len(codes) - 1)))
    return on_map, equal / (len(sample) * k), chance


def _sample_rows(count: int, sample_size: int) -> Rows:
    """Return at most `sample_size` evenly spaced rows."""
    return np.unique(np.linspace(0, count - 1, min(count, sample_size)).round().astype(np.int64))


def _nearest_on_map(positions: FloatArray, rows: Rows, k: int) -> Rows:
    """Find the k nearest other rows on the map for some rows, int64 array [len(rows), k]."""
    from scipy.spatial import cKDTree

    _, nearest = cKDTree(positions).query(positions[rows], k=k + 1)
    own = nearest == rows[:, None]
    own[~own.any(axis=1), -1] = True  # with many equal positions, a row may be missing from its own neighbours
    result: Rows = nearest[~own].reshape(-1, k).astype(np.int64)
    return result
