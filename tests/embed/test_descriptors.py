"""Descriptors equal librosa's, recognise synthetic signals, and are finite and independent of the block size."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librosa import feature
from librosa.filters import chroma
from librosa.onset import onset_strength
from threadpoolctl import threadpool_limits

from sonotheque.audio import load
from sonotheque.demo import music
from sonotheque.embed import Embedder
from sonotheque.embed.descriptors import SPACE, Descriptors, column_names, family_of, family_slices, key_name
from sonotheque.embed.descriptors.embedder import WINDOW_LENGTH, DescriptorExtractor
from sonotheque.embed.descriptors.filters import BARK_EDGES, chroma_filters
from sonotheque.embed.descriptors.spectral import AnalysisFrames, SpectralAnalysis
from sonotheque.embed.runtime import Compute
from sonotheque.errors import SpaceError
from sonotheque.types import FloatArray

RATE = SPACE.sample_rate
CLIPS = (
    "classical/john-michel-ave-maria-1.mp3",
    "electronic/serberis-rush.mp3",
    "metal/muldjord-chaos-god.mp3",
    "acoustic/jordan-trudgett-castle.mp3",
)


@pytest.fixture(scope="module", autouse=True)
def one_blas_thread() -> Iterator[None]:
    """Limit BLAS to one thread, as `embed_track` does: several threads beside other processes block each other for seconds."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


@cache
def extractor() -> DescriptorExtractor:
    return DescriptorExtractor()


@cache
def clip(name: str = CLIPS[0]) -> FloatArray:
    return load(music() / name, sample_rate=RATE)[0]


def describe(samples: FloatArray) -> dict[str, float]:
    return dict(zip(column_names(), extractor()(samples.astype(np.float32)).tolist(), strict=True))


def tone(*hz: float, seconds: float = 10, harmonics: int = 1) -> FloatArray:
    time = np.arange(round(seconds * RATE)) / RATE
    partials = [np.sin(2 * np.pi * f * n * time) / n for f in hz for n in range(1, harmonics + 1)]
    total: FloatArray = (0.2 * np.sum(partials, axis=0)).astype(np.float32)
    return total


def noise(samples: int) -> FloatArray:
    values: FloatArray = (np.random.default_rng(0).standard_normal(samples) * 0.1).astype(np.float32)
    return values


def clicks(bpm: float, seconds: float = 10) -> FloatArray:
    samples = 1e-3 * noise(round(seconds * RATE))
    for start in np.arange(0.1, seconds - 0.1, 60 / bpm):
        first = round(start * RATE)
        samples[first : first + 400] += noise(400)
    return samples


def embed(samples: FloatArray, cuts: list[int], threads: int = 1) -> tuple[FloatArray, list[float]]:
    found = list(Descriptors(compute=Compute(threads=threads)).frames(np.split(samples, cuts)))
    return np.concatenate([vectors for vectors, _ in found]), np.concatenate([starts for _, starts in found]).tolist()


def test_column_names() -> None:
    names, slices = column_names(), family_slices()
    assert len(set(names)) == len(names) == SPACE.dimensions
    assert len(extractor()(noise(WINDOW_LENGTH))) == SPACE.dimensions
    assert {"mfcc_03.mean", "bark_12.skew", "chroma_C.mean", "tempo.bpm", "beat_strength", "key.mode"} <= set(names)
    assert [column for family in slices for column in names[slices[family]]] == list(names)
    assert all(column in names[slices[family_of(column)]] for column in names)
    with pytest.raises(SpaceError, match=r"mfcc_00\.mean"):
        family_of("mfcc_20.mean")


def test_is_an_embedder() -> None:
    embedder: Embedder = Descriptors()
    assert embedder.space.id == "descriptors-librosa-v1-h10.0@1"


def test_librosa_is_not_imported() -> None:
    code = "import sys, sonotheque.embed.descriptors as d; d.Descriptors(); print({'librosa', 'scipy', 'numba'} & {*sys.modules})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@cache
def analyse(name: str) -> tuple[FloatArray, AnalysisFrames]:
    faint_noise = 1e-3 * noise(WINDOW_LENGTH)[: len(clip(name))]  # raises the bins that a codec has set to 0
    samples = clip(name)[:WINDOW_LENGTH] + faint_noise
    return samples, SpectralAnalysis()(samples)


@pytest.mark.parametrize("clip_name", CLIPS)
def test_parity_with_librosa(clip_name: str) -> None:
    samples, found = analyse(clip_name)
    framing = {"frame_length": 2048, "hop_length": 512, "center": False}
    magnitude = np.abs(librosa.stft(samples, n_fft=2048, hop_length=512, center=False))
    mel = librosa.power_to_db(feature.melspectrogram(S=magnitude**2, sr=RATE))
    mfcc = feature.mfcc(S=mel, n_mfcc=20)
    chroma = feature.chroma_stft(S=magnitude**2, sr=RATE, tuning=0.0)
    expected = {
        "mfcc": (mfcc, 0.02),
        "mfcc_delta": (feature.delta(mfcc, mode="nearest"), 0.01),
        "mfcc_delta2": (feature.delta(mfcc, order=2, mode="nearest"), 0.01),
        "onset": (onset_strength(S=mel, center=False), 0.01),
        "rms": (20 * np.log10(feature.rms(y=samples, **framing)), 1e-3),
        "zero_crossings": (feature.zero_crossing_rate(samples, **framing), 1e-9),
        "flatness": (10 * np.log10(feature.spectral_flatness(S=magnitude)), 0.01),
        "centroid": (np.log2(feature.spectral_centroid(S=magnitude, sr=RATE)), 1e-3),
        "bandwidth": (np.log2(feature.spectral_bandwidth(S=magnitude, sr=RATE)), 1e-3),
        "rolloff": (np.log2(feature.spectral_rolloff(S=magnitude, sr=RATE)), 0.05),  # rounding may choose the next bin
        "contrast": (feature.spectral_contrast(S=magnitude, sr=RATE), 0.05),
        "chroma": (chroma, 1e-3),
        "tonnetz": (feature.tonnetz(chroma=chroma), 1e-3),
    }
    for name, (values, tolerance) in expected.items():
        assert found.features[name].shape == np.atleast_2d(values).shape, name
        assert np.abs(found.features[name] - values).max() < tolerance, name
    means = np.array([describe(samples)[f"mfcc_{number:02d}.mean"] for number in range(20)])
    assert np.abs(means - mfcc.mean(axis=1)).max() < 0.01


@pytest.mark.parametrize("n_fft", [2048, 8192])
def test_parity_of_the_chroma_filters(n_fft: int) -> None:
    expected = chroma(sr=RATE, n_fft=n_fft)
    assert np.abs(chroma_filters(sample_rate=RATE, n_fft=n_fft) - expected).max() < 1e-6


def test_descriptors_of_a_tone() -> None:
    values = describe(tone(440))
    chroma = {name: values[name] for name in column_names()[family_slices()["chroma"]] if name.endswith("mean")}
    assert max(chroma, key=lambda name: chroma[name]) == "chroma_A.mean"
    assert 2 ** values["centroid.mean"] == pytest.approx(440, abs=5)
    assert 2 ** values["rolloff.max"] == pytest.approx(440, abs=22)
    assert values["zero_crossings.mean"] == pytest.approx(2 * 440 / RATE, rel=0.01)
    assert values["rms.mean"] == pytest.approx(10 * np.log10(0.2**2 / 2), abs=0.01)
    assert values["centroid.skew"] == 0
    barks = {name: values[name] for name in column_names()[family_slices()["bark"]] if name.endswith("mean")}
    assert max(barks, key=lambda name: barks[name]) == "bark_05.mean"  # 400 to 510 Hz


def test_noise_is_flatter_than_a_tone() -> None:
    of_noise, of_tone = describe(noise(WINDOW_LENGTH)), describe(tone(440))
    assert of_noise["flatness.mean"] > -4 > of_tone["flatness.mean"] + 40
    assert of_noise["bandwidth.mean"] > of_tone["bandwidth.mean"] + 3
    assert all(of_tone[f"contrast_{band}.mean"] > of_noise[f"contrast_{band}.mean"] for band in ("01", "02"))


@pytest.mark.parametrize("bpm", [72, 90, 120, 128, 150])
def test_the_tempo_of_clicks(bpm: float) -> None:
    values = describe(clicks(bpm))
    octaves = np.log2(values["tempo.bpm"] / bpm)
    assert octaves == pytest.approx(0, abs=np.log2(1.01))
    assert values["beat_strength"] > 0.7 > 0.3 > describe(noise(WINDOW_LENGTH))["beat_strength"]
    assert values["envelope.modulation_1_2"] > describe(tone(440))["envelope.modulation_1_2"] + 20


@pytest.mark.parametrize(
    ("chord", "name"),
    [
        ((261.63, 329.63, 392.0), "C major"),
        ((220.0, 261.63, 329.63), "A minor"),
        ((293.66, 369.99, 440.0), "D major"),
        ((349.23, 415.30, 523.25), "F minor"),
        ((277.18, 349.23, 415.30), "C# major"),
    ],
)
def test_the_key_of_a_triad(chord: tuple[float, ...], name: str) -> None:
    assert key_name(extractor()(tone(*chord))) == name
    assert key_name(extractor()(tone(*chord, harmonics=4))) == name


def test_no_key_in_silence() -> None:
    vector = extractor()(np.zeros(WINDOW_LENGTH, np.float32))
    assert key_name(vector) is None
    assert describe(np.zeros(WINDOW_LENGTH, np.float32))["tempo.bpm"] == 120


def test_critical_bands_add_up_to_the_level() -> None:
    samples = clip()[:WINDOW_LENGTH]
    values = SpectralAnalysis()(samples)
    assert len(BARK_EDGES) == len(values.features["bark"]) + 1
    bands = 10 * np.log10(np.sum(10 ** (values.features["bark"] / 10), axis=0))
    assert np.median(np.abs(bands - 20 * np.log10(values.rms))) < 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(WINDOW_LENGTH),
        np.zeros(1),
        np.ones(1),
        np.full(WINDOW_LENGTH, 0.5),
        np.full(3, -0.5),
        noise(2047),
        noise(2048),
        noise(2048 + 512 * 3),
        np.concatenate([np.zeros(WINDOW_LENGTH // 2), noise(WINDOW_LENGTH // 2)]),
        1e-30 * noise(WINDOW_LENGTH),
        1e30 * noise(WINDOW_LENGTH),
        np.eye(1, WINDOW_LENGTH, 1000)[0],
    ],
    ids=["silence", "zero", "one", "dc", "three", "2047", "2048", "four", "half", "faint", "huge", "click"],
)
def test_vectors_are_always_finite(samples: np.ndarray) -> None:
    vector = extractor()(samples.astype(np.float32))
    assert vector.shape == (SPACE.dimensions,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    assert np.abs(vector).max() < 1e4


def test_silence_does_not_change_the_spectral_shape() -> None:
    samples = clip()[: WINDOW_LENGTH // 2]
    alone, padded = describe(samples), describe(np.concatenate([samples, np.zeros(WINDOW_LENGTH // 2, np.float32)]))
    for name in ("centroid", "flatness", "chroma_E", "tonnetz_fifth_x", "contrast_03"):
        assert padded[f"{name}.mean"] == pytest.approx(alone[f"{name}.mean"], abs=0.3)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (0, []),
        (1, [0.0]),
        (WINDOW_LENGTH - 1, [0.0]),
        (WINDOW_LENGTH, [0.0]),
        (WINDOW_LENGTH + WINDOW_LENGTH // 2 - 1, [0.0]),  # a tail under 5 s is dropped
        (WINDOW_LENGTH + WINDOW_LENGTH // 2, [0.0, 10.0]),
        (2 * WINDOW_LENGTH + 7, [0.0, 10.0]),
    ],
)
def test_windows_cover_the_recording(samples: int, starts: list[float]) -> None:
    found = list(Descriptors().frames([noise(samples)]))
    assert [start for _, each in found for start in each] == starts


def test_each_window_is_described_by_its_own_audio() -> None:
    samples = np.concatenate([noise(WINDOW_LENGTH), tone(440), clip()[: WINDOW_LENGTH * 3 // 4]])
    vectors, starts = embed(samples, [])
    assert starts == [0, 10, 20]
    for number in range(3):
        assert vectors[number].tobytes() == extractor()(samples[number * WINDOW_LENGTH :][:WINDOW_LENGTH]).tobytes()
    assert embed(samples, [], threads=2)[0].tobytes() == vectors.tobytes()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, WINDOW_LENGTH * 8 // 5), max_size=6).map(sorted))
def test_results_do_not_depend_on_the_block_size(cuts: list[int]) -> None:
    samples = clip_and_half()
    vectors, starts = embed(samples, cuts)
    whole, _ = embedded_whole()
    assert starts == [0.0, 10.0]
    assert vectors.tobytes() == whole.tobytes()


def clip_and_half() -> FloatArray:
    """The clip followed by about half of it."""
    return np.concatenate([clip()[:WINDOW_LENGTH], clip()[: WINDOW_LENGTH * 3 // 5]])


@cache
def embedded_whole() -> tuple[FloatArray, list[float]]:
    return embed(clip_and_half(), [])


def test_genres_differ_as_expected() -> None:
    voice, club, metal = (describe(clip(name)[:WINDOW_LENGTH]) for name in CLIPS[:3])
    assert club["beat_strength"] > voice["beat_strength"]
    assert metal["flatness.mean"] > voice["flatness.mean"]
    assert metal["envelope.range"] < voice["envelope.range"]
