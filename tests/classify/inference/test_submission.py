"""A submission has the rows of the template in its order, whatever the predictions are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque.classify import fill_template, write_predictions
from sonotheque.errors import LabelsError, LibraryError
from sonotheque.metadata.tables import GenreIds, read_table

GENRES = {"Classical": "1", "Hip-Hop": "4", "Rock": "8"}


@pytest.fixture(scope="module")
def ids(tmp_path_factory: pytest.TempPathFactory) -> GenreIds:
    path = tmp_path_factory.mktemp("ids") / "genres.csv"
    path.write_text("genre_id,genre\n" + "".join(f"{number},{name}\n" for name, number in GENRES.items()))
    return GenreIds(path)


@settings(max_examples=60)
@given(
    rows=st.lists(st.integers(0, 999_999), unique=True, min_size=1, max_size=30),
    predictions=st.dictionaries(st.integers(0, 999_999), st.sampled_from(sorted(GENRES)), max_size=30),
    drop=st.integers(0, 30),
)
def test_every_row_is_filled(
    ids: GenreIds, tmp_path_factory: pytest.TempPathFactory, rows: list[int], predictions: dict[int, str], drop: int
) -> None:
    folder = tmp_path_factory.mktemp("submission")
    template = folder / "sample.csv"
    template.write_text("track_id,genre_id\n" + "".join(f"{row:06d},9\n" for row in rows))
    predictions |= dict.fromkeys(rows[drop:], "Rock")
    files = {f"/Test/{number:06d}.mp3": genre for number, genre in predictions.items()}
    unfilled = fill_template(folder / "out.csv", files, template=template, fallback="Hip-Hop", ids=ids)
    text = (folder / "out.csv").read_bytes().decode()
    expected = [f"{row:06d},{GENRES[predictions.get(row, 'Hip-Hop')]}" for row in rows]
    assert text == "\n".join(["track_id,genre_id", *expected]) + "\n"
    assert unfilled == [f"{row:06d}" for row in rows if row not in predictions]


@pytest.mark.parametrize("row", ["000002", "2", "000002.mp3", "Test/000002.mp3", "/Test/000002.mp3"])
def test_rows_are_matched_by_path_name_stem_or_id(tmp_path: Path, row: str) -> None:
    (tmp_path / "sample.csv").write_text(f"file,genre,note\n{row},?,kept\n")
    genres = {"/Test/000002.mp3": "Rock"}
    assert fill_template(tmp_path / "out.csv", genres, template=tmp_path / "sample.csv", fallback="Pop") == []
    assert (tmp_path / "out.csv").read_text() == f"file,genre,note\n{row},Rock,kept\n"


@pytest.mark.parametrize(("columns", "name"), [(("file", "genre"), "/a/b, c.mp3"), (("track_id", "genre_id"), "b, c")])
def test_csv_without_a_template(tmp_path: Path, columns: tuple[str, str], name: str) -> None:
    write_predictions(tmp_path / "out.csv", {"/a/b, c.mp3": "Rock"}, columns=columns)
    assert [dict(row) for row in read_table(tmp_path / "out.csv")] == [dict(zip(columns, [name, "Rock"], strict=True))]


def test_unusable_columns_genres_and_paths(tmp_path: Path, ids: GenreIds) -> None:
    with pytest.raises(LabelsError, match="two names"):
        write_predictions(tmp_path / "out.csv", {}, columns=("a", "b", "c"))
    with pytest.raises(LabelsError, match="no id for 'Polka'"):
        write_predictions(tmp_path / "out.csv", {"/a.mp3": "Polka"}, ids=ids)
    with pytest.raises(LibraryError, match="cannot be written"):
        write_predictions(tmp_path / "no" / "out.csv", {})
