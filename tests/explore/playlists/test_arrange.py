"""The order of a playlist, against all orders of small playlists."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.explore.playlists.arrange import (
    NOBODY,
    arrange_tracks,
    count_repetitions,
    count_unavoidable,
    encode_artists,
    shorten_order,
)
from sonotheque.types import Rows


def take_first(_: int | None, rows: Rows) -> int:
    return int(rows[0])


def take_last(_: int | None, rows: Rows) -> int:
    return int(rows[-1])


def fewest_repetitions(artists: tuple[int, ...], *, first: int | None, last: int | None) -> int:
    """Count the repetitions of the best of all orders."""
    inner = [artist for row, artist in enumerate(artists) if row not in (first, last)]
    before = [] if first is None else [artists[first]]
    after = [] if last is None else [artists[last]]
    return min(count_repetitions(np.array([*before, *order, *after])) for order in set(permutations(inner)))


@pytest.mark.parametrize("n", range(2, 7))
def test_no_other_order_has_fewer_neighbours_by_one_artist(n: int) -> None:
    """Every playlist of up to 6 tracks by up to 4 artists, with every end given or not."""
    for artists in product(range(min(n, 4)), repeat=n):
        if list(artists) != encode_artists(artists).tolist():  # another numbering of the same
            continue
        for first, last in ((None, None), (0, None), (None, n - 1), (0, n - 1)):
            fewest = fewest_repetitions(artists, first=first, last=last)
            for choose in (take_first, take_last):
                order = arrange_tracks(np.array(artists), choose=choose, first=first, last=last)
                assert sorted(order.tolist()) == list(range(n))
                assert first is None or order[0] == first
                assert last is None or order[-1] == last
                assert count_repetitions(np.array(artists)[order]) == fewest, (artists, first, last)
            moved = np.array([artist for row, artist in enumerate(artists) if row not in (first, last)], np.int64)
            ends = (NOBODY if first is None else artists[first], NOBODY if last is None else artists[last])
            assert count_unavoidable(moved, before=ends[0], after=ends[1]) == fewest


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_larger_playlists_reach_the_bound(names: list[int], random: object) -> None:
    artists = encode_artists(names)
    order = arrange_tracks(artists, choose=lambda _, rows: int(random.choice(rows)))  # type: ignore[attr-defined]
    assert sorted(order.tolist()) == list(range(len(names)))
    assert count_repetitions(artists[order]) == count_unavoidable(artists)


def test_no_artist_twice_in_a_row_where_one_has_half_of_the_tracks() -> None:
    artists = encode_artists(["a"] * 5 + ["b", "c", None, None])
    order = arrange_tracks(artists, choose=take_last)
    assert count_repetitions(artists[order]) == 0
    assert (artists[order][::2] == 0).all()  # the only way


def test_shorter_steps_keep_the_rule() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(40, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarities, artists = vectors @ vectors.T, generator.integers(0, 6, 40)
    before = arrange_tracks(artists, choose=take_first, first=0, last=39)
    after = shorten_order(before, similarities, artists, keep_first=True, keep_last=True)
    assert (sorted(after.tolist()), after[0], after[-1]) == (list(range(40)), 0, 39)
    assert count_repetitions(artists[after]) == count_repetitions(artists[before]) == 0
    assert similarities[after[1:], after[:-1]].mean() > similarities[before[1:], before[:-1]].mean() + 0.4


@pytest.mark.parametrize("n", [0, 1, 2])
def test_short_orders(n: int) -> None:
    artists = np.zeros(n, np.int64)
    order = arrange_tracks(artists, choose=take_first)
    assert shorten_order(order, np.ones((n, n)), artists).tolist() == list(range(n))
