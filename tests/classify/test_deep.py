"""Networks that learn from scratch learn, are judged by artists, saved without code, and asked for by name.

Those that need PyTorch run where it is installed; `make test` does not install it.
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


def stripes(count: int = 48, *, seed: int = 0) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Pictures in which one of three genres has energy in low, middle or high bands, under noise."""
    generator = np.random.default_rng(seed)
    y = np.arange(count) % 3
    pictures = generator.standard_normal((count, mel.PATCH_LENGTH, mel.N_MELS))
    for row, genre in enumerate(y):
        pictures[row, :, 20 * genre + 2 : 20 * genre + 10] += 1.0
    return pictures.reshape(count, -1).astype(np.float32), y


@needs_torch
def test_a_convolutional_network_learns() -> None:
    X, y = stripes()
    fresh, expected = stripes(30, seed=1)
    network = ConvolutionalNetwork(epochs=12).fit(X, y, groups=np.arange(48) // 2)
    assert len(network.networks_) == 3
    answers = network.predict_proba(fresh)
    assert np.allclose(answers.sum(axis=1), 1)
    assert (network.predict(fresh) == expected).mean() > 0.9
    assert sum(array.size for array in network.networks_[0].values()) < 30_000


@needs_torch
def test_the_seed_says_everything_and_torch_is_left_alone() -> None:
    import torch

    generator = np.random.default_rng(0)
    X, y = generator.standard_normal((60, 8)).astype(np.float32), np.arange(60) % 2
    state = torch.random.get_rng_state()
    answers = [FrameHead(epochs=4, seed=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1)]
    assert np.array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])
    assert torch.equal(torch.random.get_rng_state(), state)


@needs_torch
def test_labels_without_sound_are_at_chance() -> None:
    generator = np.random.default_rng(0)
    artists = np.repeat(np.arange(40), 3)
    voices = generator.standard_normal((40, 12))[artists]
    frames = [voice + 0.3 * generator.standard_normal((6, 12)) for voice in voices]
    data = EmbeddingSet({FRAMES: voices.astype(np.float32)}, {FRAMES: [f.astype(np.float32) for f in frames]})
    judged = cross_validate(data, artists % 4, groups=artists, learner=make_learner("head", spaces=[FRAMES]))
    assert judged.accuracy < 0.45
    leaking = cross_validate(data, artists % 4, groups=np.arange(120), learner=make_learner("head", spaces=[FRAMES]))
    assert leaking.accuracy > 0.6


@needs_torch
def test_without_artists_to_deal_it_still_learns() -> None:
    X, y = np.array([[0.0], [1.0], [0.1], [0.9]], dtype=np.float32).repeat(4, axis=0), np.array([0, 1, 0, 1]).repeat(4)
    head = FrameHead().fit(X, y, groups=y)
    assert len(head.networks_) == 1
    assert (head.predict(X) == y).all()


@needs_torch
@pytest.mark.parametrize(("model", "space"), [("cnn", MEL), ("head", FRAMES)])
def test_it_is_saved_as_arrays_and_answers_as_before(tmp_path: Path, model: str, space: str) -> None:
    X, y = stripes(24) if model == "cnn" else (np.random.default_rng(0).standard_normal((24, 8)), np.arange(24) % 3)
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
def test_a_library_learns_and_classifies(tmp_path: Path, clips: Path) -> None:
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


def test_spaces_go_to_the_models_that_learn_from_them() -> None:
    everything = [POOLED, "descriptors-librosa-v1-h10.0@1", MEL, FRAMES]
    assert spaces_for_model("svm", everything) == tuple(everything[:2])
    assert spaces_for_model("cnn", everything) == (MEL,)
    assert spaces_for_model("head", everything) == (FRAMES,)
    with pytest.raises(ClassifierError, match=r"cnn cannot learn from musicnn.*--embedder mel"):
        spaces_for_model("cnn", [POOLED])
    with pytest.raises(ClassifierError, match="logreg cannot learn from mel"):
        spaces_for_model("logreg", [MEL])
    assert select_spaces("auto", everything) == everything[:2]


def test_networks_join_the_ensemble_where_pytorch_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for there in (True, False):
        monkeypatch.setattr("sonotheque.classify.models.learners.installed", lambda there=there: there)
        assert [spec.model for spec in network_specs([POOLED, MEL, FRAMES])] == (["cnn", "head"] if there else [])
        assert select_spaces("ensemble", [MEL, POOLED]) == ([POOLED, MEL] if there else [POOLED])


def test_pytorch_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ClassifierError, match=r"need PyTorch; `pip install 'sonotheque\[deep\]'`"):
        make_learner("cnn", spaces=[MEL])
