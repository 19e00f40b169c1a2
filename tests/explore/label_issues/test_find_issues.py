"""Label issues of a library with planted label errors. No label is changed until a person's corrections are applied."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from sonotheque import Library
from sonotheque.explore.label_issues.corrections import write_corrections


@pytest.fixture
def library_with_label_errors(tmp_path: Path, demo_library: Library) -> Library:
    """The demo library with two labels exchanged, a near-duplicate of one track, and a silent track."""
    tracks = {Path(track.path).name: track for track in demo_library.catalogue.tracks.all()}
    classical = next(name for name, track in tracks.items() if track.label == "classical")
    metal = next(name for name, track in tracks.items() if track.label == "metal")
    (tmp_path / "labels.csv").write_text(
        f"file,genre\n{tracks[classical].path},metal\n{tracks[metal].path},classical\n"
    )
    demo_library.label(str(tmp_path / "labels.csv"))
    (tmp_path / "more").mkdir()
    samples, rate = sf.read(tracks[classical].path)
    sf.write(tmp_path / "more" / "near-duplicate.flac", samples, rate)
    sf.write(tmp_path / "more" / "silence.wav", np.zeros(rate), rate)
    demo_library.add(tmp_path / "more")
    return demo_library


def test_find_and_correct_label_issues(library_with_label_errors: Library, tmp_path: Path) -> None:
    before = library_with_label_errors.status().labels
    issues = library_with_label_errors.errors()
    assert issues.tracks == len([track for track in library_with_label_errors.catalogue.tracks.all() if track.label])
    assert len(issues.suspicious) == -(-issues.tracks // 10)
    exchanged = {(issue.label, issue.proposal) for issue in issues.suspicious}
    assert {("metal", "classical"), ("classical", "metal")} & exchanged
    supports = [issue.support for issue in issues.suspicious]
    assert supports == sorted(supports)
    for issue in issues.suspicious:
        assert all(neighbour.label == issue.proposal for neighbour in issue.neighbours)
    assert any(path.endswith("near-duplicate.flac") for path in issues.duplicates[0].paths)
    assert issues.duplicates[0].similarity > 0.999
    assert [Path(notice.path).name for notice in issues.remarks] == ["silence.wav"]
    assert library_with_label_errors.status().labels == before
    assert library_with_label_errors.errors() == issues
    assert len(library_with_label_errors.errors(limit=3).suspicious) == 3

    table = tmp_path / "issues.csv"
    write_corrections(issues, table)
    assert library_with_label_errors.apply_corrections(table).changed == 0
    rows = list(csv.reader(table.read_text(encoding="utf-8").splitlines()))
    rows[1][-1] = issues.suspicious[0].proposal
    rows[2][-1] = issues.suspicious[1].label
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    applied = library_with_label_errors.apply_corrections(table)
    assert applied.matched == 2
    labels = {track.path: track.label for track in library_with_label_errors.catalogue.tracks.all()}
    assert labels[issues.suspicious[0].path] == issues.suspicious[0].proposal
    assert labels[issues.suspicious[1].path] == issues.suspicious[1].label
    assert library_with_label_errors.status().labelled == sum(before.values())
