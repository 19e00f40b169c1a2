"""Models can be fitted with every aggregation, and unknown names are refused."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.classify import AGGREGATIONS, EmbeddingSet, ModelSpec
from sonotheque.classify.models.model_spec import fit_model
from sonotheque.errors import ClassifierError
from sonotheque.types import FloatArray


def synthetic_tracks(*, segments: int = 3, seed: int = 0) -> tuple[EmbeddingSet, np.ndarray, np.ndarray]:
    """Tracks with segments in two spaces, integer-encoded genres, and artists."""
    generator = np.random.default_rng(seed)
    codes = np.arange(120) % 3
    groups = np.arange(120) // 2 * 2 + codes % 2
    X = generator.standard_normal((3, 12))[codes] + generator.standard_normal((120, 12))
    parts = [(x + generator.standard_normal((1 + n % segments, 12)) * 0.5).astype(np.float32) for n, x in enumerate(X)]
    vectors: FloatArray = X.astype(np.float32)
    return (
        EmbeddingSet({"a": vectors, "b": vectors[:, :5] * 3}, {"a": parts, "b": [part[:, :5] * 3 for part in parts]}),
        codes,
        groups,
    )


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("spaces", [("a",), ("a", "b")])
def test_models_can_be_fitted_with_every_aggregation(aggregation: str, spaces: tuple[str, ...]) -> None:
    data, codes, groups = synthetic_tracks()
    rows = np.arange(120)
    model = fit_model(ModelSpec("logreg", spaces, aggregation), data.take(rows[:80]), codes[:80], groups=groups[:80])
    probabilities = model.predict_proba(data.take(rows[80:]), n_classes=3)
    assert (probabilities.argmax(axis=1) == codes[80:]).mean() > 0.6


def test_unknown_models_and_aggregations() -> None:
    for spec in (("trees", ("a",), "track"), ("knn", ("a",), "median")):
        with pytest.raises(ClassifierError, match="choose one of"):
            ModelSpec(*spec)
