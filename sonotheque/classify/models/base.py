"""The base class of the project's own classifiers."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted


class ProbabilisticClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that predicts the class with the largest probability."""

    def predict(self, X: Any) -> Any:
        """Return the class with the largest probability for each row, array [N]."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]
