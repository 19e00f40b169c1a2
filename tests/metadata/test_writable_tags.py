"""Genre and tempo can be written to every tag format, and all other tags stay unchanged."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, TDRC, TIT2, TPE1, TXXX, TYER, UFID
from mutagen.mp4 import MP4, MP4Cover

from sonotheque.errors import AudioError
from sonotheque.metadata.file_tags import FileTags, read_tags
from sonotheque.metadata.genre_tags import resolve_numbers, split_genres
from sonotheque.metadata.tag_rewriting import decoded_digest
from sonotheque.metadata.writable_tags import WritableTags

PICTURE = b"\xff\xd8\xff\xe0 not a real picture" * 50
FORMATS = ("mp3.mp3", "wav16.wav", "aiff.aiff", "vorbis.ogg", "opus.opus", "flac.flac", "aac.m4a", "wma.wma")


def write_genre_and_tempo(path: Path) -> None:
    """Write a genre and a tempo, and check that nothing else has changed."""
    tags, audio = WritableTags(str(path)), decoded_digest(str(path))
    other_tags, streams = tags.other_tags(["genre", "tempo"]), tags.stream_digest()
    tags.write({"genre": "Deep Funk", "tempo": "128"})
    written = WritableTags(str(path))
    assert (written.values("genre"), written.values("tempo")) == (["Deep Funk"], ["128"])
    assert written.other_tags(["genre", "tempo"]) == other_tags
    assert (written.stream_digest(), decoded_digest(str(path))) == (streams, audio)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30).map(str.strip).filter(bool)


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(genre=texts, bpm=st.integers(1, 999))
def test_any_text_is_read_back_unchanged(formats: dict[str, Path], name: str, genre: str, bpm: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = shutil.copy(formats[name], folder)
        tags = WritableTags(path)
        try:
            tags.require_storable("genre", genre)
        except AudioError as error:
            assert "ID3 reads the genre" in str(error)  # noqa: PT017
            assert resolve_numbers([genre], id3=True) != [genre]
            return
        other_tags = tags.other_tags(["genre", "tempo"])
        tags.write({"genre": genre, "tempo": str(bpm)})
        written = WritableTags(path)
        assert (written.values("genre"), written.values("tempo")) == ([genre], [str(bpm)])
        assert written.other_tags(["genre", "tempo"]) == other_tags
        assert read_tags(path).genres == tuple(split_genres(resolve_numbers([genre], id3=False)))


def test_id3_version_and_other_frames_are_preserved(tmp_path: Path, formats: dict[str, Path]) -> None:
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
        write_genre_and_tempo(path)
        tags = ID3(path, translate=False)
        assert tags.version == (2, version, 0)
        assert tags["APIC:Cover"].data == PICTURE
        assert tags["TPE1"].text == ["One", "Two"]
        assert ("TYER" in tags) == (version == 3)
        assert read_tags(path) == FileTags("Ein schönes 音", "One", None, "Deep Funk", "an-id", 1999)
        assert path.read_bytes()[-128:-125] == b"TAG"


def make_frame(name: str, content: bytes) -> bytes:
    """Encode an ID3 frame; names of ID3v2.2 frames have three characters."""
    size = len(content).to_bytes(4 if len(name) == 4 else 3, "big")
    return name.encode() + size + (b"\0\0" if len(name) == 4 else b"") + content


OLD_TAGS = {
    "1": (b"", b"TAG" + b"Title".ljust(30, b"\0") + b"Artist".ljust(30, b"\0") + b"".ljust(64, b"\0") + b"\xff"),
    "2.2": (
        make_frame("TT2", b"\0Title")
        + make_frame("TP1", b"\0Artist")
        + make_frame("PIC", b"\0JPG\x03cover\0" + PICTURE)
        + make_frame("COM", b"\0engwhy\0because"),
        b"",
    ),
    "2.3": (
        make_frame("TIT2", b"\x03Title")  # UTF-8, which ID3v2.3 does not allow but many taggers write
        + make_frame("TPE1", b"\0Artist")
        + make_frame("IPLS", b"\0producer\0Bob\0")
        + make_frame("XYZZ", b"of another program"),
        b"",
    ),
}


@pytest.mark.parametrize("version", OLD_TAGS)
def test_old_id3_versions_are_preserved(tmp_path: Path, formats: dict[str, Path], version: str) -> None:
    head, tail = OLD_TAGS[version]
    size = bytes((len(head) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    header = b"ID3" + bytes([int(version[2:]), 0, 0]) + size if head else b""
    path = tmp_path / "old.mp3"
    path.write_bytes(header + head + formats["mp3.mp3"].read_bytes() + tail)
    write_genre_and_tempo(path)
    assert read_tags(path) == FileTags("Title", "Artist", None, "Deep Funk", None)
    tags = ID3(path, translate=False)
    assert tags.version == {"1": (2, 4, 0), "2.2": (2, 3, 0), "2.3": (2, 3, 0)}[version]
    if version == "1":
        assert path.read_bytes()[-128:-120] == b"TAGTitle"
    elif version == "2.2":
        assert (tags["APIC:cover"].data, tags["COMM:why:eng"].text) == (PICTURE, ["because"])
    else:
        assert tags["IPLS"].people == [["producer", "Bob"]]
        assert tags.unknown_frames == [make_frame("XYZZ", b"of another program")]


def test_pictures_and_other_tags_of_flac_and_mp4_are_preserved(tmp_path: Path, formats: dict[str, Path]) -> None:
    flac, m4a = (Path(shutil.copy(formats[name], tmp_path)) for name in ("flac.flac", "aac.m4a"))
    picture = Picture()
    picture.data, picture.type, picture.mime = PICTURE, 3, "image/jpeg"
    flac_tags: Any = FLAC(flac)
    flac_tags.add_picture(picture)
    flac_tags["title"], flac_tags["lyrics"] = "Über", "words\nand words"
    flac_tags.save()
    mp4_tags: Any = MP4(m4a)
    mp4_tags["covr"], mp4_tags["\xa9nam"] = [MP4Cover(PICTURE)], ["Über"]
    mp4_tags["----:com.apple.iTunes:MusicBrainz Track Id"] = [b"an-id"]
    mp4_tags.save()
    write_genre_and_tempo(flac)
    write_genre_and_tempo(m4a)
    flac_tags, mp4_tags = FLAC(flac), MP4(m4a)
    assert (flac_tags.pictures[0].data, flac_tags["title"], flac_tags["lyrics"]) == (
        PICTURE,
        ["Über"],
        ["words\nand words"],
    )
    assert (bytes(mp4_tags["covr"][0]), mp4_tags["tmpo"]) == (PICTURE, [128])
    assert read_tags(m4a) == FileTags("Über", None, None, "Deep Funk", "an-id")
