"""The library as tables, and its genres in the files' own tags: through `Library`, with the real classifier and real files."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import mutagen
import numpy as np
import pyarrow.parquet as pq
import pytest

from sonotheque import Library
from sonotheque.demo import music, unlabelled
from sonotheque.embed.musicnn import SPACE
from sonotheque.errors import AudioError, ClassifierError, LabelsError, LibraryError
from sonotheque.explore.map.export_points import COLUMNS
from sonotheque.metadata.tables import write_table


@pytest.fixture
def own(tmp_path: Path, demo_folder: Path) -> Library:
    """A library of copies of some of the demo's clips, which may be written."""
    shutil.copytree(music() / "metal", tmp_path / "music" / "metal")
    shutil.copytree(music() / "acoustic", tmp_path / "music" / "acoustic")
    library = Library(tmp_path / "own")
    library.add(tmp_path / "music", labels="folder", embedders=["musicnn", "descriptors"])
    return library


def test_points_hold_vectors_places_and_neighbours(demo_library: Library, tmp_path: Path) -> None:
    demo_library.add(unlabelled())
    written = demo_library.export_points(tmp_path / "points.parquet")
    assert (written.rows, list(written.columns)) == (55, list(COLUMNS))
    table = pq.read_table(tmp_path / "points.parquet")
    ids, vectors = demo_library.catalogue.vectors.matrix(SPACE.id)
    tracks = {track.id: track for track in demo_library.catalogue.tracks.all()}
    rows = table.to_pylist()
    assert [row["file"] for row in rows] == [tracks[int(id_)].path for id_ in ids]
    assert np.array([row["vector"] for row in rows], dtype=np.float32).tobytes() == vectors.tobytes()
    places = {place.path: (place.x, place.y) for place in demo_library.map().places}
    for row in rows:
        assert (row["projection_x"], row["projection_y"]) == pytest.approx(places[row["file"]], abs=1e-3)
        assert len(row["neighbors"]["ids"]) == len(row["neighbors"]["distances"]) == 10
        assert all(0 <= other < 55 for other in row["neighbors"]["ids"])
        assert row["neighbors"]["distances"] == sorted(row["neighbors"]["distances"])
        assert row["verdict"] == (
            None if row["label"] is None else "right" if row["predicted"] == row["label"] else "wrong"
        )
    similar = demo_library.similar(rows[0]["file"], k=10).results
    assert [rows[other]["file"] for other in rows[0]["neighbors"]["ids"]] == [one.path for one in similar]
    assert json.loads(table.schema.metadata[b"sonotheque"])["space"] == SPACE.id
    with pytest.raises(LibraryError, match="cannot be written"):
        demo_library.export_points(tmp_path / "points.parquet" / "inside.parquet")


def test_tags_of_the_whole_library(own: Library, tmp_path: Path) -> None:
    written = own.export_tags(tmp_path / "tags.csv")
    rows = list(csv.DictReader((tmp_path / "tags.csv").read_text(encoding="utf-8").splitlines()))
    assert written.rows == len(rows) == own.status().tracks
    metal = [row for row in rows if row["label"] == "metal"]
    assert sum("metal" in row["style"] for row in metal) > len(metal) / 2
    assert any(row["tempo"] for row in rows)
    assert any(row["key"] for row in rows)


def test_labels_go_into_files_and_predictions_only_when_asked(own: Library, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(unlabelled(), new)
    own.add(new)
    for path in [*new.glob("*.mp3"), *new.glob("*.ogg"), *(tmp_path / "music").rglob("*.mp3")]:
        tagged = mutagen.File(path, easy=True)
        tagged.pop("genre", None)
        tagged.save()
    own.add(new, tmp_path / "music")
    before = {track.path: track for track in own.catalogue.tracks.all()}
    planned = own.tag()
    assert planned.dry_run
    assert planned.written == 0
    assert {change.path for change in planned.changes if change.field == "genre"} <= {
        path for path, track in before.items() if track.label
    }
    assert mutagen.File(next(new.glob("*.mp3")), easy=True).get("genre") is None

    with pytest.raises(ClassifierError):
        own.tag(predicted=True)
    own.train(model="logreg")
    sure = own.tag(new, predicted=True, probability=0.0, only="genre")
    assert {change.field for change in sure.changes} == {"genre"}
    assert {change.after for change in sure.changes} <= {"metal", "acoustic"}
    assert len(own.tag(new, predicted=True, probability=0.99, only="genre").changes) < len(sure.changes)
    assert own.tag(new, only="genre").changes == []

    written = own.tag(write=True)
    assert written.changes == planned.changes
    assert written.failed == []
    assert own.tag().changes == []
    metal = next(
        track for track in own.catalogue.tracks.all() if track.label == "metal" and track.path.endswith(".mp3")
    )
    assert mutagen.File(metal.path, easy=True)["genre"] == ["metal"]
    assert {track.path: track.label for track in own.catalogue.tracks.all()} == {
        path: track.label for path, track in before.items()
    }
    assert all(
        change.before for change in own.tag(overwrite=True).changes
    )  # such as Acoustic, where the label is acoustic
    with pytest.raises(LibraryError, match="no such file"):
        own.tag(tmp_path / "elsewhere")


def test_copies_outside_the_named_folder_are_left_alone(own: Library, tmp_path: Path) -> None:
    one = sorted((tmp_path / "music" / "metal").glob("*.mp3"))[0]
    tagged = mutagen.File(one, easy=True)
    tagged.pop("genre", None)
    tagged.save()
    (tmp_path / "else").mkdir()
    copy = Path(shutil.copy2(one, tmp_path / "else"))
    own.add(tmp_path / "music", copy)
    content = copy.read_bytes()
    written = own.tag(tmp_path / "music", write=True, only="genre")
    assert str(one) in {change.path for change in written.changes}
    assert copy.read_bytes() == content != one.read_bytes()
    before = own.status()
    assert own.add(tmp_path / "music", copy) == before
    assert own.tag(tmp_path / "else", only="genre").changes[0].after == "metal"


def test_no_music_and_no_device_is_written_over(own: Library) -> None:
    sound = own.catalogue.tracks.all()[0].path
    content = Path(sound).read_bytes()
    for write in (own.map, own.export_points, own.export_tags, lambda path: own.inspect(path, picture=path)):
        for path in (sound, "/dev/null", ""):
            with pytest.raises((LibraryError, AudioError)):
                write(path)
    with pytest.raises(LabelsError, match="the name of a sound"):
        write_table(sound, [["a"]])
    assert Path(sound).read_bytes() == content


def test_a_library_too_large_for_a_map_has_its_vectors(
    demo_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonotheque.library.exports.LARGEST_DRAWN", 45)
    monkeypatch.setattr("sonotheque.explore.map.export_points.BATCH", 20)
    written = demo_library.export_points(tmp_path / "points.parquet")
    table = pq.read_table(tmp_path / "points.parquet")
    assert table.column_names == list(written.columns)
    assert written.rows == len(table) == 46
    _, vectors = demo_library.catalogue.vectors.matrix(SPACE.id)
    assert np.array(table["vector"].to_pylist(), dtype=np.float32).tobytes() == vectors.tobytes()
    assert not set(written.columns) & {"projection_x", "neighbors", "cluster"}
    assert None not in table["style"].to_pylist()
