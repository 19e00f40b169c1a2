"""Names of clusters: distinctive tempo, auto-tags, genre and artist."""

from __future__ import annotations

import numpy as np

from sonotheque.embed.auto_tags import TAGS
from sonotheque.explore.map.cluster_names import ClusterFeatures, name_clusters

CLUSTERS = np.repeat([0, 1, 2, -1], [12, 10, 8, 5])


def make_log_odds(**strong_tags: str) -> np.ndarray:
    """Make log odds of tags that are low, except for the given tags of each cluster."""
    tags = np.random.default_rng(0).normal(-3, 0.3, (len(CLUSTERS), len(TAGS)))
    for cluster, names in strong_tags.items():
        for strength, name in enumerate(reversed(names.split(","))):
            tags[int(cluster[1:]) == CLUSTERS, TAGS.index(name)] += 2 + strength
    return tags


def test_name_of_tempo_tags_genre_and_artist() -> None:
    tempo = np.linspace(119.0, 121.0, len(CLUSTERS))
    tempo[CLUSTERS == 0] = 62
    genres = [{0: "piano", 1: "noise", 2: None}.get(cluster) for cluster in CLUSTERS.tolist()]
    artists = ["Ann" if cluster == 1 else f"artist {row}" for row, cluster in enumerate(CLUSTERS.tolist())]
    tags = make_log_odds(_0="ambient,beautiful,sad", _1="metal,hard rock", _2="jazz,soul")
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, tempo, genres, artists))
    assert names == ["slow, ambient, beautiful, piano", "metal, hard rock, noise, Ann", "jazz, soul"]


def test_redundant_tags_are_left_out() -> None:
    tags = make_log_odds(
        _0="electronic,electronica,electro,dance", _1="chillout,chill,sad", _2="female vocalists,female vocalist"
    )
    unknown = [None] * len(CLUSTERS)
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, None, ["Electronic"] * len(CLUSTERS), unknown))
    assert names == ["electronic, dance", "chillout, sad, Electronic", "female vocalists, Electronic"]


def test_clusters_without_features_are_numbered_and_all_names_differ() -> None:
    unknown = [None] * len(CLUSTERS)
    assert name_clusters(CLUSTERS, ClusterFeatures(None, None, unknown, unknown)) == ["group 1", "group 2", "group 3"]
    rock = name_clusters(CLUSTERS, ClusterFeatures(None, None, ["rock"] * len(CLUSTERS), unknown))
    assert rock == ["rock", "rock (2)", "rock (3)"]
    assert name_clusters(np.array([-1, -1]), ClusterFeatures(None, None, [None] * 2, [None] * 2)) == []


def test_equal_names_get_one_more_tag() -> None:
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
