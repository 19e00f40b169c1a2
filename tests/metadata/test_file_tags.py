"""Tags of audio files are read in every format, and damaged tags are no error."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import TCON, TIT2, TPE1

from sonotheque.metadata.file_tags import FileTags, read_tags


def test_files_without_readable_tags_have_none(tmp_path: Path, formats: dict[str, Path]) -> None:
    (tmp_path / "text.mp3").write_text("not audio")
    (tmp_path / "cut.m4a").write_bytes(formats["aac.m4a"].read_bytes()[:1000])
    for path in (formats["raw.aac"], tmp_path / "text.mp3", tmp_path / "cut.m4a", tmp_path / "missing.mp3"):
        assert read_tags(path) == FileTags()


def test_id3_tags_of_wav_and_aiff_are_read(tmp_path: Path, formats: dict[str, Path]) -> None:
    for name in ("wav16.wav", "aiff.aiff"):
        path = Path(shutil.copy(formats[name], tmp_path))
        file: Any = mutagen.File(path)
        file.add_tags()
        for frame in (TIT2(text=["Tïtle"]), TPE1(text=["Artist"]), TCON(text=["(17)"])):
            file.tags.add(frame)
        file.save()
        assert read_tags(path) == FileTags("Tïtle", "Artist", None, "Rock", None)
