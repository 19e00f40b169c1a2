"""`Library.search` and the command: the arrays beside the library, the trained classifier, the playlist, the output."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from sonotheque import Library, LibraryError
from sonotheque.cli import cli


def test_search(demo_library: Library, tmp_path: Path) -> None:
    result = demo_library.search("metal, not slow", k=10, m3u=tmp_path / "metal.m3u8")
    assert all("/metal/" in track.path for track in result.results)
    assert [track.rank for track in result.results] == list(range(1, 11))
    playlist = (tmp_path / "metal.m3u8").read_text(encoding="utf-8")
    assert playlist.count("#EXTINF") == 10
    assert result == demo_library.search("metal, not slow", k=10)
    assert demo_library.search("john michel").results[0].artist == "John Michel"
    assert len(demo_library.search("vocals", k=100, genre="Ambient").results) < 46
    with Library(tmp_path / "empty") as library, pytest.raises(LibraryError, match="the library is empty"):
        library.search("metal")


def test_genres_of_unlabelled_tracks_are_predicted(demo_library: Library, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sonotheque")
    demo_library.catalogue.database.execute("DELETE FROM labels WHERE label IN ('classical', 'metal')")
    demo_library.catalogue.database.execute("UPDATE tracks SET genre = NULL")
    steps: list[tuple[int, int]] = []
    result = demo_library.search("classical", k=100, progress=lambda *step: steps.append(step))
    assert steps == [(46, 46)]
    assert result.understood[0].source == "genre"
    assert not result.understood[0].approximate
    assert all("/classical/" in track.path for track in result.results[:8])
    assert (result.results[0].matches[0].value or "").startswith("genre classical ")
    predicted = demo_library.path / "index" / "genres.arrays"
    before = predicted.stat().st_mtime_ns
    assert demo_library.search("classical", k=100, progress=lambda *step: steps.append(step)) == result
    assert (len(steps), predicted.stat().st_mtime_ns) == (1, before)
    (demo_library.path / "classifier.skops").write_bytes(b"damaged")
    assert demo_library.search("metal", k=5).understood[0].source == "tags"
    assert "genres are not predicted" in caplog.text


def test_the_command_says_what_it_understood(demo_library: Library, tmp_path: Path) -> None:
    folder = str(demo_library.path)
    result = CliRunner().invoke(cli, ["-L", folder, "search", "sad", "metal,", "no", "drums", "-k", "3"])
    assert result.exit_code == 0, result.output
    assert "understood: 'metal' as genre metal, tags metal, heavy metal\n" in result.stderr
    assert "understood: 'sad' as tag sad\n" in result.stderr
    assert "not understood: 'drums'\n" in result.stderr
    assert result.stdout.splitlines()[0].split() == ["rank", "score", "title", "artist", "path", "because"]
    assert len(result.stdout.splitlines()) == 4
    assert "metal +1.9 (genre metal)" in result.stdout or "metal +2" in result.stdout
    document = json.loads(CliRunner().invoke(cli, ["-L", folder, "search", "sad metal drums", "--json"]).stdout)
    assert [words["words"] for words in document["understood"]] == ["sad", "metal"]
    assert document["not_understood"] == [{"words": "drums", "reason": ""}]
    piano = CliRunner().invoke(cli, ["-L", folder, "search", "solo piano"])
    assert "understood: 'solo piano' as about: genre classical, tags instrumental" in piano.stderr
    assert "as about" not in CliRunner().invoke(cli, ["-L", folder, "search", "classical"]).stderr
    unknown = CliRunner().invoke(cli, ["-L", folder, "search", "xylophone"])
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "'xylophone': no word is understood" in unknown.stderr
