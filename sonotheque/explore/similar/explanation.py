"""Say why tracks are similar: what they have in common, and which parts of them are most alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import GROUPS, TAGS, logistic, tag_logits
from sonotheque.embed.space import SEGMENT
from sonotheque.explore.similar.seeds import Seed
from sonotheque.explore.track_attributes import TrackAttributes, likely_tags
from sonotheque.index import SimilarityMeasure
from sonotheque.results import SegmentMatch
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import FloatArray

TEMPO_TOLERANCE = 0.04
"""Relative difference up to which two tempos are the same: that of the tempo benchmark."""

MAX_TAGS = 3
"""Number of shared auto-tags that are named."""


@dataclass(frozen=True)
class Explanation:
    """Why a track is similar.

    Attributes
    ----------
    shared : sequence of str
        What it shares with the first query: the genre, likely auto-tags, the tempo, the key.
    match : SegmentMatch or None
        The pair of segments that are most alike.
    """

    shared: Sequence[str]
    match: SegmentMatch | None


def explain_hits(
    seeds: Sequence[Seed],
    hits: Sequence[Track],
    *,
    catalogue: Catalogue,
    space: str,
    measure: SimilarityMeasure,
    segment: tuple[float, float] | None = None,
) -> list[Explanation]:
    """Explain search results. Only rows of the queries and of the results are read.

    Parameters
    ----------
    seeds : sequence of Seed
    hits : sequence of Track
    catalogue : Catalogue
    space : str
        Space id.
    measure : SimilarityMeasure
        That of the space.
    segment : (start, end) or None
        The part of the query that was compared, in s.

    Returns
    -------
    list of Explanation
        In the order of `hits`.
    """
    first = catalogue.tracks.read(seeds[0].tracks[:1]) if seeds[0].tracks else {}
    track = next(iter(first.values()), None)
    known = [*([track] if track else []), *hits]
    tags = _likely_tags(catalogue, [one.id for one in known])
    offset = 0.0 if segment is None else SEGMENT * (segment[0] // SEGMENT)
    parts = [
        (path, measure.transform_queries(segments)[:, : segments.shape[1]])
        for seed in seeds
        for path, segments in zip(seed.paths, seed.segments, strict=False)
    ]
    return [
        Explanation(
            _shared(track, hit, catalogue=catalogue, tags=tags) if track else (),
            _best_pair(parts, catalogue.vectors.segments(hit.id, space), measure=measure, offset=offset),
        )
        for hit in hits
    ]


def _likely_tags(catalogue: Catalogue, tracks: Sequence[int]) -> dict[int, list[str]]:
    """Map tracks to their likely auto-tags; tracks without auto-tags are left out."""
    logits: dict[int, FloatArray] = {}
    for track in tracks:
        if catalogue.vectors.has(track, musicnn.SPACE.id):
            logits[track] = tag_logits(catalogue.vectors.track_vector(track, musicnn.SPACE.id)[None])[0]
        elif (stored := catalogue.attributes.auto_tags_of(track, musicnn.SPACE.id)) is not None:
            logits[track] = stored
    return {
        track: [
            tag
            for group in GROUPS
            for tag in likely_tags(TrackAttributes(tags=logistic(values.astype(np.float64))), group)
        ]
        for track, values in logits.items()
    }


def _shared(query: Track, hit: Track, *, catalogue: Catalogue, tags: dict[int, list[str]]) -> list[str]:
    shared = []
    genre = query.label or query.genre
    if genre and genre == (hit.label or hit.genre):
        shared.append(genre)
    both = [tag for tag in tags.get(query.id, ()) if tag in tags.get(hit.id, ()) and tag not in shared]
    shared += sorted(both, key=TAGS.index)[:MAX_TAGS]
    one, other = catalogue.tempo_keys.get(query.id), catalogue.tempo_keys.get(hit.id)
    if one and other:
        tempos = one.clear_tempo, other.clear_tempo
        if tempos[0] and tempos[1] and abs(tempos[0] / tempos[1] - 1) <= TEMPO_TOLERANCE:
            shared.append(f"{tempos[1]:.0f} BPM")
        if one.clear_key and one.clear_key == other.clear_key:
            shared.append(one.clear_key)
    return shared


def _best_pair(
    parts: Sequence[tuple[str, FloatArray]], segments: FloatArray, *, measure: SimilarityMeasure, offset: float
) -> SegmentMatch | None:
    """Find the pair of segments with the largest cosine; of equal pairs, the first."""
    directions = measure.transform_queries(segments)[:, : segments.shape[1]]
    best: SegmentMatch | None = None
    for path, queries in parts:
        cosines = np.round(queries.astype(np.float64) @ directions.T, 6)
        row, column = np.unravel_index(int(cosines.argmax()), cosines.shape)
        if best is None or cosines[row, column] > best.similarity:
            best = SegmentMatch(
                query=path,
                query_start=offset + SEGMENT * float(row),
                start=SEGMENT * float(column),
                similarity=float(cosines[row, column]),
            )
    return best
