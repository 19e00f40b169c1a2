"""What a space is, and what an embedder must offer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray

Times = npt.NDArray[np.float64]

SEGMENT = 10.0
"""Length of a segment in s; local decisions are made on segments."""


@dataclass(frozen=True)
class Space:
    """One way to turn audio into vectors. Vectors of different spaces never mix.

    Attributes
    ----------
    id : str
        Network, layer, hop and the version of our code for it: a change that changes numbers changes the id.
    embedder : str
        The name that a person uses.
    dimensions : int
        Length of a vector.
    sample_rate : int
        Of the audio that the embedder takes, in Hz.
    frame, hop : float
        Window that the network sees once, and the step between two windows, in s.
    statistics : tuple of str
        What the frames are pooled to, see `sonotheque.embed.pooling`.
    resampler : str
        How the audio comes to that rate, see `sonotheque.audio.resample`.
    """

    id: str
    embedder: str
    dimensions: int
    sample_rate: int
    frame: float
    hop: float
    statistics: tuple[str, ...] = ("mean",)
    resampler: str = "soxr"


class Embedder(Protocol):
    """The object that computes a space."""

    space: Space

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Turn mono float32 blocks at the space's rate into frames.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [n, D]
        starts : float64 array [n]
            Start of each frame in s.
        """
