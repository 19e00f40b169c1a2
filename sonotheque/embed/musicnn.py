"""The space of musicnn (MSD), a network that ships with sonotheque and needs no download.

musicnn is an auto-tagging network (Pons & Serra 2019, "musicnn: pre-trained convolutional neural networks for music audio
tagging"), trained on the Million Song Dataset. The weights come from the package musicnn 0.1.0 (ISC) and were converted by
``tools/convert_musicnn.py``. A frame vector is the output of the penultimate layer; docs/spaces.md has the measurements behind that
choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from sonotheque.audio.mel import LogMel, cut_patches
from sonotheque.embed.runtime import Compute, ParallelMap, batch_size, load_network
from sonotheque.embed.space import Space, Times
from sonotheque.embed.weights import read_shipped
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

SAMPLE_RATE, N_FFT, MEL_HOP, N_MELS = 16_000, 512, 256, 96
PATCH_LENGTH = 187
"""Length of the network's input in mel frames: 2.992 s."""

GROUP_SIZE = 32
"""Patches that are prepared before the network runs on them one by one: 6% faster than alternating with the decoder."""

OUTPUTS = {"penultimate": 200, "max_pool": 753, "mean_pool": 753, "taggram": 50}
"""Outputs of the network and their dimensions."""

SPACE = Space(
    id="musicnn-msd-penultimate-h3.0@1",
    embedder="musicnn",
    dimensions=OUTPUTS["penultimate"],
    sample_rate=SAMPLE_RATE,
    frame=PATCH_LENGTH * MEL_HOP / SAMPLE_RATE,
    hop=PATCH_LENGTH * MEL_HOP / SAMPLE_RATE,
)


class Musicnn:
    """Compute the musicnn embeddings of a recording.

    Parameters
    ----------
    output : str
        Layer whose output is returned. The space uses ``penultimate``; ``max_pool``, ``mean_pool`` and ``taggram`` are for
        experiments.
    hop : int
        Step between frames in mel frames of 16 ms. The space uses `PATCH_LENGTH`; smaller steps are for experiments.
    compute : Compute
        Device, precision and number of threads. Precision ``auto`` is always float32 for musicnn.

    Raises
    ------
    SpaceError
        If there is no such output.
    WeightsError
        If the shipped network is damaged.
    """

    space = SPACE

    def __init__(self, *, output: str = "penultimate", hop: int = PATCH_LENGTH, compute: Compute = Compute()) -> None:
        if output not in OUTPUTS:
            raise SpaceError(f"musicnn has no output {output!r}; it has {', '.join(OUTPUTS)}")
        self._output = output
        self._compute = compute
        self._batch_size = batch_size(compute.device)
        self._vectors = ParallelMap(self._load_network, threads=compute.threads)
        self._hop = hop
        self._mel = LogMel(sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop_length=MEL_HOP, n_mels=N_MELS)

    def _load_network(self) -> Callable[[list[FloatArray]], FloatArray]:
        """Load the network; return a function that computes the vectors [n, D] of up to one batch of patches."""
        shape = (self._batch_size, PATCH_LENGTH, N_MELS)
        precision = "f32" if self._compute.precision == "auto" else self._compute.precision
        network = load_network(
            read_shipped("musicnn-msd.onnx"),
            output=self._output,
            shape=shape,
            precision=precision,
            device=self._compute.device,
        )

        def vectors(patches: list[FloatArray]) -> FloatArray:
            batch = np.zeros(shape, dtype=np.float32)
            batch[: len(patches)] = patches
            return network(batch)[: len(patches)]

        return vectors

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Compute the embeddings of consecutive frames of 2.992 s from mono float32 blocks at 16 kHz.

        A recording shorter than a frame is repeated until it fills one. A tail of half a frame or more is covered by
        a last frame that ends with the recording; a shorter tail is dropped.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [n, D]
        starts : float64 array [n]
            Start of each frame in s.
        """
        patches = self.patches(blocks)
        starts: list[int] = []

        def batches() -> Iterator[list[FloatArray]]:
            while group := list(islice(patches, GROUP_SIZE)):
                starts.extend(start for _, start in group)
                for first in range(0, len(group), self._batch_size):
                    yield [patch for patch, _ in group[first : first + self._batch_size]]

        for vectors in self._vectors.map(batches()):
            yield vectors, np.array(starts[: len(vectors)]) * MEL_HOP / SAMPLE_RATE
            del starts[: len(vectors)]

    def patches(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, int]]:
        """Cut the log-mel spectrogram into patches, float32 [187, 96]; yield each with the number of its first mel frame."""
        return cut_patches(self._mel.frames(blocks), length=PATCH_LENGTH, hop=self._hop)
