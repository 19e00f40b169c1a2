"""Measure integrated loudness, loudness range and peaks according to EBU R 128.

The measurement itself is FFmpeg's filter ``ebur128``, used through PyAV (ITU-R BS.1770-4; EBU Tech 3341 and 3342). The tests
check it with the test signals of Tech 3341. This module feeds it any recording that can be decoded, in blocks and in constant
memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sonotheque.audio.decode import SAMPLE_RATE_RANGE, open_decoder
from sonotheque.audio.source import Source, source_name
from sonotheque.errors import InvalidSamplesError
from sonotheque.types import FloatArray

ABSOLUTE_GATE = -70.0
"""Absolute gate in LUFS: quieter blocks of 400 ms are ignored (BS.1770-4). FFmpeg returns it if all blocks are quieter."""

STEPS_PER_SECOND = 10
"""Measurements that FFmpeg makes in one second."""

SHORT_TERM_SECONDS = 3.0
"""Length of the blocks whose loudness the loudness range is computed from (Tech 3342)."""

MIN_SAMPLE_RATE = 8_000
"""Lower sampling rates in Hz are first resampled to 48,000 Hz, the rate for which BS.1770-4 specifies its filter. So are rates for
which a step is not a whole number of samples."""

MAX_AMPLITUDE = 1e6
"""Samples are clipped to this; full scale is 1."""

TRUE_PEAK_GAIN = 1024.0
"""Gain applied to samples before their true peak is measured, because FFmpeg reports it as an amplitude with three decimals."""

CHANNEL_LAYOUTS = {1: "mono", 2: "stereo", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""FFmpeg's channel layout for a number of channels, in the order of a WAV file. For other numbers all channels have the same
weight."""

MAX_CHANNELS = 64
"""Largest number of channels that FFmpeg measures."""


@dataclass(frozen=True)
class Loudness:
    """Loudness and peaks of a recording.

    Attributes
    ----------
    integrated : float or None
        Integrated loudness in LUFS. None if no block of 400 ms reaches `ABSOLUTE_GATE`, as in silence, or if the recording is
        shorter than that.
    range : float or None
        Loudness range in LU, computed from blocks of 3 s. None if no such block reaches `ABSOLUTE_GATE`, or if the recording is
        shorter than that.
    true_peak : float or None
        Peak of the signal between its samples in dBTP; None for silence.
    sample_peak : float or None
        Largest absolute sample in dBFS; None for silence.
    """

    integrated: float | None
    range: float | None
    true_peak: float | None
    sample_peak: float | None


class LoudnessMeter:
    """Measure the loudness of a recording that arrives in blocks.

    FFmpeg measures loudness from `ABSOLUTE_GATE` to +10 LUFS in steps of 0.01 LU.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    channels : int
    name : str
        Name of the recording for messages.

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
        measurable = channels <= MAX_CHANNELS
        self._loudness = _Ebur128Filter(sample_rate, channels, peak="none") if measurable else None
        self._peaks = _Ebur128Filter(sample_rate, channels, peak="true") if measurable else None
        self._max_short_term = ABSOLUTE_GATE
        self._steps = 0
        self._peak = 0.0
        self._count = 0
        self._last: FloatArray = np.zeros((0, channels), dtype=np.float32)

    def add(self, block: FloatArray) -> None:
        """Add a block of samples.

        Parameters
        ----------
        block : float32 array [n, channels], n >= 1

        Raises
        ------
        InvalidSamplesError
            If a sample is NaN or infinite.
        """
        peak = float(max(block.max(), -block.min()))
        if not np.isfinite(peak):
            raise InvalidSamplesError(
                f"{self._name}: has NaN or infinite samples after {self._count / self._rate:.1f} s; export it again"
            )
        if peak > MAX_AMPLITUDE:
            block = np.clip(block, -MAX_AMPLITUDE, MAX_AMPLITUDE)
        self._peak = max(self._peak, min(peak, MAX_AMPLITUDE))
        self._count += len(block)
        self._last = block[-1:]
        if self._loudness and self._peaks:
            self._update_short_term(self._loudness.push(block))
            self._peaks.push(block * np.float32(TRUE_PEAK_GAIN))

    def result(self) -> Loudness:
        """Finish the measurement and return the result."""
        if not (self._loudness and self._peaks):
            return Loudness(None, None, None, _amplitude_to_db(self._peak))
        if (
            self._count
        ):  # FFmpeg ignores an incomplete last step; repeating the last sample fills it and adds no new peak
            padding = np.repeat(self._last * np.float32(TRUE_PEAK_GAIN), -(-self._rate // STEPS_PER_SECOND), axis=0)
            self._peaks.push(padding)
        self._update_short_term(self._loudness.flush())
        self._peaks.flush()
        integrated = self._loudness.latest("I", ABSOLUTE_GATE)
        true_peak = self._peaks.latest("true_peak", 0.0) / TRUE_PEAK_GAIN
        has_loudness = integrated > ABSOLUTE_GATE
        has_range = has_loudness and self._max_short_term > ABSOLUTE_GATE
        return Loudness(
            integrated=round(integrated, 2) if has_loudness else None,
            range=round(self._loudness.latest("LRA", 0.0), 2) if has_range else None,
            true_peak=_amplitude_to_db(max(true_peak, self._peak)),
            sample_peak=_amplitude_to_db(self._peak),
        )

    def _update_short_term(self, steps: Sequence[dict[str, str]]) -> None:
        for step in steps:
            self._steps += 1
            if self._steps >= SHORT_TERM_SECONDS * STEPS_PER_SECOND:
                self._max_short_term = max(self._max_short_term, float(step["S"]))


class _Ebur128Filter:
    """An FFmpeg filter graph that contains ``ebur128``."""

    def __init__(self, sample_rate: int, channels: int, *, peak: str) -> None:
        import av
        from av.filter import Graph

        self._av: Any = av
        self._rate = sample_rate
        self._layout = CHANNEL_LAYOUTS.get(channels, f"{channels}C")
        self._pushed = 0
        self._values: dict[str, str] = {}
        self._graph: Any = Graph()
        nodes = [self._graph.add_abuffer(sample_rate=sample_rate, format="flt", layout=self._layout)]
        if sample_rate < MIN_SAMPLE_RATE or sample_rate % STEPS_PER_SECOND:
            nodes.append(self._graph.add("aresample", "48000"))
        nodes.append(self._graph.add("ebur128", f"metadata=1:peak={peak}:framelog=quiet"))
        nodes.append(self._graph.add("abuffersink"))
        self._graph.link_nodes(*nodes).configure()

    def push(self, block: FloatArray) -> list[dict[str, str]]:
        """Filter float32 samples [n, channels]; return the measurements of each completed step, by FFmpeg's short names."""
        frame = self._av.AudioFrame.from_ndarray(
            np.ascontiguousarray(block).reshape(1, -1), format="flt", layout=self._layout
        )
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._pushed, Fraction(1, self._rate)
        self._pushed += len(block)
        return self._run(frame)

    def flush(self) -> list[dict[str, str]]:
        """End the signal; return the measurements of the remaining steps."""
        return self._run(None)

    def latest(self, name: str, default: float) -> float:
        """Return the latest measurement with this name."""
        return float(self._values.get(name, default))

    def _run(self, frame: Any) -> list[dict[str, str]]:
        steps = []
        self._graph.push(frame)
        while True:
            try:
                step = self._graph.pull().metadata
            except (BlockingIOError, EOFError):
                break
            if step:  # an incomplete last step has no measurements
                steps.append({name.removeprefix("lavfi.r128."): value for name, value in step.items()})
        self._values = steps[-1] if steps else self._values
        return steps


def _amplitude_to_db(amplitude: float) -> float | None:
    return round(20 * float(np.log10(amplitude)), 2) + 0.0 if amplitude > 0 else None


def measure_loudness(source: Source) -> Loudness:
    """Measure the loudness of a recording, in blocks.

    More than two channels are expected in the order of a WAV file. Six channels are left, right, centre, low frequencies (which
    are ignored) and two surround channels (which are weighted by +1.5 dB).

    Parameters
    ----------
    source : path, or bytes of a whole file

    Returns
    -------
    Loudness

    Raises
    ------
    AudioError
        If the recording cannot be read; always one of its subclasses.

    Examples
    --------
    >>> measure_loudness("tests/data/tone.flac").integrated
    -14.15
    """
    name = source_name(source)
    with closing(open_decoder(source)) as decoder:
        if not SAMPLE_RATE_RANGE[0] <= decoder.sample_rate <= SAMPLE_RATE_RANGE[1]:
            raise InvalidSamplesError(f"{name}: states a sampling rate of {decoder.sample_rate} Hz; it is damaged")
        meter = LoudnessMeter(sample_rate=decoder.sample_rate, channels=decoder.channels, name=name)
        for block in decoder.blocks():
            meter.add(block)
    return meter.result()
