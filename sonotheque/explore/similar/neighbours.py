"""Find the tracks that are nearest to one or several queries, within limits. Only the tracks that are found are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from sonotheque.embed.runtime import Compute
from sonotheque.errors import LibraryError
from sonotheque.explore.duplicates.candidates import near_duplicate_similarity
from sonotheque.explore.duplicates.same_recording import probably_same_recording
from sonotheque.explore.search.track_arrays import TrackArrays
from sonotheque.explore.similar.explanation import explain_hits
from sonotheque.explore.similar.limits import SimilarityLimits
from sonotheque.explore.similar.seeds import Seed, combine_seeds, cut_seed, load_seed
from sonotheque.explore.track_attributes import are_likely
from sonotheque.index import UpdatableIndex, l2_normalize
from sonotheque.plurals import pluralize
from sonotheque.results import Shortfall, SimilarityResult, SimilarTrack
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.store.search_names import search_key
from sonotheque.store.track_filter import find_spellings
from sonotheque.types import FloatArray, IdArray, PathLike

Hit = tuple[Track, float]
"""A track and its similarity to the query."""

MAX_CHECKED = 1000
"""Number of nearest tracks that are checked one by one. If too few of them meet the conditions, all tracks that do are listed
first, and only these are compared."""

CONDITIONAL_FACTOR = 16
"""How many of the nearest tracks are checked at first for each wanted one, if there are conditions. That suffices for a genre of
a tenth of the tracks, and comparing the query with all tracks a second time would take longer."""

SAME_RECORDING_SIMILARITY = 0.5
"""Similarity below which a track is not taken for the query's recording, whatever else is known of it."""

POOL_FACTOR, MIN_POOL = 5, 50
"""The tracks from which a diverse list is chosen: so many for each place in the list, and a minimum."""

SEGMENT_POOL = 500
"""The nearest tracks whose segments are compared with a part of a track."""


def find_similar(
    queries: Sequence[PathLike],
    *,
    unlike: Sequence[PathLike] = (),
    segment: tuple[float, float] | None = None,
    catalogue: Catalogue,
    index: UpdatableIndex,
    space: str,
    limits: SimilarityLimits,
    attributes: Callable[[], TrackArrays],
    compute: Compute = Compute(),
) -> SimilarityResult:
    """Find the tracks of a catalogue that are nearest to tracks or files.

    Parameters
    ----------
    queries : sequence of str or path
        See `resolve_query`. An artist counts as one query: the mean of its tracks.
    unlike : sequence of str or path
        Queries that the tracks should not resemble.
    segment : (start, end) or None
        Part of the only query to compare, in s. Tracks are then ranked by their most similar segment.
    catalogue : Catalogue
    index : UpdatableIndex
        The index of the space.
    space : str
        Space id.
    limits : SimilarityLimits
    attributes : callable
        Returns what is known of all tracks; called only if auto-tags are among the limits.
    compute : Compute
        Used to extract vectors of files that are not in the catalogue.

    Returns
    -------
    SimilarityResult
        The queries and their duplicates are not in it. If fewer tracks are found than requested, `shortfall` says why.

    Raises
    ------
    LibraryError
        If a query is neither a file nor names a track, no track has the genre, or the segment is not in the track.
    AudioError
        If a file cannot be decoded.
    """
    liked, disliked = (
        [load_seed(query, catalogue=catalogue, space=space, compute=compute) for query in names]
        for names in (queries, unlike)
    )
    if segment is not None:
        if len(liked) != 1 or disliked:
            raise LibraryError("a segment needs exactly one query")
        liked = [cut_seed(liked[0], *segment)]
    if limits.genre is not None:
        genres = find_spellings(limits.genre, catalogue.tracks.genres())
        limits = replace(limits, conditions=replace(limits.conditions, genres=genres))
    search = _Search(
        liked,
        catalogue=catalogue,
        index=index,
        space=space,
        limits=limits,
        exclude={track for seed in (*liked, *disliked) for track in seed.tracks},
        attributes=attributes,
    )
    query = combine_seeds(liked, disliked, measure=index.measure)
    hits, shortfall = search.by_segments(liked[0]) if segment is not None else search.nearest(query)
    reasons = explain_hits(
        liked, [track for track, _ in hits], catalogue=catalogue, space=space, measure=index.measure, segment=segment
    )
    return SimilarityResult(
        query=[path for seed in liked for path in seed.paths],
        space=space,
        results=[
            SimilarTrack(
                rank, similarity, hit.path, hit.title, hit.artist, hit.album, hit.seconds, reason.shared, reason.match
            )
            for rank, ((hit, similarity), reason) in enumerate(zip(hits, reasons, strict=True), start=1)
        ],
        shortfall=shortfall,
        unlike=[path for seed in disliked for path in seed.paths],
    )


class _Search:
    """One search: the nearest tracks that meet the conditions, with what has been read so far."""

    def __init__(
        self,
        seeds: Sequence[Seed],
        *,
        catalogue: Catalogue,
        index: UpdatableIndex,
        space: str,
        limits: SimilarityLimits,
        exclude: Collection[int],
        attributes: Callable[[], TrackArrays],
    ) -> None:
        self._seeds = seeds
        self._catalogue = catalogue
        self._index = index
        self._space = space
        self._limits = limits
        self._exclude = exclude
        self._attributes = attributes
        self._tracks: dict[int, Track] = {}
        self._same_recording: dict[int, bool] = {}
        self._conditional = bool(limits.conditions) or bool(limits.tags)

    def nearest(self, query: FloatArray) -> tuple[list[Hit], Shortfall | None]:
        """Find the tracks nearest to a transformed query, float32 [1, D'], and say why there are fewer than requested."""
        limits = self._limits
        wanted = max(MIN_POOL, POOL_FACTOR * limits.k) if limits.diversity else limits.k
        allowed, candidates = self._collect(query, wanted)
        if limits.diversity and allowed:
            allowed = self._diversify(allowed)
        hits = allowed[: limits.k]
        return hits, None if len(hits) == limits.k else self._explain_shortfall(len(hits), candidates)

    def by_segments(self, seed: Seed) -> tuple[list[Hit], Shortfall | None]:
        """Rank the nearest tracks by their segment that is most similar to a part of a track."""
        measure = self._index.measure
        query = measure.transform_queries(seed.vectors[0][None])
        pool, candidates = self._collect(query, max(SEGMENT_POOL, self._limits.k), limited=False)
        scored = []
        for track, _ in pool:
            rows = measure.transform_rows(self._catalogue.vectors.segments(track.id, self._space))
            values = measure.similarities(query @ rows.T, queries=query)
            scored.append((track, round(float(values.max()), 6)))
        hits = self._limit(sorted(scored, key=lambda hit: (-hit[1], hit[0].hash)))[: self._limits.k]
        return hits, None if len(hits) == self._limits.k else self._explain_shortfall(len(hits), candidates)

    def _collect(self, query: FloatArray, wanted: int, *, limited: bool = True) -> tuple[list[Hit], int | None]:
        """Fetch more and more neighbours until enough of them are allowed.

        Returns
        -------
        hits : list of (Track, similarity)
            Possibly more than wanted; ties are ordered by content hash.
        candidates : int or None
            Number of tracks besides the queries that meet the conditions; None if not all tracks were considered.
        """
        limits = self._limits
        limited_by_name = limits.max_per_artist is not None or limits.max_per_album is not None
        size = (CONDITIONAL_FACTOR if self._conditional else 4 if limited_by_name else 1) * wanted
        restrict_to: IdArray | None = None
        while True:
            requested = size + len(self._exclude)
            ids, similarities = self._index.search_transformed(
                query, k=requested, restrict_to=restrict_to, farthest=limits.farthest
            )
            complete = ids.shape[1] < requested or ids.shape[1] >= len(self._index)
            found = zip(ids[0].tolist(), similarities[0].tolist(), strict=True)
            passing = {track: value for track, value in found if track not in self._exclude}
            if self._conditional and restrict_to is None:
                meeting = self._check(passing)
                passing = {track: value for track, value in passing.items() if track in meeting}
            hits = self._rank(passing)
            if limited:
                hits = self._limit(hits)
            if len(hits) >= wanted or complete or self._is_below_minimum(similarities[0]):
                return hits, len(passing) if complete else None
            if self._conditional and restrict_to is None and size >= MAX_CHECKED:
                restrict_to = self._select()
                size = 4 * wanted
            else:
                size *= 4

    def _is_below_minimum(self, similarities: FloatArray) -> bool:
        minimum = self._limits.min_similarity
        return (
            minimum is not None and not self._limits.farthest and len(similarities) > 0 and similarities[-1] < minimum
        )

    def _check(self, tracks: Collection[int]) -> set[int]:
        """Return those of some tracks that meet the conditions."""
        meeting = set(tracks)
        if self._limits.conditions:
            meeting = self._catalogue.filters.check(meeting, self._limits.conditions)
        if self._limits.tags and meeting:
            ids = np.array(sorted(meeting), dtype=np.int64)
            meeting = set(ids[self._have_tags(ids)].tolist())
        return meeting

    def _select(self) -> IdArray:
        """List all tracks that meet the conditions."""
        conditions = self._limits.conditions
        ids = self._catalogue.filters.select(conditions) if conditions else np.asarray(self._arrays.ids)
        return ids[self._have_tags(ids)] if self._limits.tags else ids

    def _have_tags(self, ids: IdArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        rows = self._arrays.rows_of(ids)
        result = rows >= 0
        for tag in self._limits.tags:
            result &= are_likely(self._arrays.logits_of(np.maximum(rows, 0)), tag)
        return result

    @cached_property
    def _arrays(self) -> TrackArrays:
        return self._attributes()

    def _rank(self, found: Mapping[int, float]) -> list[Hit]:
        """Read tracks and sort them by similarity. Ties are ordered by content hash."""
        missing = [track for track in found if track not in self._tracks]
        self._tracks |= self._catalogue.tracks.read(missing)
        sign = 1 if self._limits.farthest else -1
        minimum = self._limits.min_similarity
        hits = [
            (self._tracks[track], round(value, 6))
            for track, value in found.items()
            if track in self._tracks and (minimum is None or value >= minimum)
        ]
        return sorted(hits, key=lambda hit: (sign * hit[1], hit[0].hash))

    def _limit(self, ranked: Sequence[Hit]) -> list[Hit]:
        """Leave out further recordings of the query, and tracks beyond the maximum per artist and per album."""
        artists: Counter[str] = Counter()
        albums: Counter[tuple[str, str]] = Counter()
        result = []
        for track, similarity in ranked if self._limits.same_recording else self._without_recording(ranked):
            artist = search_key(track.artist or "") or track.hash
            album = artist, search_key(track.album or "") or track.hash
            if self._limits.max_per_artist is not None and artists[artist] >= self._limits.max_per_artist:
                continue
            if self._limits.max_per_album is not None and albums[album] >= self._limits.max_per_album:
                continue
            artists[artist] += 1
            albums[album] += 1
            result.append((track, similarity))
        return result

    def _without_recording(self, ranked: Sequence[Hit]) -> list[Hit]:
        unknown = [
            track
            for track, similarity in ranked
            if track.id not in self._same_recording and similarity >= SAME_RECORDING_SIMILARITY
        ]
        for seed in self._seeds:
            for track, same in zip(unknown, self._are_recordings_of(seed, unknown), strict=True):
                self._same_recording[track.id] = self._same_recording.get(track.id, False) or same
        return [(track, similarity) for track, similarity in ranked if not self._same_recording.get(track.id, False)]

    def _are_recordings_of(self, seed: Seed, tracks: Sequence[Track]) -> list[bool]:
        if seed.tracks:
            known = self._catalogue.tracks.read(seed.tracks).values()
            found = [
                probably_same_recording(track, tracks, catalogue=self._catalogue, space=self._space) for track in known
            ]
            return [any(one) for one in zip(*found, strict=True)] if tracks else []
        minimum = near_duplicate_similarity(self._space)
        query = l2_normalize(seed.vectors[0])
        return [
            bool(query @ l2_normalize(self._catalogue.vectors.track_vector(track.id, self._space)) >= minimum)
            for track in tracks
        ]

    def _diversify(self, hits: Sequence[Hit]) -> list[Hit]:
        vectors = np.stack([self._catalogue.vectors.track_vector(track.id, self._space) for track, _ in hits])
        order = diversify(
            np.array([similarity for _, similarity in hits]),
            self._index.measure.center_directions(vectors),
            k=self._limits.k,
            diversity=self._limits.diversity,
        )
        return [hits[row] for row in order]

    def _explain_shortfall(self, found: int, candidates: int | None) -> Shortfall:
        limits = self._limits
        others = len(self._index) - len(self._exclude)
        meeting = others if candidates is None or not self._conditional else candidates
        reasons = []
        if others < limits.k and (limits.min_similarity is None or not others):
            unembedded = self._catalogue.tracks.count() - len(self._index)
            missing = f" ({pluralize(unembedded, 'track')} more without vectors in this space)" if unembedded else ""
            present = f"only {pluralize(others, 'track')}" if others else "no track"
            reasons.append(f"the library has {present} besides the query{missing}")
        if self._conditional and meeting < min(others, limits.k):
            present = f"only {pluralize(meeting, 'track')}" if meeting else "no track"
            only = f"only {meeting} of them" if reasons else f"{present} besides the query"
            reasons.append(f"{only} {self._describe_conditions()}")
        recordings = sum(self._same_recording.values())
        if recordings and found < meeting:
            reasons.append(f"{pluralize(recordings, 'track')} left out as the query's own recording (--same-recording)")
        left_out = meeting - found - recordings
        if limits.min_similarity is not None and left_out > 0:
            those = "the others" if found else "all tracks"
            reasons.append(f"{those} are below the minimum similarity of {limits.min_similarity:g}")
        elif left_out > 0 and (limits.max_per_artist is not None or limits.max_per_album is not None):
            maxima = [
                f"{maximum} per {name}"
                for maximum, name in ((limits.max_per_artist, "artist"), (limits.max_per_album, "album"))
                if maximum is not None
            ]
            reasons.append(f"the maximum of {' and '.join(maxima)} leaves out {pluralize(left_out, 'track')}")
        return Shortfall(
            requested=limits.k,
            others=others,
            of_genre=None if limits.genre is None else meeting,
            over_artist_limit=None if limits.max_per_artist is None else left_out,
            reason="; ".join(reasons),
        )

    def _describe_conditions(self) -> str:
        parts = [] if self._limits.genre is None else [f"the genre {self._limits.genre!r}"]
        parts += [f"the tag {tag!r}" for tag in self._limits.tags]
        others = bool(replace(self._limits.conditions, genres=None))
        if not parts:
            return "meeting the conditions"
        return f"with {' and '.join(parts)}{', meeting the other conditions' if others else ''}"


def diversify(similarities: FloatArray, directions: FloatArray, *, k: int, diversity: float) -> list[int]:
    """Choose a diverse list: maximal marginal relevance (Carbonell & Goldstein 1998).

    The first track is the most similar one. Each further one has the largest
    ``(1 - diversity) * similarity to the query - diversity * largest cosine to a track above it``.

    Parameters
    ----------
    similarities : float array [N]
        To the query, in descending order.
    directions : float32 array [N, D]
        Unit vectors.
    k : int
        Length of the list.
    diversity : float
        In [0, 1).

    Returns
    -------
    list of int
        Rows, at most `k`.

    Examples
    --------
    >>> directions = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> diversify(np.array([0.9, 0.89, 0.5]), directions, k=2, diversity=0.5)
    [0, 2]
    """
    chosen: list[int] = []
    nearest = np.full(len(similarities), -1.0)
    remaining = np.ones(len(similarities), dtype=bool)
    while len(chosen) < min(k, len(similarities)):
        penalty = nearest if chosen else np.zeros(len(similarities))
        scores = np.where(remaining, (1 - diversity) * similarities - diversity * penalty, -np.inf)
        best = int(scores.argmax())
        chosen.append(best)
        remaining[best] = False
        nearest = np.maximum(nearest, directions @ directions[best])
    return chosen
