"""How far a map can be trusted: whether those who lie side by side on it are near each other in the space, and share their labels.

Conventions
-----------
All functions look at the `K` nearest. Where there are more than `SAMPLE` tracks so many are asked, evenly spaced; their neighbours
are sought among all. In an order by content hash that is a random sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.index import l2_normalize
from sonotheque.types import FloatArray

K = 10
SAMPLE = 2_000
BLOCK = 256


@dataclass(frozen=True)
class NeighbourhoodQuality:
    """What a map keeps.

    Attributes
    ----------
    trustworthiness : float or None
        1 where all that are near on the map are near in the space, about 0.5 for random positions (Venna & Kaski 2001, "Neighborhood
        preservation in nonlinear projection methods"). None among too few.
    same_label_map, same_label_space : float or None
        Share of a labelled track's nearest labelled ones that bear its label, on the map and in the space. None without labels.
    same_label_chance : float or None
        The same for random positions.
    """

    trustworthiness: float | None
    same_label_map: float | None
    same_label_space: float | None
    same_label_chance: float | None


def measure_projection_quality(
    vectors: FloatArray, positions: FloatArray, *, labels: Sequence[str | None], k: int = K, sample: int = SAMPLE
) -> NeighbourhoodQuality:
    """Measure what a map keeps of the neighbourhoods of its vectors.

    Parameters
    ----------
    vectors : float32 array [N, D]
        Compared by cosine.
    positions : float32 array [N, 2]
        Compared by distance.
    labels : labels [N], None where there is none
    k, sample : int

    Returns
    -------
    Faithfulness
    """
    known = np.array([label is not None for label in labels], dtype=bool)
    same: tuple[float | None, float | None, float | None] = (None, None, None)
    if known.sum() > k:
        names = np.array([label for label in labels if label is not None])
        same = _same_label(vectors[known], positions[known], names, k=k, sample=sample)
    return NeighbourhoodQuality(trustworthiness(vectors, positions, k=k, sample=sample), *same)


def trustworthiness(vectors: FloatArray, positions: FloatArray, *, k: int = K, sample: int = SAMPLE) -> float | None:
    """Measure how many of the nearest on a map are intruders, and from how far away they come.

    Returns
    -------
    float or None
        None with less than 2 `k` + 1 vectors, for which the measure is not defined.
    """
    count = len(vectors)
    if count <= 2 * k:
        return None
    directions = l2_normalize(vectors)
    asked = _asked(count, sample)
    neighbours = _nearest_places(positions, asked, k)
    penalty = 0.0
    for start in range(0, len(asked), BLOCK):
        rows = asked[start : start + BLOCK]
        similarities = directions[rows] @ directions.T
        similarities[np.arange(len(rows)), rows] = -np.inf
        theirs = np.take_along_axis(similarities, neighbours[start : start + BLOCK], 1)
        ordered = np.sort(similarities, axis=1)
        ranks = [count - np.searchsorted(line, own, side="right") for line, own in zip(ordered, theirs, strict=True)]
        penalty += float(np.maximum(np.array(ranks) + 1 - k, 0).sum())
    return 1 - penalty * 2 / (len(asked) * k * (2 * count - 3 * k - 1))


def _same_label(
    vectors: FloatArray, positions: FloatArray, labels: npt.NDArray[np.str_], *, k: int, sample: int
) -> tuple[float, float, float]:
    codes = np.unique(labels, return_inverse=True)[1]
    asked = _asked(len(labels), sample)
    own = codes[asked][:, None]
    on_map = float((codes[_nearest_places(positions, asked, k)] == own).mean())
    directions = l2_normalize(vectors)
    equal = 0
    for start in range(0, len(asked), BLOCK):
        rows = asked[start : start + BLOCK]
        similarities = directions[rows] @ directions.T
        similarities[np.arange(len(rows)), rows] = -np.inf
        nearest = np.argpartition(-similarities, k - 1, axis=1)[:, :k]
        equal += int((codes[nearest] == codes[rows][:, None]).sum())
    counts = np.bincount(codes).astype(np.float64)
    chance = float((counts * (counts - 1)).sum() / (len(codes) * (len(codes) - 1)))
    return on_map, equal / (len(asked) * k), chance


def _asked(count: int, sample: int) -> npt.NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, sample)).round().astype(np.int64))


def _nearest_places(positions: FloatArray, asked: npt.NDArray[np.int64], k: int) -> npt.NDArray[np.int64]:
    """Find the k nearest others on the map of some rows, int array [len(asked), k]."""
    from scipy.spatial import cKDTree

    _, found = cKDTree(positions).query(positions[asked], k=k + 1)
    own = found == asked[:, None]
    own[~own.any(axis=1), -1] = True  # among many on one spot a row may not find itself
    result: npt.NDArray[np.int64] = found[~own].reshape(-1, k).astype(np.int64)
    return result
