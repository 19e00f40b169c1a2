"""Augmented copies are reproducible from their seed, finite, and similar to their original."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from sonotheque.audio.augment import SAMPLE_RATE, make_augmented_copy
from sonotheque.embed.track import embed_track
from sonotheque.errors import SonothequeError

MUSICNN = "musicnn-msd-penultimate-h3.0@1"


def read_samples(copy: bytes) -> npt.NDArray[np.float32]:
    values, rate = sf.read(io.BytesIO(copy), dtype="float32")
    assert rate == SAMPLE_RATE
    return np.asarray(values)


def test_a_copy_depends_only_on_the_seed(clips: Path) -> None:
    clip = str(clips / "metal.ogg")
    assert make_augmented_copy(clip, seed=3) == make_augmented_copy(clip, seed=3)
    assert make_augmented_copy(clip, seed=3) != make_augmented_copy(clip, seed=4)


def test_the_global_random_state_is_restored(clips: Path) -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    expected = random.random(), np.random.rand()  # noqa: NPY002, S311
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    make_augmented_copy(str(clips / "metal.ogg"), seed=3)
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002, S311


def test_copies_are_finite_and_about_as_long_as_the_original(clips: Path) -> None:
    clip = str(clips / "ambient.mp3")
    length = sf.info(clip).duration
    for seed in range(6):
        copy = read_samples(make_augmented_copy(clip, seed=seed))
        assert copy.ndim == 1
        assert np.isfinite(copy).all()
        assert length / 1.16 < len(copy) / SAMPLE_RATE < length / 0.86 + 0.1


def test_a_copy_is_most_similar_to_its_original_but_not_identical(clips: Path) -> None:
    paths = [str(clips / name) for name in ("metal.ogg", "ambient.mp3", "slow/ave.mp3")]

    def unit_vector(source: str | bytes) -> npt.NDArray[np.float32]:
        vector = embed_track(source, spaces=[MUSICNN]).track[MUSICNN]
        return vector / np.linalg.norm(vector)

    originals = np.stack([unit_vector(path) for path in paths])
    for row, path in enumerate(paths):
        for seed in range(3):
            similarities = originals @ unit_vector(make_augmented_copy(path, seed=seed))
            assert similarities.argmax() == row
            assert similarities[row] < 0.9999


def test_silence_and_a_short_tone(tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros(22_050), 22_050)
    assert not read_samples(make_augmented_copy(str(tmp_path / "silence.wav"), seed=1)).any()
    for seed in range(8):
        assert np.isfinite(read_samples(make_augmented_copy("tests/data/tone.flac", seed=seed))).all()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_mp3_augment", None)
    with pytest.raises(
        SonothequeError, match=r"fast_mp3_augment; install it with `pip install 'sonotheque\[augment\]'`"
    ):
        make_augmented_copy("tests/data/tone.flac", seed=0)
