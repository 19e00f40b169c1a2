"""Agreement of clusters and labels, and the weakest region of a map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from sonotheque.explore.map.cluster_agreement import HeldOutPredictions, cluster_agreement, weakest_region


def test_agreement_equals_scikit_learn_with_unclustered_tracks_as_a_group() -> None:
    labels = ["a", "b", "a", None, "b", "c", None]
    clusters = np.array([0, 0, 1, 1, -1, -1, 0])
    agreement = cluster_agreement(labels, clusters)
    assert agreement is not None
    names, groups = ["a", "b", "a", "b", "c"], [0, 0, 1, -1, -1]
    assert agreement.adjusted_rand == pytest.approx(metrics.adjusted_rand_score(names, groups), abs=1e-6)
    assert agreement.adjusted_mutual_information == pytest.approx(
        metrics.adjusted_mutual_info_score(names, groups), abs=1e-6
    )
    assert (agreement.tracks, agreement.clustered) == (5, 0.6)
    assert cluster_agreement(["a", "a", None], np.array([0, 1, 0])) is None


def test_weakest_region() -> None:
    generator = np.random.default_rng(0)
    positions = generator.uniform(0, 10, (400, 2)).astype(np.float32)
    corner = np.linalg.norm(positions - [9, 9], axis=1) < 1.5
    reference = generator.integers(0, 3, 400)
    predicted = np.where(corner | (generator.random(400) < 0.05), (reference + 1) % 3, reference)
    predictions = HeldOutPredictions(["a", "b", "c"], reference, predicted)
    region = weakest_region(positions, predictions)
    assert region is not None
    rows, radius = region
    assert len(rows) == 20
    assert predictions.wrong[rows].mean() >= 0.9
    assert np.linalg.norm(positions[rows[0]] - [9, 9]) < 1.5
    assert np.linalg.norm(positions[rows] - positions[rows[0]], axis=1).max() == pytest.approx(radius, abs=1e-5)
    confusions = predictions.confusions(np.arange(400))
    assert [pair.tracks for pair in confusions] == sorted((pair.tracks for pair in confusions), reverse=True)
    assert {(pair.label, pair.taken_for) for pair in confusions} == {("a", "b"), ("b", "c"), ("c", "a")}
    assert weakest_region(positions, HeldOutPredictions(["a"], reference * 0, reference * 0)) is None
    assert weakest_region(positions[:15], HeldOutPredictions(["a", "b"], reference[:15], predicted[:15])) is None


@given(codes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40))
def test_confusions_count_each_wrong_prediction_at_most_once(codes: list[tuple[int, int]]) -> None:
    reference, predicted = (np.array([pair[side] for pair in codes], dtype=np.int64) for side in (0, 1))
    predictions = HeldOutPredictions(["a", "b", "c"], reference, predicted)
    rows = np.arange(len(codes))
    assert sum(pair.tracks for pair in predictions.confusions(rows)) <= predictions.wrong.sum()
    rate = predictions.error_rate(rows)
    assert rate is None if not codes else rate == pytest.approx(predictions.wrong.mean(), abs=1e-6)
