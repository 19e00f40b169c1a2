"""One pass over a recording to all that is drawn of it, in memory that does not grow with its length. No drawing.

Conventions
-----------
Powers are means over a column, not decibels. Waveform, amplitude spectrum and linear spectrogram are of the file's own rate, up to
48 kHz, so that the limit of a codec shows; the rest is of the 22,050 Hz, the frames and the filters of the descriptors. Frame t is
centred on sample t * hop; before and behind it a recording is mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import Source, open_decoder, source_name
from sonotheque.audio.loudness import Loudness, LoudnessMeter
from sonotheque.audio.mel import mel_filters
from sonotheque.audio.mono import SILENCE_PEAK
from sonotheque.audio.resample import resample_soxr
from sonotheque.embed.descriptors.filters import bark_filters, chroma_filters, fft_frequencies, hann
from sonotheque.embed.descriptors.spectral import (
    AMIN,
    AUDIBLE_RATIO,
    HOP,
    KEY_N_FFT,
    MAX_AMPLITUDE,
    N_FFT,
    N_MELS,
    ROLL_PERCENT,
    SAMPLE_RATE,
    power_spectrum,
    power_to_db,
    spectral_contrast,
)
from sonotheque.errors import NoSamplesError
from sonotheque.explore.inspection.columns import Columns, Framer, OverTime
from sonotheque.types import FloatArray

HIGHEST_RATE = 48_000
"""In Hz; recordings of a higher rate are resampled to it."""

SHORT, LONG = 0.0464, 0.186
"""About the seconds of a frame of the linear spectrogram and of the amplitude spectrum: 2048 and 8192 samples at 44.1 kHz."""

GROUP = 10.0
"""Seconds of frames that are computed at once, and that share a floor, as in a window of the descriptors."""

CHROMA_HOP = 2048
"""Samples."""

CLOSE = 5
"""Frames of a close-up."""

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CloseUp:
    """A short stretch, with the frames that it is cut into.

    Attributes
    ----------
    samples : float32 array [n]
        At 22,050 Hz.
    start : float
        Of the first sample, in s; below 0 where the recording is mirrored.
    frames : int
        Frames of 2048 samples in it, 512 samples apart.
    """

    samples: FloatArray
    start: float
    frames: int


@dataclass(frozen=True)
class Pictures:
    """All that is drawn of a recording, but for what its vectors tell.

    Attributes
    ----------
    waveform : OverTime
        Least and greatest sample in each column; full scale is 1.
    spectrum_hz, spectrum : float64 arrays [F]
        Root mean square amplitude at each frequency over the recording; 1 for a sine of full scale.
    linear_hz : float64 array [F]
    linear : OverTime
        Power at each frequency; 1 for a sine of full scale.
    mel_hz : float64 array [128]
        Middle of each band.
    mel : OverTime
        Power in each mel band.
    bark : OverTime
        Power in each of 23 critical bands.
    chroma : OverTime
        Power in each of 12 pitch classes, from C upwards.
    onsets : OverTime
        Greatest onset strength in each column, in dB.
    level : OverTime
        In dB of full scale.
    centroid, rolloff, flatness, contrast : OverTime
        In Hz, Hz, dB and dB (over seven bands): means over the frames of a column that can be heard and reach beyond neither end
        of the recording; NaN where there is none.
    onset_curve : float32 array [T]
        Onset strength of each frame in dB, 43.07 of them in a second. The one thing here that grows: 0.6 MB for each hour.
    close : CloseUp
        Around the loudest onset: where the root mean square grows most from one frame to the next.
    """

    waveform: OverTime
    spectrum_hz: Float64Array
    spectrum: Float64Array
    linear_hz: Float64Array
    linear: OverTime
    mel_hz: Float64Array
    mel: OverTime
    bark: OverTime
    chroma: OverTime
    onsets: OverTime
    level: OverTime
    centroid: OverTime
    rolloff: OverTime
    flatness: OverTime
    contrast: OverTime
    onset_curve: FloatArray
    close: CloseUp


def look(source: Source) -> tuple[Pictures, Loudness]:
    """Read a recording once, for what is drawn and for its loudness.

    Parameters
    ----------
    source : path, or bytes of a whole file
        Its rate is one that `sonotheque.audio.MonoStream` takes.

    Returns
    -------
    Pictures
    Loudness

    Raises
    ------
    AudioError
        One of its children.
    """
    with closing(open_decoder(source)) as decoder:
        meter = LoudnessMeter(sample_rate=decoder.sample_rate, channels=decoder.channels, name=source_name(source))
        weights = np.full(decoder.channels, 1 / decoder.channels, dtype=np.float32)

        def mono() -> Iterator[FloatArray]:
            for block in decoder.blocks():
                meter.add(block)
                yield np.clip(block @ weights, -MAX_AMPLITUDE, MAX_AMPLITUDE)

        fine = _Fine(min(decoder.sample_rate, HIGHEST_RATE))
        coarse = _Coarse()

        def watched() -> Iterator[FloatArray]:
            for block in _at(mono(), decoder.sample_rate, fine.rate):
                fine.add(block)
                yield block

        for block in _at(watched(), fine.rate, SAMPLE_RATE):
            coarse.add(block)
    if coarse.samples == 0:
        raise NoSamplesError(f"{source_name(source)}: too short to be looked at: nothing is left at {SAMPLE_RATE} Hz")
    return Pictures(**fine.end(), **coarse.end()), meter.result()


def _at(blocks: Iterator[FloatArray], source_rate: int, target_rate: int) -> Iterator[FloatArray]:
    if source_rate == target_rate:
        return blocks
    return resample_soxr(blocks, source_rate=source_rate, target_rate=target_rate)


def _frame_length(rate: int, seconds: float) -> int:
    """Return the power of two that comes nearest, on a logarithmic scale."""
    return int(2 ** round(np.log2(rate * seconds)))


def _over_time(values: npt.NDArray[np.floating], width: int, hop: int, rate: int) -> OverTime:
    """Place columns of so many frames in time: each frame stands for the hop around its centre."""
    return OverTime(values.astype(np.float32), start=-hop / 2 / rate, step=width * hop / rate)


class _Fine:
    """What is seen at the file's own rate."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._lows, self._highs = Columns(1, reduce=np.minimum), Columns(1, reduce=np.maximum)
        short, long = _frame_length(rate, SHORT), _frame_length(rate, LONG)
        self._short = Framer(length=short, hop=short // 2, group=round(GROUP * rate / (short // 2)))
        self._long = Framer(length=long, hop=long // 2, group=round(GROUP * rate / (long // 2)), centred=False)
        self._linear = Columns(short // 2 + 1)
        self._power: Float64Array = np.zeros(long // 2 + 1)
        self._frames = self._seen = 0

    def add(self, block: FloatArray) -> None:
        self._seen += len(block)
        self._lows.add(block[:, None])
        self._highs.add(block[:, None])
        for frames in self._short.add(block):
            self._linear.add(power_spectrum(frames))
        for frames in self._long.add(block):
            self._add_long(frames)

    def _add_long(self, frames: FloatArray) -> None:
        self._power += power_spectrum(frames).sum(axis=0, dtype=np.float64)
        self._frames += len(frames)

    def end(self) -> dict[str, Any]:
        for frames in self._short.end():
            self._linear.add(power_spectrum(frames))
        for frames in self._long.end():
            self._add_long(frames)
        short, long = self._short, self._long
        missing = max(long.length - self._seen, 0)
        covered = hann(long.length)[missing // 2 : long.length - (missing - missing // 2)]
        extremes = np.concatenate([self._lows.reduced(), self._highs.reduced()])
        return {
            "waveform": OverTime(extremes.astype(np.float32), start=0.0, step=self._lows.width / self.rate),
            "spectrum_hz": fft_frequencies(sample_rate=self.rate, n_fft=long.length),
            "spectrum": np.sqrt(self._power / self._frames) / (covered.sum() / 2),
            "linear_hz": fft_frequencies(sample_rate=self.rate, n_fft=short.length),
            "linear": _over_time(
                self._linear.mean() / (short.length / 4) ** 2, self._linear.width, short.hop, self.rate
            ),
        }


class _Coarse:
    """What is seen at the descriptors' rate."""

    def __init__(self) -> None:
        self._hz = fft_frequencies(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._mel_filters = mel_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT, n_mels=N_MELS)
        self._bark_filters = bark_filters(sample_rate=SAMPLE_RATE, n_fft=N_FFT)
        self._chroma_filters = chroma_filters(sample_rate=SAMPLE_RATE, n_fft=KEY_N_FFT)
        self._frames = Framer(length=N_FFT, hop=HOP, group=round(GROUP * SAMPLE_RATE / HOP))
        self._long = Framer(length=KEY_N_FFT, hop=CHROMA_HOP, group=round(GROUP * SAMPLE_RATE / CHROMA_HOP))
        self._mel, self._bark, self._chroma = Columns(N_MELS), Columns(len(self._bark_filters)), Columns(12)
        self._shape, self._onsets = Columns(6), Columns(1, reduce=np.maximum)
        self._curve: list[FloatArray] = []
        self._before: FloatArray | None = None
        self._rms_before: float | None = None
        self._seen = self.samples = 0
        self._loudest, self._close = -np.inf, CloseUp(np.zeros(0, np.float32), 0.0, 0)

    def add(self, block: FloatArray) -> None:
        self.samples += len(block)
        for frames in self._frames.add(block):
            self._add_frames(frames)
        for frames in self._long.add(block):
            self._chroma.add(power_spectrum(frames) @ self._chroma_filters.T)

    def _add_frames(self, frames: FloatArray) -> None:
        power = power_spectrum(frames)
        mel = power @ self._mel_filters.T
        centre = (self._seen + np.arange(len(frames))) * HOP
        whole = (centre >= N_FFT // 2) & (centre + N_FFT // 2 <= self.samples)  # a mirrored end is a kink, not an onset
        onsets = np.where(whole, self._growth(mel), 0).astype(np.float32)
        shapes = self._shapes(frames, power, whole)
        self._mel.add(mel)
        self._bark.add(power @ self._bark_filters.T)
        self._shape.add(shapes)
        self._onsets.add(onsets[:, None])
        self._curve.append(onsets)
        self._look_closely(frames, np.sqrt(shapes[:, 0]))
        self._seen += len(frames)

    def _growth(self, mel: FloatArray) -> FloatArray:
        """Return the onset strength of frames with the mel powers [T, bands], float32 [T]."""
        before = mel[:1] if self._before is None else self._before
        self._before = mel[-1:]
        level = power_to_db(np.concatenate([before, mel]))
        growth: FloatArray = np.maximum(np.diff(level, axis=0), 0).mean(axis=1, dtype=np.float32)
        return growth

    def _shapes(self, frames: FloatArray, power: FloatArray, whole: npt.NDArray[np.bool_]) -> Float64Array:
        """Return mean square, whether it is whole and heard, and then log2 centroid and roll-off, flatness, contrast; [T, 6]."""
        mean_square = np.einsum("tn,tn->t", frames, frames, dtype=np.float64) / N_FFT
        heard = whole & (mean_square >= AUDIBLE_RATIO * mean_square.max()) & (mean_square > SILENCE_PEAK**2)
        floored = np.maximum(power, AMIN)
        magnitude = np.sqrt(floored)
        sums = np.cumsum(magnitude, axis=1, dtype=np.float64)
        centroid = magnitude @ self._hz / sums[:, -1]
        rolloff = self._hz[np.argmax(sums >= ROLL_PERCENT * sums[:, -1:], axis=1)]
        flatness = np.log10(floored).mean(axis=1) - np.log10(floored.mean(axis=1))
        lowest = self._hz[1]
        places = [np.log2(np.maximum(hz, lowest)) for hz in (centroid, rolloff)]
        shape = [*places, 10 * flatness, spectral_contrast(magnitude, self._hz).mean(axis=0)]
        return np.stack([mean_square, heard, *(np.where(heard, row, 0) for row in shape)], axis=1)

    def _look_closely(self, frames: FloatArray, rms: Float64Array) -> None:
        """Keep the samples around the onset among these frames that is louder than all before."""
        before = rms[0] if self._rms_before is None else self._rms_before
        self._rms_before = float(rms[-1])
        growth = np.diff(rms, prepend=before)
        if growth.max() <= self._loudest:
            return
        self._loudest = float(growth.max())
        first = max(0, min(int(growth.argmax()) - CLOSE // 2, len(frames) - CLOSE))
        chosen = frames[first : first + CLOSE]
        samples = np.concatenate([chosen[:-1, :HOP].ravel(), chosen[-1]])
        start = ((self._seen + first) * HOP - N_FFT // 2) / SAMPLE_RATE
        self._close = CloseUp(samples, start, len(chosen))

    def end(self) -> dict[str, Any]:
        for frames in self._frames.end():
            self._add_frames(frames)
        for frames in self._long.end():
            self._chroma.add(power_spectrum(frames) @ self._chroma_filters.T)

        def placed(values: npt.NDArray[np.floating]) -> OverTime:
            return _over_time(np.atleast_2d(values), self._mel.width, HOP, SAMPLE_RATE)

        mean_square, heard, *shape = self._shape.mean()
        centroid, rolloff, flatness, peaks = (
            np.divide(row, heard, out=np.full_like(row, np.nan), where=heard > 0) for row in shape
        )
        weights = self._mel_filters.astype(np.float64)
        return {
            "mel_hz": weights @ self._hz / weights.sum(axis=1),
            "mel": placed(self._mel.mean()),
            "bark": placed(self._bark.mean()),
            "chroma": _over_time(self._chroma.mean(), self._chroma.width, CHROMA_HOP, SAMPLE_RATE),
            "onsets": placed(self._onsets.reduced()),
            "level": placed(10 * np.log10(np.maximum(mean_square, AMIN))),
            "centroid": placed(2**centroid),
            "rolloff": placed(2**rolloff),
            "flatness": placed(flatness),
            "contrast": placed(peaks),
            "onset_curve": np.concatenate(self._curve),
            "close": self._close,
        }
