"""Find the tracks that are nearest to one or several query vectors, with limits on genre and artist."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError
from sonotheque.explore.similar.query import resolve_query
from sonotheque.extract import extract_file
from sonotheque.index import ExactIndex, l2_normalize
from sonotheque.metadata.genres import genre_key
from sonotheque.results import SimilarityResult, SimilarTrack
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import FloatArray, PathLike


@dataclass(frozen=True)
class SimilarityLimits:
    """Limits on the tracks that are returned.

    Attributes
    ----------
    k : int
        Number of tracks.
    max_per_artist : int or None
        Maximum number of tracks by one artist. A track without an artist counts as an artist of its own.
    genre : str or None
        Return only tracks with this label or, for unlabelled tracks, with this genre in their file tags. Case, white
        space and Unicode normalisation are ignored.
    """

    k: int = 10
    max_per_artist: int | None = None
    genre: str | None = None


def find_similar(
    queries: Sequence[PathLike],
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
    queries : sequence of paths, or of file names of tracks
    catalogue : Catalogue
    index : ExactIndex
        The index of the space.
    space : str
        Space id.
    limits : SimilarityLimits
    compute : Compute
        Used to extract vectors of files that are not in the catalogue.

    Returns
    -------
    SimilarityResult

    Raises
    ------
    LibraryError
        If a query is neither a track nor a file, or no track has the genre.
    AudioError
        If a file cannot be decoded.
    """
    embedded = catalogue.vectors.embedded([space])
    tracks = {track.id: track for track in catalogue.tracks.all() if track.id in embedded}
    vectors, exclude, paths = [], set(), []
    for query in queries:
        path, track = resolve_query(os.fspath(query), catalogue=catalogue)
        paths.append(path)
        if track is not None and track in tracks:
            exclude.add(track)
            vectors.append(catalogue.vectors.track_vector(track, space))
        else:
            vectors.append(extract_file(path, spaces=[space], compute=compute)[space][0])
    genres = {_genre(track) for track in tracks.values()}
    if limits.genre is not None and genre_key(limits.genre) not in genres:
        known = ", ".join(sorted(genres - {""})[:20]) or "none"
        raise LibraryError(f"no track is labelled or tagged {limits.genre!r}; the genres here are: {known}")
    hits = nearest_tracks(np.stack(vectors), index=index, tracks=tracks, exclude=exclude, limits=limits)
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
    """Find the tracks that are nearest to the mean direction of the queries.

    Parameters
    ----------
    queries : float32 array [Q, D]
    index : ExactIndex
        Its ids are track ids.
    tracks : mapping of track id to Track
    exclude : collection of track ids
        Tracks that are never returned, such as the queries themselves.
    limits : SimilarityLimits

    Returns
    -------
    list of (track, cosine similarity)
        The nearest first. Ties are ordered by content hash.
    """
    genre = genre_key(limits.genre) if limits.genre else None
    candidates = np.array(
        [id_ for id_, track in tracks.items() if id_ not in exclude and (genre is None or _genre(track) == genre)],
        dtype=np.int64,
    )
    center = l2_normalize(l2_normalize(queries).mean(axis=0, keepdims=True))
    k = limits.k if limits.max_per_artist is None else 4 * limits.k
    while True:
        ids, similarities = index.search(center, k=k, restrict_to=candidates)
        ranked = sorted(
            ((tracks[int(id_)], round(float(s), 6)) for id_, s in zip(ids[0], similarities[0], strict=True)),
            key=lambda hit: (-hit[1], hit[0].hash),
        )
        result = _limit_per_artist(ranked, limits.max_per_artist)[: limits.k]
        if len(result) == limits.k or k >= len(candidates):
            return result
        k *= 4


def _genre(track: Track) -> str:
    """Return the key of the label of a track, else of the genre in its file tags. Empty if it has neither."""
    return genre_key(track.label or track.genre or "")


def _limit_per_artist(ranked: list[tuple[Track, float]], limit: int | None) -> list[tuple[Track, float]]:
    if limit is None:
        return ranked
    counts: Counter[str] = Counter()
    result = []
    for track, similarity in ranked:
        artist = (track.artist or track.hash).strip().casefold()
        counts[artist] += 1
        if counts[artist] <= limit:
            result.append((track, similarity))
    return result
