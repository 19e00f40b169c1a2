"""Names in NFC and NFD mean the same file, unless there is one of exactly that name."""

from __future__ import annotations

import csv
import shutil
import unicodedata
from pathlib import Path

import pytest
import soundfile as sf
from conftest import tone

from sonotheque import Library
from sonotheque.classify.data.given_split import read_given_split
from sonotheque.classify.inference.submission import fill_template
from sonotheque.errors import LabelsError, LibraryError, MissingFileError
from sonotheque.explore.label_issues.corrections import apply_corrections
from sonotheque.explore.similar.query import ResolvedQuery, resolve_query
from sonotheque.extract import Extraction, scan_paths
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.metadata.file_names import existing_path
from sonotheque.metadata.file_tags import FileTags
from sonotheque.metadata.label_sources import CsvLabels, Label
from sonotheque.store import Catalogue, label_tracks

NFC, NFD = (unicodedata.normalize(form, "Noël") for form in ("NFC", "NFD"))
FORMS = pytest.mark.parametrize(("name", "other"), [(NFC, NFD), (NFD, NFC)], ids=["NFC", "NFD"])


def write_csv(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def add_tracks(catalogue: Catalogue, *paths: Path) -> dict[str, int]:
    """Add files without vectors, each with other bytes, and return the ids of their tracks."""
    ids = {}
    for number, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]))
        extraction = Extraction(3.0, 44_100, 2, False, None, FileTags(), {})
        stamps = {str(path): FileStamp.of(str(path))}
        ids[str(path)] = catalogue.store_extraction(content_hash(str(path)), stamps, extraction)
    return ids


@FORMS
@pytest.mark.parametrize("row", ["{}.wav", "{}", "a/{}.wav", "{folder}/a/{}.wav"])
def test_rows_match_in_both_normalisations(tmp_path: Path, name: str, other: str, row: str) -> None:
    (tmp_path / "a").mkdir()
    source = CsvLabels(
        write_csv(tmp_path / "l.csv", ("file", "genre"), (row.format(name, folder=tmp_path), "rock"), ("x", "pop"))
    )
    assert source.label(str(tmp_path / "a" / f"{other}.wav")) == Label("rock", "l.csv")
    assert source.unmatched() == ["x"]


def test_an_exact_match_wins(tmp_path: Path) -> None:
    rows = (("file", "genre"), (f"{NFC}.wav", "rock"), (f"{NFD}.wav", "pop"))
    with pytest.raises(LabelsError, match=r"line 2: .*, line 3: "):
        CsvLabels(write_csv(tmp_path / "l.csv", *rows))
    for name in (NFC, NFD):
        (tmp_path / f"{name}.wav").touch()
    source = CsvLabels(write_csv(tmp_path / "l.csv", *rows))
    labels = [source.label(f"/m/{name}.wav") for name in (NFC, NFD)]
    assert [label and label.label for label in labels] == ["rock", "pop"]


@FORMS
def test_every_command_finds_the_file_by_either_name(tmp_path: Path, name: str, other: str) -> None:
    folder = tmp_path / "music"
    with Catalogue(tmp_path / "library.sqlite") as catalogue:
        ids = add_tracks(catalogue, folder / name / f"{name}.wav", folder / "other.wav")
        path = str(folder / name / f"{name}.wav")
        for query in (str(folder / other / f"{other}.wav"), f"{other}.wav", other):
            assert resolve_query(query, catalogue=catalogue) == ResolvedQuery([path], [ids[path]]), query
        assert catalogue.files.inside(str(folder / other)) == {path}
        assert catalogue.files.find(str(folder / other / f"{other}.wav")) == (path, ids[path])
        assert [file.path for file in scan_paths([folder / other])] == [path]
        assert [file.path for file in scan_paths([folder / other / f"{other}.wav"])] == [path]
        labels = CsvLabels(write_csv(tmp_path / f"{name}.csv", ("file", "genre"), (f"{other}.wav", "rock")))
        assert label_tracks(catalogue, labels).matched == 1
        decisions = write_csv(tmp_path / "d.csv", ("file", "decision"), (str(folder / other / f"{other}.wav"), "rock"))
        assert apply_corrections(decisions, catalogue=catalogue, command="errors --apply").matched == 1
        catalogue.labels.assign({id_: Label("rock", "x") for id_ in ids.values()}, command="label")
        tracks = catalogue.tracks.all()
        lists = tmp_path / "test.txt"
        lists.write_text(f"{other}.wav\n", encoding="utf-8")
        ((train, test),) = read_given_split(lists, tracks=tracks)
        assert ([tracks[row].path for row in test], len(train)) == ([path], 1)
        template = write_csv(tmp_path / "sample.csv", ("id", "genre"), (f"{other}", "?"), ("other", "?"))
        genres = {path: "rock", str(folder / "other.wav"): "pop"}
        assert fill_template(tmp_path / "out.csv", genres, template=template, fallback="jazz") == []
        assert (tmp_path / "out.csv").read_text(encoding="utf-8") == f"id,genre\n{other},rock\nother,pop\n"
        assert catalogue.remove_paths(sorted(catalogue.files.inside(str(folder / other)))).paths == [path]


def test_two_files_whose_names_differ_in_normalisation_stay_two(tmp_path: Path) -> None:
    with Catalogue(tmp_path / "library.sqlite") as catalogue:
        ids = add_tracks(catalogue, tmp_path / f"{NFC}.wav", tmp_path / f"{NFD}.wav")
        assert len(set(ids.values())) == 2
        for name in (NFC, NFD):
            path = str(tmp_path / f"{name}.wav")
            assert resolve_query(path, catalogue=catalogue) == ResolvedQuery([path], [ids[path]])
            assert resolve_query(name, catalogue=catalogue) == ResolvedQuery([path], [ids[path]])
            assert catalogue.files.inside(path) == {path}
            assert [file.path for file in scan_paths([path])] == [path]
        assert len(catalogue.remove_paths(catalogue.files.inside(str(tmp_path / f"{NFC}.wav"))).paths) == 1
        assert list(catalogue.files.all()) == [str(tmp_path / f"{NFD}.wav")]
    mixed = tmp_path / "é".replace("é", "e\u0301") / "ü.wav"
    assert existing_path(mixed) == str(mixed)
    with pytest.raises(MissingFileError):
        scan_paths([mixed])


def test_label_and_remove_by_the_other_name(tmp_path: Path) -> None:
    """As a person does it: the case bh07 in both directions."""
    folder = tmp_path / "music"
    folder.mkdir()
    for number, name in enumerate((NFD, "ave")):
        sf.write(folder / f"{name}.wav", tone(3.0 + number, rate=16_000, channels=1), 16_000)
    with Library(tmp_path / "library") as library:
        rows = (("file", "genre"), (f"{NFC}.wav", "rock"))
        library.add(folder, labels=str(write_csv(tmp_path / "l.csv", *rows)), embedders=["musicnn"])
        assert library.status().labels == {"rock": 1}
        (similar,) = library.similar(NFC, m3u=tmp_path / "list.m3u", same_recording=True).results
        assert Path(similar.path).stem == "ave"
        (similar,) = library.similar("ave", m3u=tmp_path / "list.m3u", same_recording=True).results
        assert (tmp_path / "list.m3u").read_text(encoding="utf-8").splitlines()[-1] == f"music/{NFD}.wav"
        assert library.remove(folder / f"{NFC}.wav").removed == 1
        with pytest.raises(LibraryError, match="no such file"):
            library.remove(folder / f"{NFC}.wav")
    shutil.rmtree(folder)
