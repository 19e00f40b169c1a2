"""The weights of a mixture favour the better models."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.classify.models.ensemble import mixture_weights


def test_better_models_get_larger_weights() -> None:
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 3, 300)
    good = 0.5 * np.eye(3)[codes] + 0.5 * generator.dirichlet(np.ones(3), 300)
    noise = generator.dirichlet(np.ones(3), 300)
    weights = mixture_weights([noise, good], codes)
    assert weights[1] > 0.75
    assert mixture_weights([noise, good], codes, prior=0)[1] > 0.9
    assert weights.sum() == pytest.approx(1)
    equal = mixture_weights([good, good], codes)
    assert np.allclose(equal, 0.5)
    noise[:200] = np.nan  # rows that were not tested
    assert mixture_weights([noise, good], codes)[1] > 0.7
