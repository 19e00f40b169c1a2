"""The space of mel spectrograms: patches of 10 s, the input of networks that are trained from scratch.

A patch is both a frame and a segment. The track vector is the mean patch; it exists only because every space has track vectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sonotheque.audio.mel import LogMel, cut_patches
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import Space, Times
from sonotheque.types import FloatArray

SAMPLE_RATE, N_FFT, MEL_HOP, N_MELS = 22_050, 2048, 1024, 64
PATCH_LENGTH = 215
"""Length of a patch in mel frames: 9.985 s."""

SPACE = Space(
    id="mel-64x215-h10.0@1",
    embedder="mel",
    dimensions=N_MELS * PATCH_LENGTH,
    sample_rate=SAMPLE_RATE,
    frame=PATCH_LENGTH * MEL_HOP / SAMPLE_RATE,
    hop=PATCH_LENGTH * MEL_HOP / SAMPLE_RATE,
    pooled=False,
)


class MelSpectrogram:
    """Compute the mel spectrogram patches of a recording.

    Parameters
    ----------
    compute : Compute
        Not used; every embedder accepts it.
    """

    space = SPACE

    def __init__(self, *, compute: Compute = Compute()) -> None:
        self._mel = LogMel(sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop_length=MEL_HOP, n_mels=N_MELS)

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Compute patches of 9.985 s from mono float32 blocks at 22,050 Hz.

        `sonotheque.audio.mel.cut_patches` describes what happens with short recordings and with the tail.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [1, 215 * 64]
            A flattened patch: the mel frames of `sonotheque.audio.LogMel` in time order.
        starts : float64 array [1]
            Start of the patch in s.
        """
        for patch, start in cut_patches(self._mel.frames(blocks), length=PATCH_LENGTH, hop=PATCH_LENGTH):
            yield patch.reshape(1, -1), np.array([start * MEL_HOP / SAMPLE_RATE])
