"""Compute the log-mel spectrogram of a signal that arrives in blocks.

librosa is not used because its first call takes seconds to compile and because it needs the whole signal at once. The tests
compare the results with librosa's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from sonotheque.types import FloatArray

MIN_LOG_HZ, MIN_LOG_MEL, LINEAR_STEP, LOG_STEP = 1000.0, 15.0, 200.0 / 3, np.log(6.4) / 27
"""Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz; logarithmic above, with 27 steps for a factor of 6.4."""

HTK_MEL, HTK_HZ = 2595.0, 700.0
"""The mel scale of the HTK book (Young et al. 2006, section 5.4)."""


def _hz_to_mel(hz: float, scale: str) -> float:
    if scale == "htk":
        return HTK_MEL * float(np.log10(1 + hz / HTK_HZ))
    return hz / LINEAR_STEP if hz < MIN_LOG_HZ else MIN_LOG_MEL + float(np.log(hz / MIN_LOG_HZ)) / LOG_STEP


def _mel_to_hz(mel: np.ndarray, scale: str) -> np.ndarray:
    if scale == "htk":
        return HTK_HZ * (10 ** (mel / HTK_MEL) - 1)
    return np.where(mel < MIN_LOG_MEL, mel * LINEAR_STEP, MIN_LOG_HZ * np.exp(LOG_STEP * (mel - MIN_LOG_MEL)))


def mel_filters(
    *, sample_rate: int, n_fft: int, n_mels: int, fmin: float = 0.0, fmax: float | None = None, scale: str = "slaney"
) -> FloatArray:
    """Build triangular mel filters with area normalisation, like librosa's ``filters.mel`` (0.11).

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft : int
        FFT length in samples.
    n_mels : int
        Number of bands.
    fmin, fmax : float
        Lowest and highest frequency in Hz; `fmax` is the Nyquist frequency by default.
    scale : str
        Mel scale: ``slaney`` or ``htk``.

    Returns
    -------
    float32 array [n_mels, n_fft // 2 + 1]

    Examples
    --------
    >>> mel_filters(sample_rate=16000, n_fft=512, n_mels=96).shape
    (96, 257)
    """
    ends = _hz_to_mel(fmin, scale), _hz_to_mel(fmax or sample_rate / 2, scale)
    edges = _mel_to_hz(np.linspace(*ends, n_mels + 2), scale)
    bins = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    result: FloatArray = filters.astype(np.float32)
    return result


class LogMel:
    """Compute a log-mel spectrogram in blocks, with the scaling that musicnn uses.

    Frame t is centred on sample t * hop_length; the signal is padded with n_fft / 2 zeros on both sides. The value is
    log10(10000 m + 1) of the mel-weighted power m (Pons & Serra 2019, the package musicnn 0.1.0).

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_fft : int
        FFT length in samples.
    hop_length : int
        Step between frames in samples.
    n_mels : int
        Number of mel bands.

    Examples
    --------
    >>> mel = LogMel(sample_rate=16000, n_fft=512, hop_length=256, n_mels=96)
    >>> frames = list(mel.frames([np.zeros(16000, np.float32)]))
    >>> sum(len(block) for block in frames)
    63
    """

    def __init__(self, *, sample_rate: int, n_fft: int, hop_length: int, n_mels: int) -> None:
        self.n_fft, self.hop_length, self.n_mels = n_fft, hop_length, n_mels
        self._filters = mel_filters(sample_rate=sample_rate, n_fft=n_fft, n_mels=n_mels).T.copy()
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)

    def frames(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """Compute the frames of a signal.

        Parameters
        ----------
        blocks : iterable of float32 arrays [any]
            Mono samples.

        Yields
        ------
        float32 arrays [n, n_mels], n >= 1
        """
        padding = np.zeros(self.n_fft // 2, dtype=np.float32)
        rest = padding
        for block in blocks:
            rest = np.concatenate([rest, block])
            count = 1 + (len(rest) - self.n_fft) // self.hop_length
            if count > 0:
                yield self._log_mel(rest, count)
                rest = rest[count * self.hop_length :]
        rest = np.concatenate([rest, padding])
        count = 1 + (len(rest) - self.n_fft) // self.hop_length
        if count > 0:
            yield self._log_mel(rest, count)

    def _log_mel(self, samples: FloatArray, count: int) -> FloatArray:
        frames = np.lib.stride_tricks.sliding_window_view(samples, self.n_fft)[:: self.hop_length][:count]
        spectrum = np.fft.rfft(frames * self._window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        mel: FloatArray = np.log10(10_000 * (power @ self._filters) + 1)
        return mel


def cut_patches(blocks: Iterable[FloatArray], *, length: int, hop: int) -> Iterator[tuple[FloatArray, int]]:
    """Cut a spectrogram that arrives in blocks into patches of equal length.

    A spectrogram shorter than a patch is repeated until it fills one. A tail of half a patch or more is covered by a last patch
    that ends with the spectrogram; a shorter tail is dropped.

    Parameters
    ----------
    blocks : iterable of float32 arrays [n, n_mels]
    length : int
        Length of a patch in mel frames.
    hop : int
        Step between patches in mel frames.

    Yields
    ------
    patch : float32 array [length, n_mels]
    start : int
        Number of its first mel frame.

    Examples
    --------
    >>> spectrogram = np.arange(7, dtype=np.float32)[:, None]
    >>> [(patch[:, 0].tolist(), start) for patch, start in cut_patches([spectrogram], length=4, hop=4)]
    [([0.0, 1.0, 2.0, 3.0], 0), ([3.0, 4.0, 5.0, 6.0], 3)]
    """
    held: FloatArray | None = None
    first = start = 0  # mel frames: the first one in `held`, and the first one of the next patch
    for block in blocks:
        held = block if held is None else np.concatenate([held, block])
        while first + len(held) >= start + length:
            yield held[start - first : start - first + length], start
            start += hop
        keep = min(start - first, len(held) - length)
        if keep > 0:
            held, first = held[keep:], first + keep
    if held is None:
        return
    end = first + len(held)
    covered = start - hop + length
    if start == 0:
        yield np.resize(held, (length, held.shape[1])), 0
    elif (end - covered) * 2 >= length:
        yield held[-length:], end - length
