"""The embedder of Essentia's MusicExtractor; most tests need Essentia."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from sonotheque.audio import load
from sonotheque.demo import music
from sonotheque.embed import choose_spaces, essentia
from sonotheque.errors import SpaceError

installed = importlib.util.find_spec("essentia") is not None


def test_column_names_are_unique() -> None:
    assert len(set(essentia.column_names())) == len(essentia.column_names()) == essentia.SPACE.dimensions


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SpaceError, match=r"sonotheque\[essentia\]"):
        choose_spaces(["essentia"])


@pytest.mark.skipif(not installed, reason="needs Essentia: pip install essentia")
def test_descriptors_of_a_clip() -> None:
    samples, rate = load(music() / "classical" / "john-michel-ave-maria-1.mp3", sample_rate=essentia.SAMPLE_RATE)
    embedder = essentia.Essentia()
    ((vector, start),) = embedder.frames([samples[: rate * 7], samples[rate * 7 :]])
    assert vector.shape == (1, essentia.SPACE.dimensions)
    assert np.isfinite(vector).all()
    assert start.tolist() == [0.0]
    named = dict(zip(essentia.column_names(), vector[0], strict=True))
    assert 40 < named["rhythm.bpm"] < 220
    assert -60 < named["lowlevel.loudness_ebu128.integrated"] < 0
    assert np.array_equal(embedder.extract(samples), vector[0])


@pytest.mark.skipif(not installed, reason="needs Essentia: pip install essentia")
@pytest.mark.parametrize("samples", [np.zeros(44_100), np.full(1, 0.5), np.full(50_000, 0.5)])
def test_vectors_are_always_finite(samples: np.ndarray) -> None:
    ((vector, _),) = essentia.Essentia().frames([samples.astype(np.float32)])
    assert np.isfinite(vector).all()
