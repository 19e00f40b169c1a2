"""Loudness of the EBU test signals, in all formats and rates, independent of the block size."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from conftest import RATE, tone
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.audio import load
from sonotheque.audio.loudness import Loudness, LoudnessMeter, measure_loudness
from sonotheque.errors import InvalidSamplesError, MissingFileError, NoSamplesError
from sonotheque.types import FloatArray

FS = 48_000


def sines(*parts: tuple[float, float], channels: int = 2, rate: int = FS, hz: float = 1000) -> FloatArray:
    """A sine whose level changes; each part is a peak level in dBFS and a length in s."""
    levels = np.concatenate([np.full(round(seconds * rate), 10 ** (level / 20)) for level, seconds in parts])
    wave = levels * np.sin(2 * np.pi * hz * np.arange(len(levels)) / rate)
    return np.repeat(wave.astype(np.float32)[:, None], channels, axis=1)


def measure(samples: FloatArray, *, rate: int = FS, cuts: list[int] | None = None) -> Loudness:
    meter = LoudnessMeter(sample_rate=rate, channels=samples.shape[1], name="signal")
    edges = sorted({0, *(cuts or range(0, len(samples), 65_536)), len(samples)})
    for first, last in pairwise(edges):
        meter.add(samples[first:last])
    return meter.result()


@pytest.mark.parametrize(
    ("parts", "loudness"),
    [
        ([(-23, 20)], -23),
        ([(-33, 20)], -33),
        ([(-36, 10), (-23, 60), (-36, 10)], -23),  # the relative gate removes what is 10 LU below
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23),  # the absolute gate applies first
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23),  # nothing is gated
    ],
)
def test_integrated_loudness_of_tech_3341_signals(parts: list[tuple[float, float]], loudness: float) -> None:
    assert measure(sines(*parts)).integrated == pytest.approx(loudness, abs=0.1)


def test_surround_channels_weigh_more_as_in_tech_3341() -> None:
    levels = 10 ** (np.array([-28, -28, -24, -30, -30]) / 20)
    samples = sines((0, 20), channels=5) * levels.astype(np.float32)
    assert measure(samples).integrated == pytest.approx(-23, abs=0.1)
    with_lfe = np.insert(samples, 3, 0.5 * sines((0, 20), channels=1)[:, 0], axis=1)
    assert measure(with_lfe).integrated == measure(samples).integrated


@pytest.mark.parametrize(
    ("levels", "loudness_range"), [((-20, -30), 10), ((-20, -15), 5), ((-40, -20), 20), ((-50, -35, -20, -35, -50), 15)]
)
def test_loudness_range_of_tech_3342_signals(levels: tuple[float, ...], loudness_range: float) -> None:
    assert measure(sines(*((level, 20) for level in levels))).range == pytest.approx(loudness_range, abs=1)


@pytest.mark.parametrize(
    ("amplitude", "period", "degrees", "peak"),
    [(0.5, 4, 0, -6.0), (0.5, 4, 45, -6.0), (0.5, 6, 60, -6.0), (0.5, 8, 67.5, -6.0), (1.41, 4, 45, 3.0)],
)
def test_true_peaks_of_tech_3341_signals(amplitude: float, period: int, degrees: float, peak: float) -> None:
    phase = 2 * np.pi * np.arange(FS) / period + np.deg2rad(degrees)
    ramp = np.minimum(1, np.minimum(np.arange(FS), np.arange(FS)[::-1]) / 1000)  # an abrupt end would add a peak
    measured = measure((amplitude * ramp * np.sin(phase)).astype(np.float32)[:, None].repeat(2, axis=1))
    assert measured.true_peak is not None
    assert measured.sample_peak is not None
    assert peak - 0.4 <= measured.true_peak <= peak + 0.2
    assert measured.true_peak >= measured.sample_peak


def test_peaks_of_a_quiet_recording_are_precise() -> None:
    measured = measure(sines((-63.21, 1)))
    assert measured.true_peak == pytest.approx(-63.21, abs=0.02)
    assert measured.sample_peak == -63.21


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 5 * 44_099), max_size=30, unique=True), st.sampled_from([8_000, 11_025, 44_100]))
def test_results_do_not_depend_on_the_block_size(cuts: list[int], rate: int) -> None:
    generator = np.random.default_rng(0)
    loud = np.repeat([0.1, 0.5, 0.02], [rate, 2 * rate, 2 * rate - 50])[:, None]
    samples = (generator.standard_normal((5 * rate - 50, 2)) * loud).astype(np.float32)
    assert measure(samples, rate=rate, cuts=[cut for cut in cuts if cut < len(samples)]) == measure(samples, rate=rate)


@pytest.mark.parametrize("rate", [1_000, 4_000, 8_000, 11_025, 22_050, 44_100, 96_000, 192_000])
def test_every_rate(rate: int) -> None:
    """One channel is 3 dB quieter than two. The filter of BS.1770-4 has a gain of 0 dB at 1 kHz."""
    measured = measure(sines((-20, 4), channels=1, rate=rate, hz=1000 if rate > 2000 else 200), rate=rate)
    expected = -23.01 if rate > 2000 else -23.97  # the filter has a gain of -0.96 dB at 200 Hz
    assert measured.integrated == pytest.approx(expected, abs=0.1)
    assert measured.range == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("channels", "loudness"), [(1, -26.01), (3, -21.24), (9, -16.47), (100, None)])
def test_channels_of_unknown_layouts_have_equal_weights(channels: int, loudness: float | None) -> None:
    measured = measure(sines((-23, 2), channels=channels))
    assert measured.integrated == pytest.approx(loudness, abs=0.02)
    assert measured.sample_peak == -23


@pytest.mark.parametrize("rate", [8_000, 11_025, 48_000])
def test_less_than_a_block_has_peaks_but_no_loudness(rate: int) -> None:
    assert measure(sines((-20, 0.39), rate=rate), rate=rate).integrated is None
    assert measure(sines((-20, 0.45), rate=rate), rate=rate).integrated == pytest.approx(-20, abs=0.1)
    short = measure(sines((-20, 0.05), rate=rate), rate=rate)
    assert (short.integrated, short.range) == (None, None)
    assert short.true_peak == pytest.approx(-20, abs=0.3)


def test_the_last_samples_count_for_the_peak() -> None:
    samples = sines((-40, 1.05))
    samples[-3:] = 0.5
    assert measure(samples).sample_peak == -6.02
    assert -6.02 <= (measure(samples).true_peak or 0) < -4.5  # a step of the samples goes beyond them between them


def test_silence_has_no_loudness() -> None:
    assert measure(np.zeros((5 * FS, 2), np.float32)) == Loudness(None, None, None, None)
    assert measure(sines((-75, 5))).integrated is None
    quiet = measure(sines((-75, 5)))
    assert (quiet.range, quiet.sample_peak) == (None, -75)


def test_a_tone_at_full_scale_has_a_range_of_zero() -> None:
    measured = measure(sines((0, 4)))
    assert measured.integrated == pytest.approx(0, abs=0.02)
    assert measured.range == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_samples(tmp_path: Path, bad: float) -> None:
    samples = tone(1.0)
    samples[30_000, 1] = bad
    sf.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    with pytest.raises(InvalidSamplesError, match=r"a\.wav.*NaN"):
        measure_loudness(tmp_path / "a.wav")


def test_huge_samples_are_clipped(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", tone(1.0).astype(np.float64) * 1e30, RATE, subtype="FLOAT")
    measured = measure_loudness(tmp_path / "a.wav")
    assert measured.sample_peak == 120
    assert measured.integrated == 10


def test_every_format(formats: dict[str, Path]) -> None:
    reference = measure_loudness(formats["float.wav"])
    assert reference.integrated == pytest.approx(
        -11.1, abs=0.1
    )  # amplitude 0.3 in two channels, with -0.6 dB at 440 Hz
    for name, path in formats.items():
        measured = measure_loudness(path)
        assert measured.integrated == pytest.approx(reference.integrated, abs=0.1), name
        assert measured.true_peak == pytest.approx(reference.true_peak, abs=1), name
    assert measure_loudness(formats["flac.flac"].read_bytes()) == measure_loudness(formats["flac.flac"])


def test_sample_peak_is_that_of_the_decoded_samples(formats: dict[str, Path]) -> None:
    peak = np.abs(load(formats["float.wav"])[0]).max()
    assert measure_loudness(formats["float.wav"]).sample_peak == pytest.approx(20 * np.log10(peak), abs=0.01)


def test_missing_file_and_no_samples(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError):
        measure_loudness(tmp_path / "none.wav")
    sf.write(tmp_path / "empty.wav", np.zeros((0, 2)), RATE)
    with pytest.raises(NoSamplesError):
        measure_loudness(tmp_path / "empty.wav")
