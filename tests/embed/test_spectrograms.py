"""The spaces of unpooled vectors: mel spectrogram patches, and single frames of a network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonotheque.audio import load
from sonotheque.audio.mel import cut_patches
from sonotheque.embed import mel, open_embedder, space_of
from sonotheque.embed.space import Embedder, Times, kind_of
from sonotheque.embed.track import embed_track
from sonotheque.types import FloatArray

POOLED = "musicnn-msd-penultimate-h3.0@1"
FRAMES = "musicnn-msd-penultimate-h3.0-frames@1"


@given(length=st.integers(1, 60), size=st.integers(1, 12), hop=st.integers(1, 12), data=st.data())
def test_patches_do_not_depend_on_the_block_size(length: int, size: int, hop: int, data: st.DataObject) -> None:
    spectrogram = np.arange(length, dtype=np.float32)[:, None]
    cuts = sorted(data.draw(st.sets(st.integers(1, length - 1))) if length > 1 else [])
    whole = [(p[:, 0].tolist(), s) for p, s in cut_patches([spectrogram], length=size, hop=hop)]
    parts = [(p[:, 0].tolist(), s) for p, s in cut_patches(np.split(spectrogram, cuts), length=size, hop=hop)]
    assert parts == whole
    if length >= size:
        assert all(patch == list(range(start, start + size)) for patch, start in whole)
    else:
        assert len(whole) == 1


def test_a_patch_equals_librosa(clips: Path) -> None:
    samples, rate = load(str(clips / "metal.ogg"), sample_rate=mel.SAMPLE_RATE)
    vectors = np.concatenate([v for v, _ in open_embedder(mel.SPACE.id).frames([samples])])
    power = librosa.feature.melspectrogram(
        y=samples, sr=rate, n_fft=mel.N_FFT, hop_length=mel.MEL_HOP, n_mels=mel.N_MELS, pad_mode="constant"
    )
    expected = np.log10(10_000 * power.T + 1)
    assert len(vectors) >= 1
    assert np.allclose(vectors[0].reshape(mel.PATCH_LENGTH, mel.N_MELS), expected[: mel.PATCH_LENGTH], atol=1e-4)


def test_each_patch_is_a_segment(clips: Path) -> None:
    embedded = embed_track(str(clips / "ambient.mp3"), spaces=[mel.SPACE.id])
    count = embedded.seconds / mel.SPACE.frame
    assert embedded.segments[mel.SPACE.id].shape == (round(count), 13_760)


def test_frames_and_their_means_are_computed_in_one_run(clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(clips / "ambient.mp3")
    separate = [embed_track(path, spaces=[space]) for space in (POOLED, FRAMES)]
    runs: list[object] = []
    embedder = type(open_embedder(POOLED))
    original = embedder.frames

    def frames(self: Embedder, blocks: Iterable[FloatArray]) -> Iterator[tuple[FloatArray, Times]]:
        runs.append(self)
        return original(self, blocks)

    monkeypatch.setattr(embedder, "frames", frames)
    both = embed_track(path, spaces=[FRAMES, POOLED])
    assert len(runs) == 1
    for space, expected in zip((POOLED, FRAMES), separate, strict=True):
        assert np.array_equal(both.track[space], expected.track[space])
        assert np.array_equal(both.segments[space], expected.segments[space])
    assert np.array_equal(both.track[FRAMES], both.track[POOLED])
    assert len(both.segments[FRAMES]) > 2 * len(both.segments[POOLED])
    assert np.allclose(both.segments[FRAMES].mean(axis=0), both.track[POOLED], atol=1e-5)


def test_names_and_kinds_of_spaces() -> None:
    assert space_of("musicnn-frames").id == FRAMES
    assert space_of(FRAMES).embedder == "musicnn-frames"
    assert not space_of(FRAMES).pooled
    kinds = {"musicnn": "embedding", "musicnn-frames": "frames", "descriptors": "descriptors", "mel": "spectrogram"}
    assert {name: kind_of(space_of(name).id) for name in kinds} == kinds
    assert kind_of("essentia-extractor@1") == "descriptors"
    assert kind_of("openl3-music-mel256-512-kapre-h1.0-frames@1") == "frames"
