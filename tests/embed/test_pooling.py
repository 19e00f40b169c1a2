"""Pooling equals NumPy's statistics and does not depend on the block size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

from sonotheque.embed import Pooler, pool_frames
from sonotheque.errors import NoSamplesError, SpaceError

FRAMES = hn.arrays(
    np.float32, hn.array_shapes(min_dims=2, max_dims=2, max_side=30), elements=st.floats(-100, 100, width=32)
)


@given(frames=FRAMES)
def test_statistics_equal_numpy(frames: np.ndarray) -> None:
    ours = pool_frames(frames, statistics=("mean", "std", "max"))
    double = frames.astype(np.float64)
    expected = np.concatenate([double.mean(0), double.std(0), double.max(0)])
    assert np.allclose(ours, expected, rtol=1e-5, atol=1e-3)


@given(frames=FRAMES, cut=st.integers(0, 30))
def test_results_do_not_depend_on_the_block_size(frames: np.ndarray, cut: int) -> None:
    starts = np.arange(len(frames), dtype=np.float64) * 3
    pooler = Pooler()
    pooler.add(frames[:cut], starts[:cut])
    pooler.add(frames[cut:], starts[cut:])
    assert pooler.track_vector().tobytes() == pool_frames(frames).tobytes()
    means = [frames[starts // 10 == n].mean(0, dtype=np.float64) for n in sorted(set(starts // 10))]
    assert np.allclose(pooler.segment_vectors(), means, rtol=1e-5, atol=1e-3)


def test_no_frames() -> None:
    with pytest.raises(NoSamplesError):
        pool_frames(np.zeros((0, 3), np.float32))


def test_unknown_statistic() -> None:
    with pytest.raises(SpaceError, match="'mode'"):
        Pooler(statistics=("mode",))
