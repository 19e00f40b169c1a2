"""What a space is, and what an embedder must offer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sonotheque.types import FloatArray

Times = npt.NDArray[np.float64]

SEGMENT = 10.0
"""Length of a segment in s; local decisions are made on segments."""

FRAMES = "-frames"
"""Ends the name of an embedder, and the id of a space up to its version, where single frames are kept."""


def short_name(space_id: str) -> str:
    """Return the name of a space's embedder, by its id alone: for tables.

    Examples
    --------
    >>> short_name("musicnn-msd-penultimate-h3.0-frames@1")
    'musicnn-frames'
    """
    return space_id.partition("-")[0] + (FRAMES if FRAMES in space_id else "")


def kind_of(space_id: str) -> str:
    """Say what the vectors of a space are, by its id alone.

    Returns
    -------
    str
        ``embedding``: of a network; ``descriptors``: columns of different units; ``frames``: of a network, not pooled;
        ``spectrogram``.

    Examples
    --------
    >>> kind_of("descriptors-librosa-v1-h10.0@1"), kind_of("musicnn-msd-penultimate-h3.0-frames@1")
    ('descriptors', 'frames')
    """
    name = space_id.partition("-")[0]
    if FRAMES in space_id:
        return "frames"
    return {"descriptors": "descriptors", "essentia": "descriptors", "mel": "spectrogram"}.get(name, "embedding")


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
    pooled : bool
        Whether frames are pooled to segments of `SEGMENT`; else each frame is a segment.
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
        """Return the space of the frames themselves: each is kept where this space keeps means of `SEGMENT`."""
        return replace(self, id=self.id.replace("@", f"{FRAMES}@"), embedder=self.embedder + FRAMES, pooled=False)


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
