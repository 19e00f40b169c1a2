"""Maps of a library are reproducible and stored; new tracks are added without moving the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.demo import music, unlabelled
from sonotheque.embed.musicnn import SPACE
from sonotheque.explore.map.layout import MapSettings
from sonotheque.explore.map.map_data import N_NEIGHBOURS_SHOWN, load_map
from sonotheque.index import ExactIndex


def test_same_library_and_seed_give_the_same_map(demo_folder: Path, tmp_path: Path) -> None:
    maps = []
    for name in ("one", "two"):
        shutil.copytree(demo_folder, tmp_path / name)
        with Library(tmp_path / name) as library:
            summary = library.map(seed=3)
            stored = library.catalogue.maps.read(SPACE.id)
            assert stored is not None
            maps.append((summary, stored.positions.tobytes(), stored.clusters.tobytes(), stored.membership.tobytes()))
    assert maps[0] == maps[1]


def test_stored_map_is_recomputed_only_on_request(demo_library: Library) -> None:
    first = demo_library.map()
    assert demo_library.map() == first
    assert demo_library.map(seed=0) == first
    second = demo_library.map(seed=1)
    assert second.places != first.places
    assert demo_library.map().places == second.places
    assert demo_library.map(seed=0, rebuild=True) == first
    assert demo_library.map(neighbours=5).parameters["neighbours"] == 5
    assert demo_library.map(cluster_size=10).parameters["cluster_size"] == 10


def test_new_tracks_are_added_and_the_others_do_not_move(
    demo_library: Library, demo_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = {position.path: position for position in demo_library.map().places}
    demo_library.add(unlabelled())
    caplog.set_level("INFO")
    summary = demo_library.map()
    after = {position.path: position for position in summary.places}
    assert {path: after[path] for path in before} == before
    new = [position for position in summary.places if position.later]
    assert len(new) == summary.later == 9
    assert "9 tracks added to the map" in caplog.text
    points = np.array([(position.x, position.y) for position in before.values()])
    low, high = points.min(axis=0), points.max(axis=0)
    extent = (high - low).max()
    for position in new:
        assert (low - extent < (position.x, position.y)).all()
        assert (high + extent > (position.x, position.y)).all()
    assert demo_library.map().places == summary.places

    shutil.copytree(demo_folder, tmp_path / "one by one")
    with Library(tmp_path / "one by one") as library:
        library.map()
        for path in sorted(unlabelled().glob("*.mp3"), reverse=True) + sorted(unlabelled().glob("*.ogg")):
            library.add(path)
            library.map()
        one_by_one = {position.path: (position.x, position.y, position.cluster) for position in library.map().places}
    assert one_by_one == {position.path: (position.x, position.y, position.cluster) for position in summary.places}


def test_removed_tracks_leave_the_map(demo_library: Library) -> None:
    before = demo_library.map()
    demo_library.remove(music() / "metal")
    after = demo_library.map()
    assert after.tracks == before.tracks - 10 == len(after.places)
    positions = [{(track.path, track.x, track.y) for track in summary.places} for summary in (before, after)]
    assert positions[1] < positions[0]


def test_map_with_too_few_remaining_tracks_is_recomputed(demo_library: Library) -> None:
    demo_library.map()
    remaining = {track.path for track in demo_library.catalogue.tracks.all()[:6]}
    demo_library.catalogue.remove_paths({track.path for track in demo_library.catalogue.tracks.all()} - remaining)
    demo_library.add(unlabelled())
    summary = demo_library.map()
    assert (summary.tracks, summary.later) == (15, 0)


def test_neighbours_are_the_nearest_by_cosine(demo_library: Library) -> None:
    data = load_map(demo_library.catalogue, space=SPACE.id, settings=MapSettings())
    ids, vectors = demo_library.catalogue.vectors.read(SPACE.id, [track.id for track in data.tracks])
    index = ExactIndex.build(ids, vectors)
    for row in (0, 7, 20):
        query = demo_library.catalogue.vectors.track_vector(data.tracks[row].id, SPACE.id)
        nearest, similarities = index.search(query[None], k=N_NEIGHBOURS_SHOWN + 1)
        assert [data.tracks[neighbour].id for neighbour in data.neighbours.rows[row]] == nearest[0, 1:].tolist()
        assert data.neighbours.similarities[row] == pytest.approx(similarities[0, 1:], abs=1e-5)


def test_cluster_without_tracks_is_dropped(demo_library: Library) -> None:
    before = demo_library.map(cluster_size=5)
    metal = next(cluster for cluster in before.clusters if "metal" in cluster.labels)
    paths = [position.path for position in before.places if position.cluster == metal.number]
    demo_library.remove(*paths)
    after = demo_library.map()
    assert len(after.clusters) == len(before.clusters) - 1
    assert [cluster.number for cluster in after.clusters] == list(range(1, 1 + len(after.clusters)))
    assert all(cluster.tracks for cluster in after.clusters)
    demo_library.add(*paths)
    again = demo_library.map()
    assert again.later == len(paths)
    assert sum(cluster.tracks for cluster in again.clusters) + again.unclustered == again.tracks
