"""Synthetic clips of speech, noise, tones and silence are more novel than the demo's music by other artists."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from sonotheque import Library
from sonotheque.classify import EmbeddingSet
from sonotheque.classify.evaluation import probability_metrics
from sonotheque.classify.inference.novelty import NoveltyDetector
from sonotheque.demo import music, unlabelled
from sonotheque.embed.registry import space_of

ESPEAK = shutil.which("espeak-ng")
REASON = "NO ESPEAK-NG FOUND: novelty detection is NOT tested on other sounds (Debian: apt-get install espeak-ng)"
if not ESPEAK and os.environ.get("SONOTHEQUE_NEEDS_ESPEAK"):
    raise RuntimeError(REASON)

pytestmark = pytest.mark.skipif(ESPEAK is None, reason=REASON)

RATE = 22_050
SECONDS = 8
FOLDS = 5
Sound = npt.NDArray[np.float64]

SENTENCES = {
    "en": "The train to the coast leaves from platform four, and it is about ten minutes late. " * 3,
    "fr": "La bibliothèque est ouverte tous les jours, sauf le lundi, de neuf heures à midi. " * 3,
    "de": "Am Nachmittag ziehen Wolken auf, und gegen Abend kann es im Norden regnen. " * 3,
    "es": "El mercado abre temprano, y a mediodía ya no queda pan ni fruta en la plaza. " * 3,
    "it": "Prima di partire controlla la porta, spegni la luce e prendi le chiavi di casa. " * 3,
}


def noises(generator: np.random.Generator) -> Iterator[Sound]:
    """Brown, pink, white, blue and violet noise, each at three levels."""
    frequencies = np.fft.rfftfreq(SECONDS * RATE, 1 / RATE)
    frequencies[0] = frequencies[1]
    for slope in (-2, -1, 0, 1, 2):
        spectrum = np.fft.rfft(generator.standard_normal(SECONDS * RATE)) * frequencies ** (slope / 2)
        noise = np.fft.irfft(spectrum)
        for level in (0.03, 0.2, 0.7):
            yield level * noise / np.abs(noise).max()


def tones(generator: np.random.Generator) -> Iterator[Sound]:
    """Five tones, four chords and three chirps."""
    time = np.arange(SECONDS * RATE) / RATE
    for frequency in generator.uniform(100, 3000, 5):
        yield 0.3 * np.sin(2 * np.pi * frequency * time)
    for frequency in generator.uniform(110, 440, 4):
        yield sum((0.15 * np.sin(2 * np.pi * ratio * frequency * time) for ratio in (1, 6 / 5, 3 / 2)), np.zeros(1))
    for low in generator.uniform(60, 200, 3):
        yield 0.3 * np.sin(2 * np.pi * np.cumsum(np.geomspace(low, 9000, len(time))) / RATE)


def silences(generator: np.random.Generator) -> Iterator[Sound]:
    """Digital silence, and white noise from far below the last of 16 bits up to audible hiss."""
    for level in (0, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 2e-3):
        yield level * generator.standard_normal(SECONDS * RATE)


@pytest.fixture(scope="module")
def other_sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make fifty clips: 15 of speech, 15 of noise, 12 of tones, 8 of silence."""
    folder = tmp_path_factory.mktemp("sounds")
    for voice, text in SENTENCES.items():
        for speed, pitch in ((120, 30), (150, 55), (190, 75)):
            target = folder / f"speech-{voice}-{speed}.wav"
            subprocess.run(
                [str(ESPEAK), "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(target), text], check=True
            )
    generator = np.random.default_rng(7)
    for name, sounds in (("noise", noises), ("tone", tones), ("silence", silences)):
        for number, sound in enumerate(sounds(generator)):
            sf.write(folder / f"{name}-{number}.wav", sound, RATE, subtype="FLOAT")
    assert len(list(folder.iterdir())) == 50
    return folder


def load_vectors(library: Library, embedders: list[str]) -> tuple[EmbeddingSet, list[Any]]:
    """The vectors of all tracks of a library in some spaces, ordered by path, and the tracks."""
    tracks = sorted(library.catalogue.tracks.all(), key=lambda track: track.path)
    columns = {}
    for space in (space_of(name).id for name in embedders):
        by_id = dict(zip(*library.catalogue.vectors.matrix(space), strict=True))
        columns[space] = np.stack([by_id[track.id] for track in tracks])
    return EmbeddingSet(columns), tracks


def novelty_auc(music: EmbeddingSet, artists: npt.NDArray[Any], other_sounds: EmbeddingSet) -> float:
    """AUC of the distance, by cross-validation: the detector is fitted to music by other artists."""
    fold_of_track = np.random.default_rng(0).permutation(artists.max() + 1)[artists] % FOLDS
    areas, weights = [], []
    for fold in range(FOLDS):
        train, test = np.flatnonzero(fold_of_track != fold), np.flatnonzero(fold_of_track == fold)
        detector = NoveltyDetector.fit(music.take(train), groups=artists[train])
        distances = np.concatenate([detector.distance(music.take(test)), detector.distance(other_sounds)])
        reference = np.repeat([0, 1], [len(test), len(other_sounds)])
        areas.append(probability_metrics.auc(reference, np.stack([-distances, distances], axis=1))[1])
        weights.append(len(test))
    return float(np.average(areas, weights=weights))


@pytest.mark.slow
def test_speech_noise_tones_and_silence_are_novel(demo_library: Library, other_sounds: Path, tmp_path: Path) -> None:
    embedders = ["musicnn", "descriptors"]
    demo_library.add(music(), unlabelled(), embedders=embedders)
    known, tracks = load_vectors(demo_library, embedders)
    artists = np.unique([track.artist or track.path for track in tracks], return_inverse=True)[1]
    with Library(tmp_path / "sounds") as library:
        library.add(other_sounds, embedders=embedders)
        sounds, _ = load_vectors(library, embedders)
    assert len(known) == 55
    assert len(sounds) == 50
    for spaces in (known.spaces[:1], known.spaces):
        known_columns, other_columns = (
            EmbeddingSet({space: data.tracks[space] for space in spaces}) for data in (known, sounds)
        )
        assert novelty_auc(known_columns, artists, other_columns) >= 0.9
