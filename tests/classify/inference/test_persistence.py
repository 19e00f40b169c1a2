"""A saved classifier predicts the same after loading, and unusable files are refused."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io

from sonotheque import ClassifierError, Library
from sonotheque.classify import MODELS, EmbeddingSet, Ensemble, ModelSpec, SavedClassifier
from sonotheque.classify.models.model_spec import FittedModel, fit_model
from sonotheque.demo import music, unlabelled

X = np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32)
Y = np.array([1, 2, 0] * 20)
LABELS = ["folk", "pop", "rock"]


def make_saved_classifier(model: str, *, aggregation: str = "track") -> SavedClassifier:
    data = EmbeddingSet(
        {"space@1": X}, {"space@1": [X[row : row + 1] + np.ones((3, 1), np.float32) for row in range(60)]}
    )
    members = [
        fit_model(ModelSpec(model, ("space@1",), aggregation, copies=True), data, Y, groups=np.arange(60))
        for _ in range(2)
    ]
    return SavedClassifier(model, Ensemble(members, [0.25, 0.75]), ["space@1"], LABELS, {"pop": 20}, 7)


@pytest.mark.parametrize("model", MODELS)
def test_loaded_classifier_predicts_the_same(tmp_path: Path, model: str) -> None:
    saved = make_saved_classifier(model)
    saved.save(tmp_path / "c.skops")
    loaded = SavedClassifier.load(tmp_path / "c.skops")
    data = EmbeddingSet({"space@1": X})
    assert np.array_equal(loaded.predict_proba(data), saved.predict_proba(data))
    assert loaded.ensemble.weights == [0.25, 0.75]
    assert (loaded.model, loaded.spaces, loaded.counts, loaded.generation) == (model, ["space@1"], {"pop": 20}, 7)
    assert loaded.labels == LABELS
    assert [member.spec for member in loaded.ensemble.members] == [member.spec for member in saved.ensemble.members]


def test_aggregation_is_saved(tmp_path: Path) -> None:
    make_saved_classifier("logreg", aggregation="learned").save(tmp_path / "c.skops")
    spec = SavedClassifier.load(tmp_path / "c.skops").ensemble.members[0].spec
    assert spec == ModelSpec("logreg", ("space@1",), "learned", copies=True)


def test_untrusted_types_are_refused(tmp_path: Path) -> None:
    import subprocess

    model = FittedModel(ModelSpec("knn", ("space@1",)), subprocess.Popen)
    saved = SavedClassifier("knn", Ensemble([model], [1.0]), ["space@1"], LABELS, {}, 0)
    saved.save(tmp_path / "c.skops")
    with pytest.raises(ClassifierError, match=r"not allowed.*train again"):
        SavedClassifier.load(tmp_path / "c.skops")


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    path = tmp_path / "c.skops"
    with pytest.raises(ClassifierError, match="train"):
        SavedClassifier.load(path)
    path.write_bytes(b"words")
    with pytest.raises(ClassifierError, match="damaged"):
        SavedClassifier.load(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("schema.json", "{}")
    with pytest.raises(ClassifierError, match="damaged"):
        SavedClassifier.load(path)
    path.write_bytes(skops.io.dumps([1, 2]))
    with pytest.raises(ClassifierError, match="another version"):
        SavedClassifier.load(path)


def test_unknown_space_is_refused(demo_library: Library) -> None:
    saved = SavedClassifier.load(demo_library._classifier_path)
    for space, message in (("openl3@1", "which this version does not know"), ("x", "which this version does not know")):
        replace(saved, spaces=[space]).save(demo_library._classifier_path)
        with pytest.raises(ClassifierError, match=message):
            demo_library.classify(unlabelled())


def test_space_without_vectors_is_refused(demo_library: Library) -> None:
    demo_library.remove(music())
    with pytest.raises(ClassifierError, match="which the library does not have"):
        demo_library.classify(unlabelled())


def test_changed_library_is_logged_once(demo_library: Library, caplog: pytest.LogCaptureFixture) -> None:
    clip = music() / "metal" / "obsidian-shell-fear.mp3"
    demo_library.classify(clip)
    assert caplog.messages == []
    demo_library.remove(music() / "ambient")
    demo_library.classify(clip)
    assert ["the library has changed" in message for message in caplog.messages] == [True]
