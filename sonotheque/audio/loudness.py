"""How loud a recording is by the broadcasters' standards: loudness, its range, and its peaks. Not what else is measured in it.

FFmpeg's filter ``ebur128``, inside PyAV, does the measuring (ITU-R BS.1770-4; EBU Tech 3341 and 3342); the tests hold it to the
signals of Tech 3341. Here are only the ways in and out: any recording that can be decoded, in blocks, in constant memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sonotheque.audio.decode import Source, open_decoder, source_name
from sonotheque.audio.mono import RATES
from sonotheque.errors import InvalidSamplesError
from sonotheque.types import FloatArray

GATE = -70.0
"""LUFS below which a block of 400 ms does not count (BS.1770-4); FFmpeg gives it where no block counts."""

STEPS, SHORT_TERM = 10, 3.0
"""FFmpeg measures ten times in a second; the loudness range is one of blocks of 3 s (Tech 3342)."""

LOWEST_RATE = 8_000
"""Rates below this in Hz are brought to 48,000 first, for which BS.1770-4 states its filter; so are those that a step does not
divide into whole samples."""

LARGEST = 1e6
"""Samples are held below this; full scale is 1."""

FINER = 1024.0
"""Factor by which samples are larger where their true peak is measured: FFmpeg gives three decimals of it, and not in dB."""

LAYOUTS = {1: "mono", 2: "stereo", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What so many channels are taken for, in the order of a WAV file; other numbers are channels that weigh the same."""

MOST_CHANNELS = 64
"""That FFmpeg measures."""


@dataclass(frozen=True)
class Loudness:
    """How loud a recording is.

    Attributes
    ----------
    integrated : float or None
        Of the whole recording in LUFS; None where no block of 400 ms reaches `GATE`, as in silence, and for shorter recordings.
    range : float or None
        Of the loudness of blocks of 3 s, in LU; None where none reaches `GATE`, and for shorter recordings.
    true_peak : float or None
        Largest value of the signal between its samples, in dBTP; None in silence.
    sample_peak : float or None
        Largest sample, in dB of full scale; None in silence.
    """

    integrated: float | None
    range: float | None
    true_peak: float | None
    sample_peak: float | None


class LoudnessMeter:
    """Measures blocks of samples as they come.

    FFmpeg knows loudness in steps of 0.01 LU, from `GATE` to +10 LUFS.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
    name : str
        Of the recording, for messages.

    Examples
    --------
    >>> meter = LoudnessMeter(sample_rate=48_000, channels=2, name="tone")
    >>> sine = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 / 48_000 * np.arange(48_000 * 5))
    >>> meter.add(np.stack([sine, sine], axis=1).astype(np.float32))
    >>> meter.result()
    Loudness(integrated=-23.0, range=0.0, true_peak=-23.0, sample_peak=-23.0)
    """

    def __init__(self, *, sample_rate: int, channels: int, name: str) -> None:
        self._rate, self._name = sample_rate, name
        measured = channels <= MOST_CHANNELS
        self._loudness = _Filter(sample_rate, channels, peak="none") if measured else None
        self._peaks = _Filter(sample_rate, channels, peak="true") if measured else None
        self._short_term = GATE
        self._steps = 0
        self._peak = 0.0
        self._count = 0
        self._last: FloatArray = np.zeros((0, channels), dtype=np.float32)

    def add(self, block: FloatArray) -> None:
        """Take samples, float32 [n, channels], n >= 1.

        Raises
        ------
        InvalidSamplesError
            If one is NaN or infinite.
        """
        peak = float(max(block.max(), -block.min()))
        if not np.isfinite(peak):
            raise InvalidSamplesError(
                f"{self._name}: has NaN or infinite samples after {self._count / self._rate:.1f} s; export it again"
            )
        if peak > LARGEST:
            block = np.clip(block, -LARGEST, LARGEST)
        self._peak = max(self._peak, min(peak, LARGEST))
        self._count += len(block)
        self._last = block[-1:]
        if self._loudness and self._peaks:
            self._read(self._loudness.push(block))
            self._peaks.push(block * np.float32(FINER))

    def result(self) -> Loudness:
        """Close the meter and return what it measured."""
        if not (self._loudness and self._peaks):
            return Loudness(None, None, None, _decibels(self._peak))
        if self._count:  # what does not fill a step is not looked at; holding the last sample makes no peak of its own
            self._peaks.push(np.repeat(self._last * np.float32(FINER), -(-self._rate // STEPS), axis=0))
        self._read(self._loudness.end())
        self._peaks.end()
        integrated = self._loudness.value("I", GATE)
        true_peak = self._peaks.value("true_peak", 0.0) / FINER
        heard = integrated > GATE
        ranged = heard and self._short_term > GATE
        return Loudness(
            integrated=round(integrated, 2) if heard else None,
            range=round(self._loudness.value("LRA", 0.0), 2) if ranged else None,
            true_peak=_decibels(max(true_peak, self._peak)),
            sample_peak=_decibels(self._peak),
        )

    def _read(self, steps: Sequence[dict[str, str]]) -> None:
        for step in steps:
            self._steps += 1
            if self._steps >= SHORT_TERM * STEPS:
                self._short_term = max(self._short_term, float(step["S"]))


class _Filter:
    """One graph of filters with ``ebur128`` in it."""

    def __init__(self, sample_rate: int, channels: int, *, peak: str) -> None:
        import av
        from av.filter import Graph

        self._av: Any = av
        self._rate = sample_rate
        self._layout = LAYOUTS.get(channels, f"{channels}C")
        self._given = 0
        self._values: dict[str, str] = {}
        self._graph: Any = Graph()
        nodes = [self._graph.add_abuffer(sample_rate=sample_rate, format="flt", layout=self._layout)]
        if sample_rate < LOWEST_RATE or sample_rate % STEPS:
            nodes.append(self._graph.add("aresample", "48000"))
        nodes.append(self._graph.add("ebur128", f"metadata=1:peak={peak}:framelog=quiet"))
        nodes.append(self._graph.add("abuffersink"))
        self._graph.link_nodes(*nodes).configure()

    def push(self, block: FloatArray) -> list[dict[str, str]]:
        """Filter float32 samples [n, channels]; return what was measured at each step, by its short name."""
        frame = self._av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block).reshape(1, -1), format="flt", layout=self._layout
        )
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._given, Fraction(1, self._rate)
        self._given += len(block)
        return self._steps(frame)

    def end(self) -> list[dict[str, str]]:
        """Return what is left."""
        return self._steps(None)

    def value(self, name: str, missing: float) -> float:
        """Return the latest measure of that name."""
        return float(self._values.get(name, missing))

    def _steps(self, frame: Any) -> list[dict[str, str]]:
        steps = []
        self._graph.push(frame)
        while True:
            try:
                step = self._graph.pull().metadata
            except (BlockingIOError, EOFError):
                break
            if step:  # the last step has none where it is not full
                steps.append({name.removeprefix("lavfi.r128."): value for name, value in step.items()})
        self._values = steps[-1] if steps else self._values
        return steps


def _decibels(amplitude: float) -> float | None:
    return round(20 * float(np.log10(amplitude)), 2) + 0.0 if amplitude > 0 else None


def measure_loudness(source: Source) -> Loudness:
    """Measure a recording, in blocks.

    More than two channels are taken in the order of a WAV file: 6 for left, right, centre, low frequencies (which do not count),
    and two behind (which count 1.5 dB more).

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    Loudness

    Raises
    ------
    AudioError
        One of its children.

    Examples
    --------
    >>> measure_loudness("tests/data/tone.flac").integrated
    -14.15
    """
    name = source_name(source)
    with closing(open_decoder(source)) as decoder:
        if not RATES[0] <= decoder.sample_rate <= RATES[1]:
            raise InvalidSamplesError(f"{name}: states a sampling rate of {decoder.sample_rate} Hz; it is damaged")
        meter = LoudnessMeter(sample_rate=decoder.sample_rate, channels=decoder.channels, name=name)
        for block in decoder.blocks():
            meter.add(block)
    return meter.result()
