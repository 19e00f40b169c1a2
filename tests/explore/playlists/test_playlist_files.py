"""Playlists are read back by the parsers of other projects, and M3U files are read as players write them."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.dom import minidom

import pytest
from click.testing import CliRunner
from made_tracks import Made, make_library

from sonotheque import Library, LibraryError
from sonotheque.cli import cli
from sonotheque.embed.tempo_key import TempoKey
from sonotheque.explore.playlists import find_entries, format_rekordbox, read_m3u
from sonotheque.explore.playlists.m3u import write_m3u
from sonotheque.explore.playlists.read_m3u import list_paths

NOT_INSTALLED = "NOT INSTALLED: playlists are NOT read back by another library (requirements-dev.lock has it)"
HOSTILE = '"/><EVIL a="1">&amp; ]]> \x00\x1b\ud7ff\ufffe\uffff 💿 \u2028 end\nof line'
TRACKS = [
    Made("plain.mp3", 1, "AC/DC", "Back & Black", 213.4, "rock", tempo_key=TempoKey(93.456, 0.9, "F# minor", 0.9)),
    Made("unclear.mp3", 2, None, None, 61.0, tempo_key=TempoKey(120.0, 0.0, "C major", 0.0)),
    Made("Ágætis 100% #1 ?&+.mp3", 3, HOSTILE, HOSTILE, 3.6, HOSTILE, HOSTILE, TempoKey(128.0, 0.9, "C major", 0.9)),
    Made("日本 語.flac", 4, "椎名林檎", "無罪", 300.0),
]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with make_library(tmp_path / "library", TRACKS, music=tmp_path / "music") as opened:
        yield opened


def expect_names(path: Path) -> set[str]:
    return {str(path / "music" / track.name) for track in TRACKS}


def test_rekordbox_xml_is_read_by_pyrekordbox(library: Library, tmp_path: Path) -> None:
    rbxml = pytest.importorskip("pyrekordbox.rbxml", reason=NOT_INSTALLED)
    result = library.playlist("plain.mp3", n=4, rekordbox=tmp_path / "My list.xml")
    document = rbxml.RekordboxXml(tmp_path / "My list.xml")
    assert (document.frmt_version, document.product_name, document.num_tracks) == ("1.0.0", "sonotheque", 4)
    playlist = document.get_playlist("My list")
    tracks = [document.get_track(TrackID=key) for key in playlist.get_tracks()]
    assert [os.sep + track.Location for track in tracks] == [track.path for track in result.results]
    assert {os.sep + track.Location for track in tracks} == expect_names(tmp_path)
    by_name = {Path(track.Location).name: track for track in tracks}
    plain = by_name["plain.mp3"]
    values = [plain.get(name) for name in ("Name", "Artist", "Album", "Genre", "TotalTime", "AverageBpm", "Tonality")]
    assert values == ["plain.mp3", "AC/DC", "Back & Black", "rock", 213, 93.46, "F#m"]
    unclear = by_name["unclear.mp3"]
    assert [unclear.get(name) for name in ("Artist", "Genre", "AverageBpm", "Tonality")] == [None] * 4
    hostile = by_name["Ágætis 100% #1 ?&+.mp3"]
    assert hostile.Name == hostile.Artist == '"/><EVIL a="1">&amp; ]]> \ud7ff 💿 end of line'
    assert (hostile.AverageBpm, hostile.Tonality) == (128.0, "C")


def test_rekordbox_xml_is_well_formed(library: Library) -> None:
    document = minidom.parseString(format_rekordbox(library.playlist("plain.mp3", n=4).results, name=HOSTILE))  # noqa: S318
    assert not document.getElementsByTagName("EVIL")
    [collection] = document.getElementsByTagName("COLLECTION")
    root, playlist = document.getElementsByTagName("NODE")
    assert (root.getAttribute("Type"), playlist.getAttribute("Type"), playlist.getAttribute("KeyType")) == (
        "0",
        "1",
        "0",
    )
    assert collection.getAttribute("Entries") == playlist.getAttribute("Entries") == "4"
    assert [track.getAttribute("Key") for track in playlist.getElementsByTagName("TRACK")] == ["1", "2", "3", "4"]
    locations = [track.getAttribute("Location") for track in collection.getElementsByTagName("TRACK")]
    assert locations[0].startswith("file://localhost/")
    assert all(location.isascii() and " " not in location for location in locations)


def test_m3u_is_read_by_m3u8(library: Library, tmp_path: Path) -> None:
    m3u8 = pytest.importorskip("m3u8", reason=NOT_INSTALLED)
    (tmp_path / "lists").mkdir()
    file = tmp_path / "lists" / "list.m3u8"
    result = library.playlist("plain.mp3", n=4, m3u=file)
    read = m3u8.loads(file.read_text(encoding="utf-8"))
    paths = [os.path.normpath(file.parent / segment.uri) for segment in read.segments]
    assert paths == [track.path for track in result.results]
    assert all(not os.path.isabs(segment.uri) for segment in read.segments)
    assert [segment.duration for segment in read.segments] == [round(track.seconds) for track in result.results]
    first = read.segments[0]
    assert (first.duration, first.title, first.uri) == (213, "AC/DC - plain.mp3", "../music/plain.mp3")
    assert read_m3u(file) == [segment.uri for segment in read.segments]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "list.m3u"
    text = "#EXTM3U\r\n#EXTINF:3,Sigur Rós - Ágætis\r\n\r\nmusic\\Ágætis – “x”.mp3\r\n  # a comment\r\nb.mp3"
    file.write_bytes(text.encode(encoding))
    assert read_m3u(file) == ["music\\Ágætis – “x”.mp3", "b.mp3"]


def test_entries_are_found_however_they_are_written(library: Library, tmp_path: Path) -> None:
    music, name = tmp_path / "music", "Ágætis 100% #1 ?&+.mp3"
    quoted = "%C3%81g%C3%A6tis%20100%25%20%231%20%3F%26%2B.mp3"
    spellings = [
        f"../music/{name}",
        f"./../lists/..//music/{name}",
        f"..\\music\\{name}",
        str(music / name),
        f"../music/{unicodedata.normalize('NFD', name)}",
        f"../music/{quoted}",
        f"file://{music}/{quoted}",
        f"FILE://localhost{music}/{quoted}",
        f"  ../music/{name}  ",
    ]
    missing = [
        "https://radio.example/stream.mp3",
        "file://server/share/a.mp3",
        "../music/none.mp3",
        "C:\\x\\a.mp3",
        "a\0b.mp3",
    ]
    found = find_entries([*spellings, *missing], folder=tmp_path / "lists", catalogue=library.catalogue)
    assert len(found.tracks) == len(spellings)
    assert len(set(found.tracks)) == 1
    assert list(found.not_found) == missing


def test_what_is_no_playlist_is_refused(tmp_path: Path) -> None:
    for name, content, message in (
        ("a.m3u", b"ID3\x04\0\0music", "not an M3U playlist"),
        ("b.m3u", b"It was a dark night. The rain fell\nin torrents\n", "not an M3U playlist"),
        ("c.m3u", b"#EXTM3U\n" + b"a.mp3\n" * 100_001, "at most 100000 can be read"),
        ("d.m3u", b"#EXTM3U\n" + b"#" * (16 << 20), "larger than 16 MiB"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(LibraryError, match=message):
            read_m3u(tmp_path / name)
    (tmp_path / "empty.m3u").touch()
    assert read_m3u(tmp_path / "empty.m3u") == []
    with pytest.raises(LibraryError, match="cannot be read"):
        read_m3u(tmp_path)
    assert list_paths("http://x/y.mp3", folder=tmp_path) == []


def test_a_written_playlist_can_be_extended(library: Library, tmp_path: Path) -> None:
    file, longer = tmp_path / "list.m3u8", tmp_path / "longer.m3u8"
    first = library.playlist("plain.mp3", n=2)
    write_m3u(first.results, file)
    before = file.read_bytes()
    result = library.playlist(extend=file, m3u=longer)
    assert [track.path for track in result.results][:2] == [track.path for track in first.results]
    assert longer.read_text(encoding="utf-8").startswith(before.decode())
    assert file.read_bytes() == before
    for force in (False, True):
        with pytest.raises(LibraryError, match="is an input of this command"):
            library.playlist(extend=file, m3u=file, force=force)
    none = tmp_path / "none.m3u"
    none.write_text("elsewhere/a.mp3\n", encoding="utf-8")
    with pytest.raises(LibraryError, match="none of its 1 entry is in the library"):
        library.playlist(extend=none)


def run(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(cli, ["-L", str(folder / "library"), "playlist", *arguments])


def test_the_command(library: Library, tmp_path: Path) -> None:
    (tmp_path / "in.m3u").write_text("music/plain.mp3\nmusic/gone.mp3\n", encoding="utf-8")
    outputs = ["--m3u", str(tmp_path / "o.m3u8"), "--rekordbox", str(tmp_path / "o.xml")]
    result = run(tmp_path, "--extend", str(tmp_path / "in.m3u"), "-n", "3", *outputs)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[:4] == ["rank", "to", "previous", "to"]
    assert len(lines) == 5
    assert "93  F# minor  plain.mp3" in lines[1]
    assert lines[-1].startswith("3 tracks, ")
    assert "similarity to the previous track: mean " in lines[-1]
    assert "not in the library: " in result.stderr
    assert f"playlist: {tmp_path / 'o.xml'}" in result.stderr
    document = json.loads(run(tmp_path, "--extend", str(tmp_path / "in.m3u"), "-n", "9", "--json").stdout)
    assert document["not_found"] == ["music/gone.mp3"]
    assert document["shortfall"] == "4 of 9 tracks: no other track fulfils the rules"
    assert document["seconds"] == pytest.approx(sum(track.seconds for track in TRACKS))
    same = run(tmp_path, "plain.mp3", "--m3u", "a.xml", "--rekordbox", "./a.xml")
    assert (same.exit_code, "two different files" in same.stderr) == (2, True)
