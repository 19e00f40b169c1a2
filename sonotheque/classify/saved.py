"""A trained classifier as a file: with the spaces, labels and the library's generation that it was made from.

skops keeps it without pickle, and loading admits a fixed list of types: a file from a stranger runs no code.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.audio.decode import FloatArray
from sonotheque.errors import ClassifierError
from sonotheque.store.files import write_whole

FORMAT = 1
TRUSTED = ["sonotheque.classify.estimators.Neighbours"]
"""Types beyond NumPy's and scikit-learn's that a file may hold."""


@dataclass(frozen=True)
class SavedClassifier:
    """A trained classifier and where it comes from.

    Attributes
    ----------
    model : str
        Name of the model.
    estimator : scikit-learn estimator
    spaces : list of str
        Ids of the spaces whose track vectors are joined, in this order.
    counts : dict of str to int
        Training tracks of each label.
    generation : int
        Of the library at training time.
    """

    model: str
    estimator: Any
    spaces: list[str]
    counts: dict[str, int]
    generation: int

    @property
    def labels(self) -> list[str]:
        """The genres that it knows, in the order of its probabilities."""
        return [str(label) for label in self.estimator.classes_]

    def probabilities(self, vectors: FloatArray) -> npt.NDArray[np.float64]:
        """Return the probability of each genre, float64 [N, C], for joined track vectors [N, D]."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="blas"):
            result: npt.NDArray[np.float64] = self.estimator.predict_proba(vectors)
            return result

    def save(self, path: Path) -> None:
        """Write the file; an older one stays until the new one is whole."""
        import skops.io

        write_whole(path, [skops.io.dumps({"format": FORMAT, **_shallow(self)})])

    @classmethod
    def load(cls, path: Path) -> SavedClassifier:
        """Read the file.

        Raises
        ------
        ClassifierError
            If there is none, or it is damaged, untrusted, or of another version.
        """
        import skops.io
        from skops.io.exceptions import UntrustedTypesFoundException

        if not path.exists():
            raise ClassifierError("this library has no trained classifier; run `sonotheque train` first")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                content = skops.io.load(path, trusted=TRUSTED)
        except UntrustedTypesFoundException as error:
            raise ClassifierError(f"{path}: holds types that are not trusted ({error}); train again") from None
        except Exception as error:  # zip, JSON, NumPy and scikit-learn each have their own way to say "damaged"
            raise ClassifierError(f"{path}: damaged or of another version ({error}); train again") from None
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ClassifierError(f"{path}: of another version of sonotheque; train again")
        return cls(**content)


def _shallow(classifier: SavedClassifier) -> dict[str, Any]:
    return {name: getattr(classifier, name) for name in asdict(classifier)}
