"""Folds keep each artist on one side, and their number follows the numbers of artists."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import group_tracks, grouped_folds
from sonotheque.classify.data.folds import default_n_folds, folders_as_artists


@settings(max_examples=20, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.integers(0, 15), st.integers(0, 3)), min_size=10, max_size=80),
    folds=st.integers(2, 4),
    seed=st.integers(0, 5),
)
def test_no_artist_is_in_both_sets(pairs: list[tuple[int, int]], folds: int, seed: int) -> None:
    groups, codes = np.array(pairs).T
    tested: list[int] = []
    for train, test in grouped_folds(codes, groups, folds=folds, seed=seed):
        assert not set(groups[train]) & set(groups[test])
        tested += test.tolist()
    assert len(set(tested)) == len(tested)


def test_default_number_of_folds() -> None:
    codes = np.repeat([0, 1, 2], [50, 30, 20])
    assert default_n_folds(codes, np.array([9, 9, 9])) == 5
    assert default_n_folds(codes, np.array([9, 9, 1])) == 5  # 80 % of the tracks can be evaluated
    assert default_n_folds(codes, np.array([9, 4, 1])) == 4
    assert default_n_folds(codes, np.array([9, 1, 3])) == 3
    assert default_n_folds(codes, np.array([9, 1, 1])) == 2


def test_folders_replace_artists_only_if_each_genre_has_several() -> None:
    albums = [f"/music/artist{number}/{track}.mp3" for number in range(10) for track in range(3)]
    labels = ["pop", "rock"] * 15
    folders = folders_as_artists(albums, labels, [True] * 30)
    assert folders is not None
    groups, n_ungrouped = group_tracks([None] * 30, [None] * 30, folders=folders)
    assert (len(set(groups)), n_ungrouped) == (10, 0)
    by_genre = [f"/music/{label}/{n}.mp3" for n, label in enumerate(labels)]
    assert folders_as_artists(by_genre, labels, [True] * 30) is None
    assert folders_as_artists(albums, labels, [False] * 30) is None


def test_tracks_are_grouped_by_artist_then_album() -> None:
    groups, n_ungrouped = group_tracks(["A", " a", None, None, None, ""], [None, "x", "x", "X ", None, None])
    assert groups.tolist() == [0, 0, 1, 1, 2, 3]
    assert n_ungrouped == 2
