"""A track's character follows from its vectors: right for what is known, silent about what is not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st

from sonotheque import Library
from sonotheque.demo import music
from sonotheque.embed import descriptors
from sonotheque.embed.auto_tags import GROUPS, TAGS
from sonotheque.explore.track_attributes import (
    LIKELY,
    MOST,
    WEAKEST_BEAT,
    TrackAttributes,
    likely_tags,
    load_track_attributes,
    reliable_tempo,
)

RATE = 22_050


def bursts(times: np.ndarray, seconds: int) -> np.ndarray:
    """Short noises at given times in s."""
    generator = np.random.default_rng(0)
    samples = generator.standard_normal(seconds * RATE) * 1e-3
    for start in (times * RATE).astype(int):
        end = min(start + 2000, len(samples))
        samples[start:end] += 0.3 * (generator.standard_normal(2000) * np.exp(-np.arange(2000) / 400))[: end - start]
    return samples


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("character")
    songs = folder / "songs"
    songs.mkdir()
    generator = np.random.default_rng(1)
    time = np.arange(30 * RATE) / RATE
    sf.write(songs / "steady.wav", bursts(np.arange(0.1, 29.9, 0.6), 30), RATE)
    sf.write(songs / "random.wav", bursts(np.cumsum(generator.exponential(0.3, 95)), 30), RATE)
    notes = np.outer([1, 2, 4], [220.0, 261.63, 329.63]).ravel()
    sf.write(songs / "a minor.wav", 0.02 * np.sin(2 * np.pi * np.outer(time, notes)).sum(axis=1), RATE)
    sf.write(songs / "silent.wav", np.zeros(12 * RATE), RATE)
    shutil.copy(music() / "metal" / "obsidian-shell-fear.mp3", songs / "metal.mp3")
    shutil.copy(music() / "ambient" / "nikola-whallon-ambient-2.mp3", songs / "ambient.mp3")
    with Library(folder / "library") as library:
        library.add(songs, embedders=["musicnn", "descriptors"])
        yield library


@pytest.fixture
def heard(library: Library) -> dict[str, TrackAttributes]:
    found = load_track_attributes(library.catalogue)
    return {Path(track.path).stem: found[track.id] for track in library.catalogue.tracks.all()}


def test_tempo_is_told_where_there_is_one(heard: dict[str, TrackAttributes]) -> None:
    assert heard["steady"].tempo == pytest.approx(100, rel=0.01)
    assert heard["random"].tempo is None
    assert (heard["random"].beat_strength or 1) < 0.17 < WEAKEST_BEAT * 5 < (heard["steady"].beat_strength or 0)


def test_key(heard: dict[str, TrackAttributes]) -> None:
    assert heard["a minor"].key == "A minor"


def test_silence_has_no_character(heard: dict[str, TrackAttributes]) -> None:
    assert heard["silent"] == TrackAttributes(None, None, None, None)
    assert likely_tags(heard["silent"], "style") == []


def test_words_fit_the_genre(heard: dict[str, TrackAttributes]) -> None:
    assert "metal" in likely_tags(heard["metal"], "style")
    assert likely_tags(heard["ambient"], "style")[0] in {"ambient", "electronic"}
    assert "instrumental" in likely_tags(heard["ambient"], "instruments")


def test_what_the_library_lacks_is_none(demo_library: Library) -> None:
    found = load_track_attributes(demo_library.catalogue)
    assert len(found) == 46
    assert {(one.tempo, one.beat_strength, one.key) for one in found.values()} == {(None, None, None)}
    assert all(one.tags is not None and one.tags.shape == (50,) for one in found.values())


@given(st.lists(st.floats(0, 1), min_size=50, max_size=50), st.sampled_from(sorted(GROUPS)))
def test_words_are_the_likeliest(probabilities: list[float], group: str) -> None:
    likely = dict(zip(TAGS, probabilities, strict=True))
    named = likely_tags(TrackAttributes(tags=np.array(probabilities)), group)
    assert set(named) <= set(GROUPS[group])
    assert len(named) <= MOST
    assert [likely[tag] for tag in named] == sorted((likely[tag] for tag in GROUPS[group]), reverse=True)[: len(named)]
    best = max(likely[tag] for tag in GROUPS[group])
    assert bool(named) == (group == "style" or best >= LIKELY[group])
    assert len(named) <= 1 or all(likely[tag] >= max(LIKELY[group], best / 2) for tag in named)


def test_the_beat_of_short_tracks_must_be_stronger() -> None:
    segments = np.zeros((9, len(descriptors.column_names())), np.float32)
    segments[:, descriptors.family_slices()["tempo"]] = 120
    segments[:, descriptors.family_slices()["beat_strength"]] = 0.2
    segments[:, descriptors.family_slices()["onset"]] = 5

    tempi = [reliable_tempo(segments[:count])[0] for count in (1, 2, 3, 9)]
    assert tempi == [None, None, pytest.approx(120), pytest.approx(120)]


def test_what_stands_still_has_no_tempo() -> None:
    time = np.arange(12 * 22_050) / 22_050
    steady = np.sin(2 * np.pi * 220 * time) + np.sin(2 * np.pi * 277 * time)
    clicks = np.zeros(len(time))
    clicks[:: 22_050 * 60 // 100] = 1
    for samples, tempo in ((0.2 * steady, None), (clicks, pytest.approx(100, rel=0.02))):
        vectors = list(descriptors.Descriptors().frames([samples.astype(np.float32)]))
        bpm, _ = reliable_tempo(np.concatenate([vector for vector, _ in vectors]))
        assert bpm == tempo
