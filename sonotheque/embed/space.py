"""The definition of a space, and the interface of an embedder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sonotheque.types import FloatArray

Times = npt.NDArray[np.float64]

SEGMENT = 10.0
"""Length of a segment in s. Each segment of a track is stored as one vector."""

FRAMES_SUFFIX = "-frames"
"""Suffix of an embedder's name, and of a space id before its version, if the space stores single frames without pooling."""


def short_name(space_id: str) -> str:
    """Return the short name of the embedder in a space id, for tables.

    Examples
    --------
    >>> short_name("musicnn-msd-penultimate-h3.0-frames@1")
    'musicnn-frames'
    """
    return space_id.partition("-")[0] + (FRAMES_SUFFIX if FRAMES_SUFFIX in space_id else "")


def kind_of(space_id: str) -> str:
    """Return the kind of vectors that a space holds, read from its id.

    Returns
    -------
    str
        ``embedding``: pooled output of a network; ``frames``: output of a network without pooling; ``descriptors``: columns with
        different units; ``spectrogram``: log-mel spectrograms.

    Examples
    --------
    >>> kind_of("descriptors-librosa-v1-h10.0@1"), kind_of("musicnn-msd-penultimate-h3.0-frames@1")
    ('descriptors', 'frames')
    """
    name = space_id.partition("-")[0]
    if FRAMES_SUFFIX in space_id:
        return "frames"
    return {"descriptors": "descriptors", "essentia": "descriptors", "mel": "spectrogram"}.get(name, "embedding")


@dataclass(frozen=True)
class Space:
    """One way to turn audio into vectors. Vectors of different spaces are never mixed.

    Attributes
    ----------
    id : str
        Identifies the network, the layer, the hop and the version of the code: any change to the numbers changes the id.
    embedder : str
        Name of the embedder, as users write it.
    dimensions : int
        Number of dimensions of a vector.
    sample_rate : int
        Sample rate of the embedder's input, in Hz.
    frame, hop : float
        Length of the network's input window, and the step between two windows, in s.
    statistics : tuple of str
        Statistics that pool the frames; see `sonotheque.embed.pooling`.
    resampler : str
        Resampler that converts audio to `sample_rate`; see `sonotheque.audio.resample`.
    pooled : bool
        Whether frames are pooled into segments of length `SEGMENT`. If not, each frame is a segment.
    """

    id: str
    embedder: str
    dimensions: int
    sample_rate: int
    frame: float
    hop: float
    statistics: tuple[str, ...] = ("mean",)
    resampler: str = "soxr"
    pooled: bool = True

    def unpooled(self) -> Space:
        """Return the space that stores each single frame of this space instead of one pooled vector per segment."""
        return replace(
            self, id=self.id.replace("@", f"{FRAMES_SUFFIX}@"), embedder=self.embedder + FRAMES_SUFFIX, pooled=False
        )


class Embedder(Protocol):
    """The object that computes the vectors of a space."""

    space: Space

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Compute frame vectors from mono blocks at the space's sample rate.

        Parameters
        ----------
        blocks : iterable of float32 arrays [n_samples]
            Consecutive blocks of any length.

        Yields
        ------
        vectors : float32 array [n, D]
        starts : float64 array [n]
            Start time of each frame in s.
        """
