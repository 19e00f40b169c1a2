"""What clusters are called, whether they agree with labels, and where answers fail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from sonotheque.embed.auto_tags import TAGS
from sonotheque.explore.map.cluster_agreement import HeldOutPredictions, cluster_agreement, weakest_region
from sonotheque.explore.map.cluster_names import ClusterFeatures, name_clusters

CLUSTERS = np.repeat([0, 1, 2, -1], [12, 10, 8, 5])


def strengths(**heard: str) -> np.ndarray:
    """Log odds of tags: low everywhere, high for some tags in some clusters."""
    tags = np.random.default_rng(0).normal(-3, 0.3, (len(CLUSTERS), len(TAGS)))
    for cluster, names in heard.items():
        for strength, name in enumerate(reversed(names.split(","))):
            tags[int(cluster[1:]) == CLUSTERS, TAGS.index(name)] += 2 + strength
    return tags


def test_a_name_says_tempo_tags_genre_and_artist() -> None:
    tempo = np.linspace(119.0, 121.0, len(CLUSTERS))
    tempo[CLUSTERS == 0] = 62
    genres = [{0: "piano", 1: "noise", 2: None}.get(cluster) for cluster in CLUSTERS.tolist()]
    artists = ["Ann" if cluster == 1 else f"artist {row}" for row, cluster in enumerate(CLUSTERS.tolist())]
    tags = strengths(_0="ambient,beautiful,sad", _1="metal,hard rock", _2="jazz,soul")
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, tempo, genres, artists))
    assert names == ["slow, ambient, beautiful, piano", "metal, hard rock, noise, Ann", "jazz, soul"]


def test_a_tag_that_says_the_same_is_left_out() -> None:
    tags = strengths(
        _0="electronic,electronica,electro,dance", _1="chillout,chill,sad", _2="female vocalists,female vocalist"
    )
    nobody = [None] * len(CLUSTERS)
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, None, ["Electronic"] * len(CLUSTERS), nobody))
    assert names == ["electronic, dance", "chillout, sad, Electronic", "female vocalists, Electronic"]


def test_clusters_that_nothing_sets_apart_are_numbered_and_all_names_differ() -> None:
    nobody = [None] * len(CLUSTERS)
    assert name_clusters(CLUSTERS, ClusterFeatures(None, None, nobody, nobody)) == ["group 1", "group 2", "group 3"]
    rock = name_clusters(CLUSTERS, ClusterFeatures(None, None, ["rock"] * len(CLUSTERS), nobody))
    assert rock == ["rock", "rock (2)", "rock (3)"]
    assert name_clusters(np.array([-1, -1]), ClusterFeatures(None, None, [None] * 2, [None] * 2)) == []


def test_two_of_the_same_name_take_one_more_tag() -> None:
    clusters = np.repeat([0, 1, 2], [60, 50, 40])
    tags = np.random.default_rng(0).normal(-3, 0.3, (len(clusters), len(TAGS)))
    for numbers, name, more in (
        ([0, 1], "ambient", 20),
        ([0, 1], "sad", 20),
        ([0], "beautiful", 0.35),
        ([1], "jazz", 0.35),
    ):
        tags[np.isin(clusters, numbers), TAGS.index(name)] += more
    names = name_clusters(clusters, ClusterFeatures(tags, None, [None] * 150, [None] * 150))
    assert [sorted(name.split(", ")) for name in names[:2]] == [
        ["ambient", "beautiful", "sad"],
        ["ambient", "jazz", "sad"],
    ]


def test_agreement_is_scikit_learns_with_a_group_for_those_in_no_cluster() -> None:
    labels = ["a", "b", "a", None, "b", "c", None]
    clusters = np.array([0, 0, 1, 1, -1, -1, 0])
    found = cluster_agreement(labels, clusters)
    assert found is not None
    known, groups = ["a", "b", "a", "b", "c"], [0, 0, 1, -1, -1]
    assert found.adjusted_rand == pytest.approx(metrics.adjusted_rand_score(known, groups), abs=1e-6)
    assert found.adjusted_mutual_information == pytest.approx(
        metrics.adjusted_mutual_info_score(known, groups), abs=1e-6
    )
    assert (found.tracks, found.clustered) == (5, 0.6)
    assert cluster_agreement(["a", "a", None], np.array([0, 1, 0])) is None


def test_the_part_of_the_map_that_fails_most() -> None:
    generator = np.random.default_rng(0)
    places = generator.uniform(0, 10, (400, 2)).astype(np.float32)
    corner = np.linalg.norm(places - [9, 9], axis=1) < 1.5
    reference = generator.integers(0, 3, 400)
    predicted = np.where(corner | (generator.random(400) < 0.05), (reference + 1) % 3, reference)
    judged = HeldOutPredictions(["a", "b", "c"], reference, predicted)
    found = weakest_region(places, judged)
    assert found is not None
    rows, radius = found
    assert len(rows) == 20
    assert judged.wrong[rows].mean() >= 0.9
    assert np.linalg.norm(places[rows[0]] - [9, 9]) < 1.5
    assert np.linalg.norm(places[rows] - places[rows[0]], axis=1).max() == pytest.approx(radius, abs=1e-5)
    confusions = judged.confusions(np.arange(400))
    assert [one.tracks for one in confusions] == sorted((one.tracks for one in confusions), reverse=True)
    assert {(one.label, one.taken_for) for one in confusions} == {("a", "b"), ("b", "c"), ("c", "a")}
    assert weakest_region(places, HeldOutPredictions(["a"], reference * 0, reference * 0)) is None
    assert weakest_region(places[:15], HeldOutPredictions(["a", "b"], reference[:15], predicted[:15])) is None


@given(codes=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40))
def test_confusions_count_every_wrong_answer_once_at_most(codes: list[tuple[int, int]]) -> None:
    reference, predicted = (np.array([pair[side] for pair in codes], dtype=np.int64) for side in (0, 1))
    judged = HeldOutPredictions(["a", "b", "c"], reference, predicted)
    rows = np.arange(len(codes))
    assert sum(one.tracks for one in judged.confusions(rows)) <= judged.wrong.sum()
    rate = judged.error_rate(rows)
    assert rate is None if not codes else rate == pytest.approx(judged.wrong.mean(), abs=1e-6)
