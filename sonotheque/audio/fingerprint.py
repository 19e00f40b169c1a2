"""Audio fingerprints: sequences of 32-bit numbers that stay nearly the same when a recording is encoded again.

`compute_spectral_fingerprint` is the method of Haitsma & Kalker (2002), "A highly robust audio fingerprinting system". Chromaprint
is in `sonotheque.audio.chromaprint`. Two fingerprints of one method are compared by their bit error rate at each offset, see
`sonotheque.explore.duplicates.matching`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sonotheque.audio.mono import SILENCE_PEAK, MonoStream
from sonotheque.audio.source import Source
from sonotheque.types import FloatArray

Fingerprint = npt.NDArray[np.uint32]
"""One number for each step, in time order. A step of silence is 0."""

FINGERPRINT_SECONDS = 120.0
"""The first two minutes of a recording are fingerprinted, as Chromaprint does."""

SAMPLE_RATE, N_FFT, HOP = 5512, 2048, 256
"""The frame of 0.37 s is that of Haitsma & Kalker. The hop is 46 ms instead of 12 ms, for fingerprints of a quarter of the size."""

N_BANDS, LOWEST_HZ, HIGHEST_HZ = 33, 300.0, 2000.0
"""Number of bands with equal width on a logarithmic scale of frequency, and their range."""

FRAMES_AT_ONCE = 512


@dataclass(frozen=True)
class FingerprintMethod:
    """A way to compute fingerprints.

    Attributes
    ----------
    id : str
        Name and version. Fingerprints of different methods are never compared.
    hop : float
        Step between two numbers in s.
    compute : callable
        Takes a `Source` and returns its `Fingerprint`.
    """

    id: str
    hop: float
    compute: Callable[[Source], Fingerprint]


def read_start(source: Source, *, sample_rate: int, seconds: float = FINGERPRINT_SECONDS) -> FloatArray:
    """Read the first part of a recording. The rest is not decoded.

    Parameters
    ----------
    source : path, or bytes of a whole file
    sample_rate : int
        In Hz.
    seconds : float

    Returns
    -------
    float32 array [n], n <= seconds * sample_rate
        Mono samples.

    Raises
    ------
    AudioError
        If the recording cannot be read.
    """
    length = round(seconds * sample_rate)
    blocks: list[FloatArray] = []
    with MonoStream(source, sample_rate=sample_rate) as stream:
        for block in stream:
            blocks.append(block)
            length -= len(block)
            if length <= 0:
                break
    return np.concatenate(blocks)[: round(seconds * sample_rate)] if blocks else np.zeros(0, np.float32)


def compute_spectral_fingerprint(source: Source) -> Fingerprint:
    """Compute the fingerprint of Haitsma & Kalker (2002) of the first two minutes of a recording.

    Each number has one bit for each pair of neighbouring bands: the sign of the change, from one frame to the next, of the
    difference of their energies. The signs do not depend on the level and hardly on the encoding.

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    uint32 array [n]
        One number for each 46 ms; 0 where there is silence. Empty if the recording is shorter than 0.5 s.

    Raises
    ------
    AudioError
        If the recording cannot be read.

    Examples
    --------
    >>> compute_spectral_fingerprint("tests/data/tone.flac").shape
    (13,)
    """
    samples = read_start(source, sample_rate=SAMPLE_RATE)
    if len(samples) < N_FFT + HOP:
        return np.zeros(0, np.uint32)
    energies, audible = _band_energies(samples)
    differences = np.diff(energies, axis=1)
    bits = np.diff(differences, axis=0) < 0
    numbers = bits @ (np.uint64(1) << np.arange(N_BANDS - 1, dtype=np.uint64))
    numbers[~(audible[1:] & audible[:-1])] = 0
    fingerprint: Fingerprint = numbers.astype(np.uint32)
    return fingerprint


def _band_energies(samples: FloatArray) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the energy of each frame in each band, float64 [T, 33], and whether each frame is audible, bool [T]."""
    import scipy.fft

    window = np.hanning(N_FFT + 1)[:-1].astype(np.float32)
    hz = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (np.arange(N_BANDS + 1) / N_BANDS)
    edges = np.round(hz * N_FFT / SAMPLE_RATE).astype(np.int64)
    frames = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::HOP]
    energies = np.empty((len(frames), N_BANDS))
    audible = np.empty(len(frames), dtype=np.bool_)
    for start in range(0, len(frames), FRAMES_AT_ONCE):
        part = slice(start, start + FRAMES_AT_ONCE)
        spectrum = scipy.fft.rfft(frames[part] * window, axis=1)[:, : edges[-1]]
        power = np.square(spectrum.real, dtype=np.float64) + np.square(spectrum.imag, dtype=np.float64)
        energies[part] = np.add.reduceat(power, edges[:-1], axis=1)
        audible[part] = np.abs(frames[part]).max(axis=1) > SILENCE_PEAK
    return energies, audible


SPECTRAL = FingerprintMethod("spectral@1", HOP / SAMPLE_RATE, compute_spectral_fingerprint)
"""The method that is always available."""
