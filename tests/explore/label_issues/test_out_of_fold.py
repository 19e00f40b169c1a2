"""Folds of single tracks."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.explore.label_issues.out_of_fold import track_folds


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4), n_other=st.integers(1, 5), seed=st.integers(0, 3))
@settings(max_examples=40)
def test_track_folds_test_each_row_once_and_never_train_on_it(sizes: list[int], n_other: int, seed: int) -> None:
    codes = np.concatenate([np.full(n_other, 0), *(np.full(size, code) for code, size in enumerate(sizes))])
    rows = np.arange(n_other, len(codes))
    folds = track_folds(codes, rows, seed=seed)
    assert sorted(np.concatenate([test for _, test in folds])) == rows.tolist()
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(len(codes)))
