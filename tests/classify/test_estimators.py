"""The estimators are scikit-learn estimators, and learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from sonotheque.classify import MODELS, AutoClassifier, Neighbours, make_classifier
from sonotheque.classify.estimators import most_frequent
from sonotheque.errors import ClassifierError


@parametrize_with_checks([Neighbours(n_neighbors=5)])  # type: ignore[untyped-decorator]
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("model", ["auto", *MODELS])
def test_every_model_learns(model: str) -> None:
    X, y = make_blobs(300, n_features=20, centers=4, cluster_std=3, random_state=0)
    names = np.array(["classical", "folk", "pop", "rock"])[y]
    estimator = make_classifier(model).fit(X[:200], names[:200])
    shares = estimator.predict_proba(X[200:])
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.array_equal(estimator.classes_[shares.argmax(axis=1)], estimator.predict(X[200:]))
    assert np.mean(estimator.predict(X[200:]) == names[200:]) > 0.95


def test_auto_takes_the_better_one() -> None:
    """Two rings: neighbours tell them apart by distance along the ring, a linear model cannot."""
    generator = np.random.default_rng(0)
    angle = generator.uniform(0, 2 * np.pi, 400)
    y = (np.floor(angle / (np.pi / 4)) % 2).astype(int)
    X = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    auto = AutoClassifier().fit(X, y, groups=np.arange(400))
    assert auto.model_ == "knn"
    assert auto.accuracies_["knn"] > auto.accuracies_["logreg"]


def test_balance_helps_the_rare() -> None:
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1], [180, 20])
    X = generator.standard_normal((200, 5)) + 0.6 * y[:, None]
    rare = [Neighbours(balance=balance).fit(X, y).predict_proba(X)[y == 1, 1].mean() for balance in (0.0, 0.5, 1.0)]
    assert rare == sorted(rare)


def test_unknown_model() -> None:
    with pytest.raises(ClassifierError, match=r"'svm'.*auto, logreg, knn"):
        make_classifier("svm")
    with pytest.raises(NotFittedError):
        AutoClassifier().predict([[1.0]])


def test_most_frequent() -> None:
    assert most_frequent(["b", "a", "b", "a", "c"]) == "a"
