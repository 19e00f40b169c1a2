"""Find the tracks of a genre or of a cluster of the map, which a playlist may be restricted to."""

from __future__ import annotations

from sonotheque.errors import LibraryError
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.search_names import search_key
from sonotheque.store.track_filter import TrackFilter, find_spellings
from sonotheque.types import IdArray


def find_genre(genre: str, *, catalogue: Catalogue) -> IdArray:
    """List the ids of the tracks with a label or, for unlabelled tracks, a genre in their file tags.

    Parameters
    ----------
    genre : str
        Case, accents, white space and Unicode normalisation are ignored.
    catalogue : Catalogue

    Returns
    -------
    int64 array [M]
        In ascending order.

    Raises
    ------
    LibraryError
        If no track has it.
    """
    return catalogue.filters.select(TrackFilter(genres=find_spellings(genre, catalogue.tracks.genres())))


def find_cluster(name: str, *, catalogue: Catalogue, space: str) -> IdArray:
    """List the ids of the tracks in a cluster of the stored map.

    Parameters
    ----------
    name : str
        The number of the cluster, as `sonotheque clusters` lists it, or its name. A number reads only that cluster. A name reads
        the whole map, because names are not stored.
    catalogue : Catalogue
    space : str
        Id of the space of the map.

    Returns
    -------
    int64 array [M]

    Raises
    ------
    LibraryError
        If there is no map, or it has no such cluster.
    """
    if name.strip().isdecimal():
        members = catalogue.maps.members(space, int(name) - 1) if len(name) < 10 else None
        if members is not None and len(members):
            return members
    names = _name_clusters(catalogue, space)
    matches = [number for number, known in enumerate(names) if search_key(known) == search_key(name)]
    if len(matches) == 1:
        members = catalogue.maps.members(space, matches[0])
        if members is not None:
            return members
    listed = "; ".join(f"{number} {known}" for number, known in enumerate(names, start=1)) or "none"
    problem = f"{pluralize(len(matches), 'cluster')} of that name, give a number" if matches else "no such cluster"
    raise LibraryError(f"{name}: {problem}; the clusters are: {listed}")


def _name_clusters(catalogue: Catalogue, space: str) -> list[str]:
    stored = catalogue.maps.read(space)
    if stored is None:
        raise LibraryError("the library has no map yet; `sonotheque clusters` computes it and lists the clusters")
    from sonotheque.explore.map.cluster_names import name_clusters
    from sonotheque.explore.map.map_summary import make_cluster_features
    from sonotheque.explore.track_attributes import load_track_attributes

    tracks = catalogue.tracks.read(stored.tracks.tolist())
    features = make_cluster_features([tracks[id_] for id_ in stored.tracks.tolist()], load_track_attributes(catalogue))
    return name_clusters(stored.clusters, features)
