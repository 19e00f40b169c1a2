"""A library of any space has musicnn's auto-tags on request, and they are no space that classification or the map would use."""

from __future__ import annotations

import csv
import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.demo import music
from sonotheque.embed import embed_track, musicnn
from sonotheque.embed.auto_tags import tag_probabilities
from sonotheque.explore.track_attributes import load_track_attributes

HINT = "`sonotheque add FOLDER --auto-tags` computes them"


def expected_tags(path: str) -> np.ndarray:
    vector = embed_track(path, spaces=[musicnn.SPACE.id]).track[musicnn.SPACE.id]
    result: np.ndarray = tag_probabilities(vector[None])[0]
    return result


def test_auto_tags_are_added_to_known_and_to_new_tracks(
    tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Library(tmp_path / "library") as library:
        library.add(clips, labels="folder", embedders=["descriptors"])
        assert library.status().auto_tags == 0
        assert {one.tags for one in load_track_attributes(library.catalogue).values()} == {None}
        generation = library.catalogue.generation

        caplog.clear()
        status = library.add(clips, auto_tags=True)
        assert "3 files embedded" in caplog.text
        assert (status.auto_tags, [space.id.partition("-")[0] for space in status.spaces]) == (3, ["descriptors"])
        assert library.catalogue.generation == generation  # nothing that a classifier or an index uses has changed
        attributes = load_track_attributes(library.catalogue)
        for track in library.catalogue.tracks.all():
            found = attributes[track.id].tags
            assert found is not None
            assert found == pytest.approx(expected_tags(track.path), abs=1e-6)
            assert track.label is not None or "slow" not in track.path

        shutil.copy(music() / "acoustic" / "remaxim-hex-a-hop-game-music-1-1.ogg", clips / "acoustic.ogg")
        caplog.clear()
        assert library.add(clips).auto_tags == 4  # the library remembers that it was asked for
        assert "1 file embedded" in caplog.text
        caplog.clear()
        assert library.add(clips, auto_tags=True).auto_tags == 4
        assert "embedded" not in caplog.text
        library.remove(clips / "acoustic.ogg")
        assert library.status().auto_tags == 3
        assert library.add(clips, auto_tags=False).auto_tags == 3  # no longer for new tracks; nothing is forgotten


def test_musicnn_vectors_give_auto_tags_without_any_request(demo_library: Library) -> None:
    assert demo_library.status().auto_tags == 46
    assert demo_library.catalogue.auto_tags.read(musicnn.SPACE.id) == {}


def test_export_and_map_say_what_is_missing(tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Library(tmp_path / "library") as library:
        library.add(clips, embedders=["descriptors"])
        library.export_tags(tmp_path / "before.csv")
        library.map()
        hints = [message for message in caplog.messages if HINT in message]
        assert hints == [f"no tags for 3 tracks (of 3); {HINT}", f"no auto-tags for 3 tracks (of 3), which name clusters and "
                         f"describe tracks; {HINT}"]  # fmt: skip
        library.add(clips, auto_tags=True)
        caplog.clear()
        library.export_tags(tmp_path / "after.csv")
        library.map()
        assert HINT not in caplog.text
    for name, filled in (("before", False), ("after", True)):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert {bool(row["style"] and row["tags"]) for row in csv.DictReader(file)} == {filled}
