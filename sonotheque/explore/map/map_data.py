"""The map of a library. It is computed once and stored; tracks that are added later do not move the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from sonotheque.errors import LibraryError
from sonotheque.explore.map import clustering
from sonotheque.explore.map.clustering import NO_CLUSTER
from sonotheque.explore.map.layout import MapSettings, compute_layout, layout_parameters
from sonotheque.explore.map.projection import MIN_TRACKS, standardize_for_cosine, transform_one
from sonotheque.index import ExactIndex, KnnGraph, build_knn_graph
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.maps import StoredMap
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, IdArray, Progress

log = logging.getLogger("sonotheque")

N_NEIGHBOURS_SHOWN = 10
"""Number of nearest tracks that a map shows for each track."""

MAX_LATER = 1 / 3
"""Fraction of tracks added later above which a warning is logged, because the map no longer represents them well."""


@dataclass(frozen=True)
class MapData:
    """The tracks of a library and their map, ordered by content hash.

    Attributes
    ----------
    space : str
        Space id.
    tracks : list of Track
        N tracks.
    vectors : float32 array [N, D]
    stored_map : StoredMap
        In the same order.
    neighbours : KnnGraph
        The `N_NEIGHBOURS_SHOWN` nearest tracks of each track by cosine similarity, as rows.
    """

    space: str
    tracks: Sequence[Track]
    vectors: FloatArray
    stored_map: StoredMap
    neighbours: KnnGraph

    @property
    def standardized(self) -> FloatArray:
        """The vectors, standardised if their columns have different units, float32 [N, D]."""
        return standardize_for_cosine(self.vectors, space=self.space)


def load_map(
    catalogue: Catalogue,
    *,
    space: str,
    settings: MapSettings | None = None,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> MapData:
    """Load the stored map of a space and add new tracks to it, or compute the map if there is none.

    Parameters
    ----------
    catalogue : Catalogue
        The map is read from it and stored in it.
    space : str
        Space id.
    settings : MapSettings or None
        A stored map with other settings is computed again. None accepts any stored map.
    rebuild : bool
        Compute the map again in any case.
    progress : callable or None
        Called with (steps done, total steps) while the map is computed.

    Returns
    -------
    MapData
    """
    ids, vectors = catalogue.vectors.matrix(space)
    known = {track.id: track for track in catalogue.tracks.all()}
    tracks = [known[int(id_)] for id_ in ids]
    stored = catalogue.maps.read(space)
    neighbours = None
    if (
        stored is None
        or rebuild
        or not _has_settings(stored, settings)
        or (~stored.later).sum() < min(MIN_TRACKS, len(ids))
    ):
        layout = compute_layout(vectors, space=space, settings=settings or MapSettings(), progress=progress)
        computed = StoredMap(
            layout_parameters(settings or MapSettings(), len(ids)),
            ids,
            layout.positions,
            layout.clusters.labels,
            layout.clusters.membership,
            np.zeros(len(ids), dtype=bool),
        )
        _store(lambda: catalogue.maps.save(space, computed))
        stored, neighbours = computed, layout.neighbours.nearest(N_NEIGHBOURS_SHOWN)
    elif len(stored.tracks) < len(ids):
        stored = _add_new_tracks(catalogue, stored, ids, vectors, space=space)
    stored = _drop_empty_clusters(stored)
    if neighbours is None:
        standardized = standardize_for_cosine(vectors, space=space)
        neighbours = build_knn_graph(standardized, k=N_NEIGHBOURS_SHOWN, progress=progress)
    return MapData(space, tracks, vectors, stored, neighbours)


def _drop_empty_clusters(stored: StoredMap) -> StoredMap:
    """Drop the clusters whose tracks have all been removed, and renumber the others."""
    present = np.unique(stored.clusters[stored.clusters >= 0])
    new_number = np.full(stored.membership.shape[1] + 1, NO_CLUSTER)  # the last element maps NO_CLUSTER to itself
    new_number[present] = np.arange(len(present))
    return replace(stored, clusters=new_number[stored.clusters], membership=stored.membership[:, present])


def _has_settings(stored: StoredMap, settings: MapSettings | None) -> bool:
    """Whether a map was computed with the given settings. Settings that are None match any value."""
    if settings is None:
        return True
    requested = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return all(value is None or stored.parameters.get(name) == value for name, value in requested.items())


def _store(write: Callable[[], None]) -> None:
    """Store a map. If the library is read-only, log a warning; the map will be computed again next time."""
    try:
        write()
    except LibraryError as error:
        log.warning("the map is not stored: %s", error)


def _add_new_tracks(
    catalogue: Catalogue, stored: StoredMap, ids: IdArray, vectors: FloatArray, *, space: str
) -> StoredMap:
    """Add the tracks that are not on a map yet, one at a time, and store their positions. The other tracks do not move.

    The membership of a track is the mean of its nearest tracks on the computed map; its cluster is the most frequent of theirs.
    """
    row_of = {int(id_): row for row, id_ in enumerate(ids)}
    computed = np.flatnonzero(~stored.later)
    base = vectors[[row_of[int(stored.tracks[row])] for row in computed]]
    missing = np.setdiff1d(np.arange(len(ids)), [row_of[int(id_)] for id_ in stored.tracks])
    index = ExactIndex.build(np.arange(len(computed), dtype=np.int64), standardize_for_cosine(base, space=space))
    n_neighbours = min(int(stored.parameters["neighbours"]), len(computed))
    nearest, similarities = index.search(
        standardize_for_cosine(vectors[missing], space=space, fit_on=base),
        k=min(max(n_neighbours, clustering.NEIGHBOURS), len(computed)),
    )
    seed, n_clusters = int(stored.parameters["seed"]), stored.membership.shape[1]
    positions, clusters, membership = [], [], []
    for rows, cosines in zip(nearest, similarities, strict=True):
        neighbours = KnnGraph(rows[None, :n_neighbours], cosines[None, :n_neighbours])
        positions.append(transform_one(neighbours, stored.positions[computed], seed=seed))
        votes = np.bincount(stored.clusters[computed[rows]] - NO_CLUSTER, minlength=n_clusters + 1)
        clusters.append(int(votes.argmax()) + NO_CLUSTER)
        membership.append(stored.membership[computed[rows]].mean(axis=0))
    added = StoredMap(
        stored.parameters,
        ids[missing],
        np.array(positions, dtype=np.float32),
        np.array(clusters, dtype=np.int64),
        np.array(membership, dtype=np.float32).reshape(len(missing), n_clusters),
        np.ones(len(missing), dtype=bool),
    )
    _store(lambda: catalogue.maps.add_positions(space, added))
    merged = _concatenate(stored, added, ids)
    log.info("%s added to the map; the other tracks did not move", pluralize(len(missing), "track"))
    if merged.later.mean() > MAX_LATER:
        log.warning(
            "%.0f %% of the tracks were added after the map was computed; --rebuild computes it again",
            100 * merged.later.mean(),
        )
    return merged


def _concatenate(stored: StoredMap, added: StoredMap, ids: IdArray) -> StoredMap:
    """Concatenate two parts of a map, in the order of the given track ids."""
    tracks = np.concatenate([stored.tracks, added.tracks])
    row_of = {int(id_): row for row, id_ in enumerate(tracks)}
    order = [row_of[int(id_)] for id_ in ids]
    return StoredMap(
        stored.parameters,
        tracks[order],
        *(
            np.concatenate([getattr(stored, name), getattr(added, name)])[order]
            for name in ("positions", "clusters", "membership", "later")
        ),
    )
