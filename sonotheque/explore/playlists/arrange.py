"""Put the tracks of a playlist into an order in which no artist follows itself where that is avoidable.

Conventions
-----------
Artists are codes from 0 to A - 1; a track without an artist has a code of its own. m tracks are put between two that may be given:
the one before them (by the artist p) and the one after them (by q). If artist x has c of the m tracks, the other m - c tracks make
m - c + 1 gaps, of which those at an end next to a track of x itself are lost. Each track of x beyond these gaps follows or precedes
another one of x, so at least

    max(0, max over x of 2 c - m - 1 + [x = p] + [x = q])

neighbours are by one artist. An order with just so many exists: at each place, `arrange_tracks` takes a track that keeps the number
for the remaining ones minimal (tests/explore/playlists/test_arrange.py compares with all orders).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

import numpy as np

from sonotheque.types import BoolArray, Codes, Float64Array, Rows

NOBODY = -1
"""The code of the artist before the first track and after the last one, if no track is given there."""

MAX_PASSES = 20
"""Passes of `shorten_order` over all pairs of places."""


def encode_artists(names: Iterable[Hashable | None]) -> Codes:
    """Encode artists as numbers from 0. Each None is an artist of its own.

    Examples
    --------
    >>> encode_artists(["Bach", None, "Bach", None]).tolist()
    [0, 1, 0, 2]
    """
    codes: dict[Hashable, int] = {}
    return np.array(
        [
            codes.setdefault(("unknown", place) if name is None else name, len(codes))
            for place, name in enumerate(names)
        ],
        dtype=np.int64,
    )


def count_unavoidable(artists: Codes, *, before: int = NOBODY, after: int = NOBODY) -> int:
    """Count the neighbours by one artist that every order of some tracks has.

    Parameters
    ----------
    artists : int64 array [m]
        Codes of the tracks that are put into order.
    before, after : int
        Artists of the tracks before and after them.

    Returns
    -------
    int

    Examples
    --------
    >>> count_unavoidable(np.array([0, 0, 1])), count_unavoidable(np.array([0, 0, 1]), before=0)
    (0, 1)
    """
    counts = np.bincount(artists, minlength=max(before, after, 0) + 1)
    needed = 2 * counts - len(artists) - 1
    for end in (before, after):
        if end != NOBODY:
            needed[end] += 1
    return max(0, int(needed.max(initial=0)))


def count_repetitions(artists: Codes) -> int:
    """Count the tracks that follow one by the same artist."""
    return int((artists[1:] == artists[:-1]).sum())


def arrange_tracks(
    artists: Codes,
    *,
    choose: Callable[[int | None, Rows], int],
    first: int | None = None,
    last: int | None = None,
) -> Rows:
    """Put tracks into an order with the fewest possible neighbours by one artist.

    Parameters
    ----------
    artists : int64 array [N]
        Code of the artist of each track, see `encode_artists`.
    choose : callable
        Called with the row of the previous track, or None, and the rows that may follow; returns one of these.
    first, last : int or None
        Row of the track at the start or at the end.

    Returns
    -------
    int64 array [N]
        Rows in the new order.
    """
    left = np.ones(len(artists), dtype=bool)
    order: list[int] = []
    for row in (first, last):
        if row is not None:
            left[row] = False
    if first is not None:
        order.append(first)
    counts = np.bincount(artists[left], minlength=int(artists.max(initial=-1)) + 1)
    after = NOBODY if last is None else int(artists[last])
    for n_left in range(int(left.sum()), 0, -1):
        previous = int(artists[order[-1]]) if order else NOBODY
        allowed = _find_artists(counts, n_left, previous=previous, after=after)
        row = choose(order[-1] if order else None, np.flatnonzero(left & allowed[artists]))
        order.append(row)
        left[row] = False
        counts[artists[row]] -= 1
    if last is not None and last != first:
        order.append(last)
    return np.array(order, dtype=np.int64)


def _find_artists(counts: Codes, n_left: int, *, previous: int, after: int) -> BoolArray:
    """Return which artists, bool array [A], may come next so that the number of neighbours by one artist stays minimal."""
    load = 2 * counts
    if after != NOBODY:
        load[after] += 1
    largest = int(load.argmax())
    others = np.full(len(load), load[largest])
    others[largest] = np.delete(load, largest).max(initial=0)
    cost = np.maximum(np.maximum(others - n_left, load - n_left - 1), 0)
    if previous != NOBODY:
        cost[previous] += 1
    present = counts > 0
    best: BoolArray = present & (cost == cost[present].min())
    return best


def shorten_order(
    order: Rows, similarities: Float64Array, artists: Codes, *, keep_first: bool = False, keep_last: bool = False
) -> Rows:
    """Make the steps of an order smaller by reversing parts of it (2-opt, Croes 1958), as long as that helps.

    A part is not reversed if more tracks would then follow one by the same artist.

    Parameters
    ----------
    order : int64 array [N]
        Rows.
    similarities : float64 array [N, N]
        Symmetric.
    artists : int64 array [N]
    keep_first, keep_last : bool
        Leave the track at that end where it is.

    Returns
    -------
    int64 array [N]
    """
    order = order.copy()
    n = len(order)
    value = similarities - 10.0 * (artists[:, None] == artists[None, :])  # a repetition outweighs every similarity
    for _ in range(MAX_PASSES):
        improved = False
        for start in range(int(keep_first), n - 1):
            stops = np.arange(start + 1, n - int(keep_last))
            if not len(stops):
                continue
            gain = np.zeros(len(stops))
            if start > 0:
                gain += value[order[start - 1], order[stops]] - value[order[start - 1], order[start]]
            inner = stops < n - 1
            gain[inner] += (
                value[order[start], order[stops[inner] + 1]] - value[order[stops[inner]], order[stops[inner] + 1]]
            )
            best = int(gain.argmax())
            if gain[best] > 1e-9:
                stop = int(stops[best])
                order[start : stop + 1] = order[start : stop + 1][::-1].copy()
                improved = True
        if not improved:
            break
    return order
