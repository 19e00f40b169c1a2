"""Each kind of tag takes a genre and a tempo, and everything else in it stays."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import mutagen
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, TCON, TDRC, TIT2, TPE1, TXXX, TYER, UFID
from mutagen.mp4 import MP4, MP4Cover

from sonotheque.errors import AudioError
from sonotheque.metadata.file_tags import FileTags, read_tags
from sonotheque.metadata.tag_rewriting import decoded_digest
from sonotheque.metadata.writable_tags import WritableTags

PICTURE = b"\xff\xd8\xff\xe0 no real picture" * 50
KINDS = ("mp3.mp3", "wav16.wav", "aiff.aiff", "vorbis.ogg", "opus.opus", "flac.flac", "aac.m4a", "wma.wma")


def change(path: Path) -> None:
    """Write a genre and a tempo, and hold everything else to what it was."""
    tagged, before = WritableTags(str(path)), decoded_digest(str(path))
    others, streams = tagged.others(["genre", "tempo"]), tagged.streams()
    tagged.write({"genre": "Deep Funk", "tempo": "128"})
    again = WritableTags(str(path))
    assert (again.values("genre"), again.values("tempo")) == (["Deep Funk"], ["128"])
    assert (again.others(["genre", "tempo"]), again.streams(), decoded_digest(str(path))) == (others, streams, before)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(str.strip).filter(bool)


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(genre=texts, bpm=st.integers(1, 999))
def test_any_text_is_read_back(formats: dict[str, Path], name: str, genre: str, bpm: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(formats[name], folder)
        tagged = WritableTags(path)
        try:
            tagged.require("genre", genre)
        except AudioError as error:
            assert "ID3 takes the genre" in str(error)  # noqa: PT017
            assert TCON(text=[genre]).genres != [genre]
            return
        others = tagged.others(["genre", "tempo"])
        tagged.write({"genre": genre, "tempo": str(bpm)})
        again = WritableTags(path)
        assert (again.values("genre"), again.values("tempo")) == ([genre], [str(bpm)])
        assert again.others(["genre", "tempo"]) == others
        assert read_tags(path).genre == genre


def test_id3_keeps_its_version_and_all_else(tmp_path: Path, formats: dict[str, Path]) -> None:
    for version in (3, 4):
        path = Path(shutil.copy(formats["mp3.mp3"], tmp_path))
        tags = ID3()
        tags.add(TIT2(encoding=1, text=["Ein schönes 音"]))
        tags.add(TPE1(encoding=0, text=["One", "Two"]))
        tags.add(TYER(encoding=0, text=["1999"]) if version == 3 else TDRC(encoding=3, text=["1999-05-01"]))
        tags.add(COMM(encoding=1, lang="eng", desc="", text=["words"]))
        tags.add(TXXX(encoding=1, desc="replaygain_track_gain", text=["-6 dB"]))
        tags.add(UFID(owner="http://musicbrainz.org", data=b"an-id"))
        tags.add(APIC(encoding=0, mime="image/jpeg", type=3, desc="Cover", data=PICTURE))
        tags.save(path, v2_version=version, v23_sep=None, v1=2)
        change(path)
        tags = ID3(path, translate=False)
        assert tags.version == (2, version, 0)
        assert tags["APIC:Cover"].data == PICTURE
        assert tags["TPE1"].text == ["One", "Two"]
        assert ("TYER" in tags) == (version == 3)
        assert read_tags(path) == FileTags("Ein schönes 音", "One", None, "Deep Funk", "an-id")
        assert path.read_bytes()[-128:-125] == b"TAG"


def frame(name: str, content: bytes) -> bytes:
    size = len(content).to_bytes(4 if len(name) == 4 else 3, "big")
    return name.encode() + size + (b"\0\0" if len(name) == 4 else b"") + content


OLD = {
    "1": (b"", b"TAG" + b"Title".ljust(30, b"\0") + b"Artist".ljust(30, b"\0") + b"".ljust(64, b"\0") + b"\xff"),
    "2.2": (
        frame("TT2", b"\0Title")
        + frame("TP1", b"\0Artist")
        + frame("PIC", b"\0JPG\x03cover\0" + PICTURE)
        + frame("COM", b"\0engwhy\0because"),
        b"",
    ),
    "2.3": (
        frame("TIT2", b"\x03Title")  # UTF-8, which 2.3 does not have and taggers wrote all the same
        + frame("TPE1", b"\0Artist")
        + frame("IPLS", b"\0producer\0Bob\0")
        + frame("XYZZ", b"of another program"),
        b"",
    ),
}


@pytest.mark.parametrize("version", OLD)
def test_old_tags_survive(tmp_path: Path, formats: dict[str, Path], version: str) -> None:
    body, end = OLD[version]
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    header = b"ID3" + bytes([int(version[2:]), 0, 0]) + size if body else b""
    path = tmp_path / "old.mp3"
    path.write_bytes(header + body + formats["mp3.mp3"].read_bytes() + end)
    change(path)
    assert read_tags(path) == FileTags("Title", "Artist", None, "Deep Funk", None)
    tags = ID3(path, translate=False)
    assert tags.version == {"1": (2, 4, 0), "2.2": (2, 3, 0), "2.3": (2, 3, 0)}[version]
    if version == "1":
        assert path.read_bytes()[-128:-120] == b"TAGTitle"
    elif version == "2.2":
        assert (tags["APIC:cover"].data, tags["COMM:why:eng"].text) == (PICTURE, ["because"])
    else:
        assert tags["IPLS"].people == [["producer", "Bob"]]
        assert tags.unknown_frames == [frame("XYZZ", b"of another program")]


def test_pictures_and_other_tags_of_other_kinds_survive(tmp_path: Path, formats: dict[str, Path]) -> None:
    flac, m4a = (Path(shutil.copy(formats[name], tmp_path)) for name in ("flac.flac", "aac.m4a"))
    picture = Picture()
    picture.data, picture.type, picture.mime = PICTURE, 3, "image/jpeg"
    one: Any = FLAC(flac)
    one.add_picture(picture)
    one["title"], one["lyrics"] = "Über", "words\nand words"
    one.save()
    two: Any = MP4(m4a)
    two["covr"], two["\xa9nam"] = [MP4Cover(PICTURE)], ["Über"]
    two["----:com.apple.iTunes:MusicBrainz Track Id"] = [b"an-id"]
    two.save()
    change(flac)
    change(m4a)
    one, two = FLAC(flac), MP4(m4a)
    assert (one.pictures[0].data, one["title"], one["lyrics"]) == (PICTURE, ["Über"], ["words\nand words"])
    assert (bytes(two["covr"][0]), two["tmpo"]) == (PICTURE, [128])
    assert read_tags(m4a) == FileTags("Über", None, None, "Deep Funk", "an-id")


def test_names_in_wav_and_aiff_are_read(tmp_path: Path, formats: dict[str, Path]) -> None:
    for name in ("wav16.wav", "aiff.aiff"):
        path = Path(shutil.copy(formats[name], tmp_path))
        tagged: Any = mutagen.File(path)
        tagged.add_tags()
        for frame in (TIT2(text=["Tïtle"]), TPE1(text=["Artist"]), TCON(text=["(17)"])):
            tagged.tags.add(frame)
        tagged.save()
        assert read_tags(path) == FileTags("Tïtle", "Artist", None, "Rock", None)
