"""Similar tracks: the neighbours of one or several vectors, without the query itself and within limits."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError
from sonotheque.explore.similar.query import listen_to, resolve_query
from sonotheque.index import ExactIndex, l2_normalize
from sonotheque.results import SimilarityResult, SimilarTrack
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import FloatArray


@dataclass(frozen=True)
class SimilarityLimits:
    """What a person wants to see.

    Attributes
    ----------
    k : int
        Wanted tracks.
    max_per_artist : int or None
        Tracks of one artist at most; a track without an artist counts for itself.
    genre : str or None
        Only tracks of this label or, where they have none, of this genre in their tags; case does not matter.
    """

    k: int = 10
    max_per_artist: int | None = None
    genre: str | None = None


def find_similar(
    queries: Sequence[str | os.PathLike[str]],
    *,
    catalogue: Catalogue,
    index: ExactIndex,
    space: str,
    limits: SimilarityLimits,
    compute: Compute = Compute(),
) -> SimilarityResult:
    """Find the tracks of a catalogue that are nearest to tracks or files.

    Parameters
    ----------
    queries : paths, or names of tracks' files
    catalogue : Catalogue
    index : ExactIndex
        Of the space.
    space : str
    limits : Limits
    compute : Compute
        For files that the catalogue does not know.

    Raises
    ------
    LibraryError
        If a query is neither a track nor a file, or no track has the genre.
    AudioError
        If a file cannot be decoded.
    """
    embedded = catalogue.vectors.embedded([space])
    tracks = {track.id: track for track in catalogue.tracks.all() if track.id in embedded}
    wanted, exclude, paths = [], set(), []
    for query in queries:
        path, track = resolve_query(os.fspath(query), catalogue=catalogue)
        paths.append(path)
        if track is not None and track in tracks:
            exclude.add(track)
            wanted.append(catalogue.vectors.track_vector(track, space))
        else:
            wanted.append(listen_to(path, space=space, compute=compute))
    genres = {(track.label or track.genre or "").casefold() for track in tracks.values()}
    if limits.genre is not None and limits.genre.casefold() not in genres:
        known = ", ".join(sorted(genres - {""})[:20]) or "none"
        raise LibraryError(f"no track is labelled or tagged {limits.genre!r}; the genres here are: {known}")
    hits = nearest_tracks(np.stack(wanted), index=index, tracks=tracks, exclude=exclude, limits=limits)
    return SimilarityResult(
        query=paths,
        space=space,
        results=[
            SimilarTrack(rank, similarity, hit.path, hit.title, hit.artist, hit.album, hit.seconds)
            for rank, (hit, similarity) in enumerate(hits, start=1)
        ],
    )


def nearest_tracks(
    queries: FloatArray,
    *,
    index: ExactIndex,
    tracks: Mapping[int, Track],
    exclude: Collection[int] = (),
    limits: SimilarityLimits = SimilarityLimits(),
) -> list[tuple[Track, float]]:
    """Find the tracks nearest to the mean direction of the queries.

    Parameters
    ----------
    queries : float32 array [Q, D]
    index : ExactIndex
        Over track ids.
    tracks : mapping of id to track
    exclude : ids of tracks never returned: the queries themselves
    limits : Limits

    Returns
    -------
    list of (track, cosine similarity), nearest first; of equally near ones the first by content hash
    """
    genre = limits.genre.casefold() if limits.genre else None
    among = np.array(
        [
            id_
            for id_, track in tracks.items()
            if id_ not in exclude and (genre is None or (track.label or track.genre or "").casefold() == genre)
        ],
        dtype=np.int64,
    )
    center = l2_normalize(l2_normalize(queries).mean(axis=0, keepdims=True))
    wanted = limits.k if limits.max_per_artist is None else 4 * limits.k
    while True:
        ids, similarities = index.search(center, k=wanted, restrict_to=among)
        ranked = sorted(
            ((tracks[int(id_)], round(float(s), 6)) for id_, s in zip(ids[0], similarities[0], strict=True)),
            key=lambda hit: (-hit[1], hit[0].hash),
        )
        result = _few_per_artist(ranked, limits.max_per_artist)[: limits.k]
        if len(result) == limits.k or wanted >= len(among):
            return result
        wanted *= 4


def _few_per_artist(ranked: list[tuple[Track, float]], most: int | None) -> list[tuple[Track, float]]:
    if most is None:
        return ranked
    seen: Counter[str] = Counter()
    result = []
    for track, similarity in ranked:
        artist = (track.artist or track.hash).strip().casefold()
        seen[artist] += 1
        if seen[artist] <= most:
            result.append((track, similarity))
    return result
