"""A valid submission passes the check, and every error is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import fill_template
from sonotheque.classify.inference.submission_check import check_submission
from sonotheque.errors import LabelsError
from sonotheque.metadata.tables import GenreIds

VALID = "track_id,genre_id\n000002,1\n000005,8\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sample.csv").write_text("track_id,genre_id\n000002,9\n000005,9\n")
    (tmp_path / "genres.csv").write_text("genre_id,genre\n1,Classical\n8,Rock\n")
    return tmp_path


def check(folder: Path, content: bytes) -> int:
    (folder / "out.csv").write_bytes(content)
    return check_submission(folder / "out.csv", sample=folder / "sample.csv", ids=folder / "genres.csv")


def test_valid_submission(folder: Path) -> None:
    assert check(folder, VALID.encode()) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (VALID.replace("\n", "\r\n"), "CR LF"),
        ("\ufeff" + VALID, "byte order mark"),
        (VALID.rstrip("\n"), "last line"),
        (VALID.replace("track_id", "id"), r"header is id,genre_id; it must be track_id,genre_id"),
        (VALID.replace("000005", "5"), r"line 3: the id is '5'; it must be '000005'"),
        ("track_id,genre_id\n000005,8\n000002,1\n", r"line 2: the id is '000005'; it must be '000002'"),
        (VALID.replace(",8", ",9"), r"line 3: unknown genre '9'; choose one of 1, 8"),
        (VALID.replace(",8", ","), "line 3: the genre is missing"),
        (VALID.replace(",8", ", 8"), "line 3: white space around a value"),
        (VALID.replace("\n000005", "\n\n000005"), "line 3: the line is blank"),
        (VALID + "000009,1\n", "3 rows; .* has 2"),
        ("track_id,genre_id\n000002,1\n", "1 row; .* has 2"),
        (VALID.replace(",8", ",8,8"), "3 fields"),
    ],
)
def test_invalid_submissions(folder: Path, content: str, message: str) -> None:
    with pytest.raises(LabelsError, match=message):
        check(folder, content.encode())


@settings(max_examples=40)
@given(
    rows=st.lists(st.integers(0, 999_999), unique=True, min_size=1, max_size=20),
    predictions=st.dictionaries(st.integers(0, 999_999), st.sampled_from(["Classical", "Rock"]), max_size=20),
)
def test_written_submissions_pass(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int], predictions: dict[int, str]
) -> None:
    folder = tmp_path_factory.mktemp("check")
    (folder / "genres.csv").write_text("genre_id,genre\n1,Classical\n8,Rock\n")
    (folder / "sample.csv").write_text("track_id,genre_id\n" + "".join(f"{row:06d},9\n" for row in rows))
    genres = {f"/Test/{number:06d}.mp3": genre for number, genre in predictions.items()}
    fill_template(
        folder / "out.csv", genres, template=folder / "sample.csv", fallback="Rock", ids=GenreIds(folder / "genres.csv")
    )
    assert check_submission(folder / "out.csv", sample=folder / "sample.csv", ids=folder / "genres.csv") == len(rows)
