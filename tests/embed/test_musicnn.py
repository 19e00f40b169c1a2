"""The musicnn embedder equals the original code, and its frames cover a recording as documented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonotheque.audio import LogMel
from sonotheque.embed import embed_track
from sonotheque.embed.musicnn import MEL_HOP, OUTPUTS, PATCH_LENGTH, SPACE, Musicnn
from sonotheque.embed.weights import read_shipped
from sonotheque.errors import SpaceError, WeightsError

REFERENCE = Path(__file__).parent.parent / "data" / "musicnn_reference.npz"
# largest absolute errors measured on four recordings, rounded up
TOLERANCE = {"taggram": 5e-6, "penultimate": 1.2e-5, "mean_pool": 2e-5, "max_pool": 5e-4}
FRAME = PATCH_LENGTH * MEL_HOP


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    return dict(np.load(REFERENCE))


@pytest.mark.parametrize("output", OUTPUTS)
def test_parity_with_the_original_code(reference: dict[str, np.ndarray], output: str) -> None:
    """Compare every output, computed from samples, with the original front end (librosa) and network (TensorFlow)."""
    samples = (reference["samples"] / 32767).astype(np.float32)
    frames = list(Musicnn(output=output).frames([samples[:10_000], samples[10_000:]]))
    ours = np.concatenate([vectors for vectors, _ in frames])
    assert ours.shape == (2, OUTPUTS[output]) == reference[output].shape
    assert np.abs(ours - reference[output]).max() < TOLERANCE[output]
    assert np.concatenate([starts for _, starts in frames]).tolist() == [0.0, SPACE.hop]


def test_parity_of_the_log_mel_spectrogram(reference: dict[str, np.ndarray]) -> None:
    samples = (reference["samples"] / 32767).astype(np.float32)
    patches = np.stack([patch for patch, _ in Musicnn().patches([samples])])
    assert np.abs(patches - reference["log_mel"]).max() < 5e-6


@pytest.mark.parametrize(
    ("samples", "starts"),
    [
        (1, [0]),
        (FRAME // 2, [0]),
        (FRAME - MEL_HOP, [0]),
        (FRAME + FRAME // 4, [0]),  # a tail under half a frame is dropped
        (FRAME + FRAME // 2, [0, 94]),  # a longer tail is covered by a frame that ends with the recording
        (2 * FRAME, [0, PATCH_LENGTH]),
    ],
)
def test_frames_cover_the_recording(samples: int, starts: list[int]) -> None:
    noise = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    patches = list(Musicnn().patches([noise]))
    assert [start for _, start in patches] == starts
    assert all(patch.shape == (PATCH_LENGTH, 96) for patch, _ in patches)


def test_hop() -> None:
    noise = np.random.default_rng(0).standard_normal(4 * FRAME).astype(np.float32)
    mel = LogMel(sample_rate=16_000, n_fft=512, hop_length=256, n_mels=96)
    whole = np.concatenate(list(mel.frames([noise])))
    for patch, start in Musicnn(hop=62).patches(np.array_split(noise, 11)):
        assert np.abs(patch - whole[start : start + PATCH_LENGTH]).max() < 5e-6


def test_vectors_do_not_depend_on_the_order_of_the_files(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    files = []
    for number in range(3):
        files.append(tmp_path / f"{number}.wav")
        sf.write(files[-1], generator.standard_normal(16_000 * (4 + 3 * number)) * 0.1, 16_000)

    def vectors(order: list[int]) -> dict[int, bytes]:
        return {n: embed_track(files[n], spaces=[SPACE.id]).track[SPACE.id].tobytes() for n in order}

    assert vectors([0, 1, 2]) == vectors([2, 0, 1]) == {n: vectors([n])[n] for n in range(3)}


def test_one_segment_every_ten_seconds(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.random.default_rng(0).standard_normal(16_000 * 25) * 0.1, 16_000)
    embedded = embed_track(tmp_path / "a.wav", spaces=[SPACE.id])
    assert embedded.segments[SPACE.id].shape == (3, 200)
    assert embedded.track[SPACE.id].dtype == np.float32


def test_unknown_output() -> None:
    with pytest.raises(SpaceError, match="penultimate"):
        Musicnn(output="logits")


def test_a_damaged_or_missing_network_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = bytearray(read_shipped("musicnn-msd.onnx"))
    content[1000] ^= 1
    (tmp_path / "musicnn-msd.onnx").write_bytes(content)
    monkeypatch.setattr("sonotheque.embed.weights.resources.files", lambda package: tmp_path)
    with pytest.raises(WeightsError, match="SHA-256"):
        read_shipped("musicnn-msd.onnx")
    (tmp_path / "musicnn-msd.onnx").unlink()
    with pytest.raises(WeightsError, match="missing"):
        read_shipped("musicnn-msd.onnx")
