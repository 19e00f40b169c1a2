"""The catalogue opens what it should and refuses what it should not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.demo import music
from sonotheque.errors import LibraryError, SpaceError
from sonotheque.extract.file_identity import FileStamp
from sonotheque.metadata.label_sources import Label
from sonotheque.store import Catalogue
from sonotheque.store.schema import MIGRATIONS, migrate


def test_a_new_catalogue_has_the_newest_schema(tmp_path: Path) -> None:
    with Catalogue(tmp_path / "a.sqlite") as catalogue:
        assert catalogue.tracks.all() == []
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_older_file_is_migrated_step_by_step() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, migrations=["CREATE TABLE a (x)"])
    db.execute("INSERT INTO a VALUES (1)")
    migrate(db, migrations=["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 2", "UPDATE a SET x = x + y"])
    assert db.execute("SELECT x, y FROM a").fetchall() == [(3, 2)]
    assert db.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_step_that_fails_leaves_the_file_as_it_was() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, migrations=["CREATE TABLE a (x)"])
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, migrations=["CREATE TABLE a (x)", "CREATE TABLE b (y); SELECT nonsense"])
    db.execute("ROLLBACK")
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    Catalogue(tmp_path / "a.sqlite").close()
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(LibraryError, match="update sonotheque"):
        Catalogue(tmp_path / "a.sqlite")


def test_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").write_bytes(b"words " * 1000)
    with pytest.raises(LibraryError, match="damaged one"):
        Library(tmp_path)


def test_damage_that_shows_later_is_explained(demo_library: Library) -> None:
    demo_library.close()
    file = demo_library.path / "library.sqlite"
    content = bytearray(file.read_bytes())
    content[20_000:70_000] = bytes(50_000)
    file.write_bytes(content)
    with pytest.raises(LibraryError, match="damaged one"):
        Library(demo_library.path).status()


def test_an_empty_file_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "library.sqlite").touch()
    with pytest.raises(LibraryError, match="no library here"):
        Library(tmp_path, create=False)


def test_labels_count_only_what_changes(demo_library: Library) -> None:
    catalogue = demo_library.catalogue
    track = catalogue.tracks.all()[0]
    before = catalogue.generation
    assert catalogue.labels.assign({track.id: Label("new", "test")}) == 1
    assert catalogue.generation == before + 1
    assert catalogue.labels.assign({track.id: Label("new", "test")}) == 0
    assert catalogue.generation == before + 1


def test_unknown_space(demo_library: Library) -> None:
    with pytest.raises(SpaceError, match="no vectors of x@1"):
        demo_library.catalogue.vectors.matrix("x@1")


def test_remove(demo_library: Library) -> None:
    result = demo_library.remove(music() / "metal")
    assert (result.removed, result.tracks) == (10, 36)
    assert demo_library.status().spaces[0].tracks == 36
    assert demo_library.similar(music() / "metal" / "obsidian-shell-fear.mp3", k=36).results[-1].rank == 36
    with pytest.raises(LibraryError, match="no such file"):
        demo_library.remove(music() / "metal")


def test_remove_what_is_gone(tmp_path: Path, clips: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(clips)
        (clips / "metal.ogg").unlink()
        assert library.status().tracks == 3
        assert library.remove(missing=True).tracks == 2


def test_all_segments_are_those_of_each_track(demo_library: Library) -> None:
    catalogue = demo_library.catalogue
    space = catalogue.spaces.all()[0].id
    ids, _ = catalogue.vectors.matrix(space)
    read = dict(catalogue.vectors.all_segments(space))
    assert list(read) == ids.tolist()
    assert all(np.array_equal(segments, catalogue.vectors.segments(track, space)) for track, segments in read.items())
    assert list(catalogue.vectors.all_segments("x@1")) == []


def test_a_new_hash_changes_nothing_else(demo_library: Library) -> None:
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
