"""An augmented copy is the same music, drawn again from its seed, and nothing else changes."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from sonotheque.audio.augment import SAMPLE_RATE, augmented
from sonotheque.embed.track import embed_track
from sonotheque.errors import SonothequeError

MUSICNN = "musicnn-msd-penultimate-h3.0@1"


def samples(copy: bytes) -> npt.NDArray[np.float32]:
    values, rate = sf.read(io.BytesIO(copy), dtype="float32")
    assert rate == SAMPLE_RATE
    return np.asarray(values)


def test_the_seed_says_everything(clips: Path) -> None:
    clip = str(clips / "metal.ogg")
    assert augmented(clip, seed=3) == augmented(clip, seed=3)
    assert augmented(clip, seed=3) != augmented(clip, seed=4)


def test_the_global_generators_are_left_alone(clips: Path) -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    expected = random.random(), np.random.rand()  # noqa: NPY002, S311
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    augmented(str(clips / "metal.ogg"), seed=3)
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002, S311


def test_copies_are_sound_and_nearly_as_long(clips: Path) -> None:
    clip = str(clips / "ambient.mp3")
    length = sf.info(clip).duration
    for seed in range(6):
        copy = samples(augmented(clip, seed=seed))
        assert copy.ndim == 1
        assert np.isfinite(copy).all()
        assert length / 1.16 < len(copy) / SAMPLE_RATE < length / 0.86 + 0.1


def test_a_copy_sounds_like_its_track_and_not_the_same(clips: Path) -> None:
    paths = [str(clips / name) for name in ("metal.ogg", "ambient.mp3", "slow/ave.mp3")]

    def direction(source: str | bytes) -> npt.NDArray[np.float32]:
        vector = embed_track(source, spaces=[MUSICNN]).track[MUSICNN]
        return vector / np.linalg.norm(vector)

    originals = np.stack([direction(path) for path in paths])
    for row, path in enumerate(paths):
        for seed in range(3):
            similarities = originals @ direction(augmented(path, seed=seed))
            assert similarities.argmax() == row
            assert similarities[row] < 0.9999


def test_silence_and_a_short_tone(tmp_path: Path) -> None:
    sf.write(tmp_path / "silence.wav", np.zeros(22_050), 22_050)
    assert not samples(augmented(str(tmp_path / "silence.wav"), seed=1)).any()
    for seed in range(8):
        assert np.isfinite(samples(augmented("tests/data/tone.flac", seed=seed))).all()


def test_the_packages_are_named_where_they_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_mp3_augment", None)
    with pytest.raises(SonothequeError, match=r"fast_mp3_augment; `pip install 'sonotheque\[augment\]'`"):
        augmented("tests/data/tone.flac", seed=0)
