"""The embedder of the descriptor space: one vector for each window of 10 s.

A frame of this space is a window of 10 s, not an analysis frame. Its vector holds statistics over the analysis frames in it. So
memory does not grow with the length of a recording, and each segment of 10 s is described by its own audio only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from sonotheque.embed.descriptors import rhythm_tonal
from sonotheque.embed.descriptors.columns import FAMILIES, STATISTICS, column_names
from sonotheque.embed.descriptors.spectral import SAMPLE_RATE, SpectralAnalysis
from sonotheque.embed.runtime import Compute, ParallelMap
from sonotheque.embed.space import SEGMENT, Space, Times
from sonotheque.types import FloatArray

WINDOW_LENGTH = round(SEGMENT * SAMPLE_RATE)
"""Length of a window in samples; a window is one segment."""

SPACE = Space(
    id="descriptors-librosa-v1-h10.0@1",
    embedder="descriptors",
    dimensions=len(column_names()),
    sample_rate=SAMPLE_RATE,
    frame=SEGMENT,
    hop=SEGMENT,
)

CONSTANT_TOLERANCE = 1e-4
"""A row counts as constant, with skew 0, if its standard deviation is at most this fraction of its mean (or of 1)."""


class Descriptors:
    """Compute the descriptors of a recording.

    Parameters
    ----------
    compute : Compute
        Only the number of threads is used.
    """

    space = SPACE

    def __init__(self, *, compute: Compute = Compute()) -> None:
        self._vectors = ParallelMap(DescriptorExtractor, threads=compute.threads)

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        """Compute one vector for each 10 s of mono float32 blocks at 22,050 Hz.

        A tail of 5 s or more has a vector of its own. A shorter tail is dropped, unless it is the whole recording.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]

        Yields
        ------
        vectors : float32 array [1, D]
            In the order of `column_names`; always finite.
        starts : float64 array [1]
            Start of the window in s.
        """
        for number, vector in enumerate(self._vectors.map(cut_windows(blocks))):
            yield vector[None], np.array([number * SEGMENT])


def cut_windows(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    """Cut mono blocks into windows, float32 arrays [220500]; the last one may be shorter."""
    parts: list[FloatArray] = []
    n_samples = n_windows = 0
    for block in blocks:
        parts.append(block)
        n_samples += len(block)
        if n_samples < WINDOW_LENGTH:
            continue
        samples = np.concatenate(parts)
        while len(samples) >= WINDOW_LENGTH:
            yield samples[:WINDOW_LENGTH]
            samples = samples[WINDOW_LENGTH:]
            n_windows += 1
        parts, n_samples = [samples.copy()], len(samples)
    if n_samples * 2 >= WINDOW_LENGTH or (n_windows == 0 and n_samples > 0):
        yield np.concatenate(parts)


class DescriptorExtractor:
    """Compute the descriptor vector of a window."""

    def __init__(self) -> None:
        self._analyse = SpectralAnalysis()

    def __call__(self, samples: FloatArray) -> FloatArray:
        """Compute the vector, float32 [D], of mono float32 samples [n], n >= 1, at 22,050 Hz."""
        frames = self._analyse(samples)
        bpm, strength = rhythm_tonal.estimate_tempo(frames.features["onset"][0])
        window_features: dict[str, npt.ArrayLike] = {
            "envelope": rhythm_tonal.describe_envelope(frames.rms),
            "tempo": [bpm],
            "beat_strength": [strength],
            "key": rhythm_tonal.estimate_key(frames.key_chroma),
        }
        parts = [
            window_features[family.name]
            if family.name in window_features
            else compute_statistics(frames.features[family.name], family.suffixes)
            for family in FAMILIES
        ]
        return np.concatenate(parts).astype(np.float32)


def compute_statistics(rows: npt.NDArray[np.floating], names: Iterable[str] = STATISTICS) -> npt.NDArray[np.float64]:
    """Compute statistics over time of each row.

    Parameters
    ----------
    rows : float array [n, T], T >= 1
    names : iterable of str
        Names from `STATISTICS`, in output order.

    Returns
    -------
    float64 array [n * len(names)]
        Row by row. The skew of a constant row is 0.

    Examples
    --------
    >>> compute_statistics(np.array([[0.0, 0.0, 3.0], [7.0, 7.0, 7.0]]), ("mean", "max", "skew")).round(3).tolist()
    [1.0, 3.0, 0.707, 7.0, 7.0, 0.0]
    """
    rows = rows.astype(np.float64)
    mean = rows.mean(axis=1)
    deviation = rows - mean[:, None]
    std = np.sqrt(np.mean(deviation**2, axis=1))
    constant = std <= CONSTANT_TOLERANCE * np.maximum(np.abs(mean), 1)
    skew = np.where(constant, 0, np.mean(deviation**3, axis=1) / np.where(constant, 1, std) ** 3)
    values = {"mean": mean, "std": std, "min": rows.min(axis=1), "max": rows.max(axis=1), "skew": skew}
    return np.stack([values[name] for name in names], axis=1).ravel()
