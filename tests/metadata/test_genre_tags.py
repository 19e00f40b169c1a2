"""Several genres in one file: the same rule in every container. Tags that mutagen does not read are read by FFmpeg."""

from __future__ import annotations

import io
import logging
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import mutagen
import pytest
import soundfile as sf
from conftest import tone
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TALB, TCON, TIT2, TPE1

from sonotheque import Library
from sonotheque.metadata.file_tags import FileTags, read_tags
from sonotheque.metadata.genre_tags import resolve_numbers, split_genres
from sonotheque.metadata.label_sources import TagLabels
from sonotheque.metadata.writable_tags import WritableTags


@pytest.mark.parametrize(
    ("values", "genres"),
    [
        (["Rock; Pop"], ["Rock", "Pop"]),
        (["Rock", "Pop"], ["Rock", "Pop"]),
        (["Rock/Pop"], ["Rock", "Pop"]),
        (["Rock / Pop"], ["Rock", "Pop"]),
        (["Rock, Pop"], ["Rock", "Pop"]),
        (["Rock|Pop"], ["Rock", "Pop"]),
        (["Rock\\\\Pop"], ["Rock", "Pop"]),
        (["Rock\0Pop\0"], ["Rock", "Pop"]),
        (["(17)(13)"], ["Rock", "Pop"]),
        (["(17)Rock", "(13)"], ["Rock", "Pop"]),
        (["(17)Pop"], ["Rock", "Pop"]),
        ([" Rock ;; pop;ROCK; Pop"], ["Rock", "pop"]),
        (["Drum & Bass"], ["Drum & Bass"]),
        (["Hip-Hop/Rap; Rock"], ["Hip-Hop/Rap", "Rock"]),
        (["Folk, World, & Country"], ["Folk, World, & Country"]),
        (["(62)"], ["Pop/Funk"]),
        (["R&B/Soul/Pop"], ["R&B", "Soul", "Pop"]),
        (["(255)"], []),
        (["(192)(17)"], ["Rock"]),
        (["((Foo)"], ["(Foo)"]),
        ([" ; / "], []),
    ],
)
def test_the_rule(values: list[str], genres: list[str]) -> None:
    assert split_genres(resolve_numbers(values, id3=False)) == genres
    assert split_genres(resolve_numbers([part for value in values for part in value.split("\0")], id3=True)) == genres


@pytest.mark.parametrize("number", ["255", "(255)", "192", "(192)", "999", "(999)", "1999"])
def test_numbers_that_are_no_genre(tmp_path: Path, formats: dict[str, Path], number: str) -> None:
    path = Path(shutil.copy(formats["mp3.mp3"], tmp_path))
    tags = ID3()
    tags.add(TCON(encoding=3, text=[number]))
    tags.save(path)
    assert read_tags(path) == FileTags()
    assert WritableTags(str(path)).values("genre") == []
    tags.delete(path)
    path.write_bytes(path.read_bytes() + b"TAG" + bytes(124) + b"\xff")
    assert read_tags(path).genre is None


def test_a_genre_by_its_number_in_every_notation(tmp_path: Path, formats: dict[str, Path]) -> None:
    path = Path(shutil.copy(formats["mp3.mp3"], tmp_path))
    for text, genres in (
        (["17"], ("Rock",)),
        (["17", "13"], ("Rock", "Pop")),
        (["RX"], ("Remix",)),
        (["255", "17"], ("Rock",)),
    ):
        tags = ID3()
        tags.add(TCON(encoding=3, text=text))
        tags.save(path)
        assert read_tags(path).genres == genres


def make_mp3(version: int) -> Callable[[Path, list[str]], Path]:
    def write(path: Path, genres: list[str]) -> Path:
        tags = ID3()
        tags.add(TCON(encoding=1, text=genres))
        tags.save(path, v2_version=version, v23_sep=None)
        return path

    return write


def make_vorbis(path: Path, genres: list[str]) -> Path:
    file: Any = mutagen.File(path)
    file["genre"] = genres
    file.save()
    return path


def make_mp4(path: Path, genres: list[str]) -> Path:
    file: Any = mutagen.File(path)
    file["\xa9gen"] = genres
    file.save()
    return path


def make_asf(path: Path, genres: list[str]) -> Path:
    file: Any = mutagen.File(path)
    file["WM/Genre"] = genres
    file.save()
    return path


def make_ape(path: Path, genres: list[str]) -> Path:
    """APEv2 tags of an MP3, as foobar2000 writes them."""
    tags = APEv2()
    tags["Genre"] = genres
    tags.save(path)
    return path


def make_id3(path: Path, genres: list[str]) -> Path:
    file: Any = mutagen.File(path)
    file.add_tags()
    file.tags.add(TCON(encoding=3, text=genres))
    file.save()
    return path


def make_id3_before(path: Path, genres: list[str]) -> Path:
    tags, file = ID3(), io.BytesIO()
    tags.add(TCON(encoding=3, text=genres))
    tags.save(file)
    path.write_bytes(file.getvalue() + path.read_bytes())
    return path


def chunk(name: bytes, content: bytes, *, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(content)) + content + bytes(len(content) % 2)


def append_chunk(path: Path, content: bytes, *, order: str = "<") -> Path:
    whole = path.read_bytes() + content
    path.write_bytes(whole[:4] + struct.pack(f"{order}I", len(whole) - 8) + whole[8:])
    return path


def make_info(path: Path, genres: list[str]) -> Path:
    return append_chunk(
        path, chunk(b"LIST", b"INFO" + b"".join(chunk(b"IGNR", genre.encode() + b"\0") for genre in genres))
    )


def element(identity: int, content: bytes) -> bytes:
    """Encode an EBML element with a size of 8 bytes."""
    return (
        identity.to_bytes((identity.bit_length() + 7) // 8, "big")
        + (1 << 56 | len(content)).to_bytes(8, "big")
        + content
    )


def make_matroska(path: Path, genres: list[str]) -> Path:
    """Write the tags of Matroska by hand, since FFmpeg writes only one value of each."""
    simple = b"".join(element(0x67C8, element(0x45A3, b"GENRE") + element(0x4487, genre.encode())) for genre in genres)
    encode_matroska(path, {"artist": "Bach"})
    content = path.read_bytes()
    segment = content.index(b"\x18\x53\x80\x67")
    tags = element(0x1254C367, element(0x7373, element(0x63C0, b"") + simple))
    size = int.from_bytes(content[segment + 4 : segment + 12], "big") & ((1 << 56) - 1)
    length = (1 << 56 | size + len(tags)).to_bytes(8, "big")
    path.write_bytes(content[: segment + 4] + length + content[segment + 12 :] + tags)
    return path


def encode_matroska(path: Path, metadata: dict[str, str], *, container: str = "matroska", codec: str = "aac") -> Path:
    with av.open(str(path), "w", format=container) as output:
        output.metadata.update(metadata)
        stream = output.add_stream(codec, rate=48_000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        resampler = av.AudioResampler(
            format=stream.format, layout="mono", rate=48_000, frame_size=stream.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(tone(0.5, rate=48_000, channels=1).T.copy(), format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return path


CONTAINERS: dict[str, tuple[str, Callable[[Path, list[str]], Path]]] = {
    "ID3v2.3": ("mp3.mp3", make_mp3(3)),
    "ID3v2.4": ("mp3.mp3", make_mp3(4)),
    "FLAC": ("flac.flac", make_vorbis),
    "Ogg Vorbis": ("vorbis.ogg", make_vorbis),
    "Opus": ("opus.opus", make_vorbis),
    "MP4": ("aac.m4a", make_mp4),
    "WMA": ("wma.wma", make_asf),
    "MP3 with APEv2": ("mp3.mp3", make_ape),
    "WAV with ID3": ("wav16.wav", make_id3),
    "AIFF with ID3": ("aiff.aiff", make_id3),
    "ADTS after ID3": ("raw.aac", make_id3_before),
    "ADTS with APEv2": ("raw.aac", make_ape),
    "FLAC after ID3": ("flac.flac", make_id3_before),
    "RIFF INFO": ("wav16.wav", make_info),
    "Matroska": ("wav16.wav", make_matroska),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_follows_the_rule(tmp_path: Path, formats: dict[str, Path], container: str) -> None:
    name, make = CONTAINERS[container]
    for number, (values, genres) in enumerate(
        (
            (["Rock; Pop"], ("Rock", "Pop")),
            (["Rock", "Pop"], ("Rock", "Pop")),
            (["Rock/Pop"], ("Rock", "Pop")),
            (["(17)(13)"], ("Rock", "Pop")),
            (["Jazz"], ("Jazz",)),
            (["(255)"], ()),
        )
    ):
        path = Path(shutil.copy(formats[name], tmp_path / f"{number}{Path(name).suffix}"))
        tags = read_tags(make(path, values))
        assert (tags.genres, tags.genre) == (genres, genres[0] if genres else None), values


def test_mp4_numbers(tmp_path: Path, formats: dict[str, Path]) -> None:
    """The atom `gnre` counts from 1."""
    path = make_mp4(Path(shutil.copy(formats["aac.m4a"], tmp_path)), ["some genre"])
    content = path.read_bytes()
    text = struct.pack(">I4sI4sII", 34, b"\xa9gen", 26, b"data", 1, 0) + b"some genre"
    assert text in content
    for number, genre in ((18, "Rock"), (256, None)):
        atom = struct.pack(">I4sI4sIIH", 26, b"gnre", 18, b"data", 0, 0, number)
        path.write_bytes(content.replace(text, atom + struct.pack(">I4s", 8, b"free")))
        assert read_tags(path).genre == genre


@pytest.mark.parametrize("name", ["mka", "webm", "caf", "avi", "flv", "au", "mov"])
def test_containers_that_mutagen_does_not_read(tmp_path: Path, name: str) -> None:
    codec = {"webm": "libopus", "avi": "ac3", "au": "pcm_s16be", "caf": "pcm_s16le"}.get(name, "aac")
    metadata = {"title": "Tïtle", "artist": "Bach", "album": "Suites", "genre": "Rock; Pop"}
    container = {"mka": "matroska"}.get(name, name)
    path = encode_matroska(tmp_path / f"a.{name}", metadata, container=container, codec=codec)
    tags = read_tags(path)
    assert tags == FileTags("Tïtle", "Bach", "Suites", "Rock", None)
    assert (tags.genres, tags.unreadable) == (("Rock", "Pop"), None)


def test_riff_info_completes_id3(tmp_path: Path, formats: dict[str, Path]) -> None:
    path = Path(shutil.copy(formats["wav16.wav"], tmp_path))
    info = {b"IART": "Bjørk".encode("cp1252"), b"INAM": "Jóga".encode(), b"IPRD": b"Homogenic", b"IGNR": b"Pop"}
    append_chunk(path, chunk(b"LIST", b"INFO" + b"".join(chunk(*entry) for entry in info.items())))
    assert read_tags(path) == FileTags("Jóga", "Bjørk", "Homogenic", "Pop", None)
    file: Any = mutagen.File(path)
    file.add_tags()
    file.tags.add(TPE1(encoding=3, text=["Björk"]))
    file.save()
    assert read_tags(path) == FileTags("Jóga", "Björk", "Homogenic", "Pop", None)


def test_aiff_chunks(tmp_path: Path, formats: dict[str, Path]) -> None:
    path = Path(shutil.copy(formats["aiff.aiff"], tmp_path))
    append_chunk(path, chunk(b"NAME", b"Title", order=">") + chunk(b"AUTH", b"Bach", order=">"), order=">")
    assert read_tags(path) == FileTags("Title", "Bach", None, None, None)


def test_id3_before_adts(tmp_path: Path, formats: dict[str, Path]) -> None:
    tags, file = ID3(), io.BytesIO()
    for frame in (TIT2(encoding=3, text=["Tïtle"]), TPE1(encoding=3, text=["Bach"]), TALB(encoding=3, text=["Suites"])):
        tags.add(frame)
    tags.add(TCON(encoding=3, text=["(32)"]))
    tags.save(file)
    (tmp_path / "a.aac").write_bytes(file.getvalue() + formats["raw.aac"].read_bytes())
    assert read_tags(tmp_path / "a.aac") == FileTags("Tïtle", "Bach", "Suites", "Classical", None)


def test_old_libraries_follow_the_rule(tmp_path: Path) -> None:
    """The catalogue of an older version has the whole text of the tag."""
    label = TagLabels().label("/a.mp3", root=None, genre="Rock; Pop")
    assert label is not None
    assert label.label == "Rock"
    assert TagLabels().label("/a.mp3", root=None, genre=" ; ") is None


def test_labels_from_tags_say_what_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, formats: dict[str, Path]
) -> None:
    caplog.set_level(logging.INFO, logger="sonotheque")
    folder = tmp_path / "music"
    folder.mkdir()
    for number, genres in enumerate((["Rock", "Pop"], [], ["Jazz"])):
        path = folder / f"{number}.wav"
        sf.write(path, tone(3.0 + number, rate=16_000, channels=1), 16_000)
        make_info(path, genres)
    damaged = folder / "damaged.mp3"
    damaged.write_bytes(b"ID3\x04\0\x40\0\0\0\x0a" + b"\xff" * 10 + formats["mp3.mp3"].read_bytes())
    with Library(tmp_path / "library") as library:
        status = library.add(folder, labels="tags", embedders=["musicnn"])
        assert status.labels == {"Jazz": 1, "Rock": 1}
        assert f"genre in their tags, which get no label: 2 of 4, for example {folder / '1.wav'}" in caplog.text
        several = f"the first genre is the label, for example 'Rock' of 'Rock', 'Pop' in {folder / '0.wav'}"
        assert f"1 new file with several genres in their tags; {several}" in caplog.text
        (notice,) = [notice for notice in status.remarks if notice.path == str(damaged)]
        assert notice.notice.startswith("its tags cannot be read (")
