"""Unusable corrections change no label."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonotheque import Library
from sonotheque.errors import LabelsError


def test_unusable_corrections(demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known = demo_library.catalogue.tracks.all()[0].path
    before = demo_library.status()
    for text, reason in (
        ("file,genre\na,rock\n", "no column 'decision'"),
        (f"file,decision\n{known},rock\nelsewhere.mp3,rock\n", r"line 3: 'elsewhere.mp3' is not a track"),
    ):
        (tmp_path / "bad.csv").write_text(text)
        with pytest.raises(LabelsError, match=reason):
            demo_library.apply_corrections(tmp_path / "bad.csv")
    assert demo_library.status() == before
    (tmp_path / "new.csv").write_text(f"file,decision\n{known},polka\n")
    assert demo_library.apply_corrections(tmp_path / "new.csv").changed == 1
    assert "new to this library: 'polka'" in caplog.text
