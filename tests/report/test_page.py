"""The page: everything in it, nothing from outside, no markup of strangers, the same bytes each time."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.audio import load
from sonotheque.demo import music
from sonotheque.report import Findings, write_report
from sonotheque.report.evidence import weigh
from sonotheque.report.excerpts import excerpt
from sonotheque.report.figures import draw
from sonotheque.report.standalone import POLICY

KEYS = [
    "classes", "genres", "roc", "precision_recall", "confusion", "confusion_rates", "calibration", "coverage",
    "models", "decisions", "permutation", "trees", "columns", "learning",
]  # fmt: skip
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(findings, tmp_path_factory.mktemp("page") / "new" / "folder").parent


def own(page: str) -> str:
    """Return the page without Plotly's script."""
    return re.sub(r"<script>/\*\*.*?</script>", "", page, count=1, flags=re.DOTALL)


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page, re.DOTALL)
    assert found
    result: dict[str, Any] = json.loads(found[1])
    return result


def test_every_figure_is_there_as_json_and_as_picture(findings: Findings, folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert [figure["key"] for figure in data_of(page)["figures"]] == KEYS
    for key in KEYS:
        assert f'id="plot-{key}"' in page
        assert (folder / f"{key}.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in folder.iterdir()) == sorted(["report.html", *(f"{key}.png" for key in KEYS)])


def test_what_a_figure_shows_are_the_findings(findings: Findings) -> None:
    figures = {figure.key: figure for figure in draw(findings, weigh(findings), lang="en")}
    matrix = np.array(findings.evaluated.confusion)
    judged = [findings.evaluated.labels.index(genre.label) for genre in findings.evaluated.genres]
    assert figures["confusion"].data[0]["z"] == matrix[judged].tolist()
    assert figures["coverage"].data[1]["y"][-1] == pytest.approx(findings.evaluated.accuracy, abs=1e-6)
    assert figures["learning"].data[0]["y"] == [point.accuracy for point in findings.evaluated.learning_curve]
    recalls = [genre.recall for genre in findings.evaluated.genres]
    assert figures["genres"].data[1]["x"] == pytest.approx(recalls, abs=1e-6)
    for genre in findings.evaluated.genres:
        assert genre.label in figures["roc"].alt


def test_titles_cannot_inject_markup(findings: Findings, folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert any(track.title == EVIL for track in findings.tracks)
    assert "alert(1)" in own(page)
    assert EVIL not in page
    assert not re.search(r"<(script|b|i)>(alert|,|broken)", own(page))
    assert len(re.findall("<script", own(page))) == 2
    assert data_of(page)["tracks"][0]["title"] == EVIL


def test_nothing_is_asked_of_a_host(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in own(page).replace("http-equiv", "")
    assert POLICY.format(code="", media="").replace("'", "&#x27;") in page
    assert "http" not in POLICY
    assert not re.search(r'(?:src|href)="(?!#|data:|[a-z_]+\.png")', own(page))


def test_cells_list_their_tracks(findings: Findings, folder: Path) -> None:
    data = data_of((folder / "report.html").read_text(encoding="utf-8"))
    matrix = np.array(findings.evaluated.confusion)
    judged = [findings.evaluated.labels.index(genre.label) for genre in findings.evaluated.genres]
    for row, code in enumerate(judged):
        for column in range(matrix.shape[1]):
            cell = data["cells"].get(f"{row}-{column}", {"tracks": []})
            assert len(cell["tracks"]) == matrix[code, column]
    played = {number for number, track in enumerate(data["tracks"]) if track["clip"]}
    wrong = findings.evaluation.tested[findings.evaluation.predicted != findings.evaluation.reference]
    assert played == set(wrong.tolist())
    assert all(track["href"].startswith("file:///") for track in data["tracks"])


def test_errors_have_neighbours_by_other_artists(findings: Findings) -> None:
    assert findings.mistakes
    for mistake in findings.mistakes:
        assert len(mistake.near) == 5
        assert all(near.track.artist != mistake.track.artist for near in mistake.near)
    probabilities = [mistake.probability for mistake in findings.mistakes]
    assert probabilities == sorted(probabilities, reverse=True)


def test_french(findings: Findings, tmp_path: Path) -> None:
    page = write_report(findings, tmp_path, lang="fr").read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    assert "Les genres sont-ils bien reconnus\xa0?" in page
    assert "What to do next" not in page
    assert data_of(page)["figures"][0]["layout"]["separators"].startswith(",")


def test_the_same_findings_give_the_same_bytes(findings: Findings, folder: Path, tmp_path: Path) -> None:
    write_report(findings, tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_what_was_not_found_out_has_no_section(findings: Findings, tmp_path: Path) -> None:
    bare = replace(
        findings,
        compared=None,
        decisions=None,
        importance=None,
        failed=(),
        mistakes=(),
        evaluated=replace(findings.evaluated, learning_curve=[]),
    )
    page = write_report(bare, tmp_path).read_text(encoding="utf-8")
    assert [figure["key"] for figure in data_of(page)["figures"]] == KEYS[:8]
    for missing in ("models", "decisions", "importance", "trees", "tags", "learning"):
        assert f'<section id="{missing}"' not in page


def test_an_excerpt_is_ten_seconds_of_opus() -> None:
    path = music() / "classical" / "john-michel-ave-maria-1.mp3"
    whole, rate = load(path)
    uri = excerpt(path, seconds=len(whole) / rate)
    assert uri is not None
    kind, _, data = uri.partition(",")
    assert kind == "data:audio/ogg;base64"
    heard, rate = load(base64.b64decode(data))
    assert rate == 48_000
    assert len(heard) / rate == pytest.approx(min(10.0, len(whole) / 44_100), abs=0.1)
    assert np.abs(heard).max() > 0.01
    assert len(data) < 80_000


def test_a_file_that_is_gone_is_not_played(tmp_path: Path) -> None:
    assert excerpt(tmp_path / "gone.mp3", seconds=3.0) is None


def test_a_library_without_musicnn_has_a_report_without_tags(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add(music(), labels=str(music() / "metadata.csv"), embedders=["descriptors"])
        judged = library.evaluate(model="knn", report=tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert judged.importance[0].space.startswith("descriptors")
    assert 'id="importance"' in page
    assert 'id="tags"' not in page
