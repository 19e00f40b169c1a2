"""A trained classifier as a file: with the spaces, labels and the library's generation that it was made from.

skops keeps it without pickle, and loading admits a fixed list of types: a file from a stranger runs no code.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonotheque.classify.calibration import Probabilities
from sonotheque.classify.confidence import Evidence, Familiar
from sonotheque.classify.recipe import Fitted, Member, Recipe
from sonotheque.classify.recordings import Recordings
from sonotheque.errors import ClassifierError
from sonotheque.store.files import write_whole

FORMAT = 4
TRUSTED = [
    *(f"sonotheque.classify.estimators.{name}" for name in ("Neighbours", "SupportVectors", "Boosted")),
    *(f"sonotheque.classify.deep.{name}" for name in ("Convolutional", "FrameHead")),
    *(
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "collections.OrderedDict",
        "collections.defaultdict",
    ),
    *("xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"),
    *("sklearn.neural_network._stochastic_optimizers.AdamOptimizer", "sklearn.tree._tree.Tree"),
]
"""Types beyond NumPy's and most of scikit-learn's that a file may hold."""


@dataclass(frozen=True)
class SavedClassifier:
    """A trained classifier and where it comes from.

    Attributes
    ----------
    model : str
        Name that it was asked for by, or what was chosen.
    fitted : Fitted
    spaces : list of str
        Ids of the spaces that its members learned from, the first one first.
    labels : list of str
        The genres that it knows, in the order of its probabilities.
    counts : dict of str to int
        Training tracks of each label.
    generation : int
        Of the library at training time.
    evidence : Evidence or None
        None where the tracks could not be folded.
    familiar : Familiar or None
    """

    model: str
    fitted: Fitted
    spaces: list[str]
    labels: list[str]
    counts: dict[str, int]
    generation: int
    evidence: Evidence | None = None
    familiar: Familiar | None = None

    def probabilities(self, data: Recordings) -> Probabilities:
        """Return the probability of each genre, float64 [N, C]."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="blas"):
            return self.fitted.probabilities(data, labels=len(self.labels))

    def save(self, path: Path) -> None:
        """Write the file; an older one stays until the new one is whole."""
        import skops.io

        members = [
            {
                "model": member.recipe.model,
                "spaces": list(member.recipe.spaces),
                "decision": member.recipe.decision,
                "settings": dict(member.recipe.settings),
                "copies": member.recipe.copies,
                "estimator": member.estimator,
                "sharpness": member.sharpness,
                "share": share,
            }
            for member, share in zip(self.fitted.members, self.fitted.shares, strict=True)
        ]
        facts = {name: value for name, value in vars(self).items() if name not in {"fitted", "evidence", "familiar"}}
        parts = {
            name: vars(part) if part else None
            for name, part in (("evidence", self.evidence), ("familiar", self.familiar))
        }
        content = {"format": FORMAT, **facts, **parts, "members": members, "temperature": self.fitted.temperature}
        write_whole(path, [skops.io.dumps(content)])

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
        members = content.pop("members")
        shares = [float(part["share"]) for part in members]
        fitted = Fitted([_member(part) for part in members], shares, float(content.pop("temperature")))
        evidence, familiar = content.pop("evidence"), content.pop("familiar")
        return cls(
            fitted=fitted,
            evidence=Evidence(**evidence) if evidence else None,
            familiar=Familiar(**familiar) if familiar else None,
            **content,
        )


def _member(part: dict[str, Any]) -> Member:
    settings = tuple(part["settings"].items())
    recipe = Recipe(part["model"], tuple(part["spaces"]), part["decision"], settings, part["copies"])
    return Member(recipe, part["estimator"], float(part["sharpness"]))
