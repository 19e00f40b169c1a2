"""Names of clusters: labels first, then tags with a significant lift, that do not contradict the labels."""

from __future__ import annotations

import numpy as np
import pytest

from sonotheque.embed.auto_tags import TAGS
from sonotheque.explore.map.cluster_names import ClusterFeatures, name_clusters

CLUSTERS = np.repeat([0, 1, 2, -1], [12, 10, 8, 5])
UNKNOWN = [None] * len(CLUSTERS)


def make_log_odds(clusters: np.ndarray = CLUSTERS, **strong_tags: str) -> np.ndarray:
    """Make log odds of tags that are low, except for the given tags of each cluster, the first of which is the strongest."""
    tags = np.random.default_rng(0).normal(-5, 0.3, (len(clusters), len(TAGS)))
    for cluster, names in strong_tags.items():
        for strength, name in enumerate(reversed(names.split(","))):
            tags[int(cluster[1:]) == clusters, TAGS.index(name)] += 4 + strength
    return tags


def test_most_tracks_labelled_classical() -> None:
    """The demo's classical cluster was called "classic rock, 80s": 10 of its 11 tracks are labelled classical."""
    clusters = np.repeat([0, 1], [11, 20])
    genres = ["classical"] * 10 + [None] + ["metal"] * 20
    tags = make_log_odds(clusters, _0="classic rock,80s,instrumental,beautiful", _1="metal,hard rock")
    classical, metal = name_clusters(clusters, ClusterFeatures(tags, None, genres, [None] * 31))
    assert classical.split(", ")[0] == "classical"
    assert set(classical.split(", ")) == {"classical", "instrumental", "beautiful"}
    assert metal == "metal"


def test_styles_follow_a_genre_only_if_they_refine_it() -> None:
    genres = ["rock" if cluster == 0 else "Hip Hop" if cluster == 1 else None for cluster in CLUSTERS.tolist()]
    tags = make_log_odds(_0="indie rock,rock,pop", _1="Hip-Hop,rnb", _2="jazz,soul")
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, None, genres, UNKNOWN))
    assert names == ["rock, indie rock", "Hip Hop", "jazz, soul"]


def test_a_few_labels_do_not_lead_the_name() -> None:
    genres = [None] * 8 + ["thrash"] * 4 + [None] * 23
    tags = make_log_odds(_0="metal,hard rock", _1="ambient", _2="jazz,soul")
    assert name_clusters(CLUSTERS, ClusterFeatures(tags, None, genres, UNKNOWN))[0] == "metal, hard rock, thrash"
    genres[5:8] = ["doom"] * 3
    assert name_clusters(CLUSTERS, ClusterFeatures(tags, None, genres, UNKNOWN))[0] == "thrash"


def test_tempo_and_artist() -> None:
    tempo = np.linspace(119.0, 121.0, len(CLUSTERS))
    tempo[CLUSTERS == 0] = 62
    genres = [{0: "piano", 1: "noise", 2: None}.get(cluster) for cluster in CLUSTERS.tolist()]
    artists = ["Ann" if cluster == 1 else f"artist {row}" for row, cluster in enumerate(CLUSTERS.tolist())]
    tags = make_log_odds(_0="beautiful,sad", _1="metal,hard rock", _2="jazz,soul")
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, tempo, genres, artists))
    assert names == ["piano, slow, beautiful, sad", "noise, Ann", "jazz, soul"]


def test_a_tag_that_is_as_frequent_elsewhere_is_not_in_the_name() -> None:
    tags = make_log_odds(_0="metal", _1="jazz", _2="House")
    tags[:, TAGS.index("rock")] = 3.0
    assert name_clusters(CLUSTERS, ClusterFeatures(tags, None, UNKNOWN, UNKNOWN)) == ["metal", "jazz", "House"]
    only_rock = make_log_odds()
    only_rock[:, TAGS.index("rock")] = 3.0
    names = name_clusters(CLUSTERS, ClusterFeatures(only_rock, None, UNKNOWN, UNKNOWN))
    assert names == ["rock", "rock (2)", "rock (3)"]  # the most probable tag, where none has a significant lift


@pytest.mark.parametrize("seed", range(3))
def test_chance_names_are_rare(seed: int) -> None:
    """Random tags: at a false discovery rate of 5 %, hardly any lift is significant."""
    generator = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(10), 12)
    tags = generator.normal(-4.2, 1, (len(clusters), len(TAGS)))
    names = name_clusters(clusters, ClusterFeatures(tags, None, [None] * 120, [None] * 120))
    assert sum(not name.startswith("group") for name in names) <= 1


def test_instrumental_music_is_not_called_by_a_weaker_style() -> None:
    tags = make_log_odds(_0="instrumental,jazz,folk", _1="jazz,instrumental", _2="electronic")
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, None, UNKNOWN, UNKNOWN))
    assert names == ["instrumental", "jazz", "electronic"]
    weak_jazz = make_log_odds(_0="metal", _2="electronic")
    weak_jazz[CLUSTERS == 1, TAGS.index("jazz")] = -1.2  # a probability of 0.23
    weak_jazz[CLUSTERS == 1, TAGS.index("instrumental")] = -1.5
    assert name_clusters(CLUSTERS, ClusterFeatures(weak_jazz, None, UNKNOWN, UNKNOWN))[1] == "instrumental"


def test_redundant_tags_are_left_out() -> None:
    tags = make_log_odds(
        _0="electronic,electronica,dance", _1="chillout,chill,sad", _2="female vocalists,female vocalist"
    )
    names = name_clusters(CLUSTERS, ClusterFeatures(tags, None, UNKNOWN, UNKNOWN))
    assert [set(name.split(", ")) for name in names] == [
        {"electronic", "dance"},
        {"chillout", "sad"},
        {"female vocalists"},
    ]


def test_clusters_without_features_are_numbered_and_all_names_differ() -> None:
    assert name_clusters(CLUSTERS, ClusterFeatures(None, None, UNKNOWN, UNKNOWN)) == ["group 1", "group 2", "group 3"]
    rock = name_clusters(CLUSTERS, ClusterFeatures(None, None, ["rock"] * len(CLUSTERS), UNKNOWN))
    assert rock == ["rock", "rock (2)", "rock (3)"]
    assert name_clusters(np.array([-1, -1]), ClusterFeatures(None, None, [None] * 2, [None] * 2)) == []
    assert name_clusters(np.array([-1, -1]), ClusterFeatures(np.zeros((2, 50)), None, [None] * 2, [None] * 2)) == []
    untagged = np.full((len(CLUSTERS), len(TAGS)), np.nan)
    untagged[CLUSTERS == 0] = 1.0
    assert name_clusters(CLUSTERS, ClusterFeatures(untagged, None, UNKNOWN, UNKNOWN))[1] == "group 2"


def test_equal_names_get_one_more_tag() -> None:
    clusters = np.repeat([0, 1, 2], [60, 50, 40])
    tags = make_log_odds(clusters, _0="ambient,sad", _1="ambient,sad", _2="metal")
    tags[clusters == 0, TAGS.index("beautiful")] = 0.0
    tags[clusters == 1, TAGS.index("acoustic")] = 0.0
    genres = ["drone" if cluster < 2 else None for cluster in clusters.tolist()]
    names = name_clusters(clusters, ClusterFeatures(tags, None, genres, [None] * 150))
    assert len({*names}) == 3
    assert all(name.startswith("drone, ") for name in names[:2])
    assert "beautiful" in names[0]
    assert "acoustic" in names[1]


def test_equal_names_get_a_rarer_tag_that_does_not_contradict_the_genre() -> None:
    clusters = np.repeat([0, 1, 2], [40, 40, 40])
    tags = make_log_odds(clusters, _2="metal")
    for row, tag in ((0, "jazz"), (0, "sad"), (40, "guitar")):  # present in 15 of 40 tracks
        tags[row : row + 15, TAGS.index(tag)] = 0.0
    labelled = name_clusters(clusters, ClusterFeatures(tags, None, ["classical"] * 80 + [None] * 40, [None] * 120))
    assert labelled == ["classical, sad", "classical, guitar", "metal"]
