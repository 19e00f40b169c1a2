"""Library files of older versions are migrated, and what they contain stays readable."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library, LibraryError
from sonotheque.store import Catalogue
from sonotheque.store.schema import MIGRATIONS, migrate

SPACE = "musicnn-msd-penultimate-h3.0@1"
VECTOR = np.array([0.5, -1.0, 2.0], dtype=np.float32)
SEGMENTS = np.arange(6, dtype=np.float32).reshape(2, 3)
POSITION = np.array([1.5, -2.5], dtype=np.float32)
MEMBERSHIP = np.array([0.75, 0.25], dtype=np.float32)
PARAMETERS = {"neighbours": 15, "seed": 0}


def write_version_3(path: Path) -> None:
    """Write a library file with the schema of version 3: one track with a label, vectors, an augmented copy and a map."""
    with sqlite3.connect(path) as db:
        for migration in MIGRATIONS[:3]:
            db.executescript(migration)
        db.execute("PRAGMA user_version = 3")
        db.execute("UPDATE library SET value = '7' WHERE key = 'generation'")
        db.execute("INSERT INTO library VALUES ('embedders', ?)", (SPACE,))
        db.execute(
            "INSERT INTO tracks VALUES (1, 'abc', 30.0, 44100, 2, 0, 'truncated', 'Title', 'Artist', 'Album', 'Rock', NULL)"
        )
        db.execute("INSERT INTO files VALUES ('/music/a.mp3', 1, 1000, 2000)")
        db.execute("INSERT INTO failures VALUES ('/music/b.mp3', 10, 20, 'not an audio file')")
        db.execute("INSERT INTO labels VALUES (1, 'metal', 'labels.csv', 'Band', NULL)")
        db.execute("INSERT INTO spaces VALUES (1, ?, 3, 5)", (SPACE,))
        db.execute("INSERT INTO vectors VALUES (1, 1, ?, ?)", (VECTOR.tobytes(), SEGMENTS.tobytes()))
        db.execute("INSERT INTO copies VALUES (1, 1, 1, '1', ?, ?)", (VECTOR.tobytes(), SEGMENTS.tobytes()))
        db.execute("INSERT INTO maps VALUES (1, ?)", (json.dumps(PARAMETERS),))
        db.execute("INSERT INTO places VALUES (1, 1, ?, ?, 0, ?, 1)", (*POSITION.tolist(), MEMBERSHIP.tobytes()))


def test_a_library_of_schema_3_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    write_version_3(path)
    with Catalogue(path) as catalogue:
        (track,) = catalogue.tracks.all()
        assert (track.id, track.hash, track.path, track.seconds) == (1, "abc", "/music/a.mp3", 30.0)
        assert (track.silent, track.notice, track.genre) == (False, "truncated", "Rock")
        assert (track.title, track.artist, track.album) == ("Title", "Band", "Album")
        assert (track.label, track.label_source) == ("metal", "labels.csv")
        assert catalogue.files.failures()["/music/b.mp3"][1] == "not an audio file"
        assert catalogue.generation == 7
        assert catalogue.database.get_setting("embedders") == SPACE
        (space,) = catalogue.spaces.all()
        assert (space.id, space.dimensions, space.tracks, space.generation) == (SPACE, 3, 1, 5)
        assert np.array_equal(catalogue.vectors.track_vector(1, SPACE), VECTOR)
        assert np.array_equal(catalogue.vectors.segments(1, SPACE), SEGMENTS)
        ((_, number, copy, _),) = catalogue.augmented_copies.read(SPACE, version="1", limit=1)
        assert number == 1
        assert np.array_equal(copy, VECTOR)
        stored = catalogue.maps.read(SPACE)
        assert stored is not None
        assert (stored.parameters, stored.tracks.tolist()) == (PARAMETERS, [1])
        assert np.array_equal(stored.positions, [POSITION])
        assert np.array_equal(stored.membership, [MEMBERSHIP])
        assert (stored.clusters.tolist(), stored.later.tolist()) == ([0], [True])
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_a_library_of_schema_4_keeps_its_labels_and_gets_a_history(tmp_path: Path) -> None:
    path = tmp_path / "library.sqlite"
    write_version_3(path)
    with sqlite3.connect(path) as db:
        db.executescript(MIGRATIONS[3])
        db.execute("PRAGMA user_version = 4")
    db.close()
    with Library(tmp_path) as library:
        assert library.status().labels == {"metal": 1}
        assert library.label_history().history == []
        with pytest.raises(LibraryError, match="nothing to undo"):
            library.undo()
        (before,) = library.catalogue.tracks.all()
        library.remove("/music/a.mp3")
        assert library.status().tracks == 0
        library.undo()
        assert library.catalogue.tracks.all() == [before]
        assert np.array_equal(library.catalogue.vectors.segments(1, SPACE), SEGMENTS)
        stored = library.catalogue.maps.read(SPACE)
        assert stored is not None
        assert np.array_equal(stored.positions, [POSITION])


def test_migrations_are_applied_in_order() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, migrations=["CREATE TABLE a (x)"])
    db.execute("INSERT INTO a VALUES (1)")
    migrate(db, migrations=["CREATE TABLE a (x)", "ALTER TABLE a ADD COLUMN y DEFAULT 2", "UPDATE a SET x = x + y"])
    assert db.execute("SELECT x, y FROM a").fetchall() == [(3, 2)]
    assert db.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_failed_migration_leaves_the_file_unchanged() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, migrations=["CREATE TABLE a (x)"])
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, migrations=["CREATE TABLE a (x)", "CREATE TABLE b (y); SELECT nonsense"])
    db.execute("ROLLBACK")
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("a",)]
