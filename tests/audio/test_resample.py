"""The exact filter gives resampy 0.2.2's numbers, whatever the rates and however the samples arrive."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.audio.resample import BETA, PRECISION, ROLLOFF, ZEROS, kaiser_blocks

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 64_000, 88_200, 96_000, 176_400, 192_000]


def resampy(x: np.ndarray, source: int, target: int) -> np.ndarray:
    """The loop of resampy 0.2.2, written down from its description, sample by sample."""
    ratio = float(target) / source
    points = np.linspace(0, ZEROS, PRECISION * ZEROS + 1)
    window = ROLLOFF * np.sinc(ROLLOFF * points) * np.kaiser(2 * len(points) - 1, BETA)[len(points) - 1 :]
    if ratio < 1:
        window = window * ratio
    delta = np.append(np.diff(window), 0.0)
    scale = min(1.0, ratio)
    step = int(scale * PRECISION)
    y = np.zeros(int(len(x) * ratio))
    time = 0.0
    for t in range(len(y)):
        n = int(time)
        for fraction, first, direction, room in (
            (scale * (time - n), n, -1, n + 1),
            (scale - scale * (time - n), n + 1, 1, len(x) - n - 1),
        ):
            offset = int(fraction * PRECISION)
            eta = fraction * PRECISION - offset
            taps = np.arange(min(room, (len(window) - offset) // step))
            table = offset + taps * step
            y[t] += ((window[table] + eta * delta[table]) * x[first + direction * taps]).sum()
        time += 1.0 / ratio
    return y


@pytest.mark.parametrize("rate", RATES)
def test_it_is_resampy(rate: int) -> None:
    x = np.random.default_rng(0).standard_normal(min(rate // 4, 12_000))
    expected = resampy(x, rate, 48_000)
    ours = np.concatenate(list(kaiser_blocks([x], source_rate=rate, target_rate=48_000)))
    assert len(ours) == len(expected)
    assert np.abs(ours - expected).max() < 4e-7  # float32 at the end


@settings(max_examples=25, deadline=None)
@given(rate=st.sampled_from(RATES), cuts=st.lists(st.integers(0, 40_000), max_size=6), length=st.integers(0, 40_000))
def test_blocks_do_not_matter(rate: int, cuts: list[int], length: int) -> None:
    x = np.random.default_rng(1).standard_normal(length)
    edges = [0, *sorted(min(cut, length) for cut in cuts), length]
    blocks = [x[a:b] for a, b in pairwise(edges)]
    cut = list(kaiser_blocks(blocks, source_rate=rate, target_rate=48_000))
    whole = list(kaiser_blocks([x], source_rate=rate, target_rate=48_000))
    assert sum(map(len, cut)) == sum(map(len, whole)) == int(length * (48_000 / rate))
    if cut:
        assert np.abs(np.concatenate(cut) - np.concatenate(whole)).max() < 4e-7
