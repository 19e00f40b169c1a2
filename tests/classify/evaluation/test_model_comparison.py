"""The comparison of models has a row for each model and combination, with paired differences."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.classify import EmbeddingSet
from sonotheque.classify.evaluation.model_comparison import all_specs, class_thresholds, compare_models
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


@pytest.mark.slow
def test_comparison_of_models() -> None:
    data, codes, groups = synthetic_tracks()
    specs = all_specs(data.spaces, models=["logreg", "knn"], segments=True)
    assert len(specs) == 3 * (5 + 2)
    result = compare_models(data, codes.astype(str), groups=groups, specs=specs)
    assert len(result.rows) == len(specs) + 5
    single_models = result.rows[: len(specs)]
    best = max(single_models, key=lambda row: row.accuracy)
    assert best.difference == 0
    assert best.difference_interval == (0, 0)
    assert all(row.accuracy_interval[0] <= row.accuracy <= row.accuracy_interval[1] for row in result.rows)
    for row in result.rows:
        assert row.difference == pytest.approx(row.accuracy - best.accuracy, abs=1e-5)


def test_thresholds_favour_rare_labels() -> None:
    probabilities = np.array([[0.6, 0.4], [0.6, 0.4], [0.7, 0.3], [0.8, 0.2]])
    factors = class_thresholds(probabilities, np.array([1, 1, 0, 0]))
    assert ((probabilities * factors).argmax(axis=1) == [1, 1, 0, 0]).all()
