"""Exported tables and written file tags, through `Library`, with a real classifier and real files."""

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
from sonotheque.errors import AudioError, ClassifierError, LibraryError
from sonotheque.explore.map.export_points import COLUMNS
from sonotheque.index import ExactIndex
from sonotheque.metadata.tables import write_table


@pytest.fixture
def writable_library(tmp_path: Path) -> Library:
    """A library of copies of some demo clips, so that their tags can be written."""
    shutil.copytree(music() / "metal", tmp_path / "music" / "metal")
    shutil.copytree(music() / "acoustic", tmp_path / "music" / "acoustic")
    library = Library(tmp_path / "library-with-copies")
    library.add(tmp_path / "music", labels="folder", embedders=["musicnn", "descriptors"])
    return library


def test_points_contain_vectors_positions_and_neighbours(demo_library: Library, tmp_path: Path) -> None:
    demo_library.add(unlabelled())
    exported = demo_library.export_points(tmp_path / "points.parquet")
    assert (exported.rows, list(exported.columns)) == (55, list(COLUMNS))
    table = pq.read_table(tmp_path / "points.parquet")
    ids, vectors = demo_library.catalogue.vectors.matrix(SPACE.id)
    tracks = {track.id: track for track in demo_library.catalogue.tracks.all()}
    rows = table.to_pylist()
    assert [row["file"] for row in rows] == [tracks[int(id_)].path for id_ in ids]
    assert np.array([row["vector"] for row in rows], dtype=np.float32).tobytes() == vectors.tobytes()
    positions = {position.path: (position.x, position.y) for position in demo_library.map().places}
    for row in rows:
        assert (row["projection_x"], row["projection_y"]) == pytest.approx(positions[row["file"]], abs=1e-3)
        assert len(row["neighbors"]["ids"]) == len(row["neighbors"]["distances"]) == 10
        assert all(0 <= index < 55 for index in row["neighbors"]["ids"])
        assert row["neighbors"]["distances"] == sorted(row["neighbors"]["distances"])
        assert row["verdict"] == (
            None if row["label"] is None else "right" if row["predicted"] == row["label"] else "wrong"
        )
    nearest, _ = ExactIndex.build(np.arange(55), vectors).search(vectors[:1], k=11)
    assert rows[0]["neighbors"]["ids"] == nearest[0, 1:].tolist()
    assert json.loads(table.schema.metadata[b"sonotheque"])["space"] == SPACE.id
    with pytest.raises(LibraryError, match="cannot be written"):
        demo_library.export_points(tmp_path / "points.parquet" / "inside.parquet")


def test_exported_attributes_of_all_tracks(writable_library: Library, tmp_path: Path) -> None:
    exported = writable_library.export_tags(tmp_path / "tags.csv")
    rows = list(csv.DictReader((tmp_path / "tags.csv").read_text(encoding="utf-8").splitlines()))
    assert exported.rows == len(rows) == writable_library.status().tracks
    metal = [row for row in rows if row["label"] == "metal"]
    assert sum("metal" in row["style"] for row in metal) > len(metal) / 2
    assert any(row["tempo"] for row in rows)
    assert any(row["key"] for row in rows)


@pytest.mark.slow
def test_labels_are_written_to_files_and_predictions_only_on_request(writable_library: Library, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(unlabelled(), new)
    writable_library.add(new)
    for path in [*new.glob("*.mp3"), *new.glob("*.ogg"), *(tmp_path / "music").rglob("*.mp3")]:
        file = mutagen.File(path, easy=True)
        file.pop("genre", None)
        file.save()
    writable_library.add(new, tmp_path / "music")
    before = {track.path: track for track in writable_library.catalogue.tracks.all()}
    planned = writable_library.tag()
    assert planned.dry_run
    assert planned.written == 0
    assert {change.path for change in planned.changes if change.field == "genre"} <= {
        path for path, track in before.items() if track.label
    }
    assert mutagen.File(next(new.glob("*.mp3")), easy=True).get("genre") is None

    with pytest.raises(ClassifierError):
        writable_library.tag(predicted=True)
    writable_library.train(model="logreg")
    predicted = writable_library.tag(new, predicted=True, probability=0.0, only="genre")
    assert {change.field for change in predicted.changes} == {"genre"}
    assert {change.after for change in predicted.changes} <= {"metal", "acoustic"}
    assert len(writable_library.tag(new, predicted=True, probability=0.99, only="genre").changes) < len(
        predicted.changes
    )
    assert writable_library.tag(new, only="genre").changes == []

    written = writable_library.tag(write=True)
    assert written.changes == planned.changes
    assert written.failed == []
    assert writable_library.tag().changes == []
    metal = next(
        track
        for track in writable_library.catalogue.tracks.all()
        if track.label == "metal" and track.path.endswith(".mp3")
    )
    assert mutagen.File(metal.path, easy=True)["genre"] == ["metal"]
    assert {track.path: track.label for track in writable_library.catalogue.tracks.all()} == {
        path: track.label for path, track in before.items()
    }
    assert all(
        change.before for change in writable_library.tag(overwrite=True).changes
    )  # such as "Acoustic" for the label "acoustic"
    with pytest.raises(LibraryError, match="no such file or folder in the library"):
        writable_library.tag(tmp_path / "elsewhere")


def test_duplicates_outside_the_given_folder_are_not_changed(writable_library: Library, tmp_path: Path) -> None:
    original = sorted((tmp_path / "music" / "metal").glob("*.mp3"))[0]
    file = mutagen.File(original, easy=True)
    file.pop("genre", None)
    file.save()
    (tmp_path / "duplicates").mkdir()
    duplicate = Path(shutil.copy2(original, tmp_path / "duplicates"))
    writable_library.add(tmp_path / "music", duplicate)
    content = duplicate.read_bytes()
    written = writable_library.tag(tmp_path / "music", write=True, only="genre")
    assert str(original) in {change.path for change in written.changes}
    assert duplicate.read_bytes() == content != original.read_bytes()
    before = writable_library.status()
    assert writable_library.add(tmp_path / "music", duplicate) == before
    assert writable_library.tag(tmp_path / "duplicates", only="genre").changes[0].after == "metal"


def test_music_and_devices_are_not_overwritten(writable_library: Library) -> None:
    audio = writable_library.catalogue.tracks.all()[0].path
    content = Path(audio).read_bytes()
    for write in (
        writable_library.map,
        writable_library.export_points,
        writable_library.export_tags,
        lambda path: writable_library.inspect(path, picture=path),
    ):
        for path in (audio, "/dev/null", ""):
            with pytest.raises((LibraryError, AudioError)):
                write(path)
    with pytest.raises(LibraryError, match=r"choose a name that ends in \.csv"):
        write_table(audio, [["a"]])
    assert Path(audio).read_bytes() == content


def test_a_library_too_large_for_a_map_is_exported_without_it(
    demo_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonotheque.library.library.MAX_MAPPED_TRACKS", 45)
    monkeypatch.setattr("sonotheque.explore.map.export_points.BATCH", 20)
    exported = demo_library.export_points(tmp_path / "points.parquet")
    table = pq.read_table(tmp_path / "points.parquet")
    assert table.column_names == list(exported.columns)
    assert exported.rows == len(table) == 46
    _, vectors = demo_library.catalogue.vectors.matrix(SPACE.id)
    assert np.array(table["vector"].to_pylist(), dtype=np.float32).tobytes() == vectors.tobytes()
    assert not set(exported.columns) & {"projection_x", "neighbors", "cluster"}
    assert None not in table["style"].to_pylist()
