"""OpenL3's front ends: one second of audio at 48 kHz to the picture in decibels that the network sees.

Three have been in use, and they give different vectors. `kapre` and `librosa` are those of the package openl3 0.4; `trained` is
what the weights were trained with (kapre 0.1.4; openl3 up to 0.3.1). Each for three pictures: 256 or 128 mel bands, or the
linear spectrum.

`kapre` computes in float32, and its rounding is louder than the least that the network sees, 160 dB below the loudest sound.
So this front end has the same window to the last bit and the same FFT (SciPy and TensorFlow both use pocketfft); the others
are in float64.
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
FLOOR, RANGE = 1e-10, 80.0
"""Least magnitude, and decibels kept below a frame's loudest point."""
DECIBELS = 10 / float(np.log(10))


@dataclass(frozen=True)
class Picture:
    """What a network takes: FFT length in samples, mel bands (0: the linear spectrum), rows and columns."""

    n_fft: int
    n_mels: int
    rows: int
    columns: int


PICTURES = {
    "mel256": Picture(2048, 256, 256, 199),
    "mel128": Picture(2048, 128, 128, 199),
    "linear": Picture(512, 0, 257, 197),
}


def kapre_window(length: int) -> FloatArray:
    """Compute a periodic Hann window as ``tf.signal.hann_window`` does, to the last bit.

    TensorFlow 2.15.1 takes the cosine in float32 with Eigen's `psincos_float` (Eigen 3.4, GenericPacketMathFunctions.h), built
    without fused multiply-add: an argument reduction by four parts of pi/2, then a polynomial. Two thirds of the entries are not
    the correctly rounded ones.

    Parameters
    ----------
    length : int
        In samples; even.

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
    turned = np.choose(quarter.astype(int) % 4, [cosine, -sine, -cosine, sine])
    window: FloatArray = f32(0.5) - f32(0.5) * turned
    return window


class FrontEnd:
    """Turns frames of one second into pictures.

    Parameters
    ----------
    picture : str
        One of `PICTURES`.
    front_end : str
        One of `FRONT_ENDS`. For ``linear``, where none pads, `kapre` and `librosa` differ in nothing and `trained` neither.

    Raises
    ------
    SpaceError
        If either is unknown.
    """

    def __init__(self, picture: str = "mel256", front_end: str = "kapre") -> None:
        from scipy import fft, sparse

        if picture not in PICTURES or front_end not in FRONT_ENDS:
            raise SpaceError(
                f"OpenL3 has no {picture!r} with {front_end!r}; pictures are {', '.join(PICTURES)}, "
                f"front ends {', '.join(FRONT_ENDS)}"
            )
        self.picture = PICTURES[picture]
        self._rfft: Any = fft.rfft
        n_fft = self.picture.n_fft
        self._power = front_end == "trained" and self.picture.n_mels > 0
        needed = (self.picture.columns - 1) * HOP + n_fft - SAMPLE_RATE
        padding = {"kapre": 0, "librosa": n_fft // 2, "trained": needed // 2}
        self._left = padding[front_end] if self.picture.n_mels else 0
        dtype: Any = np.float32 if front_end == "kapre" else np.float64
        self._samples = np.zeros((self.picture.columns - 1) * HOP + n_fft, dtype=dtype)
        self._windows = np.lib.stride_tricks.sliding_window_view(self._samples, n_fft)[::HOP]
        exact = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        self._window = kapre_window(n_fft) if front_end == "kapre" else exact
        self._mel: Any = None
        if self.picture.n_mels:
            scale = "htk" if front_end == "trained" else "slaney"
            filters = mel_filters(sample_rate=SAMPLE_RATE, n_fft=n_fft, n_mels=self.picture.n_mels, scale=scale)
            self._mel = sparse.csr_matrix(filters.astype(dtype))

    def __call__(self, frame: FloatArray) -> FloatArray:
        """Turn one frame, float32 [48000], into a picture, float32 [rows, columns], in dB, at most 0."""
        kept = min(SAMPLE_RATE, len(self._samples) - self._left)
        self._samples[self._left : self._left + kept] = frame[:kept]
        spectrum = self._rfft(self._windows * self._window, axis=1)
        magnitude = spectrum.real**2 + spectrum.imag**2 if self._power else np.abs(spectrum)
        picture = magnitude.T if self._mel is None else self._mel @ magnitude.T
        if self._power:
            picture = np.sqrt(picture)
        decibels = np.log(np.maximum(picture, FLOOR)) * DECIBELS
        result: FloatArray = np.maximum(decibels - decibels.max(), -RANGE).astype(np.float32)
        return result
