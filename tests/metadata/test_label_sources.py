"""Labels from folders, file tags and CSV files are matched to the right files."""

from __future__ import annotations

import csv
import io
import os
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonotheque import Library
from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import CsvLabels, FolderLabels, Label, TagLabels, open_label_source
from sonotheque.metadata.tables import GenreIds, read_table


def write_text(folder: Path, text: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def genre_of(source: CsvLabels, path: str | Path) -> str | None:
    label = source.label(str(path))
    return label.label if label else None


@pytest.mark.parametrize("file", ["file", "file_name", "path", "track_id", "id", "titre", "title", "File_Name"])
@pytest.mark.parametrize("label", ["genre", "label", "genre_id", "id_genre", "Genre"])
def test_csv_columns_are_recognised_by_name(tmp_path: Path, file: str, label: str) -> None:
    source = CsvLabels(write_text(tmp_path, f"{label},x,{file}\nrock,1,a.mp3\n"))
    assert genre_of(source, "/anywhere/a.mp3") == "rock"


@pytest.mark.parametrize("row", ["{folder}/a/x.mp3", "a/x.mp3", "./a/x.mp3", "x.mp3", "x"])
def test_rows_match_by_path_name_or_stem(tmp_path: Path, row: str) -> None:
    source = CsvLabels(write_text(tmp_path, f"file,genre\n{row.format(folder=tmp_path)},rock\n"))
    assert genre_of(source, tmp_path / "a" / "x.mp3") == "rock"
    assert genre_of(source, tmp_path / "a" / "y.mp3") is None


@pytest.mark.parametrize("row", ["000002", "2", "000002.mp3"])
def test_numeric_ids_match_as_text_and_as_integers(tmp_path: Path, row: str) -> None:
    source = CsvLabels(write_text(tmp_path, f"track_id,genre\n{row},rock\n"))
    assert genre_of(source, "/music/000/000002.mp3") == "rock"
    assert genre_of(source, "/music/2.mp3") == "rock"
    assert genre_of(source, "/music/000020.mp3") is None


@pytest.mark.parametrize("row", ["blues.00000", "blues.00000.wav"])
def test_stems_may_contain_dots(tmp_path: Path, row: str) -> None:
    source = CsvLabels(write_text(tmp_path, f"file,genre\n{row},blues\nblues.00001,jazz\n"))
    assert genre_of(source, "/genres/blues/blues.00000.wav") == "blues"


def test_a_match_as_text_takes_precedence_over_an_integer(tmp_path: Path) -> None:
    source = CsvLabels(write_text(tmp_path, "track_id,genre\n2,rock\n002,pop\n"))
    assert (genre_of(source, "/m/2.mp3"), genre_of(source, "/m/002.mp3")) == ("rock", "pop")
    assert genre_of(source, "/m/0002.mp3") is None  # ambiguous: both rows are the integer 2


def test_an_ambiguous_file_name_is_ignored(tmp_path: Path) -> None:
    source = CsvLabels(write_text(tmp_path, "path,genre\na/x.mp3,rock\nb/x.mp3,pop\n"))
    assert genre_of(source, tmp_path / "a" / "x.mp3") == "rock"
    assert genre_of(source, tmp_path / "b" / "x.mp3") == "pop"
    assert genre_of(source, "/elsewhere/x.mp3") is None


def test_challenge_files_with_genre_ids(tmp_path: Path) -> None:
    ids = GenreIds(write_text(tmp_path, "genre_id,genre\n1,Classical\n4,Hip-Hop\n", "genres.csv"))
    source = CsvLabels(write_text(tmp_path, "track_id,genre_id\n000002,4\n000140,1\n000141,\n"), ids=ids)
    assert genre_of(source, "/Train/000002.mp3") == "Hip-Hop"
    assert source.unmatched() == ["000140"]
    assert len(source) == 2  # the row without a genre is skipped


def test_columns_can_be_named(tmp_path: Path) -> None:
    path = write_text(tmp_path, "clip;style;who\na;rock;Bach\n")
    label = CsvLabels(path, columns=["clip", "style", "who"]).label("/a.mp3")
    assert label is not None
    assert (label.label, label.artist, label.source) == ("rock", "Bach", "labels.csv")


def test_artist_and_album_columns_are_recognised(tmp_path: Path) -> None:
    label = CsvLabels(write_text(tmp_path, "file,genre,artist,album\na,rock,Bach,Suites\nb,pop,,\n")).label("/a.mp3")
    assert label is not None
    assert (label.artist, label.album) == ("Bach", "Suites")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("name,genre\na,rock\n", "no file column"),
        ("file,style\na,rock\n", "no label column"),
        ("file,genre\na,rock\na,pop\n", "line 2: 'a' is 'rock', line 3: 'a' is 'pop'"),
        ("file,genre\na,rock,x\n", "line 2: 3 fields where the header has 2"),
    ],
)
def test_unusable_csv_files_are_rejected(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelsError, match=message):
        CsvLabels(write_text(tmp_path, text))


CONFLICT = "t0.wav,rock\nm/t0.wav,pop\nt0,folk\n"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (CONFLICT, "line 2: 't0.wav' is 'rock', line 3: 'm/t0.wav' is 'pop', line 4: 't0' is 'folk'"),
        ("t0.wav,rock\nx.wav,pop\n./t0.wav,folk\n", "line 2: 't0.wav' is 'rock', line 4: './t0.wav' is 'folk'"),
        ("{folder}/t0.wav,rock\nt0.wav,pop\n", "t0.wav' is 'rock', line 3: 't0.wav' is 'pop'"),
        ("m/t0.wav,rock\nt0.wav,pop\n", "line 2: 'm/t0.wav' is 'rock', line 3: 't0.wav' is 'pop'"),
        ("t0,rock\nt0.mp3,pop\n", "line 2: 't0' is 'rock', line 3: 't0.mp3' is 'pop'"),
        ("000002,rock\n000002.mp3,pop\n", "line 2: '000002' is 'rock', line 3: '000002.mp3' is 'pop'"),
        ("no\u00ebl.wav,rock\nnoe\u0308l.wav,pop\n", "is 'rock', line 3: .* is 'pop'"),
    ],
)
def test_contradicting_rows_are_named(tmp_path: Path, rows: str, lines: str) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "t0.wav").touch()
    with pytest.raises(
        LabelsError, match=f"rows contradict each other about one file; .*{lines}. Keep one of the rows"
    ):
        CsvLabels(write_text(tmp_path, "file,genre\n" + rows.format(folder=tmp_path)))


@pytest.mark.parametrize(
    "rows",
    [
        "t0.wav,rock\nm/t0.wav,Rock\nt0, ROCK \n",  # spellings of one genre
        "a/t0.wav,rock\nb/t0.wav,pop\n",
        "t0.wav,rock\nt0.mp3,pop\n",
        "t0.wav,rock\nm/t0.wav,pop\n",  # both files exist
        "2,rock\n002,pop\n",
    ],
)
def test_rows_about_different_files_do_not_contradict(tmp_path: Path, rows: str) -> None:
    (tmp_path / "m").mkdir()
    for name in ("t0.wav", "m/t0.wav"):
        (tmp_path / name).touch()
    assert len(CsvLabels(write_text(tmp_path, "file,genre\n" + rows))) == len(rows.splitlines())


def test_files_that_match_contradicting_rows_are_named(tmp_path: Path) -> None:
    source = CsvLabels(write_text(tmp_path, "file,genre\na/x.mp3,rock\nb/x.mp3,pop\n2,jazz\n02,folk\n"))
    assert genre_of(source, tmp_path / "a" / "x.mp3") == "rock"
    assert source.ambiguous() == []
    assert genre_of(source, "/music/x.mp3") is None
    assert genre_of(source, "/music/0002.mp3") is None
    assert source.ambiguous() == [
        "/music/x.mp3 gets no label, because rows of labels.csv disagree: "
        "line 2: 'a/x.mp3' is 'rock', line 3: 'b/x.mp3' is 'pop'",
        "/music/0002.mp3 gets no label, because rows of labels.csv disagree: line 4: '2' is 'jazz', line 5: '02' is 'folk'",
    ]


def test_unknown_ids_are_rejected(tmp_path: Path) -> None:
    ids = GenreIds(write_text(tmp_path, "genre_id,genre\n1,Classical\n", "genres.csv"))
    with pytest.raises(LabelsError, match=r"line 2: '9' is not an id in .*genres\.csv; the known ids are 1"):
        CsvLabels(write_text(tmp_path, "track_id,genre_id\n2,9\n"), ids=ids)


def test_unreadable_files_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"file,genre\n\xe9t\xe9,rock\n")
    with pytest.raises(LabelsError, match="UTF-8"):
        open_label_source(str(tmp_path / "a.csv"))
    with pytest.raises(LabelsError, match="no such file"):
        open_label_source(str(tmp_path / "b.csv"))


def test_folder_labels() -> None:
    source = FolderLabels([("/m/rock/a/x.mp3", "/m"), ("/m/y.mp3", "/m"), ("/pop/z.mp3", "/pop")])

    def folder_label(path: str, root: str) -> str | None:
        label = source.label(path, root=root, genre=None)
        return label.label if label else None

    assert folder_label("/m/rock/a/x.mp3", "/m") == "rock"
    assert folder_label("/m/y.mp3", "/m") is None
    assert folder_label("/pop/z.mp3", "/pop") == "pop"


def test_dataset_folders_are_skipped() -> None:
    paths = [("/gtzan/genres_original/blues/blues.00000.wav", "blues"), ("/hf/train/rock/a.mp3", "rock")]
    for path, genre in paths:
        root = "/" + path.split("/")[1]
        label = FolderLabels([(path, root)]).label(path, root=root, genre=None)
        assert label == Label(genre, "folder")


def test_tag_labels() -> None:
    label = TagLabels().label("/a.mp3", root=None, genre="Jazz")
    assert label is not None
    assert (label.label, label.source) == ("Jazz", "tags")
    assert TagLabels().label("/a.mp3", root=None, genre=None) is None


NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).map(
    str.strip
)


@settings(max_examples=50)
@given(rows=st.dictionaries(NAMES.filter(bool), NAMES.filter(bool), min_size=1, max_size=8), bom=st.booleans())
def test_read_table_reads_the_output_of_csv_writer(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, str], bom: bool
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["file", "genre"], *rows.items()])
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    path.write_text(text.getvalue(), encoding="utf-8-sig" if bom else "utf-8", newline="")
    assert {row["file"]: row["genre"] for row in read_table(path)} == rows


@settings(max_examples=50)
@given(numbers=st.sets(st.integers(0, 999_999), min_size=1, max_size=20))
def test_every_numeric_id_matches_its_own_row(tmp_path_factory: pytest.TempPathFactory, numbers: set[int]) -> None:
    text = "track_id,genre\n" + "".join(f"{n:06d},g{n}\n" for n in numbers)
    source = CsvLabels(write_text(tmp_path_factory.mktemp("csv"), text))
    assert {n: genre_of(source, f"/Train/{n}.mp3") for n in numbers} == {n: f"g{n}" for n in numbers}
    assert source.unmatched() == []


def test_rows_that_are_looked_up_find_the_same_files(
    demo_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a large library, only the files that a CSV may name are read."""
    paths = sorted(demo_library.catalogue.files.all())
    table = tmp_path / "labels.csv"
    names = [paths[0], os.path.basename(paths[1]), os.path.splitext(os.path.basename(paths[2]))[0], "nowhere.mp3"]
    table.write_text("file,genre\n" + "".join(f"{name},polka\n" for name in names))
    expected = demo_library.label(str(table), dry_run=True)
    monkeypatch.setattr(import_module("sonotheque.store.label_tracks"), "MIN_FILES", 0)
    monkeypatch.setattr(demo_library.catalogue.files, "all", None)
    assert demo_library.label(str(table), dry_run=True) == expected
    assert (expected.matched, expected.changed, expected.unmatched) == (3, 3, ["nowhere.mp3"])
