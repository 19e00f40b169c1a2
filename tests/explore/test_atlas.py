"""The map of a real library: kept, the same twice, extended without moving anything; its document and its tables."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.demo import music, unlabelled
from sonotheque.embed.musicnn import SPACE
from sonotheque.errors import LibraryError, SpaceError
from sonotheque.explore.map.layout import MapSettings
from sonotheque.explore.map.map_data import N_NEIGHBOURS_SHOWN, load_map
from sonotheque.explore.map.map_summary import write_clusters


def test_the_same_library_and_seed_give_the_same_map_twice(demo_folder: Path, tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        shutil.copytree(demo_folder, tmp_path / name)
        with Library(tmp_path / name) as library:
            mapped = library.map(seed=3)
            kept = library.catalogue.maps.read(SPACE.id)
            assert kept is not None
            found.append((mapped, kept.positions.tobytes(), kept.clusters.tobytes(), kept.membership.tobytes()))
    assert found[0] == found[1]


def test_a_map_is_kept_and_drawn_anew_only_when_asked(demo_library: Library) -> None:
    drawn = demo_library.map()
    assert demo_library.map() == drawn
    assert demo_library.map(seed=0) == drawn
    other = demo_library.map(seed=1)
    assert other.places != drawn.places
    assert demo_library.map().places == other.places
    assert demo_library.map(seed=0, rebuild=True) == drawn
    assert demo_library.map(neighbours=5).parameters["neighbours"] == 5
    assert demo_library.map(cluster_size=10).parameters["cluster_size"] == 10


def test_later_tracks_are_put_on_it_and_nothing_moves(
    demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = {one.path: one for one in demo_library.map().places}
    demo_library.add(unlabelled())
    caplog.set_level("INFO")
    mapped = demo_library.map()
    after = {one.path: one for one in mapped.places}
    assert {path: after[path] for path in before} == before
    new = [one for one in mapped.places if one.later]
    assert len(new) == mapped.later == 9
    assert "9 tracks were put on the map" in caplog.text
    low, high = (edge(np.array([(one.x, one.y) for one in before.values()]), axis=0) for edge in (np.min, np.max))
    reach = (high - low).max()
    assert all((low - reach < (one.x, one.y)).all() and (high + reach > (one.x, one.y)).all() for one in new)
    assert demo_library.map().places == mapped.places

    one_by_one = Library(tmp_path / "slowly")
    with one_by_one as library:
        library.add(music(), embedders=["musicnn"])
        library.map()
        for path in sorted(unlabelled().glob("*.mp3"), reverse=True) + sorted(unlabelled().glob("*.ogg")):
            library.add(path)
            library.map()
        slowly = {one.path: (one.x, one.y, one.cluster) for one in library.map().places}
    assert slowly == {one.path: (one.x, one.y, one.cluster) for one in mapped.places}


def test_removed_tracks_leave_the_map(demo_library: Library) -> None:
    before = demo_library.map()
    demo_library.remove(music() / "metal")
    after = demo_library.map()
    assert after.tracks == before.tracks - 10 == len(after.places)
    where = [{(one.path, one.x, one.y) for one in mapped.places} for mapped in (before, after)]
    assert where[1] < where[0]


def test_so_few_left_that_it_is_drawn_anew(demo_library: Library) -> None:
    demo_library.map()
    keep = {track.path for track in demo_library.catalogue.tracks.all()[:6]}
    demo_library.catalogue.remove_paths({track.path for track in demo_library.catalogue.tracks.all()} - keep)
    demo_library.add(unlabelled())
    mapped = demo_library.map()
    assert (mapped.tracks, mapped.later) == (15, 0)


def test_the_nearest_are_those_of_similar(demo_library: Library) -> None:
    atlas = load_map(demo_library.catalogue, space=SPACE.id, settings=MapSettings())
    for row in (0, 7, 20):
        similar = demo_library.similar(atlas.tracks[row].path, k=N_NEIGHBOURS_SHOWN).results
        assert [atlas.tracks[other].path for other in atlas.near.rows[row]] == [one.path for one in similar]
        assert atlas.near.similarities[row] == pytest.approx([one.similarity for one in similar], abs=1e-5)


def test_its_document(demo_library: Library, tmp_path: Path) -> None:
    demo_library.add(unlabelled())
    mapped = demo_library.map(cluster_size=5)
    assert mapped.space == SPACE.id
    assert (mapped.tracks, mapped.judged) == (55, 46)
    assert sum(cluster.tracks for cluster in mapped.clusters) + mapped.unclustered == 55
    assert [cluster.number for cluster in mapped.clusters] == list(range(1, 1 + len(mapped.clusters)))
    assert len(mapped.clusters) >= 2
    assert len({cluster.name for cluster in mapped.clusters}) == len(mapped.clusters)
    counted: dict[str, int] = dict(mapped.unclustered_labels)
    for cluster in mapped.clusters:
        for label, count in cluster.labels.items():
            counted[label] = counted.get(label, 0) + count
        assert all(os.path.isfile(path) for path in cluster.examples)
        assert cluster.error_rate is None or 0 <= cluster.error_rate <= 1
    assert counted == demo_library.status().labels
    assert mapped.quality.trustworthiness is not None
    assert mapped.quality.trustworthiness > 0.8
    assert mapped.agreement is not None
    assert mapped.agreement.adjusted_mutual_information > 0.2
    assert mapped.error_rate is not None
    assert mapped.error_rate < 0.6

    write_clusters(mapped, tmp_path / "clusters.csv")
    rows = list(csv.DictReader((tmp_path / "clusters.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["file"] for row in rows] == sorted(place.path for place in mapped.places)
    names = {str(cluster.number): cluster.name for cluster in mapped.clusters}
    assert all(row["name"] == names.get(row["cluster"], "") for row in rows)


def test_without_labels_and_with_descriptors_alone(clips: Path, tmp_path: Path) -> None:
    with Library(tmp_path / "small") as library:
        with pytest.raises(LibraryError, match="empty"):
            library.map()
        library.add(clips, embedders=["descriptors"])
        mapped = library.map()
        assert (mapped.tracks, mapped.clusters, mapped.agreement, mapped.error_rate) == (3, [], None, None)
        assert mapped.quality.trustworthiness is None
        with pytest.raises(SpaceError, match="no vectors of musicnn"):
            library.map(embedder="musicnn")


def test_a_cluster_that_is_removed_as_a_whole_is_gone(demo_library: Library) -> None:
    before = demo_library.map(cluster_size=5)
    metal = next(cluster for cluster in before.clusters if "metal" in cluster.labels)
    paths = [place.path for place in before.places if place.cluster == metal.number]
    demo_library.remove(*paths)
    after = demo_library.map()
    assert len(after.clusters) == len(before.clusters) - 1
    assert [cluster.number for cluster in after.clusters] == list(range(1, 1 + len(after.clusters)))
    assert all(cluster.tracks for cluster in after.clusters)
    demo_library.add(*paths)
    again = demo_library.map()
    assert again.later == len(paths)
    assert sum(cluster.tracks for cluster in again.clusters) + again.unclustered == again.tracks
