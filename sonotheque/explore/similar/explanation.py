"""Say why tracks are similar: what they have in common, and which parts of them are most alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.embed import musicnn
from sonotheque.embed.auto_tags import TAGS, tag_logits
from sonotheque.embed.space import SEGMENT
from sonotheque.explore.similar.seeds import Seed
from sonotheque.explore.track_attributes import find_likely_tags
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
    if not hits:
        return []
    first = catalogue.tracks.read(seeds[0].tracks[:1]) if seeds[0].tracks else {}
    query = next(iter(first.values()), None)
    tags = _likely_tags(catalogue, [*([query.id] if query else []), *(hit.id for hit in hits)])
    offset = 0.0 if segment is None else SEGMENT * (segment[0] // SEGMENT)
    own = [(path, segments) for seed in seeds for path, segments in zip(seed.paths, seed.segments, strict=False)]
    segments = [*(segments for _, segments in own), *(catalogue.vectors.segments(hit.id, space) for hit in hits)]
    directions = np.split(
        measure.center_directions(np.concatenate(segments)), np.cumsum([len(part) for part in segments])[:-1]
    )
    parts = [(path, part) for (path, _), part in zip(own, directions, strict=False)]
    return [
        Explanation(
            _shared(query, hit, catalogue=catalogue, tags=tags) if query else (), _best_pair(parts, part, offset=offset)
        )
        for hit, part in zip(hits, directions[len(own) :], strict=True)
    ]


def _likely_tags(catalogue: Catalogue, tracks: Sequence[int]) -> dict[int, list[str]]:
    """Map tracks to their likely auto-tags; tracks without auto-tags are left out."""
    known: list[int] = []
    logits: list[npt.NDArray[np.floating]] = []
    if catalogue.spaces.has(musicnn.SPACE.id):
        ids, vectors = catalogue.vectors.read(musicnn.SPACE.id, tracks)
        known += ids.tolist()
        logits += list(tag_logits(vectors)) if len(ids) else []
    for track in set(tracks) - set(known):
        stored = catalogue.attributes.auto_tags_of(track, musicnn.SPACE.id)
        if stored is not None:
            known.append(track)
            logits.append(stored)
    if not known:
        return {}
    likely = find_likely_tags(np.stack(logits, axis=1))
    return {track: [TAGS[tag] for tag in np.flatnonzero(likely[:, column])] for column, track in enumerate(known)}


def _shared(query: Track, hit: Track, *, catalogue: Catalogue, tags: dict[int, list[str]]) -> list[str]:
    shared = []
    genre = query.label or query.genre
    if genre and genre == (hit.label or hit.genre):
        shared.append(genre)
    both = [tag for tag in tags.get(query.id, ()) if tag in tags.get(hit.id, ()) and tag not in shared]
    shared += both[:MAX_TAGS]
    one, other = catalogue.tempo_keys.get(query.id), catalogue.tempo_keys.get(hit.id)
    if one and other:
        tempos = one.clear_tempo, other.clear_tempo
        if tempos[0] and tempos[1] and abs(tempos[0] / tempos[1] - 1) <= TEMPO_TOLERANCE:
            shared.append(f"{tempos[1]:.0f} BPM")
        if one.clear_key and one.clear_key == other.clear_key:
            shared.append(one.clear_key)
    return shared


def _best_pair(
    parts: Sequence[tuple[str, FloatArray]], directions: FloatArray, *, offset: float
) -> SegmentMatch | None:
    """Find the pair of segments with the largest cosine; of equal pairs, the first."""
    best: SegmentMatch | None = None
    for path, own in parts:
        cosines = np.round(own.astype(np.float64) @ directions.T, 6)
        row, column = divmod(int(cosines.argmax()), len(directions))
        if best is None or cosines[row, column] > best.similarity:
            best = SegmentMatch(
                query=path,
                query_start=offset + SEGMENT * row,
                start=SEGMENT * column,
                similarity=float(cosines[row, column]),
            )
    return best
