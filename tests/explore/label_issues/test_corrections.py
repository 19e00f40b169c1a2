"""Unusable corrections change no label."""

from __future__ import annotations

import os
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


def write_decisions(folder: Path, *decisions: tuple[str, str]) -> Path:
    path = folder / "issues.csv"
    path.write_text("file,decision\n" + "".join(f'{file},"{decision}"\n' for file, decision in decisions))
    return path


@pytest.fixture
def paths(demo_library: Library) -> list[str]:
    """Paths of metal tracks."""
    return [track.path for track in demo_library.catalogue.tracks.all() if track.label == "metal"]


@pytest.mark.parametrize("decision", ["", "ok", "OK", " Ok ", "keep", "Keep"])
def test_decisions_that_keep_the_label(demo_library: Library, tmp_path: Path, paths: list[str], decision: str) -> None:
    before = demo_library.status()
    result = demo_library.apply_corrections(write_decisions(tmp_path, (paths[0], decision), (paths[1], "metal")))
    assert (result.matched, result.changed, result.kept) == (1, 0, 1)
    assert demo_library.status() == before


def test_relative_paths_are_relative_to_the_csv(demo_library: Library, tmp_path: Path, paths: list[str]) -> None:
    relative = os.path.relpath(paths[0], tmp_path)
    result = demo_library.apply_corrections(write_decisions(tmp_path, (relative, "ambient")), dry_run=True)
    assert [change.path for change in result.changes] == [paths[0]]


@pytest.mark.parametrize(
    ("decision", "message"),
    [
        ("electronik", "'electronik' \\(line 2\\), did you mean 'electronic'\\?"),
        ("polka", "'polka' \\(line 2\\)\\. Its genres are acoustic, ambient, classical, electronic, metal"),
        ("okk", "did you mean 'ok'"),
        ("7", "'7' \\(line 2\\)"),
    ],
)
def test_unknown_genres_are_refused(
    demo_library: Library, tmp_path: Path, paths: list[str], decision: str, message: str
) -> None:
    before = demo_library.status()
    path = write_decisions(tmp_path, (paths[0], decision), (paths[1], "ambient"))
    with pytest.raises(LabelsError, match=message):
        demo_library.apply_corrections(path)
    with pytest.raises(LabelsError, match="No label is changed; --new-genres accepts new genres"):
        demo_library.apply_corrections(path, dry_run=True)
    assert demo_library.status() == before
    assert demo_library.apply_corrections(path, new_genres=True).changed == 2
    assert demo_library.status().labels[decision] == 1


def test_all_unknown_genres_are_named_with_their_lines(demo_library: Library, tmp_path: Path, paths: list[str]) -> None:
    rows = zip(paths, ("polka", "rok", "polka", "jazz"), strict=False)
    with pytest.raises(LabelsError, match=r"'polka' \(lines 2, 4\); 'rok' \(line 3\).*; 'jazz' \(line 5\)"):
        demo_library.apply_corrections(write_decisions(tmp_path, *rows))


def test_decisions_are_spelled_as_in_the_library(demo_library: Library, tmp_path: Path, paths: list[str]) -> None:
    before = dict(demo_library.status().labels)
    result = demo_library.apply_corrections(write_decisions(tmp_path, (paths[0], "AMBIENT"), (paths[1], "Metal ")))
    assert (result.matched, result.changed) == (2, 1)
    assert demo_library.status().labels == before | {"ambient": before["ambient"] + 1, "metal": before["metal"] - 1}


@pytest.mark.parametrize("other", ["classical", "ok"])
def test_contradicting_decisions_are_refused(
    demo_library: Library, tmp_path: Path, paths: list[str], other: str
) -> None:
    path = write_decisions(tmp_path, (paths[0], "ambient"), (paths[1], ""), (paths[0], other))
    with pytest.raises(LabelsError, match=f"one track; line 2: 'ambient' for .*, line 4: '{other}' for"):
        demo_library.apply_corrections(path)
    path = write_decisions(tmp_path, (paths[0], "ambient"), (paths[0], ""), (paths[0], "Ambient"))
    assert demo_library.apply_corrections(path).changed == 1


def test_new_genres_are_named(
    demo_library: Library, tmp_path: Path, paths: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    path = write_decisions(tmp_path, (paths[0], "polka"))
    assert demo_library.apply_corrections(path, new_genres=True).changed == 1
    assert "new to this library: 'polka'" in caplog.text
    demo_library.undo()
    assert "polka" not in demo_library.status().labels
