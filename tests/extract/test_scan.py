"""Audio files are found by extension; files that are named directly are always included."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sonotheque.errors import MissingFileError
from sonotheque.extract.scan import require_audio, scan_paths


def scanned_names(*paths: Path) -> list[str]:
    return [Path(file.path).name for file in scan_paths(paths)]


def test_folders_are_searched_by_extension(tmp_path: Path) -> None:
    (tmp_path / "a" / ".hidden").mkdir(parents=True)
    for name in ("b.MP3", "a/c.flac", "a/notes.txt", "a/.d.ogg", "a/.hidden/e.ogg"):
        (tmp_path / name).touch()
    (tmp_path / "a" / "dangling.ogg").symlink_to(tmp_path / "missing.ogg")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    assert scanned_names(tmp_path) == ["c.flac", "dangling.ogg", "b.MP3"]
    assert {file.root for file in scan_paths([tmp_path])} == {str(tmp_path)}


def test_files_named_directly_are_included_once(tmp_path: Path) -> None:
    for name in ("a.mp3", "b.bin"):
        (tmp_path / name).touch()
    assert scanned_names(tmp_path / "b.bin", tmp_path, tmp_path / "a.mp3") == ["a.mp3", "b.bin"]


def test_paths_that_are_not_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no such file or folder"):
        scan_paths([tmp_path / "missing"])
    os.mkfifo(tmp_path / "pipe.mp3")
    with pytest.raises(MissingFileError, match="not a file, but a pipe, socket or device"):
        scan_paths([tmp_path / "pipe.mp3"])
    assert scan_paths([tmp_path]) == []
    with pytest.raises(MissingFileError, match="no audio file found"):
        require_audio([tmp_path])
