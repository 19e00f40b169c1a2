"""What is put into a recording is found in its pictures and numbers, at the right time and frequency, whatever its length."""

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
from sonotheque.explore.inspection import Inspection, OverTime, inspect
from sonotheque.explore.inspection.beats import beat_times
from sonotheque.explore.inspection.columns import MOST, Columns, Framer
from sonotheque.explore.inspection.pictures import Pictures, look
from sonotheque.results import InspectionResult
from sonotheque.types import FloatArray

CLIP = music() / "metal" / "muldjord-armygeddon.ogg"
OVER_TIME = (
    "waveform",
    "linear",
    "mel",
    "bark",
    "chroma",
    "onsets",
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


def written(folder: Path, samples: FloatArray, *, rate: int = RATE, name: str = "a.wav") -> Path:
    sf.write(folder / name, samples, rate, subtype="FLOAT" if name.endswith("wav") else None)
    return folder / name


def looked(folder: Path, samples: FloatArray, *, rate: int = RATE) -> Pictures:
    return look(written(folder, samples, rate=rate))[0]


def loudest(over_time: OverTime) -> tuple[float, float]:
    """Return the start and the end of the column with the greatest values, in s."""
    column = int(np.abs(over_time.values).sum(axis=0).argmax())
    return float(over_time.edges[column]), float(over_time.edges[column + 1])


def check(numbers: InspectionResult) -> None:
    """Check what holds for every file."""
    json.dumps(asdict(numbers), allow_nan=False)
    assert len(numbers.tags) == (0 if numbers.silent else 10)
    strengths = [tag.strength for tag in numbers.tags]
    assert strengths == sorted(strengths, reverse=True)
    assert [window.start for window in numbers.windows] == [10.0 * number for number in range(len(numbers.windows))]
    assert (numbers.key is None) == (numbers.clarity is None)


@pytest.fixture(scope="module")
def clip() -> Inspection:
    return inspect(CLIP)


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_a_tone_is_at_its_frequency_on_every_scale(tmp_path: Path, rate: int) -> None:
    seen = looked(tmp_path, sine(1000, seconds=2, rate=rate), rate=rate)
    assert seen.spectrum_hz[-1] == min(rate, 48_000) / 2
    assert seen.spectrum_hz[seen.spectrum.argmax()] == pytest.approx(1000, abs=3.5)
    assert 20 * np.log10(seen.spectrum.max()) == pytest.approx(-6.02, abs=1.43)  # a Hann window loses up to 1.42 dB
    assert 10 * np.log10(seen.linear.values.max()) == pytest.approx(-6.02, abs=1.43)
    middle = slice(2, -2)
    assert np.unique(seen.linear_hz[seen.linear.values[:, middle].argmax(axis=0)]) == pytest.approx(1000, abs=12)
    assert np.unique(seen.mel_hz[seen.mel.values[:, middle].argmax(axis=0)]) == pytest.approx(1000, rel=0.02)
    (band,) = np.unique(seen.bark.values[:, middle].argmax(axis=0))
    assert BARK_EDGES[band] <= 1000 < BARK_EDGES[band + 1]
    assert seen.centroid.values[0, 10] == pytest.approx(1000, rel=0.02)
    assert seen.bark.values[band, 10] == pytest.approx(0.5**2 / 2, rel=0.02)  # the mean square of the sine


def test_an_impulse_is_at_its_time_in_every_picture(tmp_path: Path) -> None:
    samples = 1e-3 * noise(8)
    samples[4 * RATE] = 0.9
    seen = looked(tmp_path, samples)
    for name in ("waveform", "linear", "mel", "bark"):
        first, last = loudest(getattr(seen, name))
        assert first <= 4.0 <= last, name
    first, last = loudest(seen.onsets)  # a frame of 93 ms grows as soon as it reaches the impulse
    assert first - 0.06 <= 4.0 <= last + 0.06
    assert seen.waveform.values.max() == pytest.approx(0.9, abs=1e-3)
    peak = seen.close.start + np.abs(seen.close.samples).argmax() / 22_050
    assert peak == pytest.approx(4.0, abs=1 / 22_050)
    assert len(seen.close.samples) == 2048 + 512 * (seen.close.frames - 1)


def test_clicks_have_their_tempo_and_beats(tmp_path: Path) -> None:
    samples = 1e-3 * noise(25)
    clicks = np.arange(0.3, 24.5, 0.6)
    for click in clicks:
        samples[round(click * RATE) :][:800] += noise(800 / RATE)
    found = inspect(written(tmp_path, samples))
    check(found.numbers)
    assert found.numbers.tempo == pytest.approx(100, rel=0.01)
    assert found.numbers.beat_strength > 0.9
    assert [window.tempo for window in found.numbers.windows] == [pytest.approx(100, rel=0.01)] * 3
    assert len(found.beats) == pytest.approx(len(clicks), abs=1)
    assert max(np.abs(clicks - beat).min() for beat in found.beats) < 0.07


def test_a_chord_has_its_key_and_pitch_classes(tmp_path: Path) -> None:
    found = inspect(written(tmp_path, sine(261.63, 329.63, 392.0, seconds=11, amplitude=0.2)))
    assert found.numbers.key == "C major"
    assert [window.key for window in found.numbers.windows] == ["C major"]
    mean = found.pictures.chroma.values.mean(axis=1)
    assert set(np.argsort(mean)[-3:]) == {0, 4, 7}  # C, E, G
    assert found.pictures.onset_curve[-3:].max() < 0.5  # the sudden end is none


def test_beats_are_those_of_librosa() -> None:
    from librosa.beat import beat_track

    samples, _ = load(music() / "metal" / "david-reeves-david01.mp3", sample_rate=22_050)
    onsets = SpectralAnalysis()(samples).features["onset"][0]
    bpm, _ = rhythm_tonal.estimate_tempo(onsets)
    _, reference = beat_track(onset_envelope=onsets, sr=22_050, hop_length=512, bpm=bpm, units="time")
    ours = beat_times(onsets, bpm=bpm)
    assert len(ours) == pytest.approx(len(reference), abs=1)
    assert np.mean([np.abs(reference - beat).min() < 0.03 for beat in ours]) > 0.9


@given(st.integers(0, 300), st.floats(30, 300), st.integers(0, 9))
def test_beats_rise_and_lie_within(length: int, bpm: float, seed: int) -> None:
    found = beat_times(np.random.default_rng(seed).random(length) ** 8, bpm=bpm)
    assert np.all(np.diff(found) > 0)
    assert np.all((found >= 0) & (found <= length * 512 / 22_050))
    assert len(beat_times(np.ones(length), bpm=bpm)) == 0


@given(st.integers(1, 400), st.lists(st.integers(1, 399), unique=True), st.sampled_from([2, 8, 50]))
def test_columns_hold_all_that_was_added(steps: int, cuts: list[int], most: int) -> None:
    values = np.random.default_rng(steps).integers(-9, 9, (steps, 3)).astype(np.float64)
    for reduce, whole in ((np.add, np.sum), (np.maximum, np.max), (np.minimum, np.min)):
        columns = Columns(3, reduce=reduce, most=most)
        for part in np.split(values, sorted(cut for cut in cuts if cut < steps)):
            columns.add(part)
        count = -(-steps // columns.width)
        assert count <= most
        assert columns.width == 1 or 2 * count > most
        parts = [values[first : first + columns.width] for first in range(0, steps, columns.width)]
        assert np.array_equal(columns.reduced().T, [whole(part, axis=0) for part in parts])
        if reduce is np.add:
            assert np.allclose(columns.mean().T, [part.mean(axis=0) for part in parts])


@given(st.integers(1, 200), st.lists(st.integers(1, 199), unique=True), st.sampled_from([4, 16]), st.booleans())
def test_frames_do_not_depend_on_blocks(length: int, cuts: list[int], size: int, centred: bool) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    make = partial(Framer, length=size, hop=size // 2, group=3, centred=centred)
    one, other = make(), make()
    whole = [*one.add(samples), *one.end()]
    parts = np.split(samples, sorted(cut for cut in cuts if cut < length))
    pieces = [*(frames.copy() for part in parts for frames in other.add(part)), *other.end()]
    assert [frames.tolist() for frames in whole] == [frames.tolist() for frames in pieces]
    assert all(len(frames) == 3 for frames in whole[:-1])
    middles = np.concatenate(whole)[:, size // 2]
    if centred:
        assert len(middles) == 1 + length // (size // 2)
        centres = samples[:: size // 2]
        assert middles[: len(centres)].tolist() == centres.tolist()
    elif length >= size:
        assert middles.tolist() == samples[size // 2 :: size // 2][: len(middles)].tolist()
        assert len(middles) == 1 + (length - size) // (size // 2)


def test_pictures_do_not_depend_on_blocks(tmp_path: Path) -> None:
    """libsndfile reads FLAC in smaller blocks than WAV."""
    samples = load(CLIP)[0]
    sf.write(tmp_path / "a.wav", samples, RATE, subtype="PCM_16")
    sf.write(tmp_path / "a.flac", sf.read(tmp_path / "a.wav", dtype="int16")[0], RATE, subtype="PCM_16")
    (one, loudness), (other, same) = look(tmp_path / "a.wav"), look(tmp_path / "a.flac")
    assert loudness == same
    for name in OVER_TIME:
        mine, theirs = getattr(one, name), getattr(other, name)
        assert (mine.start, mine.step) == (theirs.start, theirs.step)
        assert np.array_equal(mine.values, theirs.values, equal_nan=True), name
    assert np.array_equal(one.spectrum, other.spectrum)
    assert np.array_equal(one.onset_curve, other.onset_curve)


def test_ten_minutes_need_no_more_than_two(tmp_path: Path) -> None:
    """8 kHz, so that the test is quick; the columns are as many at any rate."""
    peaks = []
    for minutes in (2, 10):
        path = written(tmp_path, noise(60, rate=8_000).repeat(minutes), rate=8_000)
        tracemalloc.start()
        seen, _ = look(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        for name in OVER_TIME:
            over_time = getattr(seen, name)
            assert MOST / 2 <= over_time.values.shape[1] <= MOST
            assert over_time.edges[-1] == pytest.approx(60 * minutes, abs=over_time.step)
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 120e6


def test_the_numbers_of_a_clip(clip: Inspection) -> None:
    numbers = clip.numbers
    check(numbers)
    loudness = measure_loudness(CLIP)
    assert (numbers.loudness, numbers.loudness_range) == (loudness.integrated, loudness.range)
    assert (numbers.true_peak, numbers.sample_peak) == (loudness.true_peak, loudness.sample_peak)
    assert numbers.path == str(CLIP)
    assert numbers.seconds == pytest.approx(sf.info(CLIP).duration, abs=0.1)
    assert (numbers.sample_rate, numbers.channels, numbers.notice) == (RATE, sf.info(CLIP).channels, None)
    window = numbers.windows[0]
    assert None not in asdict(window).values()
    assert window.centroid is not None
    near = clip.pictures.centroid.values[0][clip.pictures.centroid.times < 10]
    assert np.exp(np.nanmean(np.log(near))) == pytest.approx(window.centroid, rel=0.02)
    level = clip.pictures.level.values[0][clip.pictures.level.times < 10]
    assert np.mean(level) == pytest.approx(window.level, abs=1)


def test_tags_are_the_means_of_the_networks_own(clip: Inspection) -> None:
    frames = Musicnn(output="taggram").frames([load(CLIP, sample_rate=SPACE.sample_rate)[0]])
    shares = np.concatenate([vectors for vectors, _ in frames]).astype(np.float64)
    odds = np.log(shares / (1 - shares)).mean(axis=0)
    order = np.argsort(-odds)[:10]
    assert [tag.name for tag in clip.numbers.tags] == [TAGS[place] for place in order]
    assert [tag.strength for tag in clip.numbers.tags] == pytest.approx(1 / (1 + np.exp(-odds[order])), abs=1e-3)
    assert "metal" in [tag.name for tag in clip.numbers.tags[:3]]


def test_the_same_each_time_and_with_a_timeline(clip: Inspection) -> None:
    timeline = [results.TimelineSegment(0.0, "metal", 0.9)]
    again = inspect(CLIP, timeline=timeline)
    assert again.numbers.timeline == timeline
    assert {**asdict(again.numbers), "timeline": []} == asdict(clip.numbers)
    assert np.array_equal(again.pictures.linear.values, clip.pictures.linear.values)
    assert np.array_equal(again.beats, clip.beats)


def test_every_format(formats: dict[str, Path]) -> None:
    for name, path in formats.items():
        found = inspect(path)
        check(found.numbers)
        assert found.numbers.seconds == pytest.approx(3, abs=0.15), name
        assert found.pictures.spectrum_hz[found.pictures.spectrum.argmax()] == pytest.approx(440, abs=6), name
        assert found.numbers.loudness == pytest.approx(-11.1, abs=0.2), name


def test_an_mp3_shows_where_its_codec_cuts(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.mp3", noise(4), RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.9)
    seen, _ = look(tmp_path / "a.mp3")
    level = 20 * np.log10(np.maximum(seen.spectrum, 1e-10))
    inside, above = (seen.spectrum_hz > 1000) & (seen.spectrum_hz < 9000), seen.spectrum_hz > 20_500
    assert level[inside].mean() - level[above].mean() > 40


def test_silence(tmp_path: Path) -> None:
    found = inspect(written(tmp_path, np.zeros((RATE * 12, 2), np.float32)))
    check(found.numbers)
    numbers = found.numbers
    assert numbers.silent
    assert (numbers.loudness, numbers.true_peak, numbers.tempo, numbers.key, list(numbers.tags)) == (None,) * 4 + ([],)
    assert numbers.windows[0].centroid is numbers.windows[0].flatness is None
    assert np.isnan(found.pictures.centroid.values).all()
    assert len(found.beats) == 0


@pytest.mark.parametrize(("rate", "length"), [(8_000, 1), (44_100, 3), (44_100, 4410), (192_000, 1500), (1_000, 900)])
def test_short_recordings(tmp_path: Path, rate: int, length: int) -> None:
    samples = noise(length / rate, rate=rate)
    samples[:] = np.clip(samples, -0.4, 0.4)
    found = inspect(written(tmp_path, samples, rate=rate))
    check(found.numbers)
    assert found.numbers.seconds == pytest.approx(length / rate, abs=1e-6)
    assert (found.numbers.loudness is None) == (length / rate < 0.4)
    assert found.numbers.sample_peak == pytest.approx(20 * np.log10(np.abs(samples).max()), abs=0.01)
    assert np.isfinite(found.pictures.spectrum).all()
    low, high = found.pictures.waveform.values
    if rate <= 48_000:
        assert (low.min(), high.max()) == (samples.min(), samples.max())


def test_a_short_tone_is_as_loud_as_a_long_one(tmp_path: Path) -> None:
    short = looked(tmp_path, sine(1000, seconds=0.1))
    assert 20 * np.log10(short.spectrum.max()) == pytest.approx(-6.02, abs=0.2)


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="gone"):
        inspect(tmp_path / "gone.wav")
    with pytest.raises(NoSamplesError):
        inspect(written(tmp_path, np.zeros(0, np.float32)))
    with pytest.raises(NoSamplesError, match=r"b\.wav: too short"):
        look(written(tmp_path, noise(1)[:2], rate=192_000, name="b.wav"))
    broken = noise(1)
    broken[30_000] = np.nan
    with pytest.raises(InvalidSamplesError, match=r"c\.wav.*NaN"):
        look(written(tmp_path, broken, name="c.wav"))


def test_a_truncated_file_says_so(tmp_path: Path) -> None:
    whole = written(tmp_path, noise(5)).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in str(inspect(tmp_path / "cut.wav").numbers.notice)


def test_importing_is_light() -> None:
    code = "import sys, sonotheque.explore.inspection; print({'matplotlib', 'av', 'scipy', 'openvino', 'sklearn'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@settings(max_examples=8, deadline=None)
@given(st.integers(1_000, 192_000), st.integers(1, 3), st.floats(1e-6, 1e4))
def test_any_rate_channels_and_level(
    tmp_path_factory: pytest.TempPathFactory, rate: int, channels: int, gain: float
) -> None:
    samples = gain * noise(0.6, rate=rate)[:, None].repeat(channels, axis=1)
    seen, loudness = look(written(tmp_path_factory.mktemp("any"), samples, rate=rate))
    assert loudness.sample_peak is not None
    assert all(np.isfinite(getattr(seen, name).values).all() for name in ("linear", "mel", "bark", "chroma", "onsets"))
    assert seen.waveform.values.max() <= 1.2 * np.abs(samples).max()
