"""The estimators follow scikit-learn's interface and can be trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from sonotheque.classify import MODELS, EmbeddingSet, ModelSpec, NearestNeighbours, make_classifier
from sonotheque.classify.models.estimators import (
    BoostedTrees,
    SupportVectorMachine,
    import_package,
    most_frequent,
    unavailable_models,
)
from sonotheque.classify.models.learners import select_best
from sonotheque.errors import ClassifierError


@parametrize_with_checks([NearestNeighbours(n_neighbors=5), SupportVectorMachine()])  # type: ignore[untyped-decorator]
def test_estimators_pass_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_trained(model: str) -> None:
    X, y = make_blobs(300, n_features=20, centers=4, cluster_std=3, random_state=0)
    names = np.array(["classical", "folk", "pop", "rock"])[y]
    estimator = make_classifier(model).fit(X[:200], names[:200])
    probabilities = estimator.predict_proba(X[200:])
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(estimator.classes_[probabilities.argmax(axis=1)], estimator.predict(X[200:]))
    assert np.mean(estimator.predict(X[200:]) == names[200:]) > 0.95


def test_best_spec_is_selected() -> None:
    """The classes are arcs of a circle, which nearest neighbours can separate and a linear model cannot."""
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, 2 * np.pi, 400)
    y = (np.floor(angle / (np.pi / 4)) % 2).astype(int)
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    learner = select_best([ModelSpec(model, ("vectors",)) for model in ("logreg", "knn")])
    ensemble = learner(EmbeddingSet.from_matrix(X), y, np.arange(400), 0)
    assert [member.spec.model for member in ensemble.members] == ["knn"]


@pytest.mark.parametrize("package", ["lightgbm", "xgboost"])
def test_boosted_trees_without_a_class_in_the_training_set(package: str) -> None:
    X, y = make_blobs(120, n_features=5, centers=4, random_state=0)
    rows = y != 1
    estimator = BoostedTrees(package=package, trees=10).fit(X[rows], y[rows])
    assert estimator.classes_.tolist() == [0, 2, 3]
    assert set(estimator.predict(X)) <= {0, 2, 3}
    refitted = BoostedTrees(package=package, trees=10).fit(X[rows], y[rows])
    assert np.array_equal(refitted.predict_proba(X), estimator.predict_proba(X))


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> None:
        raise OSError("libgomp.so.1: cannot open shared object file") if name == "lightgbm" else ImportError(name)

    import_package.cache_clear()
    monkeypatch.setattr("sonotheque.classify.models.estimators.import_module", import_module)
    reasons = unavailable_models()
    assert "libgomp1" in reasons["lightgbm"]
    assert "xgboost-cpu" in reasons["xgboost"]
    import_package.cache_clear()


def test_balance_favours_rare_labels() -> None:
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1], [180, 20])
    X = generator.standard_normal((200, 5)) + 0.6 * y[:, None]
    rare_probability = [
        NearestNeighbours(balance=balance).fit(X, y).predict_proba(X)[y == 1, 1].mean() for balance in (0.0, 0.5, 1.0)
    ]
    assert rare_probability == sorted(rare_probability)


def test_unknown_model() -> None:
    with pytest.raises(ClassifierError, match=r"'trees'.*auto, ensemble, logreg, knn"):
        make_classifier("trees")
    with pytest.raises(NotFittedError):
        NearestNeighbours().predict([[1.0]])


def test_most_frequent_label() -> None:
    assert most_frequent(["b", "a", "b", "a", "c"]) == "a"
