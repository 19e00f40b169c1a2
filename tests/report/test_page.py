"""The page: complete, self-contained, safe against markup in titles, and the same bytes each time."""

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
from sonotheque.report import ReportData, write_report
from sonotheque.report.audio_excerpts import make_excerpt
from sonotheque.report.figures import build_figures
from sonotheque.report.genre_colours import N_COLOURS, assign_colours
from sonotheque.report.html_page import CONTENT_SECURITY_POLICY
from sonotheque.report.report_statistics import compute_statistics
from sonotheque.report.sections import SectionBuilder
from sonotheque.report.text import build_text
from sonotheque.report.translation import Translator

KEYS = [
    "classes", "metrics", "genres", "roc", "precision_recall", "confusion", "confusion_rates", "calibration", "coverage",
    "models", "decisions", "permutation", "trees", "columns", "learning",
]  # fmt: skip
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(report_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(report_data, tmp_path_factory.mktemp("page") / "new" / "folder").parent


def without_plotly(page: str) -> str:
    """Return the page without Plotly's script."""
    return re.sub(r"<script>/\*\*.*?</script>", "", page, count=1, flags=re.DOTALL)


def script_data(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page, re.DOTALL)
    assert found
    result: dict[str, Any] = json.loads(found[1])
    return result


def test_every_figure_is_in_the_page_and_a_png(report_data: ReportData, folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert [figure["key"] for figure in script_data(page)["figures"]] == KEYS
    for key in KEYS:
        assert f'id="plot-{key}"' in page
        assert (folder / f"{key}.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in folder.iterdir()) == sorted(["report.html", *(f"{key}.png" for key in KEYS)])


def test_figures_show_the_data(report_data: ReportData) -> None:
    figures = {figure.key: figure for figure in build_figures(report_data, compute_statistics(report_data), lang="en")}
    matrix = np.array(report_data.evaluation.confusion)
    codes = [report_data.evaluation.labels.index(genre.label) for genre in report_data.evaluation.genres]
    assert figures["confusion"].data[0]["z"] == matrix[codes].tolist()
    assert figures["coverage"].data[1]["y"][-1] == pytest.approx(report_data.evaluation.accuracy, abs=1e-6)
    assert figures["learning"].data[0]["y"] == [point.accuracy for point in report_data.evaluation.learning_curve]
    recalls = [genre.recall for genre in report_data.evaluation.genres]
    assert figures["genres"].data[1]["x"] == pytest.approx(recalls, abs=1e-6)
    for genre in report_data.evaluation.genres:
        assert genre.label in figures["roc"].alt
    colours = assign_colours([genre.label for genre in report_data.evaluation.genres])  # the same as on the map
    assert [trace["line"]["color"] for trace in figures["roc"].data[1:]] == [
        f"@{colours[genre.label] % N_COLOURS}" for genre in report_data.evaluation.genres
    ]


def test_ten_errors_are_shown_and_the_rest_is_folded(report_data: ReportData) -> None:
    one = report_data.misclassifications[0]
    many = [
        replace(one, track=track, probability=1 - number / 100) for number, track in enumerate(report_data.tracks[:13])
    ]
    statistics, text = (
        compute_statistics(report_data),
        build_text(report_data, compute_statistics(report_data), lang="en"),
    )
    for count, folded in ((10, 0), (11, 1), (13, 3)):
        data = replace(report_data, misclassifications=many[:count])
        page = "".join(SectionBuilder(data, statistics, [], text, Translator("en")).body())
        shown, _, rest = page.partition('<details class="unfold-in-print">')
        assert shown.count("<span data-track=") == 10
        assert rest.count("<span data-track=") == folded
        more = f"Show {folded}\xa0more error{'s' * (folded > 1)}"
        assert (f"<summary>{more}</summary>" in rest) is (folded > 0)


def test_values_of_one_unit_share_an_axis(report_data: ReportData, folder: Path) -> None:
    figures = {figure.key: figure for figure in build_figures(report_data, compute_statistics(report_data), lang="en")}
    evaluation = report_data.evaluation
    assert figures["metrics"].data[1]["x"] == [
        evaluation.accuracy, evaluation.balanced_accuracy, evaluation.macro_f1
    ]  # fmt: skip
    assert figures["trees"].layout["xaxis"]["range"] == figures["columns"].layout["xaxis"]["range"]
    for first, second in (("roc", "precision_recall"), ("calibration", "coverage")):
        assert figures[first].layout["yaxis"]["range"] == figures[second].layout["yaxis"]["range"]
        assert figures[first].layout["height"] == figures[second].layout["height"]
    page = (folder / "report.html").read_text(encoding="utf-8")
    for card in re.findall(r"<dt>(accuracy|balanced accuracy|macro F1)</dt><dd>(.*?)<small>(.*?)</small>", page):
        assert card[1].endswith("%"), card
        assert card[2].endswith("%"), card


def test_titles_cannot_inject_markup(report_data: ReportData, folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert any(track.title == EVIL for track in report_data.tracks)
    assert "alert(1)" in without_plotly(page)
    assert EVIL not in page
    assert not re.search(r"<(script|b|i)>(alert|,|broken)", without_plotly(page))
    assert len(re.findall("<script", without_plotly(page))) == 2
    assert script_data(page)["tracks"][0]["title"] == EVIL


def test_the_page_loads_nothing_from_a_host(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "http" not in without_plotly(page).replace("http-equiv", "")
    assert CONTENT_SECURITY_POLICY.format(code="", media="").replace("'", "&#x27;") in page
    assert "http" not in CONTENT_SECURITY_POLICY
    assert not re.search(r'(?:src|href)="(?!#|data:|[a-z_]+\.png")', without_plotly(page))


def test_cells_list_their_tracks(report_data: ReportData, folder: Path) -> None:
    data = script_data((folder / "report.html").read_text(encoding="utf-8"))
    matrix = np.array(report_data.evaluation.confusion)
    codes = [report_data.evaluation.labels.index(genre.label) for genre in report_data.evaluation.genres]
    for row, code in enumerate(codes):
        for column in range(matrix.shape[1]):
            cell = data["cells"].get(f"{row}-{column}", {"tracks": []})
            assert len(cell["tracks"]) == matrix[code, column]
    played = {number for number, track in enumerate(data["tracks"]) if track["excerpt"]}
    cv = report_data.cross_validation
    wrong = cv.tested[cv.predicted != cv.reference]
    assert played == set(wrong.tolist())
    assert all(track["href"].startswith("file:///") for track in data["tracks"])


def test_nearest_tracks_of_errors_are_by_other_artists(report_data: ReportData) -> None:
    assert report_data.misclassifications
    for misclassification in report_data.misclassifications:
        assert len(misclassification.nearest) == 5
        assert all(one.track.artist != misclassification.track.artist for one in misclassification.nearest)
    probabilities = [one.probability for one in report_data.misclassifications]
    assert probabilities == sorted(probabilities, reverse=True)


def test_french(report_data: ReportData, tmp_path: Path) -> None:
    page = write_report(report_data, tmp_path, lang="fr").read_text(encoding="utf-8")
    assert '<html lang="fr">' in page
    assert "<h1>Rapport de classification des genres</h1>" in page
    assert "Recommendations" not in page
    assert script_data(page)["figures"][0]["layout"]["separators"].startswith(",")


def test_the_same_data_give_the_same_bytes(report_data: ReportData, folder: Path, tmp_path: Path) -> None:
    write_report(report_data, tmp_path)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_missing_data_have_no_section(report_data: ReportData, folder: Path, tmp_path: Path) -> None:
    bare = replace(
        report_data,
        comparison=None,
        aggregation=None,
        importance=None,
        failed=(),
        misclassifications=(),
        evaluation=replace(report_data.evaluation, learning_curve=[]),
    )
    page = write_report(bare, tmp_path).read_text(encoding="utf-8")
    assert [figure["key"] for figure in script_data(page)["figures"]] == KEYS[:9]
    full = (folder / "report.html").read_text(encoding="utf-8")
    for missing in ("models", "aggregation", "importance", "shap", "auto_tags", "learning_curve"):
        assert f'<section id="{missing}"' not in page
        assert f'<section id="{missing}"' in full


def test_an_excerpt_is_ten_seconds_of_opus() -> None:
    path = music() / "classical" / "john-michel-ave-maria-1.mp3"
    whole, rate = load(path)
    uri = make_excerpt(path, seconds=len(whole) / rate)
    assert uri is not None
    kind, _, data = uri.partition(",")
    assert kind == "data:audio/ogg;base64"
    decoded, rate = load(base64.b64decode(data))
    assert rate == 48_000
    assert len(decoded) / rate == pytest.approx(min(10.0, len(whole) / 44_100), abs=0.1)
    assert np.abs(decoded).max() > 0.01
    assert len(data) < 80_000


def test_a_missing_file_has_no_excerpt(tmp_path: Path) -> None:
    assert make_excerpt(tmp_path / "gone.mp3", seconds=3.0) is None


@pytest.mark.slow
def test_a_report_of_a_library_without_musicnn_has_no_auto_tags(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        for genre in ("acoustic", "ambient"):
            library.add(music() / genre, labels=str(music() / "metadata.csv"), embedders=["descriptors"])
        result = library.evaluate(model="knn", report=tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert result.importance[0].space.startswith("descriptors")
    assert '<section id="importance"' in page
    assert '<section id="auto_tags"' not in page
