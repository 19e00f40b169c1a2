"""The page in a real browser: figures are drawn, cells open, no console messages, no requests to any host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sonotheque.report import ReportData, write_report


@pytest.fixture(scope="module")
def report(report_data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(report_data, tmp_path_factory.mktemp("browser"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_figure_is_drawn_without_console_messages_or_requests(
    open_page: Callable[..., Any], report: Path, scheme: str
) -> None:
    opened = open_page(report, color_scheme=scheme, viewport={"width": 1000, "height": 800})
    plots = opened.page.query_selector_all(".plot")
    assert len(plots) == 15
    for plot in plots:
        marks = ".scatterlayer .trace, .barlayer .trace, .heatmaplayer .hm"
        assert plot.query_selector_all(marks), plot.get_attribute("id")
        assert plot.get_attribute("aria-label")
    ink = opened.page.eval_on_selector("#plot-roc .xtitle", "one => getComputedStyle(one).fill")
    assert ink == ("rgb(34, 38, 43)" if scheme == "light" else "rgb(228, 231, 235)")
    assert opened.errors == []
    assert opened.hosts == []


def test_a_cell_lists_its_tracks_by_button_and_by_click(
    open_page: Callable[..., Any], report: Path, report_data: ReportData
) -> None:
    opened = open_page(report, viewport={"width": 1000, "height": 800})
    page = opened.page
    matrix = report_data.evaluation.confusion
    genre = report_data.evaluation.genres[0].label
    code = list(report_data.evaluation.labels).index(genre)
    button = page.locator(f'[data-cell="0-{code}"]')
    fold = page.locator("#confusion details > summary")
    fold.focus()
    page.keyboard.press("Enter")
    button.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#cell-tracks")
    assert panel.locator("li").count() == matrix[code][code]
    assert button.get_attribute("aria-pressed") == "true"
    panel.locator("button").click()
    assert panel.is_hidden()
    place = page.locator("#plot-confusion .nsewdrag")
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    page.mouse.click(
        box["x"] + box["width"] * (code + 0.6) / (len(matrix) + 0.2),
        box["y"] + box["height"] * 0.6 / (len(report_data.evaluation.genres) + 0.2),
    )
    panel.wait_for(state="visible")
    assert panel.locator("li").count() == matrix[code][code]
    assert opened.errors == []


def test_a_misclassified_track_plays(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report)
    players = opened.page.locator("table.errors audio")
    assert players.count() > 0
    seconds = players.first.evaluate(
        "player => new Promise((done, fail) => { player.onloadedmetadata = () => done(player.duration);"
        " player.onerror = () => fail(player.error.message); player.preload = 'metadata'; player.load(); })"
    )
    assert 1 < seconds < 11
    assert opened.errors == []


def test_paired_figures_are_level_and_stacked_on_a_phone(open_page: Callable[..., Any], report: Path) -> None:
    def plot_areas(page: Any) -> list[dict[str, float]]:
        return [
            page.locator(f"#plot-{key} .nsewdrag").bounding_box()
            for key in ("roc", "precision_recall", "calibration", "coverage")
        ]

    roc, precision_recall, calibration, coverage = plot_areas(
        open_page(report, viewport={"width": 1280, "height": 800}).page
    )
    for first, second in ((roc, precision_recall), (calibration, coverage)):
        assert abs(first["y"] - second["y"]) < 2
        assert abs(first["height"] - second["height"]) < 2
        assert second["x"] > first["x"] + first["width"]
    roc, precision_recall, *_ = plot_areas(open_page(report, viewport={"width": 390, "height": 800}).page)
    assert precision_recall["y"] > roc["y"] + roc["height"]


def test_the_folded_errors_open_by_key_and_in_print(
    open_page: Callable[..., Any], report: Path, report_data: ReportData
) -> None:
    count = len(report_data.misclassifications)
    assert count > 10
    opened = open_page(report)
    page = opened.page
    rows = page.locator("table.errors tbody tr:visible")
    assert rows.count() == 10
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert rows.count() == count
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert rows.count() == 10
    page.locator("#errors details > summary").focus()
    page.keyboard.press("Enter")
    assert rows.count() == count
    assert opened.errors == []


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_does_not_scroll_sideways(open_page: Callable[..., Any], report: Path, width: int) -> None:
    opened = open_page(report, viewport={"width": width, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_can_be_printed(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report, color_scheme="dark")
    assert opened.page.pdf(format="A4").startswith(b"%PDF")
    assert opened.errors == []
