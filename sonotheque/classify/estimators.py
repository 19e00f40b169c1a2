"""The classifiers, as scikit-learn estimators: k nearest neighbours, logistic regression, and the choice between them.

Their settings were chosen by artist-grouped folds; docs/classifying.md has the table.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sonotheque.errors import ClassifierError
from sonotheque.index.exact import ExactIndex

MODELS = ("logreg", "knn")
"""Names of the models, the one that wins a tie first."""


class Neighbours(ClassifierMixin, BaseEstimator):
    """k nearest neighbours by cosine around the training mean, found with FAISS.

    Each neighbour votes for its label with the square of its similarity (not below 0), divided by a power of its
    label's share of the training set.

    Parameters
    ----------
    n_neighbors : int
    balance : float
        Power of the label's share that a vote is divided by: 0 leaves frequent labels their weight, 1 takes all of it.

    Attributes
    ----------
    classes_ : array [C]
    center_ : float64 array [D]
    """

    def __init__(self, n_neighbors: int = 40, balance: float = 0.5) -> None:
        self.n_neighbors = n_neighbors
        self.balance = balance

    def fit(self, X: Any, y: Any) -> Self:
        """Keep the training vectors [N, D] with their labels [N]."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, self.codes_ = np.unique(y, return_inverse=True)
        self.center_ = X.mean(axis=0)
        self.vectors_ = (X - self.center_).astype(np.float32)
        share = np.bincount(self.codes_) / len(self.codes_)
        self.weights_ = share**-self.balance
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the votes' shares, float64 [N, C]."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        index = ExactIndex.build(np.arange(len(self.codes_)), self.vectors_)
        rows, similarities = index.search((X - self.center_).astype(np.float32), k=self.n_neighbors)
        codes = self.codes_[rows]
        votes = np.maximum(similarities, 1e-6) ** 2 * self.weights_[codes]
        result = np.zeros((len(X), len(self.classes_)))
        np.add.at(result, (np.arange(len(X))[:, None], codes), votes)
        return result / result.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """Return the label with most votes for each row, array [N]."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class AutoClassifier(ClassifierMixin, BaseEstimator):
    """Whichever model wins on grouped folds of the training set, fitted on all of it.

    Parameters
    ----------
    seed : int
        Of the folds.

    Attributes
    ----------
    model_ : str
        Name of the winner.
    accuracies_ : dict of str to float
        Accuracy of each model on the folds; empty where the training set cannot be folded.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Choose and fit; `groups` [N] names each track's artist, by default each track is its own."""
        from sonotheque.classify.protocol import evaluate

        groups = np.arange(len(y)) if groups is None else groups
        self.accuracies_ = {}
        try:
            for name in MODELS:
                self.accuracies_[name] = evaluate(X, y, groups=groups, model=name, seed=self.seed).accuracy
        except ClassifierError:  # too few artists to compare: the one that wins a tie
            self.accuracies_ = {}
        self.model_ = max(MODELS, key=lambda name: self.accuracies_.get(name, 0))
        self.estimator_ = make_classifier(self.model_).fit(X, y)
        self.classes_ = self.estimator_.classes_
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the winner's probabilities, float64 [N, C]."""
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    def predict(self, X: Any) -> Any:
        """Return the winner's answers, array [N]."""
        check_is_fitted(self)
        return self.estimator_.predict(X)


def make_classifier(model: str, *, seed: int = 0) -> Any:
    """Make an estimator that has learned nothing yet.

    Parameters
    ----------
    model : str
        ``auto`` or one of `MODELS`.
    seed : int

    Returns
    -------
    scikit-learn estimator

    Raises
    ------
    ClassifierError
        If the model is unknown.

    Examples
    --------
    >>> make_classifier("knn")
    Neighbours()
    """
    if model == "auto":
        return AutoClassifier(seed=seed)
    if model == "knn":
        return Neighbours()
    if model == "logreg":
        return make_pipeline(StandardScaler(), LogisticRegression(C=0.02, class_weight="balanced", max_iter=2000))
    raise ClassifierError(f"unknown model {model!r}; known are auto, {', '.join(MODELS)}")


def most_frequent(labels: list[str]) -> str:
    """Return the most frequent label; of equally frequent ones the first by name.

    Examples
    --------
    >>> most_frequent(["rock", "pop", "rock", "pop"])
    'pop'
    """
    return min(Counter(labels).items(), key=lambda item: (-item[1], item[0]))[0]
