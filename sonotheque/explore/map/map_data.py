"""The map of a library: drawn once and kept; tracks that come later are put on it without moving the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from sonotheque.errors import LibraryError
from sonotheque.explore.map.clustering import NEIGHBOURS, NO_CLUSTER
from sonotheque.explore.map.layout import MapSettings, compute_layout, layout_parameters
from sonotheque.explore.map.projection import SMALLEST, standardize_for_cosine, transform_one
from sonotheque.index import ExactIndex, KnnGraph, build_knn_graph
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.maps import StoredMap
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, Progress

log = logging.getLogger("sonotheque")

N_NEIGHBOURS_SHOWN = 10
"""Nearest tracks that a map shows of each."""

MANY_LATER = 1 / 3
"""Share of tracks that came later from which on it is said that the map no longer shows them well."""


@dataclass(frozen=True)
class MapData:
    """A library's tracks and where they lie, ordered by content hash.

    Attributes
    ----------
    space : id of the space
    tracks : list of Track
        N of them.
    vectors : float32 array [N, D]
    kept : KeptMap
        In the same order.
    near : KnnGraph
        The `SHOWN` nearest of each by cosine, as rows.
    """

    space: str
    tracks: Sequence[Track]
    vectors: FloatArray
    kept: StoredMap
    near: KnnGraph

    @property
    def compared(self) -> FloatArray:
        """The vectors where a cosine compares them, float32 [N, D]."""
        return standardize_for_cosine(self.vectors, space=self.space)


def load_map(
    catalogue: Catalogue,
    *,
    space: str,
    settings: MapSettings | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> MapData:
    """Read the map of a space, put tracks on it that have come since, or draw it where there is none.

    Parameters
    ----------
    catalogue : Catalogue
        Keeps the map.
    space : id of the space
    settings : Settings or None
        What a person asks for; a kept map that was made with something else is drawn anew. None: as it is.
    rebuild : bool
        Draw it rebuild in any case.
    progress : callable
        Called with (steps done, steps in all) while it is drawn.

    Returns
    -------
    Atlas
    """
    ids, vectors = catalogue.vectors.matrix(space)
    known = {track.id: track for track in catalogue.tracks.all()}
    tracks = [known[int(id_)] for id_ in ids]
    kept = catalogue.maps.read(space)
    near = None
    if kept is None or rebuild or not _answers(kept, settings) or (~kept.later).sum() < min(SMALLEST, len(ids)):
        drawn = compute_layout(vectors, space=space, settings=settings or MapSettings(), progress=progress)
        found = drawn.clusters
        new = StoredMap(
            layout_parameters(settings or MapSettings(), len(ids)),
            ids,
            drawn.positions,
            found.labels,
            found.membership,
            np.zeros(len(ids), dtype=bool),
        )
        _keep(lambda: catalogue.maps.save(space, new))
        kept, near = new, drawn.near.nearest(N_NEIGHBOURS_SHOWN)
    elif len(kept.tracks) < len(ids):
        kept = _extended(catalogue, kept, ids, vectors, space=space)
    kept = _without_empty(kept)
    if near is None:
        near = build_knn_graph(standardize_for_cosine(vectors, space=space), k=N_NEIGHBOURS_SHOWN, progress=progress)
    return MapData(space, tracks, vectors, kept, near)


def _without_empty(kept: StoredMap) -> StoredMap:
    """Leave out clusters of which every track has been removed, and number the others anew."""
    present = np.unique(kept.clusters[kept.clusters >= 0])
    number = np.full(kept.membership.shape[1] + 1, NO_CLUSTER)  # the last one is for NONE
    number[present] = np.arange(len(present))
    return replace(kept, clusters=number[kept.clusters], membership=kept.membership[:, present])


def _answers(kept: StoredMap, settings: MapSettings | None) -> bool:
    """Whether a map was made with what is asked for."""
    if settings is None:
        return True
    asked = {one.name: getattr(settings, one.name) for one in fields(settings)}
    return all(value is None or kept.parameters.get(name) == value for name, value in asked.items())


def _keep(write: Callable[[], None]) -> None:
    """Keep a map where the library may be written; else it is drawn again next time."""
    try:
        write()
    except LibraryError as error:
        log.warning("the map is not kept: %s", error)


def _extended(
    catalogue: Catalogue, kept: StoredMap, ids: npt.NDArray[np.int64], vectors: FloatArray, *, space: str
) -> StoredMap:
    """Put the tracks that are not on a map yet where they belong, one at a time, and keep their positions.

    A track belongs to clusters as its nearest on the drawn map do, on average; its own is that of most of them.
    """
    row_of = {int(id_): row for row, id_ in enumerate(ids)}
    drawn = np.flatnonzero(~kept.later)
    base = vectors[[row_of[int(kept.tracks[row])] for row in drawn]]
    missing = np.setdiff1d(np.arange(len(ids)), [row_of[int(id_)] for id_ in kept.tracks])
    index = ExactIndex.build(np.arange(len(drawn), dtype=np.int64), standardize_for_cosine(base, space=space))
    neighbours = min(int(kept.parameters["neighbours"]), len(drawn))
    found, similarities = index.search(
        standardize_for_cosine(vectors[missing], space=space, among=base),
        k=min(max(neighbours, NEIGHBOURS), len(drawn)),
    )
    seed, count = int(kept.parameters["seed"]), kept.membership.shape[1]
    positions, clusters, membership = [], [], []
    for rows, cosines in zip(found, similarities, strict=True):
        near = KnnGraph(rows[None, :neighbours], cosines[None, :neighbours])
        positions.append(transform_one(near, kept.positions[drawn], seed=seed))
        votes = np.bincount(kept.clusters[drawn[rows]] - NO_CLUSTER, minlength=count + 1)
        clusters.append(int(votes.argmax()) + NO_CLUSTER)
        membership.append(kept.membership[drawn[rows]].mean(axis=0))
    added = StoredMap(
        kept.parameters,
        ids[missing],
        np.array(positions, dtype=np.float32),
        np.array(clusters, dtype=np.int64),
        np.array(membership, dtype=np.float32).reshape(len(missing), count),
        np.ones(len(missing), dtype=bool),
    )
    _keep(lambda: catalogue.maps.add_positions(space, added))
    whole = _joined(kept, added, ids)
    log.info("%d tracks were put on the map, which was drawn without them; nothing on it moved", len(missing))
    if whole.later.mean() > MANY_LATER:
        log.warning(
            "%.0f %% of the tracks came after the map was drawn; --rebuild draws it anew", 100 * whole.later.mean()
        )
    return whole


def _joined(one: StoredMap, other: StoredMap, ids: npt.NDArray[np.int64]) -> StoredMap:
    """Put two parts of a map together, in the order of some ids."""
    tracks = np.concatenate([one.tracks, other.tracks])
    place_of = {int(id_): row for row, id_ in enumerate(tracks)}
    order = [place_of[int(id_)] for id_ in ids]
    return StoredMap(
        one.parameters,
        tracks[order],
        *(
            np.concatenate([getattr(one, name), getattr(other, name)])[order]
            for name in ("positions", "clusters", "membership", "later")
        ),
    )
