"""Find tracks that lead from one track to another in small steps.

The step between two tracks costs the fourth power of the angle between their directions. So several small steps cost much less
than a large one, and the path goes where the music is instead of straight across. d(A, x) is the cost of the cheapest path from A
to x. A track x between the tracks A and B has the *progress* d(A, x) / (d(A, x) + d(x, B)), which is 0 at A and 1 at B.

Among the sequences of n tracks with increasing progress, which therefore contain no track twice, the cheapest one is taken (dynamic
programming: Bellman 1957). docs/benchmarks/playlists.md compares this with other ways.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from sonotheque.explore.playlists.arrange import encode_artists
from sonotheque.explore.playlists.pool import PoolTrack, compare_tracks
from sonotheque.types import Codes, Float64Array, Rows

MIN_CANDIDATES, CANDIDATES_PER_TRACK, MAX_CANDIDATES = 200, 10, 2000
"""Number of tracks near the cheapest path that are considered, in all and for each track of the path."""

POWER = 4
"""Power of the angle that a step costs (docs/benchmarks/playlists.md)."""

REPETITION = 1000.0
"""Additional cost of a step between two tracks by one artist: that of ten of the largest steps."""


def cost_steps(tracks: Sequence[PoolTrack]) -> Float64Array:
    """Return the cost of the step between each two tracks, float64 [M, M]: a power of the angle between their directions."""
    steps: Float64Array = np.arccos(np.clip(compare_tracks(tracks), -1, 1)) ** POWER
    return steps


def path_costs(steps: Float64Array, source: int) -> tuple[Float64Array, Rows]:
    """Find the cheapest path from a track to each other one (Dijkstra 1959).

    Parameters
    ----------
    steps : float64 array [M, M]
        Symmetric, not negative.
    source : int
        Row of the track.

    Returns
    -------
    costs : float64 array [M]
    previous : int64 array [M]
        Row before each track on its path; -1 for the source.

    Examples
    --------
    >>> path_costs(np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 1.0], [4.0, 1.0, 0.0]]), 0)[0].tolist()
    [0.0, 1.0, 2.0]
    """
    costs = np.full(len(steps), np.inf)
    previous = np.full(len(steps), -1)
    costs[source] = 0.0
    left = np.ones(len(steps), dtype=bool)
    for _ in range(len(steps)):
        row = int(np.where(left, costs, np.inf).argmin())
        left[row] = False
        through = costs[row] + steps[row]
        better = left & (through < costs)
        costs[better], previous[better] = through[better], row
    return costs, previous


@dataclass(frozen=True, eq=False)
class Way:
    """The way from one track to another through others.

    Attributes
    ----------
    steps : float64 array [M, M]
        See `cost_steps`.
    progress : float64 array [M]
        See the formula of this module.
    nearest : list of int
        Rows without the start and the end; those whose detour from the cheapest path is the smallest come first.
    """

    steps: Float64Array
    progress: Float64Array
    nearest: Sequence[int]


def measure_way(tracks: Sequence[PoolTrack]) -> Way:
    """Measure where tracks are on the way from one to another.

    Parameters
    ----------
    tracks : sequence of PoolTrack
        The start, the end, then the others.

    Returns
    -------
    Way
    """
    steps = cost_steps(tracks)
    from_start, from_end = path_costs(steps, 0)[0], path_costs(steps, 1)[0]
    total = np.round(from_start + from_end, 9)
    nearest = sorted(range(2, len(tracks)), key=lambda row: (total[row], tracks[row].track.hash))
    return Way(steps, from_start / np.where(total > 0, total, 1), nearest)


def find_path(
    tracks: Sequence[PoolTrack],
    way: Way,
    *,
    n: int,
    refused: Callable[[Sequence[PoolTrack]], Collection[int]],
) -> list[PoolTrack]:
    """Choose the tracks between two, so that the steps are small.

    Parameters
    ----------
    tracks : sequence of PoolTrack
        The start, the end, then the candidates, each once.
    way : Way
        That of these tracks.
    n : int
        Number of tracks between the start and the end.
    refused : callable
        Called with the tracks between the start and the end. Returns the ids of those that break a rule. They are no longer
        candidates, and the path is found again.

    Returns
    -------
    list of PoolTrack
        The tracks between the start and the end, in order. Fewer than `n` if candidates run out.
    """
    size = min(max(MIN_CANDIDATES, CANDIDATES_PER_TRACK * n), MAX_CANDIDATES)
    artists = encode_artists(found.artist for found in tracks)
    banned: set[int] = set()
    while True:
        near = [row for row in way.nearest if tracks[row].track.id not in banned][:size]
        near.sort(key=lambda row: (way.progress[row], tracks[row].track.hash))
        rows = np.array([0, *near, 1])
        chosen = _cheapest_sequence(way.steps[np.ix_(rows, rows)], artists[rows], n=min(n, len(near)))
        path = [tracks[rows[place]] for place in chosen.tolist()]
        broken = refused(path)
        if not broken:
            return path
        banned.update(broken)


def _cheapest_sequence(steps: Float64Array, artists: Codes, *, n: int) -> Rows:
    """Choose n rows in ascending order between the first and the last one, with the smallest sum of steps."""
    cost = steps + REPETITION * (artists[:, None] == artists[None, :])
    cost[np.tril_indices(len(cost))] = np.inf
    totals = cost[0]
    came_from = []
    for _ in range(n - 1):
        sums = totals[:, None] + cost
        came_from.append(sums.argmin(axis=0))
        totals = sums.min(axis=0)
    if n == 0:
        return np.empty(0, np.int64)
    path = [int((totals[:-1] + cost[:-1, -1]).argmin())]
    for rows in reversed(came_from):
        path.append(int(rows[path[-1]]))
    return np.array(path[::-1], dtype=np.int64)
