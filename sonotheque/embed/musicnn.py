"""musicnn (MSD): the space that ships with sonotheque and needs no download.

The network of Pons & Serra (2019, "musicnn: pre-trained convolutional neural networks for music audio tagging"), trained
to tag the Million Song Dataset; weights from the package musicnn 0.1.0 (ISC), converted by ``tools/convert_musicnn.py``.
A frame vector is the penultimate layer: docs/spaces.md has the measurements behind that choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from sonotheque.audio.mel import LogMel, cut_patches
from sonotheque.embed.runtime import Compute, SideBySide, batch_size, load
from sonotheque.embed.space import Space, Times
from sonotheque.embed.weights import shipped
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

SAMPLE_RATE, N_FFT, MEL_HOP, N_MELS = 16_000, 512, 256, 96
PATCH = 187
"""Mel frames that the network sees at once: 2.992 s."""

GROUP = 32
"""Patches that are made before the network runs on them, one by one: 6 % faster than taking turns with the decoder."""

OUTPUTS = {"penultimate": 200, "max_pool": 753, "mean_pool": 753, "taggram": 50}

SPACE = Space(
    id="musicnn-msd-penultimate-h3.0@1",
    embedder="musicnn",
    dimensions=OUTPUTS["penultimate"],
    sample_rate=SAMPLE_RATE,
    frame=PATCH * MEL_HOP / SAMPLE_RATE,
    hop=PATCH * MEL_HOP / SAMPLE_RATE,
)


class Musicnn:
    """The embedder of musicnn.

    Parameters
    ----------
    output : str
        Layer to return: ``penultimate`` (the space), or for study ``max_pool``, ``mean_pool``, ``taggram``.
    hop : int
        Step between two frames in mel frames of 16 ms: `PATCH` (the space), or for study less.
    compute : Compute
        Device, precision, threads; ``auto`` is always float32 here.

    Raises
    ------
    SpaceError
        If there is no such output.
    WeightsError
        If the shipped network is damaged.
    """

    space = SPACE

    def __init__(self, *, output: str = "penultimate", hop: int = PATCH, compute: Compute = Compute()) -> None:
        if output not in OUTPUTS:
            raise SpaceError(f"musicnn has no output {output!r}; it has {', '.join(OUTPUTS)}")
        self._output = output
        self._compute = compute
        self._batch = batch_size(compute.device)
        self._vectors = SideBySide(self._build, threads=compute.threads)
        self._hop = hop
        self._mel = LogMel(sample_rate=SAMPLE_RATE, n_fft=N_FFT, hop=MEL_HOP, n_mels=N_MELS)

    def _build(self) -> Callable[[list[FloatArray]], FloatArray]:
        """Load the network; return the function that takes at most a batch of patches to vectors [n, D]."""
        shape = (self._batch, PATCH, N_MELS)
        precision = "f32" if self._compute.precision == "auto" else self._compute.precision
        network = load(
            shipped("musicnn-msd.onnx"),
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
        """Turn mono float32 blocks at 16 kHz into frames of 2.992 s, one after the other.

        A recording shorter than a frame is repeated until it fills one. A tail of half a frame or more is covered by
        a last frame that ends with the recording; a shorter tail is dropped.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [n, D]
        starts : float64 array [n]
            In s.
        """
        patches = self.patches(blocks)
        starts: list[int] = []

        def batches() -> Iterator[list[FloatArray]]:
            while group := list(islice(patches, GROUP)):
                starts.extend(start for _, start in group)
                for first in range(0, len(group), self._batch):
                    yield [patch for patch, _ in group[first : first + self._batch]]

        for vectors in self._vectors.map(batches()):
            yield vectors, np.array(starts[: len(vectors)]) * MEL_HOP / SAMPLE_RATE
            del starts[: len(vectors)]

    def patches(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, int]]:
        """Cut the log-mel spectrogram into patches float32 [187, 96], each with its first mel frame."""
        return cut_patches(self._mel.frames(blocks), length=PATCH, hop=self._hop)
