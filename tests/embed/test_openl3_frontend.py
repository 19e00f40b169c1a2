"""The front ends of OpenL3 against librosa, and the window of ``kapre`` against TensorFlow."""

from __future__ import annotations

import hashlib
from typing import Any

import librosa.feature
import numpy as np
import pytest
from librosa.feature import melspectrogram
from librosa.filters import mel as librosa_mel

from sonotheque.embed.openl3.frontend import INPUT_REPRS, SAMPLE_RATE, FrontEnd, kapre_window

TENSORFLOW = {
    2048: "e689f7ccf093a825f8c6252e583e432911bd546aa2ae18c9381b891addb455ec",
    512: "7c257cf8aadbb0652ac488551a88c4ec17d6055b645d0e7dcc429a6013aabef0",
}
"""SHA-256 of the bytes of ``tf.signal.hann_window(length)``, TensorFlow 2.15.1 on x86-64."""


def noise(seconds: float) -> np.ndarray:
    return (np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("length", TENSORFLOW)
def test_the_window_equals_tensorflow(length: int) -> None:
    window = kapre_window(length)
    assert hashlib.sha256(window.tobytes()).hexdigest() == TENSORFLOW[length]
    assert np.abs(window - (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length))).max() < 3e-7


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("input_repr", INPUT_REPRS)
@pytest.mark.parametrize("front_end", ["kapre", "librosa", "trained"])
def test_front_ends(input_repr: str, front_end: str) -> None:
    """Compare with the official formulas: the librosa front end of openl3 0.4.2, kapre 0.3, and kapre 0.1.4."""
    frame = noise(1).astype(np.float64)
    config = INPUT_REPRS[input_repr]
    stft: Any = librosa.stft
    if input_repr == "linear":
        magnitude = np.abs(stft(frame, n_fft=512, hop_length=242, center=False))
    elif front_end == "librosa":
        magnitude = melspectrogram(
            y=frame, sr=48_000, n_mels=config.n_mels, n_fft=2048, hop_length=242, center=True, power=1.0
        )
    elif front_end == "kapre":
        spectrum = np.abs(stft(np.pad(frame, (0, 2048)), n_fft=2048, hop_length=242, center=False))[:, :199]
        magnitude = librosa_mel(sr=48_000, n_fft=2048, n_mels=config.n_mels) @ spectrum
    else:
        spectrum = np.abs(stft(np.pad(frame, 982), n_fft=2048, hop_length=242, center=False)) ** 2
        filters = librosa_mel(sr=48_000, n_fft=2048, n_mels=config.n_mels, htk=True)
        magnitude = np.sqrt(filters @ spectrum)
    decibels = 10 * np.log10(np.maximum(magnitude, 1e-10))
    expected = np.maximum(decibels - decibels.max(), -80)
    ours = FrontEnd(input_repr, front_end)(frame.astype(np.float32))
    assert ours.shape == (config.rows, config.columns) == expected.shape
    assert np.abs(ours - expected).max() < (2e-3 if front_end == "kapre" else 1e-4)  # dB
