"""OpenL3: the network against a NumPy implementation, and the framing against that of the package openl3."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.audio.resample import resample_kaiser_best
from sonotheque.embed import choose_spaces, space_of
from sonotheque.embed.openl3 import OpenL3, Variant, embed
from sonotheque.embed.openl3.convert import EPSILON, convert_weights, read_h5
from sonotheque.embed.openl3.frontend import INPUT_REPRS, SAMPLE_RATE, FrontEnd
from sonotheque.embed.runtime import Compute
from sonotheque.embed.runtime_onnxruntime import OnnxRuntimeNetwork, cuda_is_available
from sonotheque.embed.runtime_openvino import OpenVinoNetwork, supports_bf16
from sonotheque.errors import NoSamplesError, SpaceError, WeightsError
from sonotheque.user_folders import cache_folder

GOLDEN = os.environ.get("SONOTHEQUE_OPENL3_GOLDEN")


@pytest.fixture(scope="session")
def weights(openl3_weights: Path) -> Path:
    return openl3_weights


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("SONOTHEQUE_CACHE", str(tmp_path_factory.getbasetemp() / "openl3-cache"))


def reference_network(path: Path, spectrogram: np.ndarray) -> np.ndarray:
    """Compute the network of the paper and the official code in float64, channels last, without folding."""
    layers = read_h5(path.read_bytes(), name=str(path))
    norms = [layer for layer in layers if len(layer) == 4]
    convolutions = [layer for layer in layers if len(layer) == 2]

    def normalise(x: np.ndarray, norm: list[np.ndarray]) -> np.ndarray:
        gamma, beta, mean, variance = (array.astype(np.float64) for array in norm)
        return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta

    x = normalise(spectrogram.astype(np.float64)[..., None], norms[0])
    for number, (kernel, bias) in enumerate(convolutions):
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
        rows, columns = x.shape[:2]
        x = sum(
            padded[i : i + rows, j : j + columns] @ kernel[i, j].astype(np.float64) for i in range(3) for j in range(3)
        ) + bias.astype(np.float64)
        if number < 7:
            x = np.maximum(normalise(x, norms[number + 1]), 0)
        if number in (1, 3, 5):
            rows, columns = x.shape[0] // 2, x.shape[1] // 2
            x = x[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2, -1).max(axis=(1, 3))
    rows, columns = x.shape[0] // 4, x.shape[1] // 3
    regions: np.ndarray = x[: 4 * rows, : 3 * columns].reshape(4, rows, 3, columns, -1).max(axis=(1, 3))
    return regions.reshape(-1)


def noise(seconds: float, *, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE)) * 0.1).astype(np.float32)


@pytest.mark.parametrize("input_repr", INPUT_REPRS)
def test_the_network(weights: Path, input_repr: str) -> None:
    frame = noise(1)
    variant = Variant(input_repr=input_repr, size=6144)
    ours = OpenL3(variant, weights=weights, compute=Compute(precision="f32")).embed_frame(frame)
    expected = reference_network(weights, FrontEnd(input_repr)(frame))
    assert np.linalg.norm(ours - expected) < 1e-5 * np.linalg.norm(expected)


def test_512_dimensions_are_max_pooled_from_6144(weights: Path) -> None:
    frame = noise(1)
    large, small = (
        OpenL3(Variant(size=size), weights=weights, compute=Compute(precision="f32")).embed_frame(frame)
        for size in (6144, 512)
    )
    assert small.tobytes() == large.reshape(4, 3, 512).max(axis=(0, 1)).tobytes()


def test_bf16_is_close_to_float32(weights: Path) -> None:
    frame = noise(1)
    if not supports_bf16():
        with pytest.raises(SpaceError, match="does not support bf16"):
            OpenL3(weights=weights, compute=Compute(precision="bf16")).embed_frame(frame)
        pytest.skip("this CPU does not support bf16")
    f32, bf16 = (OpenL3(weights=weights, compute=Compute(precision=p)).embed_frame(frame) for p in ("f32", "bf16"))
    assert f32 @ bf16 / np.linalg.norm(f32) / np.linalg.norm(bf16) > 0.999


def test_on_onnx_runtime(weights: Path) -> None:
    """ONNX Runtime computes the same vectors in batches as OpenVINO; here both run on the CPU."""
    model = convert_weights(weights, input_repr="mel256", cache=cache_folder())
    spectrograms = np.stack([FrontEnd()(noise(1, seed=seed)) for seed in range(3)])[:, None]
    batched = OnnxRuntimeNetwork(model, output="embedding", shape=(3, 1, 256, 199), provider="CPUExecutionProvider")(
        spectrograms
    )
    single = OpenVinoNetwork(model, output="embedding", shape=(1, 1, 256, 199))
    for spectrogram, vector in zip(spectrograms, batched, strict=True):
        expected = single(spectrogram[None])[0]
        assert np.linalg.norm(vector - expected) < 1e-5 * np.linalg.norm(expected)


@pytest.mark.skipif(not cuda_is_available(), reason="no GPU, or the extra cuda is not installed")
def test_on_a_gpu(weights: Path) -> None:
    samples = noise(20)
    cpu, gpu = (
        np.concatenate([v for v, _ in OpenL3(weights=weights, compute=Compute("f32", device)).frames([samples])])
        for device in ("cpu", "cuda")
    )
    assert np.linalg.norm(gpu - cpu) < 1e-4 * np.linalg.norm(cpu)


def official_frames(samples: np.ndarray, hop: float, center: bool) -> np.ndarray:
    """Cut frames as openl3 0.4.2 does, from the complete array."""
    step = int(hop * SAMPLE_RATE)
    if center:
        samples = np.pad(samples, (SAMPLE_RATE // 2, 0))
    beyond = len(samples) - SAMPLE_RATE
    samples = np.pad(samples, (0, -beyond if beyond < 0 else int(np.ceil(beyond / step)) * step - beyond))
    return np.stack([samples[s : s + SAMPLE_RATE] for s in range(0, len(samples) - SAMPLE_RATE + 1, step)])


@settings(max_examples=40, deadline=None)
@given(
    length=st.one_of(st.integers(1, 200_000), st.sampled_from([24_000, 48_000, 72_000, 96_000, 48_001, 47_999])),
    hop=st.sampled_from([0.1, 0.25, 0.5, 1.0, 1.5, 2.3]),
    center=st.booleans(),
    cuts=st.lists(st.integers(0, 200_000), max_size=5),
)
def test_frames_equal_those_of_openl3(weights: Path, length: int, hop: float, center: bool, cuts: list[int]) -> None:
    samples = np.arange(1, length + 1, dtype=np.float32)
    edges = [0, *sorted(min(cut, length) for cut in cuts), length]
    blocks = [samples[a:b] for a, b in pairwise(edges)]
    cutter = OpenL3(Variant(hop=hop), weights=weights, center=center)
    assert np.array_equal(np.stack(list(cutter.cut_frames(blocks))), official_frames(samples, hop, center))


def test_embed(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOTHEQUE_OPENL3_WEIGHTS", str(weights))
    samples = noise(2.4)
    frames, times = embed(samples, SAMPLE_RATE, hop=0.5, precision="f32")
    assert (frames.dtype.name, frames.shape, times.tolist()) == ("float32", (5, 512), [0.0, 0.5, 1.0, 1.5, 2.0])
    stereo = np.stack([samples, samples], axis=1).astype(np.float64)
    assert embed(stereo, SAMPLE_RATE, hop=0.5, precision="f32")[0].tobytes() == frames.tobytes()
    assert embed(samples, 44_100, size=6144, center=False)[0].shape == (3, 6144)
    one = OpenL3(Variant(hop=0.5), weights=weights, compute=Compute(precision="f32"))
    alone = np.concatenate([vectors for vectors, _ in one.frames([samples])])
    assert alone.tobytes() == frames.tobytes()  # the number of threads does not matter


def test_invalid_arguments(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOTHEQUE_OPENL3_WEIGHTS", str(weights))
    with pytest.raises(NoSamplesError):
        embed(np.zeros(0), SAMPLE_RATE)
    for arguments in ({"hop": 0}, {"size": 100}, {"precision": "int8"}):
        with pytest.raises(SpaceError):
            embed(noise(1), SAMPLE_RATE, **arguments)


def test_unpublished_weights_have_their_own_space(
    weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SONOTHEQUE_OPENL3_WEIGHTS", str(weights))
    space = space_of("openl3")
    assert space.id.startswith("openl3-music-mel256-512-kapre-h1.0-w")
    assert Variant.parse(space.id) == Variant()
    assert space_of(space.id) == space
    assert choose_spaces(["openl3"]).spaces == (space,)
    other = tmp_path / "other.h5.gz"
    other.write_bytes(gzip.compress(weights.read_bytes()))
    monkeypatch.setenv("SONOTHEQUE_OPENL3_WEIGHTS", str(other))
    with pytest.raises(SpaceError, match="other weights"):
        space_of(space.id)
    assert OpenL3().embed_frame(noise(1)).tobytes() == OpenL3(weights=weights).embed_frame(noise(1)).tobytes()


def test_parsing_space_names() -> None:
    variant = Variant.parse("openl3-env-linear-6144-trained-h0.1")
    assert variant == Variant("env", "linear", 6144, "trained", 0.1)
    assert variant is not None
    assert variant.published_model.name == "openl3-env-linear"
    assert Variant.parse("openl3-env-linear") == Variant("env", "linear")
    assert Variant.parse("openl3-env") is None
    assert Variant.parse("musicnn") is None


@pytest.mark.parametrize("damage", ["text", "truncated", "truncated gzip", "other network", "empty"])
def test_damaged_weights_are_refused(weights: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "bad.h5"
    content = weights.read_bytes()
    match damage:
        case "text":
            path.write_bytes(b"words" * 1000)
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "truncated gzip":
            path.write_bytes(gzip.compress(content)[:100_000])
        case "other network":
            with h5py.File(path, "w") as file:
                file.attrs["layer_names"] = [b"dense"]
                file.create_group("dense").attrs["weight_names"] = [b"kernel"]
                file["dense/kernel"] = np.zeros((3, 3))
        case "empty":
            path.touch()
    with pytest.raises(WeightsError, match=r"bad\.h5: not"):
        OpenL3(weights=path)


def test_without_weights() -> None:
    with pytest.raises(WeightsError, match="not on this machine"):
        space_of("openl3")
    with pytest.raises(WeightsError, match="SONOTHEQUE_OFFLINE forbids"):
        choose_spaces(["openl3"])


def test_from_the_command_line(weights: Path, tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", noise(3), SAMPLE_RATE)
    sf.write(tmp_path / "b.wav", noise(2, seed=1), 44_100)
    command = [sys.executable, "-m", "sonotheque", "-L", str(tmp_path / "library")]
    failed = subprocess.run(
        [*command, "add", str(tmp_path), "--embedder", "openl3"], capture_output=True, text=True, check=False
    )
    assert (failed.returncode, len(failed.stderr.splitlines())) == (1, 1)
    assert "musicnn" in failed.stderr
    assert not (tmp_path / "library").exists()
    environment = {**os.environ, "SONOTHEQUE_OPENL3_WEIGHTS": str(weights)}
    for arguments in (["add", str(tmp_path), "--embedder", "openl3"], ["similar", "a.wav"], ["add", str(tmp_path)]):
        result = subprocess.run([*command, *arguments], capture_output=True, text=True, env=environment, check=False)
        assert result.returncode == 0, result.stderr
    listed = subprocess.run([*command, "weights", "list"], capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 8


@pytest.mark.skipif(
    not GOLDEN, reason="SONOTHEQUE_OPENL3_GOLDEN is not set to a folder with the official regression data"
)
def test_official_regression_vectors() -> None:
    """Reproduce the regression data of the official repository with the published weights; see docs/openl3.md."""
    audio, rate = sf.read(Path(GOLDEN or "") / "chirp_44k.wav")
    for name, front_end, min_cosine in (
        ("kapre", "kapre", 0.9999),
        ("librosa", "librosa", 0.9999),
        ("0.3", "trained", 0.999),
    ):
        expected = np.load(Path(GOLDEN or "") / f"chirp_44k_{name}.npz")["embedding"]
        embedder = OpenL3(Variant(size=6144, front_end=front_end, hop=0.1), compute=Compute(precision="f32"))
        blocks = resample_kaiser_best([audio], source_rate=rate, target_rate=SAMPLE_RATE)
        ours = np.concatenate([vectors for vectors, _ in embedder.frames(blocks)])
        cosine = (ours * expected).sum(1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(expected, axis=1)
        assert cosine.min() > min_cosine, name
