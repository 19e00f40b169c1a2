"""Duplicates are found in three classes, what is unsure is listed apart, and a second run decodes nothing."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf
from click.testing import CliRunner

from sonotheque import Library, LibraryError, results
from sonotheque.audio import load
from sonotheque.audio.chromaprint import CHROMAPRINT, chromaprint_is_available
from sonotheque.audio.fingerprint import SPECTRAL, FingerprintMethod
from sonotheque.cli import cli
from sonotheque.demo import music
from sonotheque.explore.duplicates import find_duplicates, probably_same_recording
from sonotheque.explore.duplicates import fingerprints as computing
from sonotheque.extract.extraction import Extraction
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.metadata.file_tags import FileTags
from sonotheque.store.fingerprints import FingerprintRepository

RATE = 22_050
SPACE = "musicnn-msd-penultimate-h3.0@1"
BASE = sorted((music() / "metal").glob("*"))[:3]
OTHER = sorted((music() / "classical").glob("*"))[:3]


@dataclass(frozen=True)
class File:
    """A file of the library: its name, its samples, and a vector at this angle, in degrees, to the first axis."""

    name: str
    samples: npt.NDArray[Any]
    angle: float
    title: str | None = None
    artist: str | None = "Somebody"


@pytest.fixture(scope="module")
def base() -> npt.NDArray[np.float32]:
    """Make 30 s of music out of three clips."""
    return np.concatenate([load(path, sample_rate=RATE)[0] for path in BASE])


@pytest.fixture(scope="module")
def other() -> npt.NDArray[np.float32]:
    return np.concatenate([load(path, sample_rate=RATE)[0] for path in OTHER])


def write_file(folder: Path, file: File) -> Path:
    path = folder / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, file.samples, RATE)
    return path


def add_file(library: Library, path: Path, file: File, *, seconds: float | None = None) -> None:
    """Add a file with a made-up vector, so that nothing has to be embedded."""
    angle = np.deg2rad(file.angle)
    vector = np.array([np.cos(angle), np.sin(angle), 0], np.float32)
    extraction = Extraction(
        seconds=len(file.samples) / RATE if seconds is None else seconds,
        sample_rate=RATE,
        channels=1,
        silent=not file.samples.any(),
        notice=None,
        tags=FileTags(title=file.title, artist=file.artist),
        vectors={SPACE: (vector, vector[None])},
    )
    library.catalogue.store_extraction(content_hash(str(path)), {str(path): FileStamp.of(str(path))}, extraction)


def make_library(folder: Path, files: Sequence[File]) -> Library:
    library = Library(folder / "library")
    for file in files:
        add_file(library, write_file(folder / "music", file), file)
    return library


@pytest.fixture(scope="module")
def files(base: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> list[File]:
    cut = base[3 * RATE :] / 2
    return [
        File("base.flac", base, 0, title="Fear"),
        File("cut.ogg", cut, 10, title="Fear"),
        File("excerpt.flac", base[: 14 * RATE], 5, title="Fear"),
        File("live.flac", other, 100, title="Fear (Live)"),
        File("neighbour.flac", other[: len(base)] * 0.9, 20, title="Something"),
        File("short.flac", base[: 2 * RATE], 0.1),
        File("silent.flac", np.zeros(len(base), np.float32), 0),
    ]


@pytest.fixture(scope="module")
def library(files: list[File], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("duplicates")
    with make_library(folder, files) as library:
        copy = folder / "music" / "x" / "again" / "base.flac"
        copy.parent.mkdir(parents=True)
        shutil.copy(folder / "music" / "base.flac", copy)
        add_file(library, copy, files[0])
        yield library


METHODS = [
    "spectral",
    pytest.param("chromaprint", marks=pytest.mark.skipif(not chromaprint_is_available(), reason="NO CHROMAPRINT")),
]


def names(paths: Sequence[str]) -> list[str]:
    return [Path(path).name for path in paths]


@pytest.mark.parametrize("method", METHODS)
def test_three_classes_and_what_is_unsure(library: Library, method: str) -> None:
    result = library.duplicates(fingerprint=method)
    (identical,) = result.identical
    assert [Path(path).parent.name for path in identical.paths] == ["music", "again"]
    (group,) = result.same_recording
    assert names([file.path for file in group.files]) == ["base.flac", "cut.ogg"]
    assert [file.likely_better for file in group.files] == [True, False]
    assert group.files[0].bit_rate > group.files[1].bit_rate
    assert group.files[0].seconds - group.files[1].seconds == pytest.approx(3, abs=0.01)
    reasons = {tuple(names(pair.paths)): pair.reason for pair in result.unsure}
    assert "an excerpt or another edit" in reasons["base.flac", "excerpt.flac"]
    assert all("neighbour.flac" not in pair for pair in reasons)
    assert result.tracks == len(library.catalogue.tracks.all()) - 1, "the silent track is not compared"
    kinds = {tuple(names(pair.paths)): pair.kind for pair in result.other_versions}
    assert kinds["base.flac", "live.flac"] == "live"
    assert ("base.flac", "cut.ogg") not in kinds, "one recording is no other version"
    assert result.failed == []


def test_tracks_that_are_too_short_to_be_sure(base: npt.NDArray[np.float32], tmp_path: Path) -> None:
    files = [File("a.wav", base[: 4 * RATE], 0), File("b.wav", base[: 4 * RATE] / 2, 1), File("c.wav", base, 1)]
    with make_library(tmp_path, files) as library:
        result = library.duplicates(fingerprint="spectral")
    assert result.same_recording == []
    (pair,) = result.unsure
    assert names(pair.paths) == ["a.wav", "b.wav"]
    assert pair.agreement == pytest.approx(1, abs=0.01)
    assert "less than 10 s" in pair.reason


def test_the_second_run_decodes_nothing(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    before = library.duplicates(fingerprint="spectral")
    changes = library.catalogue.database.total_changes

    def refuse(*_: object) -> None:
        raise AssertionError("decodes")

    monkeypatch.setattr(computing, "_compute_first", refuse)
    assert library.duplicates(fingerprint="spectral") == before
    assert library.catalogue.database.total_changes == changes


def test_the_order_of_adding_does_not_matter(library: Library, files: list[File], tmp_path: Path) -> None:
    with make_library(tmp_path, list(reversed(files))) as reversed_library:
        again, before = (one.duplicates(fingerprint="spectral") for one in (reversed_library, library))
    assert [names([file.path for file in group.files]) for group in again.same_recording] == [
        names([file.path for file in group.files]) for group in before.same_recording
    ]
    for pair, other in zip(again.unsure, before.unsure, strict=True):
        assert names(pair.paths) == names(other.paths)
        assert (pair.agreement, pair.offset, pair.reason) == (other.agreement, other.offset, other.reason)


def test_files_that_are_gone_are_unsure(base: npt.NDArray[np.float32], tmp_path: Path) -> None:
    files = [File("a.flac", base, 0), File("b.flac", base * 0.5, 1)]
    with make_library(tmp_path, files) as library:
        (tmp_path / "music" / "b.flac").unlink()
        result = library.duplicates(fingerprint="spectral")
        assert result.same_recording == []
        (pair,) = result.unsure
        assert (pair.agreement, pair.offset, pair.overlap) == (None, None, None)
        assert "no fingerprints" in pair.reason
        ((path, reason),) = [(failed.path, failed.reason) for failed in result.failed]
        assert (Path(path).name, reason) == ("b.flac", "the file no longer exists")
        write_file(tmp_path / "music", files[1])
        assert len(library.duplicates(fingerprint="spectral").same_recording) == 1


def test_titles_propose_what_vectors_do_not(base: npt.NDArray[np.float32], tmp_path: Path) -> None:
    files = [File("a.flac", base, 0, title="Fear"), File("b.flac", base / 2, 80, title="Fear", artist=None)]
    with make_library(tmp_path, files) as library:
        result = library.duplicates(fingerprint="spectral")
    (group,) = result.same_recording
    assert group.similarity == pytest.approx(np.cos(np.deg2rad(80)), abs=1e-4)
    assert result.other_versions == []


def test_chromaprints_are_confirmed(
    base: npt.NDArray[np.float32],
    other: npt.NDArray[np.float32],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Chromaprint that is the same for everything, as for a drone: the spectral fingerprints decide."""
    steps = np.random.default_rng(0).integers(1, 2**32, 220, dtype=np.uint32)
    drone = FingerprintMethod("chromaprint@2", CHROMAPRINT.hop, lambda source: steps)
    files = [File("a.flac", base, 0), File("b.flac", base / 2, 1), File("c.flac", other[: len(base)], 2)]
    with make_library(tmp_path, files) as library:
        result = find_duplicates(library.catalogue, space=SPACE, index=library._indexes.open(SPACE), method=drone)
    (group,) = result.same_recording
    assert names([file.path for file in group.files]) == ["a.flac", "b.flac"]
    assert [names(pair.paths) for pair in result.unsure] == [["b.flac", "c.flac"], ["a.flac", "c.flac"]]
    assert all("the spectral fingerprints do not" in pair.reason for pair in result.unsure)


def test_a_library_that_cannot_be_written_is_searched(
    base: npt.NDArray[np.float32], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise LibraryError("library.sqlite: is read-only")

    with make_library(tmp_path, [File("a.flac", base, 0), File("b.flac", base * 0.5, 1)]) as library:
        monkeypatch.setattr(FingerprintRepository, "write", refuse)
        monkeypatch.setattr(FingerprintRepository, "delete_unused", refuse)
        assert len(library.duplicates(fingerprint="spectral").same_recording) == 1
        assert not library.catalogue.fingerprints.has(content_hash(str(tmp_path / "music" / "a.flac")), SPECTRAL.id)
    assert [record.getMessage() for record in caplog.records] == [
        "library.sqlite: is read-only. The fingerprints are not stored; the next run computes them again"
    ]


def test_nothing_but_the_cache_is_changed(library: Library) -> None:
    tables = ("tracks", "files", "labels", "vectors", "changes", "removed_tracks")
    dump: Callable[[], list[object]] = lambda: [  # noqa: E731
        library.catalogue.database.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        for table in tables
    ]
    before = dump()
    library.duplicates(fingerprint="spectral")
    assert dump() == before


def test_fingerprints_survive_a_removal_and_go_with_its_record(base: npt.NDArray[np.float32], tmp_path: Path) -> None:
    files = [File("a.flac", base, 0), File("b.flac", base * 0.5, 1)]
    with make_library(tmp_path, files) as library:
        library.duplicates(fingerprint="spectral")
        stored = library.catalogue.fingerprints
        content = content_hash(str(tmp_path / "music" / "b.flac"))
        library.remove(tmp_path / "music" / "b.flac")
        assert library.duplicates(fingerprint="spectral").same_recording == []
        assert stored.has(content, SPECTRAL.id)
        library.undo()
        (tmp_path / "music" / "b.flac").unlink()
        assert len(library.duplicates(fingerprint="spectral").same_recording) == 1
        library.catalogue.database.execute("DELETE FROM tracks WHERE hash = ?", (content,))
        stored.delete_unused()
        assert not stored.has(content, SPECTRAL.id)


def test_csv_and_console(library: Library, tmp_path: Path) -> None:
    table = tmp_path / "duplicates.csv"
    arguments = ["-L", str(library.path), "duplicates", "--fingerprint", "spectral", "--csv", str(table)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    classes = [row["class"] for row in rows]
    assert classes == sorted(classes, key=["identical", "same recording", "unsure", "other version"].index)
    assert set(classes) == {"identical", "same recording", "unsure", "other version"}
    assert [Path(row["file"]).name for row in rows if row["class"] == "same recording"] == ["base.flac", "cut.ogg"]
    for line in (
        "byte-identical files",
        "same recording:",
        "better?",
        "unsure (similarity",
        "perhaps live (low confidence",
        "nothing was changed",
    ):
        assert line in result.stdout
    as_json = CliRunner().invoke(cli, [*arguments[:5], "--json"])
    document = json.loads(as_json.stdout)
    assert document == json.loads(json.dumps(results.to_dict(library.duplicates(fingerprint="spectral"))))
    assert document["fingerprint"] == "spectral@1"


def test_search_results_of_one_recording(
    base: npt.NDArray[np.float32], other: npt.NDArray[np.float32], tmp_path: Path
) -> None:
    files = [
        File("a.flac", base, 0),
        File("b.flac", base[3 * RATE :], 5),
        File("c.flac", other[: len(base)], 5),
        File("d.flac", base[: 12 * RATE], 5),
        File("e.flac", base * 0, 0),
        File("f.flac", base / 3, 25),
    ]
    with make_library(tmp_path, files) as library:
        tracks = {Path(track.path).name[0]: track for track in library.catalogue.tracks.all()}
        hits = [tracks[name] for name in "bcdef"]

        def find_same(space: str = SPACE) -> str:
            same = probably_same_recording(tracks["a"], hits, catalogue=library.catalogue, space=space)
            return "".join(name for name, is_same in zip("bcdef", same, strict=True) if is_same)

        assert find_same() == "bc", "by the vectors and the lengths alone"
        assert find_same("descriptors-librosa-v1-h10.0@1") == "", "similar vectors of other spaces say nothing"
        library.duplicates(fingerprint="spectral")
        assert find_same() == "bf", "by the fingerprints"
        assert find_same("descriptors-librosa-v1-h10.0@1") == "bf"
