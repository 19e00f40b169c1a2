"""OpenL3's front ends: one second of audio at 48 kHz to the picture in decibels that the network sees.

Three have been in use, and they give different vectors. `kapre` and `librosa` are those of the package openl3 0.4; `trained` is
what the weights were trained with (kapre 0.1.4; openl3 up to 0.3.1). Each for three pictures: 256 or 128 mel bands, or the
linear spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sonotheque.audio.decode import FloatArray
from sonotheque.audio.mel import mel_filters
from sonotheque.errors import SpaceError

SAMPLE_RATE = 48_000
HOP = 242
FRONT_ENDS = ("kapre", "librosa", "trained")
FLOOR, RANGE = 1e-10, 80.0
"""Least magnitude, and decibels kept below a frame's loudest point."""


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
        self._samples = np.zeros((self.picture.columns - 1) * HOP + n_fft)
        self._windows = np.lib.stride_tricks.sliding_window_view(self._samples, n_fft)[::HOP]
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        self._mel: Any = None
        if self.picture.n_mels:
            scale = "htk" if front_end == "trained" else "slaney"
            filters = mel_filters(sample_rate=SAMPLE_RATE, n_fft=n_fft, n_mels=self.picture.n_mels, scale=scale)
            self._mel = sparse.csr_matrix(filters)

    def __call__(self, frame: FloatArray) -> FloatArray:
        """Turn one frame, float32 [48000], into a picture, float32 [rows, columns], in dB, at most 0."""
        kept = min(SAMPLE_RATE, len(self._samples) - self._left)
        self._samples[self._left : self._left + kept] = frame[:kept]
        spectrum = self._rfft(self._windows * self._window, axis=1)
        magnitude = spectrum.real**2 + spectrum.imag**2 if self._power else np.abs(spectrum)
        picture = magnitude.T if self._mel is None else self._mel @ magnitude.T
        if self._power:
            picture = np.sqrt(picture)
        decibels = 10 * np.log10(np.maximum(picture, FLOOR))
        result: FloatArray = np.maximum(decibels - decibels.max(), -RANGE).astype(np.float32)
        return result
