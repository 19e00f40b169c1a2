"""Playlists in extended M3U."""

from __future__ import annotations

from pathlib import Path

from sonotheque.explore import format_m3u
from sonotheque.results import SimilarTrack


def test_format_m3u(tmp_path: Path) -> None:
    track = SimilarTrack(1, 0.9, str(tmp_path / "music" / "a.mp3"), "Song\nof two lines", "Ärtist", None, 61.7)
    untitled = SimilarTrack(2, 0.8, str(tmp_path / "b.ogg"), None, None, None, 3.0)
    assert format_m3u([track, untitled], folder=tmp_path / "lists") == (
        "#EXTM3U\n#EXTINF:62,Ärtist - Song of two lines\n../music/a.mp3\n#EXTINF:3,b\n../b.ogg\n"
    )
