"""The space of mel spectrograms: pictures of 10 s, for networks that learn from scratch. No network of its own.

A picture is a frame and a segment at once; the track vector, the mean picture, is there because every space has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sonotheque.audio.mel import LogMel, cut_patches
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import Space, Times
from sonotheque.types import FloatArray

SAMPLE_RATE, N_FFT, MEL_HOP, N_MELS = 22_050, 2048, 1024, 64
LENGTH = 215
"""Mel frames of a picture: 9.985 s."""

SPACE = Space(
    id="mel-64x215-h10.0@1",
    embedder="mel",
    dimensions=N_MELS * LENGTH,
    sample_rate=SAMPLE_RATE,
    frame=LENGTH * MEL_HOP / SAMPLE_RATE,
    hop=LENGTH * MEL_HOP / SAMPLE_RATE,
    pooled=False,
)


class MelSpectrogram:
    """The embedder of mel spectrograms.

    Parameters
    ----------
    compute : Compute
        There is nothing here for a device, a precision or threads.
    """

    space = SPACE

    def __init__(self, *, compute: Compute = Compute()) -> None:
        self._mel = LogMel(sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop=MEL_HOP, n_mels=N_MELS)

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Turn mono float32 blocks at 22,050 Hz into pictures of 9.985 s, cut as `sonotheque.audio.mel.cut_patches` does.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [1, 215 * 64]
            Mel frames one after the other, as `sonotheque.audio.LogMel` gives them.
        starts : float64 array [1]
            In s.
        """
        for picture, start in cut_patches(self._mel.frames(blocks), length=LENGTH, hop=LENGTH):
            yield picture.reshape(1, -1), np.array([start * MEL_HOP / SAMPLE_RATE])
