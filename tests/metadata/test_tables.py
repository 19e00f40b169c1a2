"""A row of a CSV ends at a line feed and nowhere else, in every CSV that is read or written."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from sonotheque.classify.data.given_split import read_given_split
from sonotheque.classify.inference.submission import fill_template, write_predictions
from sonotheque.classify.inference.submission_check import check_submission
from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import CsvLabels
from sonotheque.metadata.tables import GenreIds, read_table, write_table
from sonotheque.store.records import Track

CHARACTERS = ["\u2028", "\u2029", "\x85", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f"]
"""Characters at which `str.splitlines` splits, and the unit separator."""

pytestmark = pytest.mark.parametrize("character", CHARACTERS, ids=lambda character: f"U+{ord(character):04X}")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_labels(tmp_path: Path, character: str) -> None:
    path = write(tmp_path / "l.csv", f"file,genre,artist\na.wav,rock,One{character}Two\nc.wav,pop,B\n")
    label = CsvLabels(path).label("/m/a.wav")
    assert label is not None
    assert (label.label, label.artist, len(CsvLabels(path))) == ("rock", f"One{character}Two", 2)
    path = write(tmp_path / "l.csv", f"genre{character}x,file,genre\r\nb,a{character}b.wav,rock\r\n")
    assert (CsvLabels(path).label(f"/m/a{character}b.wav") or label).label == "rock"


def test_ids_template_and_check(tmp_path: Path, character: str) -> None:
    ids = write(tmp_path / "genres.csv", f"genre_id,genre\n1,Drum{character}Bass\n2,pop\n")
    assert GenreIds(ids).name("1", where="") == f"Drum{character}Bass"
    sample = write(tmp_path / "sample.csv", f"id,genre_id,note\na{character}b,1,x\nc,1,one{character}two\n")
    genres = {f"/m/a{character}b.wav": "pop", "/m/c.wav": f"Drum{character}Bass"}
    out = tmp_path / "out.csv"
    assert fill_template(out, genres, template=sample, fallback="pop", ids=GenreIds(ids)) == []
    assert [list(row.values()) for row in read_table(out)] == [
        [f"a{character}b", "2", "x"],
        ["c", "1", f"one{character}two"],
    ]
    assert check_submission(out, sample=sample, ids=ids) == 2
    write(out, f"id,genre_id,note\na{character}b,2,x\n\nc,1,y\n")
    with pytest.raises(LabelsError, match="line 3: the line is blank"):
        check_submission(out, sample=sample, ids=ids)


def test_split(tmp_path: Path, character: str) -> None:
    names = (f"a{character}b", "c", "d")
    tracks = [
        Track(number, "", f"/m/{name}.wav", 3, False, None, None, None, None, None, "rock", None)
        for number, name in enumerate(names)
    ]
    for path in (
        write(tmp_path / "split.csv", f"file,split\na{character}b,test\nc,train\nd,train\n"),
        write(tmp_path / "test.txt", f"a{character}b.wav\n"),
    ):
        ((train, test),) = read_given_split(path, tracks=tracks)
        assert (train.tolist(), test.tolist()) == ([1, 2], [0])


def test_written_fields_are_quoted(tmp_path: Path, character: str) -> None:
    """Other programs, and Python's own `splitlines`, end a line at these characters."""
    path = tmp_path / "out.csv"
    rows: list[list[str | None]] = [["file", "genre"], [f"a{character}b", "x, y"], ["c\nd\re", None]]
    write_table(path, rows)
    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [[field or "" for field in row] for row in rows]
    assert [list(row.values()) for row in read_table(path)] == [[f"a{character}b", "x, y"], ["c\nd\re", ""]]
    if character != "\x1f":  # no line end for `str.splitlines` either
        assert f'"a{character}b"' in path.read_text(encoding="utf-8")
    write_predictions(path, {f"/m/a{character}b.wav": "rock"})
    assert [row["file"] for row in read_table(path)] == [f"/m/a{character}b.wav"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CR LF", "CR"])
def test_all_line_ends_are_read(tmp_path: Path, character: str, end: str) -> None:
    path = write(tmp_path / "l.csv", end.join(["file;genre", f"a{character}b;rock, pop", "c;", ""]))
    table = read_table(path)
    assert (table.header, [list(row.values()) for row in table]) == (
        ["file", "genre"],
        [[f"a{character}b", "rock, pop"], ["c", ""]],
    )
    assert [row.line for row in table] == [2, 3]
