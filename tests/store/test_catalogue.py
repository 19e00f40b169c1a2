"""Opening a catalogue, and the changes that touch several tables."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.demo import music
from sonotheque.errors import LibraryError, SpaceError
from sonotheque.extract.file_identity import FileStamp
from sonotheque.metadata.label_sources import Label
from sonotheque.store import Catalogue
from sonotheque.store.schema import MIGRATIONS


def test_a_new_catalogue_has_the_newest_schema(tmp_path: Path) -> None:
    with Catalogue(tmp_path / "a.sqlite") as catalogue:
        assert catalogue.tracks.all() == []
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_of_a_newer_version_is_rejected(tmp_path: Path) -> None:
    Catalogue(tmp_path / "a.sqlite").close()
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match="update sonotheque"):
        Catalogue(tmp_path / "a.sqlite")


def test_a_file_that_is_not_a_database_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").write_bytes(b"words " * 1000)
    with pytest.raises(LibraryError, match="not a library, or damaged"):
        Library(tmp_path)


def test_damage_that_is_detected_later_is_reported(demo_library: Library) -> None:
    demo_library.close()
    file = demo_library.path / "library.sqlite"
    content = bytearray(file.read_bytes())
    content[20_000:70_000] = bytes(50_000)
    file.write_bytes(content)
    with pytest.raises(LibraryError, match="not a library, or damaged"):
        Library(demo_library.path).status()


def test_an_empty_file_is_not_a_library(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").touch()
    with pytest.raises(LibraryError, match="no library here"):
        Library(tmp_path, create=False)


def test_only_changed_labels_are_counted(demo_library: Library) -> None:
    catalogue = demo_library.catalogue
    track = catalogue.tracks.all()[0]
    before = catalogue.generation
    assert len(catalogue.labels.assign({track.id: Label("new", "test")}, command="label")) == 1
    assert catalogue.generation == before + 1
    assert catalogue.labels.assign({track.id: Label("new", "test")}, command="label") == []
    assert catalogue.generation == before + 1


def test_an_unknown_space_is_an_error(demo_library: Library) -> None:
    with pytest.raises(SpaceError, match="no vectors in x@1"):
        demo_library.catalogue.vectors.matrix("x@1")


def test_removed_files_are_no_longer_found(demo_library: Library) -> None:
    result = demo_library.remove(music() / "metal")
    assert (result.removed, result.tracks) == (10, 36)
    assert demo_library.status().spaces[0].tracks == 36
    assert demo_library.similar(music() / "metal" / "obsidian-shell-fear.mp3", k=36).results[-1].rank == 36
    with pytest.raises(LibraryError, match="no such file or folder in the library"):
        demo_library.remove(music() / "metal")


def test_missing_files_can_be_removed(tmp_path: Path, clips: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(clips)
        (clips / "metal.ogg").unlink()
        assert library.status().tracks == 3
        assert library.remove(missing=True).tracks == 2


def test_new_file_tags_keep_vectors_and_generation(demo_library: Library) -> None:
    catalogue = demo_library.catalogue
    track, other = catalogue.tracks.all()[:2]
    space = catalogue.spaces.all()[0]
    generation, vector = catalogue.generation, catalogue.vectors.track_vector(track.id, space.id)
    stamp = FileStamp(7, 8)
    assert catalogue.update_content(track.id, "new", {track.path: stamp, other.path: stamp}, "Polka")
    assert catalogue.tracks.all()[0] == track._replace(hash="new", genre="Polka")
    assert catalogue.files.all()[track.path] == (stamp, track.id)
    assert catalogue.files.all()[other.path][0] != stamp  # not a file of this track
    assert np.array_equal(catalogue.vectors.track_vector(track.id, space.id), vector)
    assert (catalogue.generation, catalogue.spaces.all()[0]) == (generation, space)
    before = catalogue.tracks.all(), catalogue.files.all()
    assert not catalogue.update_content(track.id, other.hash, {track.path: FileStamp(9, 9)}, None)
    assert (catalogue.tracks.all(), catalogue.files.all()) == before


def test_a_catalogue_can_be_created_twice_at_once(tmp_path: Path) -> None:
    for number in range(30):
        start = threading.Barrier(2)

        def create(path: Path, start: threading.Barrier = start) -> int:
            start.wait()
            with Catalogue(path) as catalogue:
                return catalogue.generation

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(create, [tmp_path / f"{number}.sqlite"] * 2)) == [0, 0]
