"""Aggregated predictions are probabilities, and unanimous segments determine the prediction."""

from __future__ import annotations

from functools import partial

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import AGGREGATIONS
from sonotheque.classify.models.aggregation import aggregate_segments


@settings(max_examples=50)
@given(
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    aggregation=st.sampled_from(AGGREGATIONS[1:]),
    certainty_power=st.floats(0, 4),
    seed=st.integers(0, 99),
)
def test_aggregated_predictions_are_probabilities(
    counts: list[int], aggregation: str, certainty_power: float, seed: int
) -> None:
    track_index = np.repeat(np.arange(len(counts)), counts)
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(4), len(track_index))
    aggregate = partial(aggregate_segments, aggregation=aggregation, certainty_power=certainty_power)
    result = aggregate(probabilities, track_index)
    assert result.shape == (len(counts), 4)
    assert np.allclose(result.sum(axis=1), 1)
    for row, count in enumerate(counts):
        unanimous = np.tile(probabilities[track_index == row][0], (count, 1))
        aggregated = aggregate(unanimous, np.zeros(count, dtype=int))
        assert aggregated[0].argmax() == unanimous[0].argmax()


def test_certainty_power_0_is_the_mean() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    track_index = np.array([0, 0, 1, 1, 1, 2])
    mean, learned = (
        aggregate_segments(probabilities, track_index, aggregation=aggregation) for aggregation in ("mean", "learned")
    )
    assert np.allclose(mean, learned)
