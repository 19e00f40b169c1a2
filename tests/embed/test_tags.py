"""Tags are the network's own last layer, under the names that its authors gave it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonotheque.audio import load
from sonotheque.demo import music
from sonotheque.embed import embed_track
from sonotheque.embed.musicnn import OUTPUTS, SPACE, Musicnn
from sonotheque.embed.tags import GROUPS, TAGS, tag_group, tag_probabilities, tag_strengths
from sonotheque.errors import SpaceError

REFERENCE = Path(__file__).parent.parent / "data" / "musicnn_reference.npz"


def sigmoid(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


def test_strengths_are_the_originals_before_the_sigmoid() -> None:
    reference = np.load(REFERENCE)
    assert len(set(TAGS)) == len(TAGS) == OUTPUTS["taggram"]
    assert np.abs(sigmoid(tag_strengths(reference["penultimate"])) - reference["taggram"]).max() < 5e-6
    assert np.abs(tag_probabilities(reference["penultimate"]) - reference["taggram"]).max() < 5e-6


def test_each_tag_is_in_one_group() -> None:
    grouped = [tag for tags in GROUPS.values() for tag in tags]
    assert sorted(grouped) == sorted(TAGS)
    assert all(tag in GROUPS[tag_group(tag)] for tag in TAGS)
    with pytest.raises(SpaceError, match="no tag 'polka'; TAGS lists them, such as rock"):
        tag_group("polka")


def test_probabilities_of_any_strength_are_finite() -> None:
    probabilities = tag_probabilities(np.array([[1e6], [-1e6], [0.0]]) * np.ones(200))
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1


def test_a_tracks_strengths_are_the_mean_of_its_frames() -> None:
    path = music() / "metal" / "muldjord-armygeddon.ogg"
    samples, _ = load(path, sample_rate=SPACE.sample_rate)
    frames = Musicnn(output="taggram").frames([samples])
    taggram = np.concatenate([vectors for vectors, _ in frames]).astype(np.float64)
    ours = tag_strengths(embed_track(path, spaces=[SPACE.id]).track[SPACE.id][None])[0]
    assert ours == pytest.approx(np.log(taggram / (1 - taggram)).mean(axis=0), abs=1e-3)
    assert ours[TAGS.index("metal")] > ours[TAGS.index("jazz")]


def test_other_vectors_are_refused() -> None:
    with pytest.raises(SpaceError, match=r"\[N, 200\] of musicnn-msd-penultimate-h3.0@1, not \[2, 512\]"):
        tag_strengths(np.zeros((2, 512)))
