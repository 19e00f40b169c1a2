"""The tracks that a playlist is chosen from: a few of the library, with their vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.explore.duplicates.candidates import MIN_SIMILARITY
from sonotheque.explore.duplicates.same_recording import probably_same_recording
from sonotheque.index import UpdatableIndex, l2_normalize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.store.search_names import search_key
from sonotheque.types import Float64Array, FloatArray, IdArray

FIRST_SEARCH = 100
"""Nearest tracks that are searched for first."""

N_READ = 50
"""Tracks that are read at once."""


@dataclass(frozen=True, eq=False)
class PoolTrack:
    """A track with its vector.

    Attributes
    ----------
    track : Track
    vector : float32 array [D]
        Unit vector, as it is stored.
    direction : float64 array [D]
        Unit vector as the measure of the space compares it: centred, and scaled for descriptors.
    """

    track: Track
    vector: FloatArray
    direction: Float64Array

    @property
    def artist(self) -> str | None:
        """The artist's name without case and accents; None if there is none."""
        return search_key(self.track.artist or "") or None

    @property
    def album(self) -> tuple[str, str] | None:
        """The album with its artist, without case and accents; None if there is none."""
        album = search_key(self.track.album or "")
        return (self.artist or "", album) if album else None


class TrackPool:
    """Reads tracks with their vectors when they are needed, each once.

    Parameters
    ----------
    catalogue : Catalogue
    space : str
        Space id.
    index : UpdatableIndex
        The index of the space.
    restrict_to : int64 array [M] or None
        Ids of the tracks that may be chosen. None allows all.
    """

    def __init__(
        self, catalogue: Catalogue, *, space: str, index: UpdatableIndex, restrict_to: IdArray | None = None
    ) -> None:
        self.catalogue, self.space, self.index = catalogue, space, index
        self._restrict_to = restrict_to
        self._known: dict[int, PoolTrack] = {}
        self._same: dict[tuple[int, int], bool] = {}

    def read(self, ids: Sequence[int]) -> list[PoolTrack]:
        """Return tracks in the order of their ids. Those without a vector in the space are left out."""
        new = [track for track in dict.fromkeys(ids) if track not in self._known]
        if new:
            tracks = self.catalogue.tracks.read(new)
            found, vectors = self.catalogue.vectors.read(self.space, new)
            directions = self.index.measure.transform_queries(vectors)[:, : vectors.shape[1]].astype(np.float64)
            for id_, vector, direction in zip(found.tolist(), l2_normalize(vectors), directions, strict=True):
                if id_ in tracks:
                    self._known[id_] = PoolTrack(tracks[id_], vector, direction)
        return [self._known[track] for track in ids if track in self._known]

    def read_given(self, ids: Sequence[int]) -> list[PoolTrack]:
        """Return tracks in the order of their ids. The vector and direction of one without a vector are 0."""
        found = {known.track.id: known for known in self.read(ids)}
        nothing = np.zeros(self.index.measure.center.shape)
        for id_, track in self.catalogue.tracks.read(id_ for id_ in dict.fromkeys(ids) if id_ not in found).items():
            found[id_] = PoolTrack(track, nothing.astype(np.float32), nothing)
        return [found[id_] for id_ in ids if id_ in found]

    def search(self, queries: FloatArray, *, k: int) -> list[list[PoolTrack]]:
        """Return the `k` nearest tracks of each transformed query, the nearest first."""
        ids, _ = self.index.search_transformed(queries, k=k, restrict_to=self._restrict_to)
        self.read(ids.ravel().tolist())
        return [self.read(row) for row in ids.tolist()]

    def nearest(self, query: FloatArray) -> Iterator[PoolTrack]:
        """Yield tracks, the nearest to a transformed query [1, D'] first. More are searched for as they are needed."""
        seen: set[int] = set()
        k = FIRST_SEARCH
        while True:
            ids, _ = self.index.search_transformed(query, k=k, restrict_to=self._restrict_to)
            new = [track for track in ids[0].tolist() if track not in seen]
            seen.update(new)
            yield from self._read_in_turn(new)
            if ids.shape[1] < k or not new:
                return
            k *= 4

    def sample(self, n: int) -> list[PoolTrack]:
        """Return up to `n` tracks: the first by content hash, which is as good as random."""
        if self._restrict_to is None:
            ids = self.catalogue.tracks.first_by_hash(n)
        else:
            ids = self.catalogue.tracks.sort_by_hash(self._restrict_to)[:n]
        return self.read(ids.tolist())

    def shuffled(self, *, seed: int) -> Iterator[PoolTrack]:
        """Yield all tracks that may be chosen in a random order, which does not depend on the order in which they were added."""
        allowed = np.empty(0, np.int64) if self._restrict_to is None else self._restrict_to
        ids = self.catalogue.tracks.sort_by_hash(allowed)
        yield from self._read_in_turn(np.random.default_rng(seed).permutation(ids).tolist())

    def _read_in_turn(self, ids: Sequence[int]) -> Iterator[PoolTrack]:
        for start in range(0, len(ids), N_READ):
            yield from self.read(ids[start : start + N_READ])

    def is_same_recording(self, first: PoolTrack, second: PoolTrack) -> bool:
        """Return whether two tracks are probably one recording, see `probably_same_recording`."""
        if float(first.vector @ second.vector) < MIN_SIMILARITY:
            return False
        pair = min(first.track.id, second.track.id), max(first.track.id, second.track.id)
        if pair not in self._same:
            [self._same[pair]] = probably_same_recording(
                first.track, [second.track], catalogue=self.catalogue, space=self.space
            )
        return self._same[pair]


def compare_tracks(tracks: Sequence[PoolTrack]) -> Float64Array:
    """Return the cosines of the directions of tracks, float64 [N, N], rounded: they do not depend on the number of threads."""
    if not tracks:
        return np.empty((0, 0))
    directions = np.stack([found.direction for found in tracks])
    cosines: Float64Array = np.round(directions @ directions.T, 9)
    return cosines
