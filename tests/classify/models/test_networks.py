"""Networks trained from scratch: training, cross-validation by artist, persistence, and selection by name.

Tests that need PyTorch are skipped if it is not installed. `make test` does not install it.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from sonotheque import ClassifierError, Library
from sonotheque.classify import EmbeddingSet, ModelSpec, cross_validate, make_learner
from sonotheque.classify.inference.persistence import SavedClassifier
from sonotheque.classify.models.learners import network_specs, select_spaces, spaces_for_model
from sonotheque.classify.models.model_spec import Ensemble, fit_model
from sonotheque.classify.models.networks import ConvolutionalNetwork, FrameHead
from sonotheque.embed import mel

MEL, FRAMES, POOLED = mel.SPACE.id, "musicnn-msd-penultimate-h3.0-frames@1", "musicnn-msd-penultimate-h3.0@1"
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch, the extra deep, is not installed")


def synthetic_spectrograms(count: int = 48, *, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Noisy spectrograms of three genres, which have energy in low, middle or high bands."""
    generator = np.random.default_rng(seed)
    y = np.arange(count) % 3
    spectrograms = generator.standard_normal((count, mel.PATCH_LENGTH, mel.N_MELS))
    for row, genre in enumerate(y):
        spectrograms[row, :, 20 * genre + 2 : 20 * genre + 10] += 1.0
    return spectrograms.reshape(count, -1).astype(np.float32), y


@needs_torch
def test_convolutional_network_can_be_trained() -> None:
    X, y = synthetic_spectrograms()
    test, expected = synthetic_spectrograms(30, seed=1)
    network = ConvolutionalNetwork(epochs=12).fit(X, y, groups=np.arange(48) // 2)
    assert len(network.networks_) == 3
    probabilities = network.predict_proba(test)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (network.predict(test) == expected).mean() > 0.9
    assert sum(array.size for array in network.networks_[0].values()) < 30_000


@needs_torch
def test_the_seed_determines_the_network_and_the_state_of_torch_is_restored() -> None:
    import torch

    generator = np.random.default_rng(0)
    X, y = generator.standard_normal((60, 8)).astype(np.float32), np.arange(60) % 2
    state = torch.random.get_rng_state()
    runs = [FrameHead(epochs=4, seed=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert torch.equal(torch.random.get_rng_state(), state)


@needs_torch
def test_uninformative_vectors_score_at_chance() -> None:
    generator = np.random.default_rng(0)
    artists = np.repeat(np.arange(40), 3)
    vectors = generator.standard_normal((40, 12))[artists]
    frames = [vector + 0.3 * generator.standard_normal((6, 12)) for vector in vectors]
    data = EmbeddingSet({FRAMES: vectors.astype(np.float32)}, {FRAMES: [f.astype(np.float32) for f in frames]})
    grouped = cross_validate(data, artists % 4, groups=artists, learner=make_learner("head", spaces=[FRAMES]))
    assert grouped.accuracy < 0.45
    ungrouped = cross_validate(data, artists % 4, groups=np.arange(120), learner=make_learner("head", spaces=[FRAMES]))
    assert ungrouped.accuracy > 0.6


@needs_torch
def test_training_without_enough_artists_for_folds() -> None:
    X, y = np.array([[0.0], [1.0], [0.1], [0.9]], dtype=np.float32).repeat(4, axis=0), np.array([0, 1, 0, 1]).repeat(4)
    head = FrameHead().fit(X, y, groups=y)
    assert len(head.networks_) == 1
    assert (head.predict(X) == y).all()


@needs_torch
@pytest.mark.parametrize(("model", "space"), [("cnn", MEL), ("head", FRAMES)])
def test_saved_network_predicts_the_same(tmp_path: Path, model: str, space: str) -> None:
    X, y = (
        synthetic_spectrograms(24)
        if model == "cnn"
        else (np.random.default_rng(0).standard_normal((24, 8)), np.arange(24) % 3)
    )
    X = X.astype(np.float32)
    data = EmbeddingSet({space: X}, {space: list(X[:, None])})
    spec = ModelSpec(model, (space,), "mean", (("epochs", 2),))
    saved = SavedClassifier(
        model, Ensemble([fit_model(spec, data, y, groups=np.arange(24))], [1.0]), [space], list("abc"), {"a": 8}, 1
    )
    saved.save(tmp_path / "c.skops")
    loaded = SavedClassifier.load(tmp_path / "c.skops")
    assert np.array_equal(loaded.predict_proba(data), saved.predict_proba(data))


@needs_torch
def test_library_trains_and_classifies_with_networks(tmp_path: Path, clips: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(clips, embedders=["musicnn", "musicnn-frames", "mel"])
        (tmp_path / "labels.csv").write_text("file,genre\nave.mp3,calm\nambient.mp3,calm\nmetal.ogg,loud\n")
        library.label(str(tmp_path / "labels.csv"))
        for model, space in (("head", FRAMES), ("cnn", MEL)):
            trained = library.train(model=model)
            assert (trained.model, trained.spaces) == (model, [space])
            assert len(library.classify(clips).tracks) == 3
        assert library.classify(clips, timeline=True).tracks[0].timeline
        library.train(model="head")
        with pytest.raises(ClassifierError, match="single frames and has no timeline"):
            library.classify(clips, timeline=True)
        assert library.train(model="logreg").spaces == [POOLED]


def test_each_model_gets_the_spaces_that_it_can_use() -> None:
    spaces = [POOLED, "descriptors-librosa-v1-h10.0@1", MEL, FRAMES]
    assert spaces_for_model("svm", spaces) == tuple(spaces[:2])
    assert spaces_for_model("cnn", spaces) == (MEL,)
    assert spaces_for_model("head", spaces) == (FRAMES,)
    with pytest.raises(ClassifierError, match=r"cnn cannot use musicnn.*--embedder mel"):
        spaces_for_model("cnn", [POOLED])
    with pytest.raises(ClassifierError, match="logreg cannot use mel"):
        spaces_for_model("logreg", [MEL])
    assert select_spaces("auto", spaces) == spaces[:2]


def test_networks_are_in_the_ensemble_if_pytorch_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for installed in (True, False):
        monkeypatch.setattr("sonotheque.classify.models.learners.torch_installed", lambda value=installed: value)
        assert [spec.model for spec in network_specs([POOLED, MEL, FRAMES])] == (["cnn", "head"] if installed else [])
        assert select_spaces("ensemble", [MEL, POOLED]) == ([POOLED, MEL] if installed else [POOLED])


def test_error_names_pytorch_if_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ClassifierError, match=r"need PyTorch; `pip install 'sonotheque\[deep\]'`"):
        make_learner("cnn", spaces=[MEL])
