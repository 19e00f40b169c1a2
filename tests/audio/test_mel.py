"""The log-mel spectrogram equals librosa's and does not depend on the block size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librosa.feature import melspectrogram
from librosa.filters import mel as librosa_mel

from sonotheque.audio import LogMel, mel_filters

NOISE = np.random.default_rng(0).standard_normal(20_000).astype(np.float32) * 0.1


@pytest.mark.parametrize(("rate", "n_fft", "n_mels"), [(16_000, 512, 96), (48_000, 2048, 256), (22_050, 1024, 40)])
@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_filters_equal_librosa(rate: int, n_fft: int, n_mels: int, scale: str) -> None:
    expected = librosa_mel(sr=rate, n_fft=n_fft, n_mels=n_mels, htk=scale == "htk")
    assert np.abs(mel_filters(sample_rate=rate, n_fft=n_fft, n_mels=n_mels, scale=scale) - expected).max() < 1e-8


def test_frames_equal_librosa() -> None:
    power = melspectrogram(y=NOISE, sr=16_000, n_fft=512, hop_length=256, n_mels=96).T
    ours = np.concatenate(list(LogMel(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96).frames([NOISE])))
    assert ours.shape == power.shape
    assert np.abs(ours - np.log10(10_000 * power + 1)).max() < 2e-6


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, len(NOISE)), max_size=8))
def test_results_do_not_depend_on_the_block_size(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(NOISE)]
    blocks = [NOISE[a:b] for a, b in pairwise(edges)]
    mel = LogMel(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    in_blocks, whole = (np.concatenate(list(mel.frames(parts))) for parts in (blocks, [NOISE]))
    assert in_blocks.shape == whole.shape
    assert np.abs(in_blocks - whole).max() < 2e-6
