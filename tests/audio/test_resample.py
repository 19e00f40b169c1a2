"""`resample_kaiser_best` equals resampy 0.2.2 for all rates and does not depend on the block size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.audio.resample import KAISER_BETA, NUM_ZEROS, ROLLOFF, TABLE_STEPS, resample_kaiser_best

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 64_000, 88_200, 96_000, 176_400, 192_000]


def resampy(x: np.ndarray, source: int, target: int) -> np.ndarray:
    """Resample like resampy 0.2.2, sample by sample; written from the description of its algorithm."""
    ratio = float(target) / source
    points = np.linspace(0, NUM_ZEROS, TABLE_STEPS * NUM_ZEROS + 1)
    window = ROLLOFF * np.sinc(ROLLOFF * points) * np.kaiser(2 * len(points) - 1, KAISER_BETA)[len(points) - 1 :]
    if ratio < 1:
        window = window * ratio
    delta = np.append(np.diff(window), 0.0)
    scale = min(1.0, ratio)
    step = int(scale * TABLE_STEPS)
    y = np.zeros(int(len(x) * ratio))
    time = 0.0
    for t in range(len(y)):
        n = int(time)
        for fraction, first, direction, room in (
            (scale * (time - n), n, -1, n + 1),
            (scale - scale * (time - n), n + 1, 1, len(x) - n - 1),
        ):
            offset = int(fraction * TABLE_STEPS)
            eta = fraction * TABLE_STEPS - offset
            taps = np.arange(min(room, (len(window) - offset) // step))
            table = offset + taps * step
            y[t] += ((window[table] + eta * delta[table]) * x[first + direction * taps]).sum()
        time += 1.0 / ratio
    return y


@pytest.mark.parametrize("rate", RATES)
def test_equals_resampy(rate: int) -> None:
    x = np.random.default_rng(0).standard_normal(min(rate // 4, 12_000))
    expected = resampy(x, rate, 48_000)
    ours = np.concatenate(list(resample_kaiser_best([x], source_rate=rate, target_rate=48_000)))
    assert len(ours) == len(expected)
    assert np.abs(ours - expected).max() < 4e-7  # the output is rounded to float32


@settings(max_examples=25, deadline=None)
@given(rate=st.sampled_from(RATES), cuts=st.lists(st.integers(0, 40_000), max_size=6), length=st.integers(0, 40_000))
def test_results_do_not_depend_on_the_block_size(rate: int, cuts: list[int], length: int) -> None:
    x = np.random.default_rng(1).standard_normal(length)
    edges = [0, *sorted(min(cut, length) for cut in cuts), length]
    blocks = [x[a:b] for a, b in pairwise(edges)]
    in_blocks = list(resample_kaiser_best(blocks, source_rate=rate, target_rate=48_000))
    whole = list(resample_kaiser_best([x], source_rate=rate, target_rate=48_000))
    assert sum(map(len, in_blocks)) == sum(map(len, whole)) == int(length * (48_000 / rate))
    if in_blocks:
        assert np.abs(np.concatenate(in_blocks) - np.concatenate(whole)).max() < 4e-7
