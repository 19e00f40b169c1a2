"""Choose the tracks of a playlist from candidates by its rules; their order is a question of its own (`arrange`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from sonotheque.explore.playlists.arrange import NOBODY, count_unavoidable, encode_artists
from sonotheque.explore.playlists.pool import PoolTrack, TrackPool

TOLERANCE = 5.0
"""Difference in s from a requested duration that is not reduced further."""

MAX_EXCHANGES = 50
"""Maximum number of tracks that are exchanged to reach a duration."""

N_SPARE = 200
"""Number of further candidates that are read to reach a duration."""

MAX_TRACKS = 10_000
"""Maximum number of tracks of a playlist, if only its duration is given."""


@dataclass(frozen=True)
class PlaylistRules:
    """What a playlist must fulfil. Given tracks count, but are never left out.

    Attributes
    ----------
    n : int or None
        Number of tracks. None takes as many as the duration needs.
    max_per_artist, max_per_album : int or None
        A track without an artist, or an album, counts as one of its own.
    min_seconds, max_seconds : float
        Total duration in s. With `n`, both must be fulfilled, and `max_seconds` comes before `n`.
    """

    n: int | None = None
    max_per_artist: int | None = None
    max_per_album: int | None = None
    min_seconds: float = 0.0
    max_seconds: float = float("inf")

    @property
    def size(self) -> int:
        """The maximum number of tracks."""
        return MAX_TRACKS if self.n is None else self.n


class Selection:
    """The tracks that have been chosen so far: only what the rules allow is added.

    Parameters
    ----------
    given : sequence of PoolTrack
        Tracks that are in the playlist whatever the rules say.
    rules : PlaylistRules
    pool : TrackPool
    """

    def __init__(self, given: Sequence[PoolTrack], *, rules: PlaylistRules, pool: TrackPool) -> None:
        self.rules, self._pool = rules, pool
        self.tracks = list(given)
        self.n_given = len(given)
        self._counts: Counter[tuple[str, Hashable]] = Counter()
        for found in given:
            self._count(found, 1)

    @property
    def seconds(self) -> float:
        """The total duration."""
        return sum(found.track.seconds for found in self.tracks)

    @property
    def added(self) -> list[PoolTrack]:
        """The tracks that were chosen, without the given ones."""
        return self.tracks[self.n_given :]

    @property
    def is_complete(self) -> bool:
        """Whether no further track is needed."""
        if self.rules.n is not None:
            return len(self.tracks) >= self.rules.n
        return self.seconds >= self.rules.min_seconds or len(self.tracks) >= MAX_TRACKS

    def accepts(self, found: PoolTrack, *, instead_of: PoolTrack | None = None) -> bool:
        """Return whether the rules allow a track to be added, or to take the place of another one."""
        rules = self.rules
        if found.track.silent:
            return False
        others = [other for other in self.tracks if other is not instead_of]
        if len(others) >= rules.size:
            return False
        if sum(other.track.seconds for other in others) + found.track.seconds > rules.max_seconds:
            return False
        for kind, name, limit in _names(found, rules):
            same = instead_of is not None and (kind, name) in {(k, n) for k, n, _ in _names(instead_of, rules)}
            if limit is not None and self._counts[kind, name] - same >= limit:
                return False
        return not any(
            other.track.id == found.track.id or self._pool.is_same_recording(found, other) for other in others
        )

    def add(self, found: PoolTrack) -> None:
        """Add a track."""
        self.tracks.append(found)
        self._count(found, 1)

    def exchange(self, old: PoolTrack, new: PoolTrack) -> None:
        """Put a track into the place of another one."""
        self.tracks[next(place for place, found in enumerate(self.tracks) if found is old)] = new
        self._count(old, -1)
        self._count(new, 1)

    def _count(self, found: PoolTrack, change: int) -> None:
        for kind, name, _ in _names(found, self.rules):
            self._counts[kind, name] += change


def _names(found: PoolTrack, rules: PlaylistRules) -> list[tuple[str, Hashable, int | None]]:
    names: list[tuple[str, Hashable, int | None]] = []
    if found.artist is not None:
        names.append(("artist", found.artist, rules.max_per_artist))
    if found.album is not None:
        names.append(("album", found.album, rules.max_per_album))
    return names


def select_tracks(
    candidates: Iterable[PoolTrack],
    *,
    given: Sequence[PoolTrack],
    rules: PlaylistRules,
    pool: TrackPool,
    n_fixed: int = 0,
) -> Selection:
    """Choose tracks in the order of preference, as many as the rules ask for.

    If the best ones have so many tracks by one artist that two of them would have to be neighbours, fewer of that artist are taken
    where others can take their places.

    Parameters
    ----------
    candidates : iterable of PoolTrack
        The best first. No more are read than are needed.
    given : sequence of PoolTrack
        Tracks that are in the playlist already.
    rules : PlaylistRules
    pool : TrackPool
    n_fixed : int
        Number of the given tracks that stay where they are, at the start of the playlist.

    Returns
    -------
    Selection
    """
    source, read = iter(candidates), list[PoolTrack]()
    best = _select(source, read, given=given, rules=rules, pool=pool)
    excess = _excess(best, n_fixed)
    limit = min(rules.max_per_artist or len(best.tracks), (len(best.tracks) + 1) // 2)
    while excess and limit > 0:
        stricter = replace(rules, max_per_artist=limit)
        other = _select(source, read, given=given, rules=stricter, pool=pool)
        n_missing = len(best.tracks) - len(other.tracks)
        if (rules.n is not None and n_missing > 0) or other.seconds < min(best.seconds, rules.min_seconds):
            break
        if (new := _excess(other, n_fixed)) < excess:
            best, excess = other, new
        limit -= 1
    best.rules = rules
    return best


def _excess(selection: Selection, n_fixed: int) -> int:
    """Count the neighbours by one artist that cannot be avoided among the tracks that can be moved."""
    artists = encode_artists(found.artist for found in selection.tracks)
    return count_unavoidable(artists[n_fixed:], before=int(artists[n_fixed - 1]) if n_fixed else NOBODY)


def _select(
    source: Iterable[PoolTrack],
    read: list[PoolTrack],
    *,
    given: Sequence[PoolTrack],
    rules: PlaylistRules,
    pool: TrackPool,
) -> Selection:
    """Choose from the candidates that have been read, then from the following ones, which are added to those that are read."""
    selection = Selection(given, rules=rules, pool=pool)
    place, n_refused = 0, 0
    while not selection.is_complete:
        if place == len(read):
            read.extend(islice(source, 1))
        if place == len(read):
            break
        found = read[place]
        place += 1
        if selection.accepts(found):
            selection.add(found)
            n_refused = 0
        elif selection.seconds + found.track.seconds > rules.max_seconds:
            n_refused += 1
            if n_refused > N_SPARE:  # hardly a shorter one will follow
                break
    fit_duration(selection, read, source=source)
    return selection


def fit_duration(selection: Selection, spare: list[PoolTrack], *, source: Iterable[PoolTrack] = ()) -> None:
    """Add or exchange tracks until the duration is at least the minimum, or as near below the maximum as possible.

    Parameters
    ----------
    selection : Selection
        It is changed. Given tracks stay.
    spare : list of PoolTrack
        Candidates, the best first.
    source : iterable of PoolTrack
        `N_SPARE` of its tracks are added to `spare` if they are needed.
    """
    rules = selection.rules
    if selection.seconds >= rules.min_seconds:
        return
    spare.extend(islice(source, N_SPARE))
    for _ in range(MAX_EXCHANGES):
        if selection.seconds >= rules.min_seconds or not _improve(selection, spare):
            return


def _improve(selection: Selection, spare: Sequence[PoolTrack]) -> bool:
    """Make the one change after which the duration is nearest to what is requested, if the rules allow any that helps."""
    rules, total = selection.rules, selection.seconds
    chosen = {found.track.id for found in selection.tracks}
    free = [found for found in spare if found.track.id not in chosen]
    old: list[PoolTrack | None] = [*reversed(selection.added)]  # the least preferred first
    if len(selection.tracks) < rules.size:
        old.append(None)
    if not free or not old:
        return False
    lengths = np.array([found.track.seconds for found in free])
    removed = np.array([0.0 if found is None else found.track.seconds for found in old])
    totals = total + lengths[:, None] - removed[None, :]
    value = np.where(totals > rules.max_seconds, -np.inf, np.minimum(totals, rules.min_seconds))
    order = np.argsort(-value, axis=None, kind="stable")
    for flat in order[:N_SPARE].tolist():
        row, column = divmod(flat, len(old))
        if value[row, column] <= total:
            return False
        after, before = free[row], old[column]
        if selection.accepts(after, instead_of=before):
            if before is None:
                selection.add(after)
            else:
                selection.exchange(before, after)
            return True
    return False
