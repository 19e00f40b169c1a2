"""Turn queries into the seeds of a search: tracks of the library or files, with their vectors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import SEGMENT
from sonotheque.errors import LibraryError
from sonotheque.explore.similar.query import resolve_query
from sonotheque.extract import extract_file
from sonotheque.index import SimilarityMeasure
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import FloatArray, PathLike

DISLIKE_WEIGHT = 0.5
"""Weight of all negative seeds together, relative to the positive ones. Rocchio (1971) proposes a smaller weight for what is not
wanted, because it says less about what is."""


@dataclass(frozen=True)
class Seed:
    """One query: a track, a file, or all tracks by an artist.

    Attributes
    ----------
    paths : sequence of str
    tracks : sequence of int
        Track ids, one for each path; empty for a file that is not in the library.
    vectors : sequence of float32 array [D]
        Track vectors, one for each path.
    segments : sequence of float32 array [S, D]
        Segment vectors, one array for each path.
    """

    paths: Sequence[str]
    tracks: Sequence[int]
    vectors: Sequence[FloatArray]
    segments: Sequence[FloatArray]


def load_seed(query: PathLike, *, catalogue: Catalogue, space: str, compute: Compute = Compute()) -> Seed:
    """Find what a query means, and get its vectors.

    Parameters
    ----------
    query : str or path
        See `resolve_query`.
    catalogue : Catalogue
    space : str
        Space id.
    compute : Compute
        Used to extract the vectors of a file that is not in the catalogue.

    Raises
    ------
    LibraryError
        If the query is neither a file nor names a track.
    AudioError
        If a file cannot be decoded.
    """
    resolved = resolve_query(os.fspath(query), catalogue=catalogue)
    embedded = [
        (path, track)
        for path, track in zip(resolved.paths, resolved.tracks, strict=False)
        if catalogue.vectors.has(track, space)
    ]
    if embedded:
        pairs = [
            (catalogue.vectors.track_vector(track, space), catalogue.vectors.segments(track, space))
            for _, track in embedded
        ]
        return Seed(resolved.paths, [track for _, track in embedded], *zip(*pairs, strict=True))
    vector, segments = extract_file(resolved.paths[0], spaces=[space], compute=compute)[space]
    return Seed(resolved.paths, (), [vector], [vector[None] if segments is None else segments])


def cut_seed(seed: Seed, start: float, end: float) -> Seed:
    """Reduce a seed to the segments that overlap a part of the track.

    Parameters
    ----------
    seed : Seed
    start, end : float
        In s from the start of the track.

    Raises
    ------
    LibraryError
        If the seed is several tracks, or the part is not inside the track.
    """
    if len(seed.vectors) > 1:
        raise LibraryError(f"a segment needs one track, but the query names {len(seed.vectors)}")
    segments = seed.segments[0]
    first, last = int(start // SEGMENT), int(np.ceil(end / SEGMENT))
    part = segments[first:last]
    if start >= end or not len(part):
        raise LibraryError(
            f"{seed.paths[0]}: nothing from {start:g} to {end:g} s; the track has {pluralize(len(segments), 'segment')} of 10 s"
        )
    return Seed(seed.paths, seed.tracks, [part.mean(axis=0)], [part])


def combine_seeds(liked: Sequence[Seed], disliked: Sequence[Seed], *, measure: SimilarityMeasure) -> FloatArray:
    """Combine seeds into one query, float32 [1, D'].

    An artist counts as one seed: the mean direction of the tracks. All liked seeds have the same weight; the disliked seeds
    together have `DISLIKE_WEIGHT`, with the opposite sign.
    """
    queries = [
        measure.average_queries(measure.transform_queries(np.stack(list(seed.vectors)))) for seed in (*liked, *disliked)
    ]
    weights = [1.0 / len(liked)] * len(liked) + [-DISLIKE_WEIGHT / max(1, len(disliked))] * len(disliked)
    return measure.average_queries(np.concatenate(queries), weights=weights)
