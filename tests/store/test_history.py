"""Every change of labels and every removal is in the history and can be taken back; removed tracks keep their labels."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library, LibraryError
from sonotheque.embed import musicnn
from sonotheque.embed.tempo_key import TempoKey
from sonotheque.extract import Extraction
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.metadata.file_tags import FileTags
from sonotheque.store import removals
from sonotheque.store.maps import StoredMap
from sonotheque.store.removals import TRACK_TABLES

SPACE = musicnn.SPACE.id
CONTENTS = ("tracks", "files", "failures", "labels", "spaces", "vectors", "copies", "map_positions")


def add_track(library: Library, path: Path, *, vector: float = 1.0) -> None:
    """Store a file as a track with made-up vectors, as `add` does after the extraction."""
    values = np.full(musicnn.SPACE.dimensions, vector, dtype=np.float32)
    tags = FileTags(title=path.stem, artist="Artist of the tags")
    extraction = Extraction(10.0, 44_100, 2, False, None, tags, {SPACE: (values, np.stack([values]))}, TempoKey())
    library.catalogue.store_extraction(content_hash(str(path)), {str(path): FileStamp.of(str(path))}, extraction)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Four files in two folders; b/four.mp3 is a duplicate of a/one.mp3."""
    for name, content in (("a/one", "1"), ("a/two", "2"), ("b/three", "3"), ("b/four", "1")):
        path = tmp_path / "music" / f"{name}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "music"


@pytest.fixture
def library(tmp_path: Path, music: Path) -> Iterator[Library]:
    """Three tracks with vectors, augmented copies and a map, and a file that failed."""
    with Library(tmp_path / "library") as library:
        for number, path in enumerate(sorted(music.rglob("*.mp3"))):
            add_track(library, path, vector=number)
        catalogue = library.catalogue
        catalogue.database.set_setting("embedders", SPACE)
        catalogue.record_failure(str(music / "a" / "bad.mp3"), FileStamp(1, 2), "not audio")
        tracks = np.array([track.id for track in catalogue.tracks.all()])
        vector = np.ones(musicnn.SPACE.dimensions, dtype=np.float32)
        catalogue.augmented_copies.store(int(tracks[0]), 1, {SPACE: (vector, vector[None])}, version="1")
        catalogue.maps.save(
            SPACE,
            StoredMap(
                {},
                tracks,
                np.zeros((3, 2), np.float32),
                np.zeros(3, int),
                np.ones((3, 1), np.float32),
                np.zeros(3, bool),
            ),
        )
        yield library


def write_labels(folder: Path, labels: Mapping[str, str], name: str = "labels.csv") -> str:
    path = folder / name
    path.write_text("file,genre\n" + "".join(f"{file},{genre}\n" for file, genre in labels.items()), encoding="utf-8")
    return str(path)


def contents(library: Library) -> dict[str, list[tuple[object, ...]]]:
    """Read everything that a person would miss."""
    with sqlite3.connect(library.path / "library.sqlite") as db:
        rows = {table: sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in CONTENTS}  # noqa: S608
    db.close()
    rows["spaces"] = [row[:3] for row in rows["spaces"]]  # without the generation
    return rows


def labels(library: Library) -> dict[str, str | None]:
    return {Path(track.path).stem: track.label for track in library.catalogue.tracks.all()}


def test_undo_takes_back_labels_step_by_step(library: Library, tmp_path: Path) -> None:
    states = [contents(library)]
    for genres in ({"one": "rock"}, {"one": "metal", "two": "pop"}, {"two": "rock", "three": "rock"}):
        library.label(write_labels(tmp_path, genres))
        states.append(contents(library))
    assert labels(library) == {"one": "metal", "two": "rock", "three": "rock"}
    for left in (2, 1, 0):
        expected = library.undo(dry_run=True)
        assert contents(library) == states[left + 1]
        undone = library.undo()
        assert (undone.kind, undone.left, undone.dry_run) == ("labels", left, False)
        assert expected.changes == undone.changes
        assert contents(library) == states[left]
    with pytest.raises(LibraryError, match="nothing to undo"):
        library.undo()
    with pytest.raises(LibraryError, match="nothing to undo"):
        library.undo(dry_run=True)


def test_undo_says_what_it_took_back(library: Library, tmp_path: Path) -> None:
    source = write_labels(tmp_path, {"one": "rock", "two": "rock"})
    library.label(source)
    library.label(write_labels(tmp_path, {"one": "metal"}, "more.csv"))
    undone = library.undo()
    assert undone.command == f"label {tmp_path / 'more.csv'}"
    assert [(Path(change.path).stem, change.before, change.after) for change in undone.changes] == [
        ("one", "metal", "rock")
    ]
    assert [change.after for change in library.undo().changes] == [None, None]


def test_a_label_change_keeps_source_artist_and_album(library: Library, tmp_path: Path) -> None:
    (tmp_path / "first.csv").write_text("file,genre,artist,album\none,rock,Band,Album\n")
    library.label(str(tmp_path / "first.csv"))
    before = contents(library)
    (tmp_path / "second.csv").write_text("file,genre,artist\none,rock,Other\n")
    assert library.label(str(tmp_path / "second.csv")).changed == 1
    library.undo()
    assert contents(library) == before
    assert library.catalogue.tracks.all()[0].artist == "Band"


def test_history_lists_the_latest_change_first(library: Library, tmp_path: Path, music: Path) -> None:
    assert library.label_history().history == []
    library.label(write_labels(tmp_path, {"one": "rock", "three": "pop"}))
    library.label(write_labels(tmp_path, {"one": "metal"}))
    library.remove(music / "b" / "three.mp3")
    library.undo()
    entries = library.label_history().history
    assert [(entry.number, entry.kind, entry.changed, entry.tracks, entry.undone) for entry in entries] == [
        (3, "removal", 1, 1, True),
        (2, "labels", 1, 0, False),
        (1, "labels", 2, 0, False),
    ]
    assert entries[0].command == f"remove {music / 'b' / 'three.mp3'}"
    assert entries[0].time.endswith("+00:00")
    one = library.label_history(music / "a" / "one.mp3").history
    assert [[(change.before, change.after) for change in entry.changes] for entry in one] == [
        [("rock", "metal")],
        [(None, "rock")],
    ]
    assert library.label_history(music / "b" / "four.mp3").history == one  # the same track
    assert [entry.number for entry in library.label_history(music / "b").history] == [3, 2, 1]
    assert library.label_history(music / "a" / "two.mp3").history == []
    with pytest.raises(LibraryError, match="no such file or folder in the library"):
        library.label_history(music / "c")


def test_undo_of_a_removal_brings_everything_back(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"one": "rock", "two": "pop", "three": "rock"}))
    before, generation = contents(library), library.catalogue.generation
    plan = library.remove(music / "a", dry_run=True)
    assert contents(library) == before
    assert (plan.places, plan.removed, plan.tracks, plan.labels, plan.dry_run) == (3, 1, 2, {"pop": 1}, True)
    removed = library.remove(music / "a")
    assert (removed.places, removed.removed, removed.tracks) == (3, 1, 2)
    assert (removed.labelled, removed.labels, removed.paths) == (1, {"pop": 1}, plan.paths)
    assert labels(library) == {"four": "rock", "three": "rock"}  # four.mp3 is the other file of track one
    undone = library.undo()
    assert (undone.kind, undone.tracks, undone.places, undone.present) == ("removal", 1, 3, 0)
    assert contents(library) == before
    assert library.catalogue.generation > generation
    assert [entry.undone for entry in library.label_history().history] == [True, False]


def test_several_removals_are_taken_back_in_turn(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"one": "rock", "two": "pop", "three": "rock"}))
    states = [contents(library)]
    for path in (
        music / "a",
        music / "b",
    ):
        library.remove(path)
        states.append(contents(library))
    assert library.status().tracks == 0
    library.undo()
    assert contents(library) == states[1]
    library.undo()
    assert contents(library) == states[0]
    library.undo()
    assert set(labels(library).values()) == {None}


def test_the_search_finds_tracks_that_came_back(library: Library, music: Path) -> None:
    before = library.similar(music / "a" / "one.mp3", same_recording=True)
    library.remove(music / "a" / "two.mp3")
    assert len(library.similar(music / "a" / "one.mp3", same_recording=True).results) == 1
    library.undo()
    assert library.similar(music / "a" / "one.mp3", same_recording=True) == before


def test_a_removed_track_that_is_added_again_has_its_label(
    tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with Library(tmp_path / "library") as library:
        library.add(clips, labels="folder", embedders=["musicnn"])
        library.label(write_labels(tmp_path, {"metal": "metal", "ambient": "calm"}))
        before = library.status()
        library.remove(clips)
        shutil.move(clips, tmp_path / "moved")  # the content counts, not the path
        preview = library.preview_add(tmp_path / "moved", labels=write_labels(tmp_path, {"metal": "doom"}))
        assert [(change.before, change.after) for change in preview.changes] == [("metal", "doom")]
        assert (preview.embedded, library.status().tracks) == (3, 0)
        assert library.add(tmp_path / "moved").labels == before.labels
        assert "3 labels restored that removed tracks had" in caplog.text
        assert library.label_history().history[0].kind == "restoration"
        library.add(tmp_path / "moved")
        assert caplog.text.count("labels restored") == 1
        undone = library.undo()
        assert (undone.kind, undone.tracks, undone.present) == ("removal", 0, 3)
        assert library.status().labels == before.labels
        assert library.undo().command.startswith("label")
        assert library.status().labels == {"slow": 1}


def test_new_labels_replace_restored_ones(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"two": "pop"}))
    library.remove(music / "a" / "two.mp3")
    add_track(library, music / "a" / "two.mp3")
    assert len(library.catalogue.labels.restore_kept(command="add")) == 1
    library.label(write_labels(tmp_path, {"two": "rock"}))
    for expected in ("pop", "pop", None):
        library.undo()
        assert labels(library)["two"] == expected
    assert library.catalogue.labels.restore_kept(command="add") == []


def test_undo_after_a_file_was_replaced(library: Library, tmp_path: Path, music: Path) -> None:
    """The path of a removed track belongs to another track by now. That track stays, and the removed one has no file left."""
    library.label(write_labels(tmp_path, {"two": "pop"}))
    library.remove(music / "a" / "two.mp3")
    (music / "a" / "two.mp3").write_text("other music")
    add_track(library, music / "a" / "two.mp3")
    after = contents(library)
    undone = library.undo()
    assert (undone.tracks, undone.places, undone.changes) == (0, 0, [])
    assert contents(library) == after
    (music / "a" / "two.mp3").write_text("2")
    add_track(library, music / "a" / "two.mp3")
    assert len(library.catalogue.labels.restore_kept(command="add")) == 1


def test_the_label_of_a_file_that_became_unusable_is_kept(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"two": "pop"}))
    library.catalogue.record_failure(str(music / "a" / "two.mp3"), FileStamp(0, 0), "damaged")
    assert "two" not in labels(library)
    add_track(library, music / "a" / "two.mp3")  # restored from a backup
    library.catalogue.labels.restore_kept(command="add")
    assert labels(library)["two"] == "pop"


def test_undo_reaches_labels_of_tracks_that_are_gone(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"two": "pop"}))
    library.label(write_labels(tmp_path, {"two": "rock"}))
    library.catalogue.record_failure(str(music / "a" / "two.mp3"), FileStamp(0, 0), "damaged")
    assert library.undo().changes == []
    add_track(library, music / "a" / "two.mp3")
    library.catalogue.labels.restore_kept(command="add")
    assert labels(library)["two"] == "pop"


def test_undo_reaches_a_file_whose_content_has_changed(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"two": "pop"}))
    library.label(write_labels(tmp_path, {"two": "rock", "three": "rock"}))
    (music / "a" / "two.mp3").write_text("edited")
    add_track(library, music / "a" / "two.mp3")  # another track by now
    track = next(track for track in library.catalogue.tracks.all() if track.title == "three")
    library.catalogue.update_content(track.id, "written by tag", {}, "Rock")
    assert labels(library) == {"one": None, "two": "rock", "three": "rock"}
    library.undo()
    assert labels(library) == {"one": None, "two": "pop", "three": None}
    library.undo()
    assert labels(library)["two"] is None


def test_undo_after_the_map_was_drawn_again(library: Library, music: Path) -> None:
    library.remove(music / "a" / "two.mp3")
    stored = library.catalogue.maps.read(SPACE)
    assert stored is not None
    library.catalogue.maps.save(SPACE, stored)
    library.undo()
    rows = contents(library)
    assert (len(rows["vectors"]), len(rows["map_positions"])) == (3, 2)  # it gets a new position, as new tracks do


def test_vectors_of_old_removals_are_not_kept(
    library: Library, tmp_path: Path, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "REMOVALS_WITH_VECTORS", 1)
    library.label(write_labels(tmp_path, {"two": "pop", "three": "rock"}))
    library.remove(music / "a" / "two.mp3")
    library.remove(music / "b" / "three.mp3")
    assert library.undo().without_vectors == 0
    undone = library.undo()
    assert (undone.tracks, undone.without_vectors) == (1, 1)
    assert labels(library) == {"one": None, "two": "pop", "three": "rock"}
    assert len(contents(library)["vectors"]) == 2


def test_a_dry_run_changes_nothing(library: Library, tmp_path: Path, music: Path) -> None:
    library.label(write_labels(tmp_path, {"two": "pop", "one": "rock"}))
    library.catalogue.close()
    before = (library.path / "library.sqlite").read_bytes()
    with Library(library.path) as again:
        result = again.label(write_labels(tmp_path, {"two": "rock"}), dry_run=True)
        assert [(change.before, change.after) for change in result.changes] == [("pop", "rock")]
        (tmp_path / "issues.csv").write_text(f"file,decision\n{music / 'a' / 'two.mp3'},rock\n")
        assert again.apply_corrections(tmp_path / "issues.csv", dry_run=True).changed == 1
        assert again.remove(music, dry_run=True).removed == 3
        assert again.undo(dry_run=True).changed == 2
        assert again.preview_add(music).unchanged == 4
    assert (library.path / "library.sqlite").read_bytes() == before


def test_every_table_of_a_track_can_be_brought_back(library: Library) -> None:
    """A table that belongs to tracks needs a twin with the same columns, or `undo` would lose its rows."""
    with sqlite3.connect(library.path / "library.sqlite") as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        belonging = {
            table
            for table in tables
            for key in db.execute("SELECT * FROM pragma_foreign_key_list(?)", (table,))
            if key[2] == "tracks"
        }
        assert belonging - {"files", "labels"} == set(TRACK_TABLES)
        for table in ("tracks", *TRACK_TABLES):
            columns = [row[1:3] for row in db.execute("SELECT * FROM pragma_table_info(?)", (table,))]
            twin = [row[1:3] for row in db.execute("SELECT * FROM pragma_table_info(?)", (f"removed_{table}",))]
            assert twin == [("change_id", "INTEGER"), *columns]
    db.close()
