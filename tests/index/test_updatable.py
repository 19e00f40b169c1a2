"""An index with later changes answers like one that was built after them."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.index import ExactIndex, UpdatableIndex

VECTORS = np.random.default_rng(0).standard_normal((40, 6)).astype(np.float32)
NEW = np.random.default_rng(1).standard_normal((20, 6)).astype(np.float32)
IDS = np.arange(1, 41)


@settings(deadline=None)
@given(
    replaced=st.sets(st.integers(1, 40), max_size=8),
    deleted=st.sets(st.integers(1, 40)),
    added=st.integers(0, 10),
    k=st.integers(1, 60),
    restrict=st.one_of(st.none(), st.sets(st.integers(1, 55))),
)
def test_changes_are_followed(
    replaced: set[int], deleted: set[int], added: int, k: int, restrict: set[int] | None
) -> None:
    replaced -= deleted
    changed = np.array(sorted(replaced | deleted | set(range(41, 41 + added))), dtype=np.int64)
    recent_ids = np.array(sorted(replaced | set(range(41, 41 + added))), dtype=np.int64)
    recent = NEW[: len(recent_ids)]
    index = UpdatableIndex(ExactIndex.build(IDS, VECTORS), changed=changed, recent=ExactIndex.build(recent_ids, recent))
    kept = ~np.isin(IDS, changed)
    expected = ExactIndex.build(np.concatenate([IDS[kept], recent_ids]), np.concatenate([VECTORS[kept], recent]))
    assert len(index) == len(expected)
    restrict_to = None if restrict is None else np.array(sorted(restrict), dtype=np.int64)
    found, wanted = (one.search(VECTORS[:3], k=k, restrict_to=restrict_to) for one in (index, expected))
    assert np.array_equal(found[0], wanted[0])
    assert np.array_equal(found[1], wanted[1])
