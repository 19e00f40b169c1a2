"""Auto-tags equal the output layer of the original musicnn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonotheque.audio import load
from sonotheque.demo import music
from sonotheque.embed import embed_track
from sonotheque.embed.auto_tags import GROUPS, TAGS, tag_group, tag_logits, tag_probabilities
from sonotheque.embed.musicnn import OUTPUTS, SPACE, Musicnn
from sonotheque.errors import SpaceError

REFERENCE = Path(__file__).parent.parent / "data" / "musicnn_reference.npz"


def sigmoid(values: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-values)))


def test_logits_equal_the_original_before_the_sigmoid() -> None:
    reference = np.load(REFERENCE)
    assert len(set(TAGS)) == len(TAGS) == OUTPUTS["taggram"]
    assert np.abs(sigmoid(tag_logits(reference["penultimate"])) - reference["taggram"]).max() < 5e-6
    assert np.abs(tag_probabilities(reference["penultimate"]) - reference["taggram"]).max() < 5e-6


def test_each_tag_is_in_one_group() -> None:
    grouped = [tag for tags in GROUPS.values() for tag in tags]
    assert sorted(grouped) == sorted(TAGS)
    assert all(tag in GROUPS[tag_group(tag)] for tag in TAGS)
    with pytest.raises(SpaceError, match=r"no tag 'polka'; use one of .*TAGS, for example rock"):
        tag_group("polka")


def test_probabilities_of_extreme_vectors_are_finite() -> None:
    probabilities = tag_probabilities(np.array([[1e6], [-1e6], [0.0]]) * np.ones(200))
    assert np.isfinite(probabilities).all()
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1


def test_track_logits_are_the_mean_of_frame_logits() -> None:
    path = music() / "metal" / "muldjord-armygeddon.ogg"
    samples, _ = load(path, sample_rate=SPACE.sample_rate)
    frames = Musicnn(output="taggram").frames([samples])
    taggram = np.concatenate([vectors for vectors, _ in frames]).astype(np.float64)
    ours = tag_logits(embed_track(path, spaces=[SPACE.id]).track[SPACE.id][None])[0]
    assert ours == pytest.approx(np.log(taggram / (1 - taggram)).mean(axis=0), abs=1e-3)
    assert ours[TAGS.index("metal")] > ours[TAGS.index("jazz")]


def test_vectors_of_another_shape_are_rejected() -> None:
    with pytest.raises(SpaceError, match=r"\[N, 200\] of musicnn-msd-penultimate-h3.0@1, not \[2, 512\]"):
        tag_logits(np.zeros((2, 512)))
