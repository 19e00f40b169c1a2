"""A trained classifier as a file, with its spaces, its labels and the generation of the library that it was trained on.

The file is written by skops, without pickle. Loading accepts only a fixed list of types, so a file from a stranger runs no code.
"""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.inference.calibration import CalibrationSet
from sonotheque.classify.inference.novelty import NoveltyDetector
from sonotheque.classify.inference.training_tracks import TrainingTracks
from sonotheque.classify.models.model_spec import Ensemble, FittedModel, ModelSpec
from sonotheque.errors import ClassifierError
from sonotheque.output_files import write_atomic
from sonotheque.types import Probabilities

FORMAT = 6

ESTIMATORS = "sonotheque.classify.models.estimators"
NETWORKS = "sonotheque.classify.models.networks"
TRUSTED = [
    *(f"{ESTIMATORS}.{name}" for name in ("NearestNeighbours", "SupportVectorMachine", "BoostedTrees")),
    *(f"{NETWORKS}.{name}" for name in ("ConvolutionalNetwork", "FrameHead")),
    *(
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "collections.OrderedDict",
        "collections.defaultdict",
    ),
    *("xgboost.core.Booster", "xgboost.sklearn.XGBClassifier"),
    *("sklearn.neural_network._stochastic_optimizers.AdamOptimizer", "sklearn.tree._tree.Tree"),
]
"""Types that a file may hold besides those of NumPy and most of scikit-learn."""

FORMAT_4_CLASSES = {
    ("sonotheque.classify.estimators", "Neighbours"): (ESTIMATORS, "NearestNeighbours"),
    ("sonotheque.classify.estimators", "SupportVectors"): (ESTIMATORS, "SupportVectorMachine"),
    ("sonotheque.classify.estimators", "Boosted"): (ESTIMATORS, "BoostedTrees"),
    ("sonotheque.classify.deep", "Convolutional"): (NETWORKS, "ConvolutionalNetwork"),
    ("sonotheque.classify.deep", "FrameHead"): (NETWORKS, "FrameHead"),
}
"""Classes that have been renamed since format 4: (module, name) before and now."""


@dataclass(frozen=True)
class SavedClassifier:
    """A trained classifier and its origin.

    Attributes
    ----------
    model : str
        The model that was requested or, with ``auto``, the one that was selected.
    ensemble : Ensemble
    spaces : list of str
        Ids of the spaces that its members use.
    labels : list of str
        The genres, in the order of the probabilities.
    counts : dict of str to int
        Number of training tracks with each label.
    generation : int
        Generation of the library at training time.
    calibration_set : CalibrationSet or None
        None if the tracks could not be divided into folds.
    novelty_detector : NoveltyDetector or None
    training_tracks : TrainingTracks or None
        None in files of older formats, which do not record them.
    """

    model: str
    ensemble: Ensemble
    spaces: list[str]
    labels: list[str]
    counts: dict[str, int]
    generation: int
    calibration_set: CalibrationSet | None = None
    novelty_detector: NoveltyDetector | None = None
    training_tracks: TrainingTracks | None = None

    def predict_proba(self, data: EmbeddingSet) -> Probabilities:
        """Return genre probabilities, float64 [N, C]."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(limits=1, user_api="blas"):
            return self.ensemble.predict_proba(data, n_classes=len(self.labels))

    def save(self, path: Path) -> None:
        """Write the file. An older file is replaced only when the new one is complete."""
        import skops.io

        members = [
            {
                "model": member.spec.model,
                "spaces": list(member.spec.spaces),
                "aggregation": member.spec.aggregation,
                "settings": dict(member.spec.settings),
                "copies": member.spec.copies,
                "estimator": member.estimator,
                "certainty_power": member.certainty_power,
                "weight": weight,
            }
            for member, weight in zip(self.ensemble.members, self.ensemble.weights, strict=True)
        ]
        parts = {
            name: _fields_of(part) if (part := getattr(self, name)) else None
            for name in ("calibration_set", "novelty_detector", "training_tracks")
        }
        origin = {name: value for name, value in vars(self).items() if name not in {"ensemble", *parts}}
        content = {"format": FORMAT, **origin, **parts, "members": members, "temperature": self.ensemble.temperature}
        write_atomic(path, [skops.io.dumps(content)])

    @classmethod
    def load(cls, path: Path) -> SavedClassifier:
        """Read the file. Files in formats 4 and 5 are converted.

        Raises
        ------
        ClassifierError
            If there is no file, or it is damaged, holds other types, or has another format.
        """
        import skops.io
        from skops.io.exceptions import UntrustedTypesFoundException

        if not path.exists():
            raise ClassifierError("this library has no trained classifier; run `sonotheque train` first")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                content = skops.io.loads(_with_current_class_names(path.read_bytes()), trusted=TRUSTED)
        except UntrustedTypesFoundException as error:
            raise ClassifierError(f"{path}: contains types that are not allowed ({error}); train again") from None
        except Exception as error:  # zip, JSON, NumPy and scikit-learn each report damage in their own way
            raise ClassifierError(f"{path}: damaged, or written by another version ({error}); train again") from None
        if isinstance(content, dict) and content.get("format") == 4:
            content = _from_format_4(content)
        if isinstance(content, dict) and content.get("format") == 5:
            content = {**content, "format": FORMAT, "training_tracks": None}
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ClassifierError(f"{path}: written by another version of sonotheque; train again")
        members = content.pop("members")
        weights = [float(member["weight"]) for member in members]
        ensemble = Ensemble([_fitted_model(member) for member in members], weights, float(content.pop("temperature")))
        calibration_set, novelty_detector = content.pop("calibration_set"), content.pop("novelty_detector")
        training_tracks = content.pop("training_tracks")
        return cls(
            ensemble=ensemble,
            calibration_set=CalibrationSet(**calibration_set) if calibration_set else None,
            novelty_detector=NoveltyDetector(**novelty_detector) if novelty_detector else None,
            training_tracks=TrainingTracks(**training_tracks) if training_tracks else None,
            **content,
        )


def _fields_of(part: Any) -> dict[str, Any]:
    return {field.name: getattr(part, field.name) for field in fields(part)}


def _fitted_model(member: dict[str, Any]) -> FittedModel:
    settings = tuple(member["settings"].items())
    spec = ModelSpec(member["model"], tuple(member["spaces"]), member["aggregation"], settings, member["copies"])
    return FittedModel(spec, member["estimator"], float(member["certainty_power"]))


def _with_current_class_names(content: bytes) -> bytes:
    """Replace the class names of format 4 in the schema of a skops file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(files["schema.json"])
    if not _rename_classes(schema):
        return content
    files["schema.json"] = json.dumps(schema).encode()
    renamed = io.BytesIO()
    with zipfile.ZipFile(renamed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return renamed.getvalue()


def _rename_classes(node: Any) -> bool:
    """Rename classes in a node of the schema and below it; return whether there was one to rename."""
    renamed = False
    if isinstance(node, dict):
        current = FORMAT_4_CLASSES.get((str(node.get("__module__")), str(node.get("__class__"))))
        if current:
            node["__module__"], node["__class__"] = current
            renamed = True
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any([renamed, *[_rename_classes(part) for part in below]])


def _from_format_4(content: dict[str, Any]) -> dict[str, Any]:
    """Convert the content of format 4, which has other names for the same values, to format 5."""
    names = {"decision": "aggregation", "sharpness": "certainty_power", "share": "weight"}
    evidence, familiar = content.pop("evidence"), content.pop("familiar")
    if evidence:
        evidence["correct"] = evidence.pop("right")
    if familiar:
        familiar["threshold"] = familiar.pop("limit")
    members = [{names.get(name, name): value for name, value in member.items()} for member in content.pop("members")]
    converted = {"format": 5, "members": members, "calibration_set": evidence, "novelty_detector": familiar}
    return {**content, **converted}
