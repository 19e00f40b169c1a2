"""Track attributes from stored vectors: tempo, key and likely auto-tags, or None if they are not reliable."""

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
from sonotheque.embed.auto_tags import GROUPS, TAGS, logistic
from sonotheque.explore.track_attributes import (
    MAX_TAGS,
    MIN_PROBABILITY,
    TrackAttributes,
    are_likely,
    find_likely_tags,
    likely_tags,
    load_track_attributes,
)

RATE = 22_050


def bursts(times: np.ndarray, seconds: int) -> np.ndarray:
    """Make short noise bursts at the given times in seconds."""
    generator = np.random.default_rng(0)
    samples = generator.standard_normal(seconds * RATE) * 1e-3
    for start in (times * RATE).astype(int):
        end = min(start + 2000, len(samples))
        samples[start:end] += 0.3 * (generator.standard_normal(2000) * np.exp(-np.arange(2000) / 400))[: end - start]
    return samples


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("attributes")
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
        library.add(songs, embedders=["musicnn"])
        yield library


@pytest.fixture
def attributes(library: Library) -> dict[str, TrackAttributes]:
    by_id = load_track_attributes(library.catalogue)
    return {Path(track.path).stem: by_id[track.id] for track in library.catalogue.tracks.all()}


def test_tempo_of_steady_and_random_beats(attributes: dict[str, TrackAttributes]) -> None:
    assert attributes["steady"].tempo == pytest.approx(100, rel=0.01)
    assert attributes["random"].tempo is None
    assert (attributes["random"].tempo_confidence or 0) < 0.1 < 0.9 < (attributes["steady"].tempo_confidence or 0)


def test_key(attributes: dict[str, TrackAttributes]) -> None:
    assert attributes["a minor"].key == "A minor"


def test_silent_track_has_no_attributes(attributes: dict[str, TrackAttributes]) -> None:
    assert attributes["silent"] == TrackAttributes()
    assert likely_tags(attributes["silent"], "style") == []


def test_likely_tags_fit_the_genre(attributes: dict[str, TrackAttributes]) -> None:
    assert "metal" in likely_tags(attributes["metal"], "style")
    assert likely_tags(attributes["ambient"], "style")[0] in {"ambient", "electronic"}
    assert "instrumental" in likely_tags(attributes["ambient"], "instruments")


def test_tempo_and_key_of_an_older_library_are_none(demo_library: Library) -> None:
    demo_library.catalogue.database.execute("DELETE FROM tempo_keys")
    by_id = load_track_attributes(demo_library.catalogue)
    assert len(by_id) == 46
    assert {(track.tempo, track.tempo_confidence, track.key) for track in by_id.values()} == {(None, None, None)}
    assert all(track.tags is not None and track.tags.shape == (50,) for track in by_id.values())


@given(st.lists(st.floats(0, 1), min_size=50, max_size=50), st.sampled_from(sorted(GROUPS)))
def test_likely_tags_have_the_highest_probabilities(probabilities: list[float], group: str) -> None:
    probability_of = dict(zip(TAGS, probabilities, strict=True))
    likely = likely_tags(TrackAttributes(tags=np.array(probabilities)), group)
    assert set(likely) <= set(GROUPS[group])
    assert len(likely) <= MAX_TAGS
    assert [probability_of[tag] for tag in likely] == sorted(
        (probability_of[tag] for tag in GROUPS[group]), reverse=True
    )[: len(likely)]
    best = max(probability_of[tag] for tag in GROUPS[group])
    assert bool(likely) == (group == "style" or best >= MIN_PROBABILITY[group])
    assert len(likely) <= 1 or all(probability_of[tag] >= max(MIN_PROBABILITY[group], best / 2) for tag in likely)


@given(
    seed=st.integers(0, 20),
    scale=st.sampled_from([0.5, 2.0, 6.0]),
    offset=st.sampled_from([-6.0, -3.0, 0.0]),
)
def test_likely_tags_of_many_tracks_at_once(seed: int, scale: float, offset: float) -> None:
    logits = np.random.default_rng(seed).normal(offset, scale, (50, 7))
    logits[:, 3] = np.nan
    likely = find_likely_tags(logits)
    for track in range(7):
        tags = None if track == 3 else logistic(logits[:, track])
        expected = {tag for group in GROUPS for tag in likely_tags(TrackAttributes(tags=tags), group)}
        assert {tag for tag, found in zip(TAGS, likely[:, track], strict=True) if found} == expected
    assert np.array_equal(are_likely(logits, "sad"), likely[TAGS.index("sad")])
