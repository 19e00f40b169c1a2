"""The table of track attributes has a row for every track, and the same values as CSV and as Parquet."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sonotheque import Library
from sonotheque.embed.tempo_key import MIN_CONFIDENCE
from sonotheque.errors import LibraryError
from sonotheque.explore.attribute_table import BATCH, COLUMNS, attribute_rows, export_attributes


def test_csv_and_parquet_have_a_row_for_every_track(
    tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (clips / "ambient.mp3").rename(clips / "=ambient, “音”.mp3")
    with Library(tmp_path / "library") as library:
        library.add(clips, labels="folder", embedders=["musicnn"])
        assert export_attributes(library.catalogue, tmp_path / "a.csv") == 3
        assert export_attributes(library.catalogue, tmp_path / "a.PARQUET") == 3
        tracks = library.catalogue.tracks.all()
    assert "no tempo" not in caplog.text
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == [track.path for track in tracks]
    metal = next(row for row in rows if row["file"].endswith("metal.ogg"))
    assert "metal" in metal["style"].split("; ")
    assert metal["tags"].startswith("metal 0.") or metal["tags"].startswith("rock 0.")
    assert len(metal["tags"].split("; ")) == 10
    ave = next(row for row in rows if row["file"].endswith("ave.mp3"))
    assert (ave["artist"], ave["label"], ave["album"]) == ("John Michel", "slow", "GNU FreeDink")
    assert all(0 <= float(row["tempo_confidence"]) <= 1 for row in rows)
    assert {bool(row["key"]) == (float(row["key_confidence"]) >= MIN_CONFIDENCE) for row in rows} == {True}
    assert any(row["key"].endswith((" major", " minor")) for row in rows)
    table = pq.read_table(tmp_path / "a.PARQUET")
    assert table.column_names == list(COLUMNS) == list(rows[0])
    assert [
        {name: "" if value is None else str(value) for name, value in row.items()} for row in table.to_pylist()
    ] == rows


def test_missing_attributes_are_warned_of_once(demo_library: Library, caplog: pytest.LogCaptureFixture) -> None:
    demo_library.catalogue.database.execute("DELETE FROM tempo_keys")
    rows = list(attribute_rows(demo_library.catalogue))
    assert len(rows) == 46
    assert {(row["tempo"], row["key"]) for row in rows} == {(None, None)}
    assert all(row["style"] for row in rows)
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["no tempo and key for 46 tracks (of 46); `sonotheque add FOLDER` computes them"]


def test_batches_contain_all_rows(demo_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BATCH >= 46
    monkeypatch.setattr("sonotheque.explore.attribute_table.BATCH", 20)
    assert export_attributes(demo_library.catalogue, tmp_path / "a.parquet") == 46
    table = pq.ParquetFile(tmp_path / "a.parquet")
    assert (table.num_row_groups, table.metadata.num_rows) == (3, 46)
    assert table.read()["file"].to_pylist() == [track.path for track in demo_library.catalogue.tracks.all()]


def test_empty_library_gives_a_header(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        assert export_attributes(library.catalogue, tmp_path / "a.csv") == 0
        assert export_attributes(library.catalogue, tmp_path / "a.parquet") == 0
    assert (tmp_path / "a.csv").read_text() == ",".join(COLUMNS) + "\n"
    assert pq.read_table(tmp_path / "a.parquet").column_names == list(COLUMNS)


def test_other_extensions_are_refused(demo_library: Library, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"tags\.xlsx: .* ends in \.csv or \.parquet"):
        export_attributes(demo_library.catalogue, tmp_path / "tags.xlsx")
    with pytest.raises(LibraryError, match="cannot be written"):
        export_attributes(demo_library.catalogue, tmp_path / "nowhere" / "tags.csv")
    assert not list(tmp_path.glob("tags*"))
