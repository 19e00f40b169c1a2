"""SHAP values add up to the margins of the trees, and identify the columns that determine the genre."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sonotheque.classify import EmbeddingSet, ModelSpec, cross_validate, make_learner
from sonotheque.classify.evaluation.tree_shap import explain_trees, shap_values
from sonotheque.classify.models.model_spec import fit_model
from sonotheque.embed import descriptors

SETTINGS = (("trees", 15),)
N_COLUMNS = len(descriptors.column_names())
KEY_COLUMNS = descriptors.family_slices()["key"]


def noise(tracks: int, columns: int, *, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((tracks, columns)).astype(np.float32)


def margins(estimator: Any, vectors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Raw scores as the packages compute them, [N, C]."""
    option = {"raw_score": True} if estimator.package == "lightgbm" else {"output_margin": True}
    raw = np.asarray(estimator.booster_.predict(vectors.astype(np.float64), **option), dtype=np.float64)
    return raw if raw.ndim == 2 else np.stack([-raw, raw], axis=1)


@pytest.mark.parametrize("genres", [2, 3])
@pytest.mark.parametrize("package", ["lightgbm", "xgboost"])
def test_shap_values_add_up_to_the_margin(package: str, genres: int) -> None:
    pytest.importorskip(package)
    vectors, codes = noise(60, 6), np.arange(60) % genres
    vectors[:, 2] += 6 * codes
    data = EmbeddingSet.from_matrix(vectors)
    model = fit_model(ModelSpec(package, ("vectors",), settings=SETTINGS), data, codes, groups=np.arange(60))
    values, base = shap_values(model, data, n_classes=genres)
    assert values.shape == (60, genres, 6)
    assert values.sum(axis=2) + base == pytest.approx(margins(model.estimator, vectors), abs=1e-4)


def test_shap_values_of_segments_are_averaged_and_0_for_unknown_genres() -> None:
    vectors, codes = noise(40, 4), np.arange(40) % 3 * 2  # genres 1 and 3 of five have no training track
    vectors[:, 0] += codes
    segments = [vectors[row] + noise(1 + row % 3, 4, seed=row) / 4 for row in range(40)]
    data = EmbeddingSet({"vectors": vectors}, {"vectors": segments})
    spec = ModelSpec("lightgbm", ("vectors",), "mean", SETTINGS)
    model = fit_model(spec, data, codes, groups=np.arange(40))
    values, base = shap_values(model, data, n_classes=5)
    expected = np.stack([margins(model.estimator, parts).mean(axis=0) for parts in segments])
    assert (values.sum(axis=2) + base)[:, [0, 2, 4]] == pytest.approx(expected, abs=1e-6)
    assert not values[:, [1, 3]].any()


def tracks_with_descriptors() -> tuple[EmbeddingSet, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Two spaces of noise, in which only the column ``key.mode`` depends on the genre."""
    groups = np.arange(60) % 20
    codes = groups % 2
    columns = noise(60, N_COLUMNS)
    columns[:, KEY_COLUMNS.start + 2] += 6 * codes
    return EmbeddingSet({"network": noise(60, 5, seed=1), descriptors.SPACE.id: columns}), codes, groups


@pytest.mark.parametrize("model", ["logreg", "lightgbm"])
def test_the_informative_column_is_identified(model: str) -> None:
    data, codes, groups = tracks_with_descriptors()
    validation = cross_validate(data, codes, groups=groups, learner=make_learner(model, spaces=data.spaces), folds=3)
    shap = explain_trees(data, codes, validation, groups=groups)
    assert shap is not None
    assert (shap.models, shap.from_classifier) == (("lightgbm",), model == "lightgbm")
    spaces = list(dict.fromkeys(family.space for family in shap.families))
    assert spaces == (list(data.spaces) if model == "lightgbm" else [descriptors.SPACE.id])
    best = int(shap.means.argmax())
    assert shap.families[best].name == "key"
    assert shap.interval(best)[0] > np.delete(shap.high, best).max()
    column = int(shap.column_strengths.mean(axis=1).argmax())
    assert shap.columns[column] == (descriptors.SPACE.id, "key.mode")
    assert shap.directions[column].tolist() == [-1, 1]
    assert shap.strengths.mean(axis=1) == pytest.approx(shap.means)


def test_spaces_without_column_names_are_not_explained() -> None:
    data, codes, groups = tracks_with_descriptors()
    unnamed = EmbeddingSet({"network": data.tracks["network"]})
    validation = cross_validate(unnamed, codes, groups=groups, learner=make_learner("knn", spaces=["network"]), folds=3)
    assert explain_trees(unnamed, codes, validation, groups=groups) is None
