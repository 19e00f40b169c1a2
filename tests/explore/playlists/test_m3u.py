"""Playlists in extended M3U."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonotheque.explore import format_m3u
from sonotheque.results import SimilarTrack


def test_format_m3u(tmp_path: Path) -> None:
    track = SimilarTrack(1, 0.9, str(tmp_path / "music" / "a.mp3"), "Song\nof two lines", "Ärtist", None, 61.7)
    untitled = SimilarTrack(2, 0.8, str(tmp_path / "b.ogg"), None, None, None, 3.0)
    assert format_m3u([track, untitled], folder=tmp_path / "lists") == (
        "#EXTM3U\n#EXTINF:62,Ärtist - Song of two lines\n../music/a.mp3\n#EXTINF:3,b\n../b.ogg\n"
    )


def test_names_with_line_ends_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ["a\nb.mp3", "c\rd.mp3", "e\r\nf.mp3", "#g.mp3", " h.mp3", "i\u2028j\x85k.mp3", "folder\n/l.mp3"]
    tracks = [
        SimilarTrack(rank, 0.9, str(tmp_path / name), "T\u2028i\vt\x85le", "A\nrtist", None, 3.0)
        for rank, name in enumerate(names, start=1)
    ]
    lines = format_m3u(tracks, folder=tmp_path).split("\n")
    extinf = "#EXTINF:3,A rtist - T i t le"
    assert lines == ["#EXTM3U", extinf, "./#g.mp3", extinf, "./ h.mp3", extinf, "i\u2028j\x85k.mp3", ""]
    assert [record.message.partition(" is left out of the playlist")[0] for record in caplog.records] == [
        repr(str(tmp_path / name)) for name in names if "\n" in name or "\r" in name
    ]
