"""Find the tracks that are nearest to one or several query vectors, with limits on genre and artist."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError
from sonotheque.explore.similar.query import resolve_query
from sonotheque.extract import extract_file
from sonotheque.index import UpdatableIndex, l2_normalize
from sonotheque.plurals import pluralize
from sonotheque.results import Shortfall, SimilarityResult, SimilarTrack
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.store.search_names import search_key
from sonotheque.types import FloatArray, IdArray, PathLike


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
        Return only tracks with this label or, for unlabelled tracks, with this genre in their file tags. Case, accents, white
        space and Unicode normalisation are ignored.
    """

    k: int = 10
    max_per_artist: int | None = None
    genre: str | None = None


def find_similar(
    queries: Sequence[PathLike],
    *,
    catalogue: Catalogue,
    index: UpdatableIndex,
    space: str,
    limits: SimilarityLimits,
    compute: Compute = Compute(),
) -> SimilarityResult:
    """Find the tracks of a catalogue that are nearest to tracks or files.

    Parameters
    ----------
    queries : sequence of str or path
        See `resolve_query`. An artist counts as one query: the mean of its tracks.
    catalogue : Catalogue
    index : UpdatableIndex
        The index of the space.
    space : str
        Space id.
    limits : SimilarityLimits
    compute : Compute
        Used to extract vectors of files that are not in the catalogue.

    Returns
    -------
    SimilarityResult
        The queries and their duplicates are not in it. If fewer tracks are found than requested, `shortfall` says why.

    Raises
    ------
    LibraryError
        If a query is neither a file nor names a track, or no track has the genre.
    AudioError
        If a file cannot be decoded.
    """
    vectors: list[FloatArray] = []
    exclude: set[int] = set()
    paths: list[str] = []
    for query in queries:
        resolved = resolve_query(os.fspath(query), catalogue=catalogue)
        paths += resolved.paths
        embedded = [track for track in resolved.tracks if catalogue.vectors.has(track, space)]
        exclude.update(embedded)
        if embedded:
            vectors.append(_mean_direction([catalogue.vectors.track_vector(track, space) for track in embedded]))
        else:
            vectors.append(extract_file(resolved.paths[0], spaces=[space], compute=compute)[space][0])
    candidates = None if limits.genre is None else _tracks_of_genre(catalogue, limits.genre, space)
    hits, shortfall = nearest_tracks(
        _mean_direction(vectors),
        index=index,
        catalogue=catalogue,
        restrict_to=candidates,
        exclude=exclude,
        limits=limits,
    )
    return SimilarityResult(
        query=paths,
        space=space,
        results=[
            SimilarTrack(rank, similarity, hit.path, hit.title, hit.artist, hit.album, hit.seconds)
            for rank, (hit, similarity) in enumerate(hits, start=1)
        ],
        shortfall=shortfall,
    )


def _mean_direction(vectors: Sequence[FloatArray]) -> FloatArray:
    """Return the mean direction of vectors, float32 [D], with equal weights. A single vector is returned unchanged."""
    if len(vectors) == 1:
        return vectors[0]
    mean: FloatArray = l2_normalize(l2_normalize(np.stack(vectors)).mean(axis=0))
    return mean


def _tracks_of_genre(catalogue: Catalogue, genre: str, space: str) -> IdArray:
    known = catalogue.tracks.genres()
    same = [name for name in known if search_key(name) == search_key(genre)]
    if not same:
        names = ", ".join(sorted({name.casefold() for name in known})[:20]) or "none"
        raise LibraryError(f"no track is labelled or tagged {genre!r}; the genres here are: {names}")
    return np.array([id_ for name in same for id_ in catalogue.tracks.with_genre(name, space=space)], dtype=np.int64)


def nearest_tracks(
    query: FloatArray,
    *,
    index: UpdatableIndex,
    catalogue: Catalogue,
    restrict_to: IdArray | None = None,
    exclude: Collection[int] = (),
    limits: SimilarityLimits = SimilarityLimits(),
) -> tuple[list[tuple[Track, float]], Shortfall | None]:
    """Find the tracks that are nearest to a query vector. Only the tracks that are found are read.

    Parameters
    ----------
    query : float32 array [D]
    index : UpdatableIndex
        Its ids are track ids.
    catalogue : Catalogue
    restrict_to : int64 array [M] or None
        Return only tracks with these ids, those of the genre.
    exclude : collection of track ids
        Tracks that are never returned, such as the queries themselves. They are in the index.
    limits : SimilarityLimits

    Returns
    -------
    hits : list of (track, cosine similarity)
        The nearest first. Ties are ordered by content hash.
    shortfall : Shortfall or None
        Why there are fewer than `limits.k`.
    """
    others = len(index) - len(exclude)
    of_genre = others if restrict_to is None else int((~np.isin(restrict_to, list(exclude))).sum())
    k = limits.k if limits.max_per_artist is None else 4 * limits.k
    tracks: dict[int, Track] = {}
    while True:
        ids, similarities = index.search(query[None], k=k + len(exclude), restrict_to=restrict_to)
        found = [
            (int(id_), float(s)) for id_, s in zip(ids[0], similarities[0], strict=True) if int(id_) not in exclude
        ]
        tracks |= catalogue.tracks.read(id_ for id_, _ in found if id_ not in tracks)
        ranked = sorted(
            ((tracks[id_], round(similarity, 6)) for id_, similarity in found),
            key=lambda hit: (-hit[1], hit[0].hash),
        )
        allowed = _limit_per_artist(ranked, limits.max_per_artist)
        if len(allowed) >= limits.k:
            return allowed[: limits.k], None
        if k >= of_genre:
            unembedded = catalogue.tracks.count() - len(index)
            return allowed, _explain_shortfall(
                limits, others=others, unembedded=unembedded, of_genre=of_genre, found=len(allowed)
            )
        k *= 4


def _explain_shortfall(
    limits: SimilarityLimits, *, others: int, unembedded: int, of_genre: int, found: int
) -> Shortfall:
    reasons = []
    if others < limits.k:
        missing = f" ({pluralize(unembedded, 'track')} more without vectors in this space)" if unembedded else ""
        present = f"only {pluralize(others, 'track')}" if others else "no track"
        reasons.append(f"the library has {present} besides the query{missing}")
    if limits.genre is not None and of_genre < min(others, limits.k):
        only = (
            f"only {of_genre} of them with"
            if reasons
            else f"only {pluralize(of_genre, 'track')} besides the query with"
        )
        reasons.append(f"{only} the genre {limits.genre!r}")
    if found < of_genre:
        reasons.append(
            f"the maximum of {limits.max_per_artist} per artist leaves out {pluralize(of_genre - found, 'track')}"
        )
    return Shortfall(
        requested=limits.k,
        others=others,
        of_genre=None if limits.genre is None else of_genre,
        over_artist_limit=None if limits.max_per_artist is None else of_genre - found,
        reason="; ".join(reasons),
    )


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
