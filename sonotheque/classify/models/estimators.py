"""The classifiers as scikit-learn estimators, with their default parameters.

The defaults were chosen on artist-grouped folds (docs/benchmarks/classification.md). The inputs of a classifier (spaces,
segments) are defined in `sonotheque.classify.models.model_spec`, combinations of several classifiers in
`sonotheque.classify.models.ensemble`.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib import import_module
from typing import Any, Self

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from sonotheque.classify.models import networks
from sonotheque.classify.models.base import ProbabilisticClassifier
from sonotheque.errors import ClassifierError
from sonotheque.index.exact import ExactIndex

MODELS = ("logreg", "knn", "svm", "forest", "lightgbm", "xgboost", "mlp")
"""Names of the models. If two have the same score, the earlier one is selected."""

NETWORKS = {"cnn": "spectrogram", "head": "frames"}
"""Networks trained from scratch, and the kind of space that each of them uses; see `sonotheque.classify.models.networks`."""


class NearestNeighbours(ProbabilisticClassifier):
    """k nearest neighbours by cosine similarity of centred vectors, with FAISS.

    The vectors are centred on the mean of the training set. Each neighbour votes for its label with the square of its similarity
    (clipped at 0), divided by a power of the label's frequency in the training set.

    Parameters
    ----------
    n_neighbors : int
    balance : float
        Power of the label's frequency by which a vote is divided. 0 does not correct for frequency, 1 corrects for it fully.
    scale : bool
        Divide each column by its standard deviation first, for columns with different units.

    Attributes
    ----------
    classes_ : array [C]
    center_ : float64 array [D]
    """

    def __init__(self, n_neighbors: int = 40, balance: float = 0.5, scale: bool = False) -> None:
        self.n_neighbors = n_neighbors
        self.balance = balance
        self.scale = scale

    def fit(self, X: Any, y: Any) -> Self:
        """Store the training vectors [N, D] and their labels [N]."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, self.codes_ = np.unique(y, return_inverse=True)
        self.center_ = X.mean(axis=0)
        self.spread_ = np.maximum(X.std(axis=0), 1e-9) if self.scale else np.ones(X.shape[1])
        self.vectors_ = ((X - self.center_) / self.spread_).astype(np.float32)
        frequencies = np.bincount(self.codes_) / len(self.codes_)
        self.weights_ = frequencies**-self.balance
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return each label's fraction of the votes, float64 [N, C]."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        index = ExactIndex.build(np.arange(len(self.codes_)), self.vectors_)
        queries = ((X - self.center_) / self.spread_).astype(np.float32)
        rows, similarities = index.search(queries, k=self.n_neighbors)
        codes = self.codes_[rows]
        votes = np.maximum(similarities, 1e-6) ** 2 * self.weights_[codes]
        result = np.zeros((len(X), len(self.classes_)))
        np.add.at(result, (np.arange(len(X))[:, None], codes), votes)
        return result / result.sum(axis=1, keepdims=True)


class SupportVectorMachine(ProbabilisticClassifier):
    """A support vector machine with an RBF kernel on standardised columns. Probabilities are the softmax of its decision function.

    Parameters
    ----------
    C : float
    gamma : float
        Coefficient of the kernel, as a multiple of 1 / D.
    sharpness : float
        Factor of scikit-learn's one-vs-rest decision function before the softmax.
    """

    def __init__(self, C: float = 3.0, gamma: float = 0.5, sharpness: float = 1.5) -> None:
        self.C = C
        self.gamma = gamma
        self.sharpness = sharpness

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to vectors [N, D] and their labels [N]."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        svc = SVC(C=self.C, gamma=self.gamma / X.shape[1], class_weight="balanced", decision_function_shape="ovr")
        self.pipeline_ = make_pipeline(StandardScaler(), svc).fit(X, y)
        self.classes_ = self.pipeline_.classes_
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, float64 [N, C]."""
        check_is_fitted(self)
        scores = self.pipeline_.decision_function(X)
        if scores.ndim == 1:
            scores = np.stack([-scores, scores], axis=1)
        exponentials = np.exp(self.sharpness * (scores - scores.max(axis=1, keepdims=True)))
        return exponentials / exponentials.sum(axis=1, keepdims=True)


class BoostedTrees(ProbabilisticClassifier):
    """Gradient-boosted trees by LightGBM or XGBoost, with balanced class weights. The package is imported on first use.

    Parameters
    ----------
    package : str
        ``lightgbm`` or ``xgboost``.
    trees : int
    leaves : int
        Maximum number of leaves of a tree in LightGBM. The maximum depth in XGBoost is its logarithm to base 2.
    learning_rate : float
    columns : float
        Fraction of the columns that each tree uses.
    seed : int
    """

    def __init__(
        self,
        package: str = "lightgbm",
        trees: int = 150,
        leaves: int = 8,
        learning_rate: float = 0.05,
        columns: float = 0.3,
        seed: int = 0,
    ) -> None:
        self.package = package
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.columns = columns
        self.seed = seed

    def fit(self, X: Any, y: Any) -> Self:
        """Fit to vectors [N, D] and their labels [N]."""
        X, y = validate_data(self, X, y, dtype=np.float64)
        self.classes_, codes = np.unique(y, return_inverse=True)
        parameters = {
            "n_estimators": self.trees,
            "learning_rate": self.learning_rate,
            "random_state": self.seed,
            "colsample_bytree": self.columns,
            "subsample": 0.8,
            "n_jobs": 1,
        }
        package = import_package(self.package)
        if self.package == "lightgbm":
            self.booster_ = package.LGBMClassifier(
                **parameters,
                num_leaves=self.leaves,
                min_child_samples=5,
                subsample_freq=1,
                deterministic=True,
                force_row_wise=True,
                verbose=-1,
            )
        else:
            depth = max(2, round(np.log2(self.leaves)))
            self.booster_ = package.XGBClassifier(**parameters, max_depth=depth, tree_method="hist", verbosity=0)
        self.booster_.fit(X, codes, sample_weight=compute_sample_weight("balanced", codes))
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return probabilities, float64 [N, C]."""
        check_is_fitted(self)
        return np.asarray(self.booster_.predict_proba(validate_data(self, X, dtype=np.float64, reset=False)), float)


@cache
def import_package(name: str) -> Any:
    """Import LightGBM or XGBoost.

    Raises
    ------
    ClassifierError
        If it is not installed, or if a system library that it needs is missing.
    """
    try:
        return import_module(name)
    except ImportError:
        package = {"xgboost": "xgboost-cpu"}.get(name, name)
        raise ClassifierError(f"model {name} needs the package {package}; install it with pip") from None
    except OSError as error:
        remedy = "Debian's package libgomp1" if "gomp" in str(error) else "it"
        raise ClassifierError(f"model {name}: a system library is missing ({error}); install {remedy}") from None


def unavailable_models() -> dict[str, str]:
    """Return the models that cannot run on this machine, each with the reason."""
    reasons = {}
    for name in ("lightgbm", "xgboost"):
        try:
            import_package(name)
        except ClassifierError as error:
            reasons[name] = str(error)
    return reasons


def make_classifier(model: str, *, seed: int = 0, **settings: Any) -> Any:
    """Make an unfitted estimator.

    Parameters
    ----------
    model : str
        One of `MODELS` or `NETWORKS`.
    seed : int
    **settings
        Parameters of the estimator that differ from its defaults.

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
    NearestNeighbours()
    """
    match model:
        case "knn":
            return NearestNeighbours(**settings)
        case "logreg":
            values = {"C": 0.02, "class_weight": "balanced", "max_iter": 2000, **settings}
            return make_pipeline(StandardScaler(), LogisticRegression(**values))
        case "svm":
            return SupportVectorMachine(**settings)
        case "forest":
            values = {"n_estimators": 300, "min_samples_leaf": 2, "class_weight": "balanced_subsample", **settings}
            return RandomForestClassifier(**values, random_state=seed)
        case "lightgbm" | "xgboost":
            return BoostedTrees(package=model, seed=seed, **settings)
        case "mlp":
            values = {"hidden_layer_sizes": (64,), "alpha": 1.0, "max_iter": 200, "tol": 1e-3, **settings}
            return make_pipeline(StandardScaler(), MLPClassifier(**values, random_state=seed))
        case "cnn":
            return networks.ConvolutionalNetwork(seed=seed, **settings)
        case "head":
            return networks.FrameHead(seed=seed, **settings)
    raise ClassifierError(f"unknown model {model!r}; choose one of auto, ensemble, {', '.join([*MODELS, *NETWORKS])}")


def most_frequent(labels: list[str]) -> str:
    """Return the most frequent label. If several are equally frequent, return the first in alphabetical order.

    Examples
    --------
    >>> most_frequent(["rock", "pop", "rock", "pop"])
    'pop'
    """
    return min(Counter(labels).items(), key=lambda item: (-item[1], item[0]))[0]
