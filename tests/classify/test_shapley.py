"""Contributions add up to the trees' own margins, and point at the columns that the genre was made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sonotheque.classify import EmbeddingSet, ModelSpec, cross_validate, make_learner
from sonotheque.classify.evaluation.tree_shap import explain_trees, shap_values
from sonotheque.classify.models.model_spec import fit_model
from sonotheque.embed import descriptors

SMALL = (("trees", 15),)
WIDTH = len(descriptors.column_names())
KEY = descriptors.family_slices()["key"]


def noise(tracks: int, columns: int, *, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((tracks, columns)).astype(np.float32)


def margins(estimator: Any, vectors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """What the packages themselves call raw scores, [N, C]."""
    option = {"raw_score": True} if estimator.package == "lightgbm" else {"output_margin": True}
    raw = np.asarray(estimator.booster_.predict(vectors.astype(np.float64), **option), dtype=np.float64)
    return raw if raw.ndim == 2 else np.stack([-raw, raw], axis=1)


@pytest.mark.parametrize("genres", [2, 3])
@pytest.mark.parametrize("package", ["lightgbm", "xgboost"])
def test_they_add_up_to_the_margin(package: str, genres: int) -> None:
    pytest.importorskip(package)
    vectors, codes = noise(60, 6), np.arange(60) % genres
    vectors[:, 2] += 6 * codes
    data = EmbeddingSet.from_matrix(vectors)
    member = fit_model(ModelSpec(package, ("vectors",), settings=SMALL), data, codes, groups=np.arange(60))
    values, base = shap_values(member, data, n_classes=genres)
    assert values.shape == (60, genres, 6)
    assert values.sum(axis=2) + base == pytest.approx(margins(member.estimator, vectors), abs=1e-4)


def test_segments_add_up_to_their_mean_margin_and_unknown_genres_stay_0() -> None:
    vectors, codes = noise(40, 4), np.arange(40) % 3 * 2  # of five genres 1 and 3 are not learned
    vectors[:, 0] += codes
    segments = [vectors[row] + noise(1 + row % 3, 4, seed=row) / 4 for row in range(40)]
    data = EmbeddingSet({"vectors": vectors}, {"vectors": segments})
    spec = ModelSpec("lightgbm", ("vectors",), "mean", SMALL)
    member = fit_model(spec, data, codes, groups=np.arange(40))
    values, base = shap_values(member, data, n_classes=5)
    expected = np.stack([margins(member.estimator, parts).mean(axis=0) for parts in segments])
    assert (values.sum(axis=2) + base)[:, [0, 2, 4]] == pytest.approx(expected, abs=1e-6)
    assert not values[:, [1, 3]].any()


def described() -> tuple[EmbeddingSet, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Two spaces of noise, but for the column ``key.mode``, which is high in genre 1."""
    groups = np.arange(60) % 20
    codes = groups % 2
    columns = noise(60, WIDTH)
    columns[:, KEY.start + 2] += 6 * codes
    return EmbeddingSet({"network": noise(60, 5, seed=1), descriptors.SPACE.id: columns}), codes, groups


@pytest.mark.parametrize("model", ["logreg", "lightgbm"])
def test_what_the_genre_was_made_from_is_found(model: str) -> None:
    data, codes, groups = described()
    judged = cross_validate(data, codes, groups=groups, learner=make_learner(model, spaces=data.spaces), folds=3)
    found = explain_trees(data, codes, judged, groups=groups)
    assert found is not None
    assert (found.models, found.judged) == (("lightgbm",), model == "lightgbm")
    spaces = list(dict.fromkeys(family.space for family in found.families))
    assert spaces == (list(data.spaces) if model == "lightgbm" else [descriptors.SPACE.id])
    best = int(found.means.argmax())
    assert found.families[best].name == "key"
    assert found.interval(best)[0] > np.delete(found.high, best).max()
    column = int(found.column_strengths.mean(axis=1).argmax())
    assert found.columns[column] == (descriptors.SPACE.id, "key.mode")
    assert found.directions[column].tolist() == [-1, 1]
    assert found.strengths.mean(axis=1) == pytest.approx(found.means)


def test_columns_without_names_are_not_explained() -> None:
    data, codes, groups = described()
    unnamed = EmbeddingSet({"network": data.tracks["network"]})
    judged = cross_validate(unnamed, codes, groups=groups, learner=make_learner("knn", spaces=["network"]), folds=3)
    assert explain_trees(unnamed, codes, judged, groups=groups) is None
