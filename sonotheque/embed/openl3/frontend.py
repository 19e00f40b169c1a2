"""The front ends of OpenL3: one second of audio at 48 kHz to the decibel spectrogram that the network takes as input.

There are three front ends, and they give different vectors. `kapre` and `librosa` are those of the package openl3 0.4. `trained` is
the one that the weights were trained with (kapre 0.1.4; openl3 up to 0.3.1). Each supports three input representations: 256 mel
bands, 128 mel bands, or the linear spectrum.

`kapre` computes in float32. Its rounding errors are larger than the smallest values that the network sees, 160 dB below the
loudest point of a frame. This implementation therefore reproduces its window to the last bit and uses the same FFT (SciPy and
TensorFlow both use pocketfft). The other two front ends compute in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotheque.audio.mel import mel_filters
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

SAMPLE_RATE = 48_000
HOP = 242
FRONT_ENDS = ("kapre", "librosa", "trained")
MIN_MAGNITUDE, DYNAMIC_RANGE = 1e-10, 80.0
"""Smallest magnitude, and dynamic range in dB below the maximum of a frame."""
LOG_TO_DECIBELS = 10 / float(np.log(10))


@dataclass(frozen=True)
class SpectrogramConfig:
    """An input representation: FFT length in samples, number of mel bands (0: linear spectrum), and shape of the spectrogram.

    Attributes
    ----------
    n_fft, n_mels : int
    rows, columns : int
        Frequency bins and time steps.
    """

    n_fft: int
    n_mels: int
    rows: int
    columns: int


INPUT_REPRS = {
    "mel256": SpectrogramConfig(2048, 256, 256, 199),
    "mel128": SpectrogramConfig(2048, 128, 128, 199),
    "linear": SpectrogramConfig(512, 0, 257, 197),
}


def kapre_window(length: int) -> FloatArray:
    """Compute a periodic Hann window that is bit-identical to ``tf.signal.hann_window``.

    TensorFlow 2.15.1 computes the cosine in float32 with Eigen's `psincos_float` (Eigen 3.4, GenericPacketMathFunctions.h), built
    without fused multiply-add: argument reduction with pi/2 split into four parts, then a polynomial. Two thirds of the values are
    not correctly rounded.

    Parameters
    ----------
    length : int
        Length in samples; even.

    Returns
    -------
    float32 array [length]
    """
    f32 = np.float32
    angle = f32(2 * np.pi) * np.arange(length, dtype=f32) / f32(length)
    quarter = np.rint(angle * f32(0.636619746685028076))  # 2 / pi
    for part in (-1.5703125, -4.83989715576171875e-4, 1.62865035235881805e-7, 5.56443154441677107e-11):
        angle = quarter * f32(part) + angle
    square = angle * angle
    cosine = np.full_like(angle, 2.43722661252832040e-5)
    for coefficient in (-1.38865201734006405e-3, 4.16666194796562195e-2, -0.5, 1.0):
        cosine = cosine * square + f32(coefficient)
    sine = np.full_like(angle, -1.95923411408370290e-4)
    for coefficient in (8.33268736556168517e-3, -1.66666620298229826e-1):
        sine = sine * square + f32(coefficient)
    sine = sine * square * angle + angle
    cosine_by_quadrant = np.choose(quarter.astype(int) % 4, [cosine, -sine, -cosine, sine])
    window: FloatArray = f32(0.5) - f32(0.5) * cosine_by_quadrant
    return window


class FrontEnd:
    """Compute the input spectrogram of a frame of one second.

    Parameters
    ----------
    input_repr : str
        One of `INPUT_REPRS`.
    front_end : str
        One of `FRONT_ENDS`. For ``linear`` none of them pads the frame, so all three apply the same formula.

    Raises
    ------
    SpaceError
        If either is unknown.
    """

    def __init__(self, input_repr: str = "mel256", front_end: str = "kapre") -> None:
        from scipy import fft, sparse

        if input_repr not in INPUT_REPRS or front_end not in FRONT_ENDS:
            raise SpaceError(
                f"OpenL3 has no input representation {input_repr!r} with front end {front_end!r}; "
                f"input representations are {', '.join(INPUT_REPRS)}, front ends are {', '.join(FRONT_ENDS)}"
            )
        self.config = INPUT_REPRS[input_repr]
        self._rfft: Any = fft.rfft
        n_fft = self.config.n_fft
        self._power = front_end == "trained" and self.config.n_mels > 0
        needed = (self.config.columns - 1) * HOP + n_fft - SAMPLE_RATE
        padding = {"kapre": 0, "librosa": n_fft // 2, "trained": needed // 2}
        self._left = padding[front_end] if self.config.n_mels else 0
        dtype: Any = np.float32 if front_end == "kapre" else np.float64
        self._samples = np.zeros((self.config.columns - 1) * HOP + n_fft, dtype=dtype)
        self._windows = np.lib.stride_tricks.sliding_window_view(self._samples, n_fft)[::HOP]
        exact = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        self._window = kapre_window(n_fft) if front_end == "kapre" else exact
        self._mel: Any = None
        if self.config.n_mels:
            scale = "htk" if front_end == "trained" else "slaney"
            filters = mel_filters(sample_rate=SAMPLE_RATE, n_fft=n_fft, n_mels=self.config.n_mels, scale=scale)
            self._mel = sparse.csr_matrix(filters.astype(dtype))

    def __call__(self, frame: FloatArray) -> FloatArray:
        """Compute the spectrogram, float32 [rows, columns], of one frame, float32 [48000]; in dB relative to its maximum."""
        kept = min(SAMPLE_RATE, len(self._samples) - self._left)
        self._samples[self._left : self._left + kept] = frame[:kept]
        spectrum = self._rfft(self._windows * self._window, axis=1)
        magnitude = spectrum.real**2 + spectrum.imag**2 if self._power else np.abs(spectrum)
        spectrogram = magnitude.T if self._mel is None else self._mel @ magnitude.T
        if self._power:
            spectrogram = np.sqrt(spectrogram)
        decibels = np.log(np.maximum(spectrogram, MIN_MAGNITUDE)) * LOG_TO_DECIBELS
        result: FloatArray = np.maximum(decibels - decibels.max(), -DYNAMIC_RANGE).astype(np.float32)
        return result
