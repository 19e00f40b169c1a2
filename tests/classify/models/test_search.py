"""The hyperparameter search is deterministic in trials and respects a budget of minutes."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sonotheque.classify import EmbeddingSet
from sonotheque.classify.models.search import HyperparameterSearch, SearchBudget
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


def test_search_with_trials_is_deterministic() -> None:
    data, codes, groups = synthetic_tracks()
    first, second = (
        HyperparameterSearch(spaces=["a", "b"], rounds=1, budget=SearchBudget(trials=10))(data, codes, groups, 0)
        for _ in range(2)
    )
    assert [member.spec for member in first.members] == [member.spec for member in second.members]
    assert np.array_equal(first.predict_proba(data, n_classes=3), second.predict_proba(data, n_classes=3))


@pytest.mark.slow
def test_search_respects_its_budget_of_minutes() -> None:
    data, codes, groups = synthetic_tracks()
    reported: list[tuple[int, int]] = []
    start = time.monotonic()
    search = HyperparameterSearch(
        spaces=["a"],
        rounds=2,
        budget=SearchBudget(minutes=0.1),
        progress=lambda done, total: reported.append((done, total)),
    )
    for _ in range(2):
        search(data, codes, groups, 0)
    assert 2 < time.monotonic() - start < 18  # imports and a busy machine included
    assert reported[-1][1] == 6
