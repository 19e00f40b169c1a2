"""Queries are resolved by path, file name and stem."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sonotheque import Library, LibraryError
from sonotheque.demo import music, unlabelled

AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"


@pytest.mark.parametrize("query", ["john-michel-ave-maria-1.mp3", "john-michel-ave-maria-1"])
def test_query_by_name_or_stem(demo_library: Library, query: str) -> None:
    assert demo_library.similar(query).results == demo_library.similar(AVE).results


def test_ambiguous_name(demo_library: Library, tmp_path: Path) -> None:
    for number, clip in enumerate(sorted(unlabelled().glob("*.mp3"))[:2]):
        (tmp_path / str(number)).mkdir()
        shutil.copy(clip, tmp_path / str(number) / "same.mp3")
    demo_library.add(tmp_path)
    with pytest.raises(LibraryError, match="2 tracks have that name"):
        demo_library.similar("same.mp3")
