"""Write a report as one self-contained HTML page with text, tables, figures, Plotly's script and short audio excerpts.

The page loads nothing from any host. Its sections are built in `sonotheque.report.sections`; ``page.css`` is its style and
``page.js`` its script.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonotheque.output_files import HTML, PNG, FilePath, OutputFile, beside, open_output
from sonotheque.report.audio_excerpts import cut_excerpts
from sonotheque.report.figures import FIGURE_KEYS, build_figures
from sonotheque.report.html_page import build_html_page
from sonotheque.report.plotly_figure import PALETTES, Figure
from sonotheque.report.report_data import MAX_MISCLASSIFICATIONS, ReportData
from sonotheque.report.report_statistics import compute_statistics
from sonotheque.report.sections import SectionBuilder, format_title
from sonotheque.report.static_figures import draw_static_figures
from sonotheque.report.text import build_text
from sonotheque.report.translation import Translator


def open_report(folder: FilePath, **rules: Any) -> OutputFile:
    """Check that the page and the figures of a report may be written into a folder, before they are computed.

    Parameters
    ----------
    folder : path
    **rules
        Passed to `sonotheque.output_files.open_output`.

    Returns
    -------
    OutputFile
        The page, ``report.html``.

    Raises
    ------
    LibraryError
        If a file would replace one that must stay.
    """
    page = open_output(Path(folder) / "report.html", HTML, **rules)
    for key in FIGURE_KEYS:
        beside(page, f"{key}.png", PNG).check()
    return page


def write_report(data: ReportData, folder: FilePath | OutputFile, *, lang: str = "en") -> Path:
    """Write ``report.html`` and a PNG of each figure into a folder.

    Parameters
    ----------
    data : ReportData
        From `sonotheque.report.collect_report_data`. The files of misclassified tracks are read again, for excerpts.
    folder : path, or the OutputFile that `open_report` returns
        The folder is created if it does not exist. Pages and pictures with the same names are replaced.
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    Path
        Path of the page. The same data give the same bytes.

    Raises
    ------
    ValueError
        If the language is unknown.
    LibraryError
        If a file cannot be written, or would replace one that must stay.
    """
    page = folder if isinstance(folder, OutputFile) else open_report(folder, force=True)
    translator = Translator(lang)
    statistics = compute_statistics(data)
    figures = build_figures(data, statistics, lang=lang)
    text = build_text(data, statistics, lang=lang)
    content = build_html_page(
        list(SectionBuilder(data, statistics, figures, text, translator).body()),
        title=translator.translate("page.title"),
        lang=translator.lang,
        package="sonotheque.report",
        name="page",
        data_id="report-data",
        data=_script_data(data, figures, translator),
    )
    pictures = {beside(page, f"{key}.png", PNG): picture for key, picture in draw_static_figures(figures).items()}
    for output in pictures:
        output.check()
    for output, picture in pictures.items():
        output.write([picture])
    page.write([content.encode("utf-8")])
    return page.path


def _script_data(data: ReportData, figures: Sequence[Figure], translator: Translator) -> dict[str, Any]:
    """Collect the data of the page's script."""
    tracks = [one.track for one in data.misclassifications[:MAX_MISCLASSIFICATIONS]]
    excerpts = dict(zip((track.hash for track in tracks), cut_excerpts(tracks), strict=True))
    return {
        "figures": [{"key": figure.key, "data": figure.data, "layout": figure.layout} for figure in figures],
        "palettes": PALETTES,
        "tracks": [
            {
                "title": format_title(track),
                "artist": track.artist or translator.translate("page.unknown_artist"),
                "playLabel": translator.translate("page.play", title=format_title(track)),
                "excerpt": excerpts.get(track.hash),
                "href": Path(track.path).absolute().as_uri(),
            }
            for track in data.tracks
        ],
        "cells": _confusion_cells(data, translator),
        "messages": {
            name: translator.translate(f"script.{key}")
            for name, key in (
                ("noTracks", "no_tracks"),
                ("openFile", "open_file"),
                ("close", "close"),
                ("figureFailed", "figure_failed"),
            )
        },
    }


def _confusion_cells(data: ReportData, translator: Translator) -> dict[str, Any]:
    """List the tracks in each cell of the confusion matrix, the highest probability first: track number and percentage."""
    cv = data.cross_validation
    codes = [cv.labels.index(genre.label) for genre in data.evaluation.genres]
    cells: dict[str, Any] = {}
    order = sorted(range(len(cv.tested)), key=lambda row: (-cv.probabilities[row].max(), row))
    for row in order:
        reference, predicted = int(cv.reference[row]), int(cv.predicted[row])
        cell = cells.setdefault(f"{codes.index(reference)}-{predicted}", {"title": "", "tracks": []})
        probability = float(cv.probabilities[row, predicted])
        cell["tracks"].append([int(cv.tested[row]), translator.format_percent(probability)])
        cell["title"] = translator.translate(
            "page.correct_cell" if reference == predicted else "page.confusion_cell",
            reference=cv.labels[reference],
            predicted=cv.labels[predicted],
            count=translator.format_count(len(cell["tracks"]), "prediction"),
        )
    return dict(sorted(cells.items()))
