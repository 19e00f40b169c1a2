"""Writing a file's own tags: what is asked for changes, and nothing else does; the library follows without listening again."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from conftest import tone
from mutagen.flac import FLAC
from mutagen.id3 import TIT2

from sonotheque import Library
from sonotheque.extract import Extraction
from sonotheque.extract.file_identity import FileStamp, content_hash
from sonotheque.metadata import tag_rewriting
from sonotheque.metadata.file_tags import read_tags
from sonotheque.metadata.tag_rewriting import decoded_digest
from sonotheque.metadata.writable_tags import WritableTags
from sonotheque.results import TaggingResult
from sonotheque.store import Catalogue
from sonotheque.store.tag_update import TagRequest, plan_tags, write_tags

WITHOUT_TAGS = {"raw.aac"}


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue(tmp_path / "library.sqlite") as catalogue:
        yield catalogue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


def note(catalogue: Catalogue, *paths: Path) -> None:
    """Put files into the catalogue as if they had been listened to; those with the same bytes are one track."""
    for path in paths:
        heard = Extraction(3.0, 44_100, 2, False, None, read_tags(path), {})
        catalogue.store_extraction(content_hash(str(path)), {str(path): FileStamp.of(str(path))}, heard)


def wish(catalogue: Catalogue, genre: str | None = "Deep Funk", bpm: int | None = 128) -> list[TagRequest]:
    return [TagRequest(track, genre, bpm) for track in catalogue.tracks.all()]


def changes(result: TaggingResult) -> set[tuple[str, str, str | None, str]]:
    return {(Path(change.path).name, change.field, change.before, change.after) for change in result.changes}


def alone(folder: Path) -> bool:
    """Whether no temporary file is left."""
    return not [path for path in folder.iterdir() if path.name.startswith(".")]


def held(path: Path) -> tuple[list[str], list[str]]:
    tagged = WritableTags(str(path))
    return tagged.values("genre"), tagged.values("tempo")


def test_every_format(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    files = {name: Path(shutil.copy(path, folder / name)) for name, path in formats.items()}
    note(catalogue, *files.values())
    sounds = {name: decoded_digest(str(path)) for name, path in files.items()}
    before = {name: path.read_bytes() for name, path in files.items()}
    planned = plan_tags(catalogue, wish(catalogue))
    assert (planned.written, planned.dry_run) == (0, True)
    assert {name: path.read_bytes() for name, path in files.items()} == before
    written = write_tags(catalogue, wish(catalogue))
    assert written.changes == planned.changes
    assert [(Path(one.path).name, one.reason) for one in written.failed] == [
        ("raw.aac", "has no tags that can be written")
    ]
    assert written.failed == planned.failed
    assert written.written == len(files) - 1
    for name, path in files.items():
        assert decoded_digest(str(path)) == sounds[name]
        if name not in WITHOUT_TAGS:
            assert held(path) == (["Deep Funk"], ["128"]), name
            assert read_tags(path).genre == "Deep Funk"
            assert path.read_bytes() != before[name]
    assert (folder / "raw.aac").read_bytes() == before["raw.aac"]
    assert alone(folder)
    assert {track.genre for track in catalogue.tracks.all() if not track.path.endswith(".aac")} == {"Deep Funk"}
    assert all(track.hash == content_hash(track.path) for track in catalogue.tracks.all())
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())
    again = write_tags(catalogue, wish(catalogue))
    assert (again.changes, again.written, again.kept) == ([], 0, 0)


def test_what_is_there_is_kept_unless_told_otherwise(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path]
) -> None:
    flac, mp3 = (Path(shutil.copy(formats[name], folder)) for name in ("flac.flac", "mp3.mp3"))
    tags: Any = FLAC(flac)
    tags["genre"], tags["BPM"] = ["Rock", "Blues"], "99"
    tags.save()
    WritableTags(str(mp3)).write({"genre": "Deep Funk", "tempo": "0"})
    note(catalogue, flac, mp3)
    result = write_tags(catalogue, wish(catalogue))
    assert changes(result) == {("mp3.mp3", "tempo", None, "128")}  # the genre is equal, and 0 is no tempo
    assert (result.kept, result.written) == (2, 1)
    assert held(flac) == (["Rock", "Blues"], ["99"])
    result = write_tags(catalogue, wish(catalogue, bpm=None), overwrite=True)
    assert changes(result) == {("flac.flac", "genre", "Rock; Blues", "Deep Funk")}
    assert held(flac) == (["Deep Funk"], ["99"])
    tags = FLAC(flac)
    tags["bpm"] = "128.2"
    tags.save()
    note(catalogue, flac)
    assert write_tags(catalogue, wish(catalogue), overwrite=True).changes == []  # what rounds to it is equal


def test_a_cut_file_gains_no_sound(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    for name in ("wav16.wav", "aiff.aiff", "flac.flac", "vorbis.ogg"):
        content = formats[name].read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    note(catalogue, *folder.iterdir())
    before = {path.name: (path.read_bytes(), decoded_digest(str(path))) for path in folder.iterdir()}
    result = write_tags(catalogue, wish(catalogue))
    assert {Path(one.path).name for one in result.failed} == {
        "wav16.wav",
        "aiff.aiff",
    }  # a chunk behind a cut one is sound
    for name, (content, heard) in before.items():
        assert decoded_digest(str(folder / name)) == heard
        assert ((folder / name).read_bytes() == content) == (name in {"wav16.wav", "aiff.aiff"})


def test_a_genre_that_id3_cannot_hold(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    note(catalogue, Path(shutil.copy(formats["mp3.mp3"], folder)), Path(shutil.copy(formats["flac.flac"], folder)))
    before = (folder / "mp3.mp3").read_bytes()
    for result in (plan_tags(catalogue, wish(catalogue, "17")), write_tags(catalogue, wish(catalogue, "17"))):
        assert [one.reason for one in result.failed] == [
            "ID3 takes the genre '17' for 'Rock'; give genres names (--ids)"
        ]
    assert (folder / "mp3.mp3").read_bytes() == before
    assert held(folder / "flac.flac")[0] == ["17"]


def test_nothing_is_listened_to_again(tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copy(clips / "metal.ogg", clips / "copy.ogg")
    caplog.set_level(logging.INFO, logger="sonotheque")
    with Library(tmp_path / "library") as library:
        library.add(clips, labels="folder", embedders=["musicnn"])
        status, vectors = library.status(), library.catalogue.vectors.matrix("musicnn-msd-penultimate-h3.0@1")
        near = library.similar("metal.ogg").results
        result = write_tags(library.catalogue, wish(library.catalogue), overwrite=True)
        assert (result.written, result.failed) == (4, [])
        assert len({content_hash(str(clips / name)) for name in ("metal.ogg", "copy.ogg")}) == 1
        caplog.clear()
        assert library.add(clips) == status
        assert "0 listened to, 0 found at a new place, 4 known already, 0 failed" in caplog.text
        ids, matrix = library.catalogue.vectors.matrix("musicnn-msd-penultimate-h3.0@1")
        assert {int(id_): row.tobytes() for id_, row in zip(ids, matrix, strict=True)} == {
            int(id_): row.tobytes() for id_, row in zip(*vectors, strict=True)
        }
        assert library.similar("metal.ogg").results == near
        assert {track.genre for track in library.catalogue.tracks.all()} == {"Deep Funk"}


def test_links(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    (folder / "elsewhere").mkdir()
    real = Path(shutil.copy(formats["flac.flac"], folder / "elsewhere" / "real.flac"))
    link = folder / "a link.flac"
    link.symlink_to(real)
    hard = folder / "hard.flac"
    os.link(real, hard)
    note(catalogue, real, link, hard)
    result = write_tags(catalogue, wish(catalogue, bpm=None))
    assert changes(result) == {("real.flac", "genre", None, "Deep Funk"), ("hard.flac", "genre", None, "Deep Funk")}
    assert link.is_symlink()
    assert held(link) == held(hard) == (["Deep Funk"], [])
    assert (real.stat().st_nlink, hard.stat().st_nlink) == (1, 1)
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())


def test_permissions_stay_and_read_only_is_respected(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path]
) -> None:
    open_, closed = Path(shutil.copy(formats["flac.flac"], folder)), Path(shutil.copy(formats["mp3.mp3"], folder))
    open_.chmod(0o640)
    closed.chmod(0o444)
    note(catalogue, open_, closed)
    planned = plan_tags(catalogue, wish(catalogue))
    assert {change.path for change in planned.changes} == {str(open_), str(closed)}
    result = write_tags(catalogue, wish(catalogue))
    assert [one.reason for one in result.failed] == ["may only be read; allow writing to it first"]
    assert open_.stat().st_mode & 0o777 == 0o640
    assert held(open_)[0] == ["Deep Funk"]


def test_what_is_not_the_known_file_is_left_alone(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    names = ("flac.flac", "mp3.mp3", "vorbis.ogg", "aac.m4a")
    changed, gone, touched, damaged = (Path(shutil.copy(formats[name], folder)) for name in names)
    note(catalogue, changed, gone, touched, damaged)
    sf.write(changed, tone(2), 44_100)
    gone.unlink()
    os.utime(touched, (1, 1))
    damaged.write_bytes(damaged.read_bytes()[:1000])
    note(catalogue, damaged)
    before = changed.read_bytes(), damaged.read_bytes()
    result = write_tags(catalogue, wish(catalogue))
    assert {Path(one.path).name: one.reason for one in result.failed} == {
        "flac.flac": "has changed since it was added; `sonotheque add` it again first",
        "mp3.mp3": "no such file; `sonotheque remove --missing` forgets it",
        "aac.m4a": "its tags cannot be read (not a MP4 file)",
    }
    assert (changed.read_bytes(), damaged.read_bytes()) == before
    assert held(touched)[0] == ["Deep Funk"]


def test_a_copy_that_differs_is_not_put_in_place(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(formats["wav16.wav"], folder))
    note(catalogue, path)
    before, known = path.read_bytes(), catalogue.tracks.all()
    save = WritableTags.write

    def louder(self: WritableTags, fields: dict[str, str]) -> None:
        samples, rate = sf.read(self._path, dtype="int16")
        sf.write(self._path, np.roll(samples, 1), rate, format="WAV", subtype="PCM_16")
        save(WritableTags(self._path), fields)

    def forgetful(self: WritableTags, fields: dict[str, str]) -> None:
        self._file.tags.add(TIT2(text=["other"]))
        save(self, fields)

    def deaf(self: WritableTags, fields: dict[str, str]) -> None:
        save(self, {**fields, "genre": "Polka"})

    for write, reason in (
        (louder, "it would not sound the same; it is left alone"),
        (forgetful, "its other tags would not survive; it is left alone"),
        (deaf, "its tags would not hold the genre 'Deep Funk', but Polka"),
    ):
        monkeypatch.setattr(WritableTags, "write", write)
        result = write_tags(catalogue, wish(catalogue))
        assert ([one.reason for one in result.failed], result.written, result.changes) == ([reason], 0, [])
        assert (path.read_bytes(), catalogue.tracks.all()) == (before, known)
        assert alone(folder)


def test_a_failing_disk_and_a_hurried_program(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(formats["flac.flac"], folder))
    note(catalogue, path)
    before = path.read_bytes()

    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        result = write_tags(catalogue, wish(catalogue))
    assert [one.reason for one in result.failed] == ["cannot be written (No space left on device)"]
    assert (path.read_bytes(), alone(folder)) == (before, True)
    original = tag_rewriting.decoded_digest

    def meanwhile(file: str) -> str:
        os.utime(path, (1, 1))
        return original(file)

    with monkeypatch.context() as patch:
        patch.setattr(tag_rewriting, "decoded_digest", meanwhile)
        result = write_tags(catalogue, wish(catalogue))
    assert [one.reason for one in result.failed] == ["was changed by another program just now; try again"]
    assert (path.read_bytes(), alone(folder)) == (before, True)


def test_of_copies_the_written_ones_decide(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two, three = (Path(shutil.copy(formats["flac.flac"], folder / f"{name}.flac")) for name in "abc")
    note(catalogue, one, two, three)
    replace = os.replace

    def stubborn(source: str, target: str) -> None:
        if target.endswith("b.flac"):
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stubborn)
        result = write_tags(catalogue, wish(catalogue))
    assert [Path(failure.path).name for failure in result.failed] == ["b.flac"]
    assert result.written == 2
    assert (
        content_hash(str(one)) == content_hash(str(three)) == catalogue.tracks.all()[0].hash != content_hash(str(two))
    )
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())
    assert write_tags(catalogue, wish(catalogue)).written == 1  # later the other one follows
    assert content_hash(str(two)) == catalogue.tracks.all()[0].hash


@pytest.mark.parametrize("late", [False, True])
def test_ctrl_c_between_two_files(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    names = ("aac.m4a", "flac.flac", "mp3.mp3")
    paths = [Path(shutil.copy(formats[name], folder)) for name in names]
    note(catalogue, *paths)
    replace = os.replace

    def interrupted(source: str, target: str) -> None:
        if target.endswith("flac.flac") and not late:
            raise KeyboardInterrupt
        replace(source, target)
        if target.endswith("flac.flac"):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tags(catalogue, wish(catalogue))
    assert alone(folder)
    assert [bool(held(path)[0]) for path in paths] == [True, late, False]
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())
    assert all(track.hash == content_hash(track.path) for track in catalogue.tracks.all())


def test_becoming_a_copy_of_another_track_is_said(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    plain, tagged = (Path(shutil.copy(formats["flac.flac"], folder / name)) for name in ("a.flac", "b.flac"))
    WritableTags(str(tagged)).write({"genre": "Deep Funk"})
    note(catalogue, plain, tagged)
    known = catalogue.tracks.all()
    assert write_tags(catalogue, wish(catalogue, bpm=None)).written == 1
    assert plain.read_bytes() == tagged.read_bytes()
    assert catalogue.tracks.all() == known
    assert "a.flac is now a copy of another track; `sonotheque add` it again to join the two" in caplog.text
