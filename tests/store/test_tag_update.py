"""Only the requested tags of a file change, and the catalogue is updated without embedding the file again."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from conftest import encode, tone
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


def add_tracks(catalogue: Catalogue, *paths: Path) -> None:
    """Add files to the catalogue without vectors. Files with the same bytes become one track."""
    for path in paths:
        extraction = Extraction(3.0, 44_100, 2, False, None, read_tags(path), {})
        catalogue.store_extraction(content_hash(str(path)), {str(path): FileStamp.of(str(path))}, extraction)


def tag_requests(catalogue: Catalogue, genre: str | None = "Deep Funk", bpm: int | None = 128) -> list[TagRequest]:
    return [TagRequest(track, genre, bpm) for track in catalogue.tracks.all()]


def changes_of(result: TaggingResult) -> set[tuple[str, str, str | None, str]]:
    return {(Path(change.path).name, change.field, change.before, change.after) for change in result.changes}


def has_no_temporary_files(folder: Path) -> bool:
    return not [path for path in folder.iterdir() if path.name.startswith(".")]


def genre_and_tempo(path: Path) -> tuple[list[str], list[str]]:
    tags = WritableTags(str(path))
    return tags.values("genre"), tags.values("tempo")


def test_every_format_with_tags_can_be_written(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    files = {name: Path(shutil.copy(path, folder / name)) for name, path in formats.items()}
    add_tracks(catalogue, *files.values())
    digests = {name: decoded_digest(str(path)) for name, path in files.items()}
    before = {name: path.read_bytes() for name, path in files.items()}
    planned = plan_tags(catalogue, tag_requests(catalogue))
    assert (planned.written, planned.dry_run) == (0, True)
    assert {name: path.read_bytes() for name, path in files.items()} == before
    written = write_tags(catalogue, tag_requests(catalogue))
    assert written.changes == planned.changes
    assert [(Path(failure.path).name, failure.reason) for failure in written.failed] == [
        ("raw.aac", "its format has no tags that can be written")
    ]
    assert written.failed == planned.failed
    assert written.written == len(files) - 1
    for name, path in files.items():
        assert decoded_digest(str(path)) == digests[name]
        if name not in WITHOUT_TAGS:
            assert genre_and_tempo(path) == (["Deep Funk"], ["128"]), name
            assert read_tags(path).genre == "Deep Funk"
            assert path.read_bytes() != before[name]
    assert (folder / "raw.aac").read_bytes() == before["raw.aac"]
    assert has_no_temporary_files(folder)
    assert {track.genre for track in catalogue.tracks.all() if not track.path.endswith(".aac")} == {"Deep Funk"}
    assert all(track.hash == content_hash(track.path) for track in catalogue.tracks.all())
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())
    repeated = write_tags(catalogue, tag_requests(catalogue))
    assert (repeated.changes, repeated.written, repeated.kept) == ([], 0, 0)


def test_existing_values_are_kept_unless_overwrite_is_set(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path]
) -> None:
    flac, mp3 = (Path(shutil.copy(formats[name], folder)) for name in ("flac.flac", "mp3.mp3"))
    tags: Any = FLAC(flac)
    tags["genre"], tags["BPM"] = ["Rock", "Blues"], "99"
    tags.save()
    WritableTags(str(mp3)).write({"genre": "Deep Funk", "tempo": "0"})
    add_tracks(catalogue, flac, mp3)
    result = write_tags(catalogue, tag_requests(catalogue))
    assert changes_of(result) == {
        ("mp3.mp3", "tempo", None, "128")
    }  # the genre is equal, and a tempo of 0 counts as none
    assert (result.kept, result.written) == (2, 1)
    assert genre_and_tempo(flac) == (["Rock", "Blues"], ["99"])
    result = write_tags(catalogue, tag_requests(catalogue, bpm=None), overwrite=True)
    assert changes_of(result) == {("flac.flac", "genre", "Rock; Blues", "Deep Funk")}
    assert genre_and_tempo(flac) == (["Deep Funk"], ["99"])
    tags = FLAC(flac)
    tags["bpm"] = "128.2"
    tags.save()
    add_tracks(catalogue, flac)
    assert write_tags(catalogue, tag_requests(catalogue), overwrite=True).changes == []  # 128.2 rounds to 128


def test_truncated_files_do_not_gain_samples(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    for name in ("wav16.wav", "aiff.aiff", "flac.flac", "vorbis.ogg"):
        content = formats[name].read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    add_tracks(catalogue, *folder.iterdir())
    before = {path.name: (path.read_bytes(), decoded_digest(str(path))) for path in folder.iterdir()}
    result = write_tags(catalogue, tag_requests(catalogue))
    failed = {Path(failure.path).name for failure in result.failed}
    assert failed == {"wav16.wav", "aiff.aiff"}  # a tag chunk after truncated samples would be decoded as samples
    for name, (content, digest) in before.items():
        assert decoded_digest(str(folder / name)) == digest
        assert ((folder / name).read_bytes() == content) == (name in {"wav16.wav", "aiff.aiff"})


def test_a_numeric_genre_cannot_be_stored_in_id3(catalogue: Catalogue, folder: Path, formats: dict[str, Path]) -> None:
    add_tracks(
        catalogue, Path(shutil.copy(formats["mp3.mp3"], folder)), Path(shutil.copy(formats["flac.flac"], folder))
    )
    before = (folder / "mp3.mp3").read_bytes()
    for result in (
        plan_tags(catalogue, tag_requests(catalogue, "17")),
        write_tags(catalogue, tag_requests(catalogue, "17")),
    ):
        assert [failure.reason for failure in result.failed] == [
            "ID3 reads the genre '17' as 'Rock'; give the genres names with --ids"
        ]
    assert (folder / "mp3.mp3").read_bytes() == before
    assert genre_and_tempo(folder / "flac.flac")[0] == ["17"]


def test_written_files_are_not_embedded_again(tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copy(clips / "metal.ogg", clips / "copy.ogg")
    caplog.set_level(logging.INFO, logger="sonotheque")
    with Library(tmp_path / "library") as library:
        library.add(clips, labels="folder", embedders=["musicnn"])
        status, vectors = library.status(), library.catalogue.vectors.matrix("musicnn-msd-penultimate-h3.0@1")
        similar = [(track.path, track.similarity) for track in library.similar("metal.ogg").results]
        result = write_tags(library.catalogue, tag_requests(library.catalogue), overwrite=True)
        assert (result.written, result.failed) == (4, [])
        assert len({content_hash(str(clips / name)) for name in ("metal.ogg", "copy.ogg")}) == 1
        caplog.clear()
        assert library.add(clips) == status
        assert "4 files already known" in caplog.text
        ids, matrix = library.catalogue.vectors.matrix("musicnn-msd-penultimate-h3.0@1")
        assert {int(id_): row.tobytes() for id_, row in zip(ids, matrix, strict=True)} == {
            int(id_): row.tobytes() for id_, row in zip(*vectors, strict=True)
        }
        assert [(track.path, track.similarity) for track in library.similar("metal.ogg").results] == similar
        assert {track.genre for track in library.catalogue.tracks.all()} == {"Deep Funk"}


def test_symbolic_links_stay_and_hard_links_are_broken(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path]
) -> None:
    (folder / "elsewhere").mkdir()
    real = Path(shutil.copy(formats["flac.flac"], folder / "elsewhere" / "real.flac"))
    link = folder / "a link.flac"
    link.symlink_to(real)
    hard = folder / "hard.flac"
    os.link(real, hard)
    add_tracks(catalogue, real, link, hard)
    result = write_tags(catalogue, tag_requests(catalogue, bpm=None))
    assert changes_of(result) == {("real.flac", "genre", None, "Deep Funk"), ("hard.flac", "genre", None, "Deep Funk")}
    assert link.is_symlink()
    assert genre_and_tempo(link) == genre_and_tempo(hard) == (["Deep Funk"], [])
    assert (real.stat().st_nlink, hard.stat().st_nlink) == (1, 1)
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())


def test_permissions_stay_and_read_only_files_are_not_changed(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path]
) -> None:
    writable, read_only = (Path(shutil.copy(formats[name], folder)) for name in ("flac.flac", "mp3.mp3"))
    writable.chmod(0o640)
    read_only.chmod(0o444)
    add_tracks(catalogue, writable, read_only)
    planned = plan_tags(catalogue, tag_requests(catalogue))
    result = write_tags(catalogue, tag_requests(catalogue))
    assert {change.path for change in planned.changes} == {str(writable)}
    assert planned.failed == result.failed
    assert [failure.reason for failure in result.failed] == ["is read-only; make it writable first"]
    assert writable.stat().st_mode & 0o777 == 0o640
    assert genre_and_tempo(writable)[0] == ["Deep Funk"]


def test_files_changed_since_they_were_added_are_not_written(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path]
) -> None:
    names = ("flac.flac", "mp3.mp3", "vorbis.ogg", "aac.m4a")
    changed, gone, touched, damaged = (Path(shutil.copy(formats[name], folder)) for name in names)
    add_tracks(catalogue, changed, gone, touched, damaged)
    sf.write(changed, tone(2), 44_100)
    gone.unlink()
    os.utime(touched, (1, 1))
    damaged.write_bytes(damaged.read_bytes()[:1000])
    add_tracks(catalogue, damaged)
    before = changed.read_bytes(), damaged.read_bytes()
    result = write_tags(catalogue, tag_requests(catalogue))
    assert {Path(failure.path).name: failure.reason for failure in result.failed} == {
        "flac.flac": "has changed since it was added; `sonotheque add` it again first",
        "mp3.mp3": "no such file; `sonotheque remove --missing` removes it from the library",
        "aac.m4a": "its tags cannot be read (not a MP4 file)",
    }
    assert (changed.read_bytes(), damaged.read_bytes()) == before
    assert genre_and_tempo(touched)[0] == ["Deep Funk"]


def test_a_copy_that_fails_verification_does_not_replace_the_file(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(formats["wav16.wav"], folder))
    add_tracks(catalogue, path)
    before, known = path.read_bytes(), catalogue.tracks.all()
    save = WritableTags.write

    def write_other_audio(self: WritableTags, fields: dict[str, str]) -> None:
        samples, rate = sf.read(self._path, dtype="int16")
        sf.write(self._path, np.roll(samples, 1), rate, format="WAV", subtype="PCM_16")
        save(WritableTags(self._path), fields)

    def write_other_tags(self: WritableTags, fields: dict[str, str]) -> None:
        self._file.tags.add(TIT2(text=["other"]))
        save(self, fields)

    def write_other_genre(self: WritableTags, fields: dict[str, str]) -> None:
        save(self, {**fields, "genre": "Polka"})

    for write, reason in (
        (write_other_audio, "its audio would change; the file is left as it is"),
        (write_other_tags, "its other tags would change; the file is left as it is"),
        (write_other_genre, "its tags cannot hold the genre 'Deep Funk'; they would hold Polka"),
    ):
        monkeypatch.setattr(WritableTags, "write", write)
        result = write_tags(catalogue, tag_requests(catalogue))
        assert ([failure.reason for failure in result.failed], result.written, result.changes) == ([reason], 0, [])
        assert (path.read_bytes(), catalogue.tracks.all()) == (before, known)
        assert has_no_temporary_files(folder)


def test_a_full_disk_and_a_concurrent_change(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(formats["flac.flac"], folder))
    add_tracks(catalogue, path)
    before = path.read_bytes()

    def replace_on_full_disk(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_on_full_disk)
        result = write_tags(catalogue, tag_requests(catalogue))
    assert [failure.reason for failure in result.failed] == ["cannot be written (No space left on device)"]
    assert (path.read_bytes(), has_no_temporary_files(folder)) == (before, True)
    original = tag_rewriting.decoded_digest

    def digest_during_change(file: str) -> str:
        os.utime(path, (1, 1))
        return original(file)

    with monkeypatch.context() as patch:
        patch.setattr(tag_rewriting, "decoded_digest", digest_during_change)
        result = write_tags(catalogue, tag_requests(catalogue))
    assert [failure.reason for failure in result.failed] == [
        "was changed by another program in the meantime; try again"
    ]
    assert (path.read_bytes(), has_no_temporary_files(folder)) == (before, True)


def test_the_track_follows_the_duplicates_that_were_written(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (Path(shutil.copy(formats["flac.flac"], folder / f"{name}.flac")) for name in "abc")
    add_tracks(catalogue, first, second, third)
    replace = os.replace

    def replace_except_second(source: str, target: str) -> None:
        if target.endswith("b.flac"):
            raise PermissionError(13, "Permission denied")
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_except_second)
        result = write_tags(catalogue, tag_requests(catalogue))
    assert [Path(failure.path).name for failure in result.failed] == ["b.flac"]
    assert result.written == 2
    hashes = [content_hash(str(path)) for path in (first, second, third)]
    assert hashes[0] == hashes[2] == catalogue.tracks.all()[0].hash != hashes[1]
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())
    assert write_tags(catalogue, tag_requests(catalogue)).written == 1  # the second duplicate
    assert content_hash(str(second)) == catalogue.tracks.all()[0].hash


@pytest.mark.parametrize("after_replace", [False, True])
def test_ctrl_c_between_two_files_keeps_the_catalogue_consistent(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], monkeypatch: pytest.MonkeyPatch, after_replace: bool
) -> None:
    names = ("aac.m4a", "flac.flac", "mp3.mp3")
    paths = [Path(shutil.copy(formats[name], folder)) for name in names]
    add_tracks(catalogue, *paths)
    replace = os.replace

    def interrupted_replace(source: str, target: str) -> None:
        if target.endswith("flac.flac") and not after_replace:
            raise KeyboardInterrupt
        replace(source, target)
        if target.endswith("flac.flac"):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted_replace)
    with pytest.raises(KeyboardInterrupt):
        write_tags(catalogue, tag_requests(catalogue))
    assert has_no_temporary_files(folder)
    assert [bool(genre_and_tempo(path)[0]) for path in paths] == [True, after_replace, False]
    assert all(FileStamp.of(path) == stamp for path, (stamp, _) in catalogue.files.all().items())
    assert all(track.hash == content_hash(track.path) for track in catalogue.tracks.all())


def test_a_file_that_becomes_a_duplicate_is_reported(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], caplog: pytest.LogCaptureFixture
) -> None:
    plain, tagged = (Path(shutil.copy(formats["flac.flac"], folder / name)) for name in ("a.flac", "b.flac"))
    WritableTags(str(tagged)).write({"genre": "Deep Funk"})
    add_tracks(catalogue, plain, tagged)
    known = catalogue.tracks.all()
    assert write_tags(catalogue, tag_requests(catalogue, bpm=None)).written == 1
    assert plain.read_bytes() == tagged.read_bytes()
    assert catalogue.tracks.all() == known
    assert "a.flac is now a duplicate of another track; `sonotheque add` it again to merge the two" in caplog.text


def refused_files(folder: Path, formats: dict[str, Path]) -> dict[str, Path]:
    """Files that cannot be written for different reasons, and some that can although they are unusual."""
    wav = formats["wav16.wav"].read_bytes()
    data = wav.index(b"data") + 4
    contents = {
        "unknown-0.wav": wav[:data] + bytes(4) + wav[data + 4 :],
        "unknown-1.wav": wav[:4] + b"\xff" * 4 + wav[8:data] + b"\xff" * 4 + wav[data + 4 :],
        "truncated.wav": wav[: len(wav) // 2],
        "chained.ogg": formats["vorbis.ogg"].read_bytes() * 2,
        "joined.wav": wav * 2,
        "padded.mp3": bytes(70_000) + formats["mp3.mp3"].read_bytes(),
        "id3.aac": b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + formats["raw.aac"].read_bytes(),
        "raw.aac": formats["raw.aac"].read_bytes(),
        "read-only.flac": formats["flac.flac"].read_bytes(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "read-only.flac").chmod(0o444)
    encode(folder / "mp3-in.wav", "libmp3lame", tone(1.0))
    encode(folder / "fragmented.mp4", "aac", tone(1.0), options={"movflags": "frag_keyframe+empty_moov"})
    return {path.name: path for path in folder.iterdir()}


def test_a_dry_run_refuses_what_would_not_be_written(
    catalogue: Catalogue, folder: Path, formats: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = refused_files(folder, formats)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    add_tracks(catalogue, *files.values())
    before = {name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in files.items()}
    mtime = folder.stat().st_mtime_ns
    done: list[tuple[int, int]] = []
    planned = plan_tags(catalogue, tag_requests(catalogue), progress=lambda *counts: done.append(counts))
    assert {name: (path.read_bytes(), path.stat().st_mtime_ns) for name, path in files.items()} == before
    assert (folder.stat().st_mtime_ns, list(temporary.iterdir()), done[-1]) == (mtime, [], (len(files), len(files)))
    written = write_tags(catalogue, tag_requests(catalogue))
    assert (planned.changes, planned.kept, planned.failed) == (written.changes, written.kept, written.failed)
    reasons = {Path(failure.path).name: failure.reason for failure in planned.failed}
    assert reasons.keys() >= {"unknown-0.wav", "unknown-1.wav", "truncated.wav", "read-only.flac", "raw.aac"}
    assert reasons["unknown-0.wav"] == reasons["unknown-1.wav"]
    assert reasons["unknown-0.wav"] == "its header does not state its length; save it again with an audio editor first"
    assert reasons["read-only.flac"] == "is read-only; make it writable first"
    for name in reasons:
        assert files[name].read_bytes() == before[name][0]


def test_a_dry_run_without_room_for_copies(
    catalogue: Catalogue,
    folder: Path,
    formats: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = Path(shutil.copy(formats["flac.flac"], folder))
    add_tracks(catalogue, path)

    def copy_to_full_disk(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", copy_to_full_disk)
        planned = plan_tags(catalogue, tag_requests(catalogue))
    assert (len(planned.changes), planned.failed) == (2, [])
    assert f"{path}: not checked, since " in caplog.text
