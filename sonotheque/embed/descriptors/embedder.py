"""The space of descriptors: cuts a recording into windows of 10 s and puts each window's numbers in the order of `columns`.

A frame of this space is a window, not an analysis frame: its vector holds statistics of the analysis frames in it, so memory does
not grow with a recording's length, and each segment of 10 s has the descriptors of its own audio.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from sonotheque.embed.descriptors import musical
from sonotheque.embed.descriptors.columns import FAMILIES, STATISTICS, columns
from sonotheque.embed.descriptors.spectral import SAMPLE_RATE, SpectralAnalysis
from sonotheque.embed.runtime import Compute, SideBySide
from sonotheque.embed.space import SEGMENT, Space, Times
from sonotheque.types import FloatArray

WINDOW = round(SEGMENT * SAMPLE_RATE)
"""Samples of a window: one for each segment."""

SPACE = Space(
    id="descriptors-librosa-v1-h10.0@1",
    embedder="descriptors",
    dimensions=len(columns()),
    sample_rate=SAMPLE_RATE,
    frame=SEGMENT,
    hop=SEGMENT,
)

STEADY = 1e-4
"""Share of its mean (or of 1) up to which a deviation is rounding, and its skew 0."""


class Descriptors:
    """The embedder of descriptors.

    Parameters
    ----------
    compute : Compute
        Threads; there is nothing here for a device or a precision.
    """

    space = SPACE

    def __init__(self, *, compute: Compute = Compute()) -> None:
        self._vectors = SideBySide(WindowDescriber, threads=compute.threads)

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Turn mono float32 blocks at 22,050 Hz into one vector for each 10 s.

        A tail of 5 s or more has a vector of its own, over what there is; a shorter tail is dropped, but not where it is the
        whole recording.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [1, D]
            In the order of `columns`; always finite.
        starts : float64 array [1]
            In s.
        """
        for number, vector in enumerate(self._vectors.map(windows(blocks))):
            yield vector[None], np.array([number * SEGMENT])


def windows(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Cut blocks into float32 arrays [220500], the last one shorter."""
    parts: list[FloatArray] = []
    held = cut = 0
    for block in blocks:
        parts.append(block)
        held += len(block)
        if held < WINDOW:
            continue
        samples = np.concatenate(parts)
        while len(samples) >= WINDOW:
            yield samples[:WINDOW]
            samples = samples[WINDOW:]
            cut += 1
        parts, held = [samples.copy()], len(samples)
    if held * 2 >= WINDOW or (cut == 0 and held > 0):
        yield np.concatenate(parts)


class WindowDescriber:
    """Turns a window into its vector."""

    def __init__(self) -> None:
        self._analyse = SpectralAnalysis()

    def __call__(self, samples: FloatArray) -> FloatArray:
        """Describe float32 samples [n], n >= 1, at 22,050 Hz by a vector float32 [D]."""
        frames = self._analyse(samples)
        bpm, strength = musical.tempo(frames.rows["onset"][0])
        whole: dict[str, npt.ArrayLike] = {
            "envelope": musical.envelope(frames.rms),
            "tempo": [bpm],
            "beat_strength": [strength],
            "key": musical.key(frames.key_chroma),
        }
        parts = [
            whole[family.name] if family.name in whole else statistics(frames.rows[family.name], family.suffixes)
            for family in FAMILIES
        ]
        return np.concatenate(parts).astype(np.float32)


def statistics(rows: npt.NDArray[np.floating], names: Iterable[str] = STATISTICS) -> npt.NDArray[np.float64]:
    """Summarise each row.

    Parameters
    ----------
    rows : float array [n, T], T >= 1
    names : names out of `STATISTICS`, in output order

    Returns
    -------
    float64 array [n * len(names)]
        Row by row. A row that does not change has skew 0.

    Examples
    --------
    >>> statistics(np.array([[0.0, 0.0, 3.0], [7.0, 7.0, 7.0]]), ("mean", "max", "skew")).round(3).tolist()
    [1.0, 3.0, 0.707, 7.0, 7.0, 0.0]
    """
    rows = rows.astype(np.float64)
    mean = rows.mean(axis=1)
    off = rows - mean[:, None]
    std = np.sqrt(np.mean(off**2, axis=1))
    steady = std <= STEADY * np.maximum(np.abs(mean), 1)
    skew = np.where(steady, 0, np.mean(off**3, axis=1) / np.where(steady, 1, std) ** 3)
    values = {"mean": mean, "std": std, "min": rows.min(axis=1), "max": rows.max(axis=1), "skew": skew}
    return np.stack([values[name] for name in names], axis=1).ravel()
