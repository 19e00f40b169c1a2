"""Inspection of recordings: known signals are found at the right time and frequency, for any length, sample rate and level."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from conftest import RATE
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque import results
from sonotheque.audio import load
from sonotheque.audio.loudness import measure_loudness
from sonotheque.demo import music
from sonotheque.embed.auto_tags import TAGS
from sonotheque.embed.descriptors import rhythm_tonal
from sonotheque.embed.descriptors.filters import BARK_EDGES
from sonotheque.embed.descriptors.spectral import SpectralAnalysis
from sonotheque.embed.musicnn import SPACE, Musicnn
from sonotheque.errors import InvalidSamplesError, MissingFileError, NoSamplesError
from sonotheque.explore.inspection import Inspection, SignalViews, TimeSeries, inspect_recording
from sonotheque.explore.inspection.beat_tracking import track_beats
from sonotheque.explore.inspection.downsampling import MAX_COLUMNS, Downsampler
from sonotheque.explore.inspection.framing import Framer
from sonotheque.explore.inspection.signal_views import compute_signal_views
from sonotheque.results import InspectionResult
from sonotheque.types import FloatArray

CLIP = music() / "metal" / "muldjord-armygeddon.ogg"
TIME_SERIES = (
    "waveform",
    "linear",
    "mel",
    "bark",
    "chroma",
    "onset_strength",
    "level",
    "centroid",
    "rolloff",
    "flatness",
    "contrast",
)


def noise(seconds: float, *, rate: int = RATE) -> FloatArray:
    values: FloatArray = (0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))).astype(np.float32)
    return values


def sine(*hz: float, seconds: float, rate: int = RATE, amplitude: float = 0.5) -> FloatArray:
    time = np.arange(round(seconds * rate)) / rate
    total: FloatArray = (amplitude * np.sum([np.sin(2 * np.pi * f * time) for f in hz], axis=0)).astype(np.float32)
    return total


def write_audio(folder: Path, samples: FloatArray, *, rate: int = RATE, name: str = "a.wav") -> Path:
    sf.write(folder / name, samples, rate, subtype="FLOAT" if name.endswith("wav") else None)
    return folder / name


def views_of(folder: Path, samples: FloatArray, *, rate: int = RATE) -> SignalViews:
    return compute_signal_views(write_audio(folder, samples, rate=rate))[0]


def loudest_column(series: TimeSeries) -> tuple[float, float]:
    """Return start and end of the column with the largest values, in s."""
    column = int(np.abs(series.values).sum(axis=0).argmax())
    return float(series.edges[column]), float(series.edges[column + 1])


def check_result(result: InspectionResult) -> None:
    """Check the invariants of every result."""
    json.dumps(asdict(result), allow_nan=False)
    assert len(result.tags) == (0 if result.silent else 10)
    strengths = [tag.strength for tag in result.tags]
    assert strengths == sorted(strengths, reverse=True)
    assert [window.start for window in result.windows] == [10.0 * number for number in range(len(result.windows))]
    assert (result.key is None) == (result.clarity is None)


@pytest.fixture(scope="module")
def clip() -> Inspection:
    return inspect_recording(CLIP)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_tone_is_found_at_its_frequency(tmp_path: Path, rate: int) -> None:
    views = views_of(tmp_path, sine(1000, seconds=2, rate=rate), rate=rate)
    assert views.spectrum_hz[-1] == min(rate, 48_000) / 2
    assert views.spectrum_hz[views.spectrum.argmax()] == pytest.approx(1000, abs=3.5)
    assert 20 * np.log10(views.spectrum.max()) == pytest.approx(-6.02, abs=1.43)  # a Hann window loses up to 1.42 dB
    assert 10 * np.log10(views.linear.values.max()) == pytest.approx(-6.02, abs=1.43)
    middle = slice(2, -2)
    assert np.unique(views.linear_hz[views.linear.values[:, middle].argmax(axis=0)]) == pytest.approx(1000, abs=12)
    assert np.unique(views.mel_hz[views.mel.values[:, middle].argmax(axis=0)]) == pytest.approx(1000, rel=0.02)
    (band,) = np.unique(views.bark.values[:, middle].argmax(axis=0))
    assert BARK_EDGES[band] <= 1000 < BARK_EDGES[band + 1]
    assert views.centroid.values[0, 10] == pytest.approx(1000, rel=0.02)
    assert views.bark.values[band, 10] == pytest.approx(0.5**2 / 2, rel=0.02)  # the mean square of the sine


def test_impulse_is_found_at_its_time(tmp_path: Path) -> None:
    samples = 1e-3 * noise(8)
    samples[4 * RATE] = 0.9
    views = views_of(tmp_path, samples)
    for name in ("waveform", "linear", "mel", "bark"):
        first, last = loudest_column(getattr(views, name))
        assert first <= 4.0 <= last, name
    first, last = loudest_column(views.onset_strength)  # the onset is in the first frame of 93 ms with the impulse
    assert first - 0.06 <= 4.0 <= last + 0.06
    assert views.waveform.values.max() == pytest.approx(0.9, abs=1e-3)
    peak = views.loudest_onset.start + np.abs(views.loudest_onset.samples).argmax() / 22_050
    assert peak == pytest.approx(4.0, abs=1 / 22_050)
    assert len(views.loudest_onset.samples) == 2048 + 512 * (views.loudest_onset.frames - 1)


def test_clicks_tempo_and_beats(tmp_path: Path) -> None:
    samples = 1e-3 * noise(25)
    clicks = np.arange(0.3, 24.5, 0.6)
    for click in clicks:
        samples[round(click * RATE) :][:800] += noise(800 / RATE)
    found = inspect_recording(write_audio(tmp_path, samples))
    check_result(found.result)
    assert found.result.tempo == pytest.approx(100, rel=0.01)
    assert found.result.beat_strength > 0.9
    assert [window.tempo for window in found.result.windows] == [pytest.approx(100, rel=0.01)] * 3
    assert len(found.beats) == pytest.approx(len(clicks), abs=1)
    assert max(np.abs(clicks - beat).min() for beat in found.beats) < 0.07


def test_chord_key_and_pitch_classes(tmp_path: Path) -> None:
    found = inspect_recording(write_audio(tmp_path, sine(261.63, 329.63, 392.0, seconds=11, amplitude=0.2)))
    assert found.result.key == "C major"
    assert [window.key for window in found.result.windows] == ["C major"]
    mean = found.views.chroma.values.mean(axis=1)
    assert set(np.argsort(mean)[-3:]) == {0, 4, 7}  # C, E, G
    assert found.views.onset_envelope[-3:].max() < 0.5  # the abrupt end is not an onset


@pytest.mark.slow
def test_beats_agree_with_librosa() -> None:
    from librosa.beat import beat_track

    samples, _ = load(music() / "metal" / "david-reeves-david01.mp3", sample_rate=22_050)
    onsets = SpectralAnalysis()(samples).features["onset"][0]
    bpm, _ = rhythm_tonal.estimate_tempo(onsets)
    _, reference = beat_track(onset_envelope=onsets, sr=22_050, hop_length=512, bpm=bpm, units="time")
    ours = track_beats(onsets, bpm=bpm)
    assert len(ours) == pytest.approx(len(reference), abs=1)
    assert np.mean([np.abs(reference - beat).min() < 0.03 for beat in ours]) > 0.9


@given(st.integers(0, 300), st.floats(30, 300), st.integers(0, 9))
def test_beats_are_increasing_and_inside_the_recording(length: int, bpm: float, seed: int) -> None:
    found = track_beats(np.random.default_rng(seed).random(length) ** 8, bpm=bpm)
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found <= length * 512 / 22_050))
    assert len(track_beats(np.ones(length), bpm=bpm)) == 0


@given(st.integers(1, 400), st.lists(st.integers(1, 399), unique=True), st.sampled_from([2, 8, 50]))
def test_downsampler_matches_direct_reduction(steps: int, cuts: list[int], max_columns: int) -> None:
    values = np.random.default_rng(steps).integers(-9, 9, (steps, 3)).astype(np.float64)
    for reduce, whole in ((np.add, np.sum), (np.maximum, np.max), (np.minimum, np.min)):
        downsampler = Downsampler(3, reduce=reduce, max_columns=max_columns)
        for part in np.split(values, sorted(cut for cut in cuts if cut < steps)):
            downsampler.add(part)
        count = -(-steps // downsampler.steps_per_column)
        assert count <= max_columns
        assert downsampler.steps_per_column == 1 or 2 * count > max_columns
        parts = [
            values[first : first + downsampler.steps_per_column]
            for first in range(0, steps, downsampler.steps_per_column)
        ]
        assert np.array_equal(downsampler.reduced().T, [whole(part, axis=0) for part in parts])
        if reduce is np.add:
            assert np.allclose(downsampler.mean().T, [part.mean(axis=0) for part in parts])


@given(st.integers(1, 200), st.lists(st.integers(1, 199), unique=True), st.sampled_from([4, 16]), st.booleans())
def test_frames_do_not_depend_on_block_size(length: int, cuts: list[int], size: int, center: bool) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    make = partial(Framer, frame_length=size, hop_length=size // 2, batch_size=3, center=center)
    one, other = make(), make()
    whole = [*one.add(samples), *one.finish()]
    parts = np.split(samples, sorted(cut for cut in cuts if cut < length))
    pieces = [*(frames.copy() for part in parts for frames in other.add(part)), *other.finish()]
    assert [frames.tolist() for frames in whole] == [frames.tolist() for frames in pieces]
    assert all(len(frames) == 3 for frames in whole[:-1])
    middles = np.concatenate(whole)[:, size // 2]
    if center:
        assert len(middles) == 1 + length // (size // 2)
        centres = samples[:: size // 2]
        assert middles[: len(centres)].tolist() == centres.tolist()
    elif length >= size:
        assert middles.tolist() == samples[size // 2 :: size // 2][: len(middles)].tolist()
        assert len(middles) == 1 + (length - size) // (size // 2)


def test_signal_views_do_not_depend_on_block_size(tmp_path: Path) -> None:
    """libsndfile reads FLAC in smaller blocks than WAV."""
    samples = load(CLIP)[0]
    sf.write(tmp_path / "a.wav", samples, RATE, subtype="PCM_16")
    sf.write(tmp_path / "a.flac", sf.read(tmp_path / "a.wav", dtype="int16")[0], RATE, subtype="PCM_16")
    (one, loudness), (other, same) = compute_signal_views(tmp_path / "a.wav"), compute_signal_views(tmp_path / "a.flac")
    assert loudness == same
    for name in TIME_SERIES:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine.start, mine.step) == (theirs.start, theirs.step)
        assert np.array_equal(mine.values, theirs.values, equal_nan=True), name
    assert np.array_equal(one.spectrum, other.spectrum)
    assert np.array_equal(one.onset_envelope, other.onset_envelope)


@pytest.mark.slow
def test_memory_is_independent_of_duration(tmp_path: Path) -> None:
    """At 8 kHz to be fast; the number of columns is the same at any rate."""
    peaks = []
    for minutes in (2, 10):
        path = write_audio(tmp_path, noise(60, rate=8_000).repeat(minutes), rate=8_000)
        tracemalloc.start()
        views, _ = compute_signal_views(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        for name in TIME_SERIES:
            series = getattr(views, name)
            assert MAX_COLUMNS / 2 <= series.values.shape[1] <= MAX_COLUMNS
            assert series.edges[-1] == pytest.approx(60 * minutes, abs=series.step)
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 120e6


def test_result_of_a_clip(clip: Inspection) -> None:
    result = clip.result
    check_result(result)
    loudness = measure_loudness(CLIP)
    assert (result.loudness, result.loudness_range) == (loudness.integrated, loudness.range)
    assert (result.true_peak, result.sample_peak) == (loudness.true_peak, loudness.sample_peak)
    assert result.path == str(CLIP)
    assert result.seconds == pytest.approx(sf.info(CLIP).duration, abs=0.1)
    assert (result.sample_rate, result.channels, result.notice) == (RATE, sf.info(CLIP).channels, None)
    window = result.windows[0]
    assert None not in asdict(window).values()
    assert window.centroid is not None
    near = clip.views.centroid.values[0][clip.views.centroid.times < 10]
    assert np.exp(np.nanmean(np.log(near))) == pytest.approx(window.centroid, rel=0.02)
    level = clip.views.level.values[0][clip.views.level.times < 10]
    assert np.mean(level) == pytest.approx(window.level, abs=1)


def test_tags_match_the_output_of_the_network(clip: Inspection) -> None:
    frames = Musicnn(output="taggram").frames([load(CLIP, sample_rate=SPACE.sample_rate)[0]])
    probabilities = np.concatenate([vectors for vectors, _ in frames]).astype(np.float64)
    odds = np.log(probabilities / (1 - probabilities)).mean(axis=0)
    order = np.argsort(-odds)[:10]
    assert [tag.name for tag in clip.result.tags] == [TAGS[index] for index in order]
    assert [tag.strength for tag in clip.result.tags] == pytest.approx(1 / (1 + np.exp(-odds[order])), abs=1e-3)
    assert "metal" in [tag.name for tag in clip.result.tags[:3]]


def test_result_is_reproducible_and_independent_of_the_timeline(clip: Inspection) -> None:
    timeline = [results.TimelineSegment(0.0, "metal", 0.9)]
    again = inspect_recording(CLIP, timeline=timeline)
    assert again.result.timeline == timeline
    assert {**asdict(again.result), "timeline": []} == asdict(clip.result)
    assert np.array_equal(again.views.linear.values, clip.views.linear.values)
    assert np.array_equal(again.beats, clip.beats)


def test_every_format(formats: dict[str, Path]) -> None:
    for name, path in formats.items():
        found = inspect_recording(path)
        check_result(found.result)
        assert found.result.seconds == pytest.approx(3, abs=0.15), name
        assert found.views.spectrum_hz[found.views.spectrum.argmax()] == pytest.approx(440, abs=6), name
        assert found.result.loudness == pytest.approx(-11.1, abs=0.2), name


def test_spectrum_shows_the_cutoff_of_an_mp3(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.mp3", noise(4), RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.9)
    views, _ = compute_signal_views(tmp_path / "a.mp3")
    level = 20 * np.log10(np.maximum(views.spectrum, 1e-10))
    inside, above = (views.spectrum_hz > 1000) & (views.spectrum_hz < 9000), views.spectrum_hz > 20_500
    assert level[inside].mean() - level[above].mean() > 40


def test_silence(tmp_path: Path) -> None:
    found = inspect_recording(write_audio(tmp_path, np.zeros((RATE * 12, 2), np.float32)))
    check_result(found.result)
    result = found.result
    assert result.silent
    assert (result.loudness, result.true_peak, result.tempo, result.key, list(result.tags)) == (None,) * 4 + ([],)
    assert result.windows[0].centroid is result.windows[0].flatness is None
    assert np.isnan(found.views.centroid.values).all()
    assert len(found.beats) == 0


@pytest.mark.parametrize(("rate", "length"), [(8_000, 1), (44_100, 3), (44_100, 4410), (192_000, 1500), (1_000, 900)])
def test_short_recordings(tmp_path: Path, rate: int, length: int) -> None:
    samples = noise(length / rate, rate=rate)
    samples[:] = np.clip(samples, -0.4, 0.4)
    found = inspect_recording(write_audio(tmp_path, samples, rate=rate))
    check_result(found.result)
    assert found.result.seconds == pytest.approx(length / rate, abs=1e-6)
    assert (found.result.loudness is None) == (length / rate < 0.4)
    assert found.result.sample_peak == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)
    assert np.isfinite(found.views.spectrum).all()
    low, high = found.views.waveform.values
    if rate <= 48_000:
        assert (low.min(), high.max()) == (samples.min(), samples.max())


def test_short_tone_has_the_amplitude_of_a_long_one(tmp_path: Path) -> None:
    short = views_of(tmp_path, sine(1000, seconds=0.1))
    assert 20 * np.log10(short.spectrum.max()) == pytest.approx(-6.02, abs=0.2)


def test_unusable_files(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="gone"):
        inspect_recording(tmp_path / "gone.wav")
    with pytest.raises(NoSamplesError):
        inspect_recording(write_audio(tmp_path, np.zeros(0, np.float32)))
    with pytest.raises(NoSamplesError, match=r"b\.wav: too short"):
        compute_signal_views(write_audio(tmp_path, noise(1)[:2], rate=192_000, name="b.wav"))
    broken = noise(1)
    broken[30_000] = np.nan
    with pytest.raises(InvalidSamplesError, match=r"c\.wav.*NaN"):
        compute_signal_views(write_audio(tmp_path, broken, name="c.wav"))


def test_truncated_file_has_a_notice(tmp_path: Path) -> None:
    whole = write_audio(tmp_path, noise(5)).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in str(inspect_recording(tmp_path / "cut.wav").result.notice)


def test_import_does_not_load_heavy_packages() -> None:
    code = "import sys, sonotheque.explore.inspection; print({'matplotlib', 'av', 'scipy', 'openvino', 'sklearn'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@settings(max_examples=8, deadline=None)
@given(st.integers(1_000, 192_000), st.integers(1, 3), st.floats(1e-6, 1e4))
def test_any_rate_channels_and_level(
    tmp_path_factory: pytest.TempPathFactory, rate: int, channels: int, gain: float
) -> None:
    samples = gain * noise(0.6, rate=rate)[:, None].repeat(channels, axis=1)
    views, loudness = compute_signal_views(write_audio(tmp_path_factory.mktemp("any"), samples, rate=rate))
    assert loudness.sample_peak is not None
    assert all(
        np.isfinite(getattr(views, name).values).all() for name in ("linear", "mel", "bark", "chroma", "onset_strength")
    )
    assert views.waveform.values.max() <= 1.2 * np.abs(samples).max()
