"""One HTML page with everything in it: text, tables, figures, Plotly's own script and short excerpts; it asks no host for anything.

The sections are put together in `sonotheque.report.sections`; the style and the script are the files ``page.css`` and ``page.js``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sonotheque.report.drawing import PALETTES, Figure
from sonotheque.report.evidence import weigh
from sonotheque.report.excerpts import cut_excerpts
from sonotheque.report.figures import draw
from sonotheque.report.findings import MOST_MISTAKES, Findings
from sonotheque.report.pictures import draw_pictures
from sonotheque.report.sections import Sections, name_of
from sonotheque.report.standalone import standalone
from sonotheque.report.text import explain
from sonotheque.report.wording import Words


def write_report(findings: Findings, folder: str | os.PathLike[str], *, lang: str = "en") -> Path:
    """Write ``report.html`` and a PNG of each figure into a folder.

    Parameters
    ----------
    findings : Findings
        As `sonotheque.report.collect` gathers them. The files of misjudged tracks are read again, for excerpts.
    folder : path
        Made where it does not exist; files of the same names are replaced.
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    Path
        Of the page. The same findings give the same bytes.

    Raises
    ------
    ValueError
        If the language is unknown.
    OSError
        If the folder cannot be written.
    """
    words = Words(lang)
    evidence = weigh(findings)
    figures = draw(findings, evidence, lang=lang)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    draw_pictures(figures, place)
    sections = Sections(findings, evidence, figures, explain(findings, evidence, lang=lang), words)
    page = place / "report.html"
    page.write_text(_document(findings, figures, sections, words), encoding="utf-8")
    return page


def _document(findings: Findings, figures: Sequence[Figure], sections: Sections, words: Words) -> str:
    return standalone(
        list(sections.page()),
        title=words.say("title"),
        lang=words.lang,
        package="sonotheque.report",
        name="page",
        data_id="report-data",
        data=_data(findings, figures, words),
    )


def _data(findings: Findings, figures: Sequence[Figure], words: Words) -> dict[str, Any]:
    """Gather what the page's script needs."""
    tracks = [mistake.track for mistake in findings.mistakes[:MOST_MISTAKES]]
    clips = dict(zip((track.hash for track in tracks), cut_excerpts(tracks), strict=True))
    return {
        "figures": [{"key": figure.key, "data": figure.data, "layout": figure.layout} for figure in figures],
        "palettes": PALETTES,
        "tracks": [
            {
                "title": name_of(track),
                "artist": track.artist or words.say("script unknown"),
                "play": words.say("play", title=name_of(track)),
                "clip": clips.get(track.hash),
                "href": Path(track.path).absolute().as_uri(),
            }
            for track in findings.tracks
        ],
        "cells": _cells(findings, words),
        "words": {name: words.say(f"script {name}") for name in ("empty", "open", "close", "failed")},
    }


def _cells(findings: Findings, words: Words) -> dict[str, Any]:
    """List the tracks of each cell of the confusion matrix, the surest answers first: numbers of tracks and what to show."""
    judged = findings.evaluation
    rows = [judged.labels.index(genre.label) for genre in findings.evaluated.genres]
    cells: dict[str, Any] = {}
    order = sorted(range(len(judged.tested)), key=lambda row: (-judged.probabilities[row].max(), row))
    for answer in order:
        reference, predicted = int(judged.reference[answer]), int(judged.predicted[answer])
        cell = cells.setdefault(f"{rows.index(reference)}-{predicted}", {"title": "", "tracks": []})
        probability = float(judged.probabilities[answer, predicted])
        cell["tracks"].append([int(judged.tested[answer]), words.percent(probability)])
        labels = {"reference": judged.labels[reference], "predicted": judged.labels[predicted]}
        kind = "script right" if reference == predicted else "script cell"
        cell["title"] = words.say(kind, count=words.count(len(cell["tracks"]), "answer"), **labels)
    return dict(sorted(cells.items()))
