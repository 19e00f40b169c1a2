"""Augmented copies are used for training together with their original, and are never tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonotheque import Library
from sonotheque.classify import EmbeddingSet, ModelSpec, cross_validate, make_learner
from sonotheque.classify.data.embedding_set import AugmentedCopies
from sonotheque.classify.evaluation.model_comparison import all_specs
from sonotheque.classify.models.model_spec import training_matrix


def numbered_tracks(count: int, track_index: list[int]) -> EmbeddingSet:
    """Tracks whose vector is their number, and copies whose vector is the number of their original plus 0.5."""
    numbers = np.arange(count, dtype=np.float32)[:, None]
    originals = np.array(track_index, dtype=np.float32).reshape(-1, 1)
    copies = AugmentedCopies(
        EmbeddingSet({"a": originals + 0.5}, {"a": list(originals[:, None] + 0.5)}),
        np.array(track_index, dtype=np.int64),
    )
    return EmbeddingSet({"a": numbers}, {"a": list(numbers[:, None])}, copies)


@given(st.data())
def test_copies_follow_their_originals(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    track_index = data.draw(st.lists(st.integers(0, count - 1), max_size=20))
    rows = np.array(data.draw(st.permutations(range(count)))[: data.draw(st.integers(0, count))], dtype=np.int64)
    taken = numbered_tracks(count, track_index).take(rows)
    assert taken.copies is not None
    originals = taken.tracks["a"][taken.copies.track_index]
    assert np.array_equal(taken.copies.data.tracks["a"], originals + 0.5)
    assert len(taken.copies.track_index) == sum(track in rows for track in track_index)
    for aggregation in ("track", "mean"):
        for copies in (False, True):
            if len(rows):
                spec = ModelSpec("knn", ("a",), aggregation, copies=copies)
                vectors, tracks = training_matrix(spec, taken)
                assert len(vectors) == len(rows) + copies * len(taken.copies.track_index)
                assert np.array_equal(np.floor(vectors), taken.tracks["a"][tracks])


@pytest.mark.parametrize("model", ["knn", "logreg", pytest.param("ensemble", marks=pytest.mark.slow), "auto"])
def test_copies_of_test_tracks_do_not_leak(model: str) -> None:
    generator = np.random.default_rng(0)
    X = generator.standard_normal((200, 20)).astype(np.float32)
    y, groups = np.arange(200) % 4, np.arange(200) // 4
    copies = AugmentedCopies(EmbeddingSet({"a": np.repeat(X, 3, axis=0)}), np.repeat(np.arange(200), 3))
    learner = make_learner(model, spaces=["a"], copies=True)
    validation = cross_validate(EmbeddingSet({"a": X}, copies=copies), y, groups=groups, learner=learner, folds=2)
    assert len(validation.reference) == 200
    assert 0.13 < validation.accuracy < 0.37


def test_copies_improve_the_accuracy() -> None:
    generator = np.random.default_rng(0)
    y, groups = np.arange(80) % 2, np.arange(80) // 2
    X = (generator.standard_normal((80, 40)) + 0.3 * (2 * y[:, None] - 1)).astype(np.float32)
    copied = np.repeat(np.where(y[:, None] == 1, 0.3, -0.3), 10, axis=0) + generator.standard_normal((800, 40))
    data = EmbeddingSet(
        {"a": X}, copies=AugmentedCopies(EmbeddingSet({"a": copied.astype(np.float32)}), np.repeat(np.arange(80), 10))
    )
    without_copies, with_copies = (
        cross_validate(data, y, groups=groups, learner=make_learner("logreg", spaces=["a"], copies=copies)).accuracy
        for copies in (False, True)
    )
    assert with_copies > without_copies


def test_comparison_has_specs_with_and_without_copies() -> None:
    specs = all_specs(["a", "b"], models=["knn"], segments=False, copies=True)
    assert [(spec.spaces, spec.copies) for spec in specs] == [
        (spaces, copies) for spaces in (("a",), ("b",), ("a", "b")) for copies in (False, True)
    ]


@pytest.mark.slow
def test_library_trains_with_copies(tmp_path: Path, clips: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(clips, embedders=["musicnn"])
        (tmp_path / "labels.csv").write_text("file,genre\nave.mp3,calm\nambient.mp3,calm\nmetal.ogg,loud\n")
        library.label(str(tmp_path / "labels.csv"))
        plain = library.train(model="logreg")
        before = library.classify(clips)
        trained = library.train(model="logreg", augment=2)
        assert (plain.members[0].copies, trained.members[0].copies) == (False, True)
        assert trained.tracks == 3
        after = library.classify(clips)
        assert [t.probabilities for t in after.tracks] != [t.probabilities for t in before.tracks]
