"""The figures of a report as Plotly's JSON: plain dicts, for Plotly.js in the page and for `sonotheque.report.pictures`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from sonotheque.report import evidence as ev
from sonotheque.report.drawing import DASHES, PALETTES, Figure, Trace, framed, named_axis, share_axis, shown, whiskers
from sonotheque.report.evidence import Evidence, Measured
from sonotheque.report.findings import Decisions, Findings
from sonotheque.report.importance.figures import draw_importance
from sonotheque.report.text import model_name
from sonotheque.report.wording import Words

MOST_ROWS = 24
"""Rows of the comparison that are drawn."""


def draw(findings: Findings, evidence: Evidence, *, lang: str) -> list[Figure]:
    """Draw all figures that the findings allow, in the order of the page."""
    artist = _Artist(findings, evidence, Words(lang))
    figures = [
        artist.classes(),
        artist.genres(),
        artist.roc(),
        artist.precision_recall(),
        artist.confusion(rates=False),
        artist.confusion(rates=True),
        artist.calibration(),
        artist.coverage(),
    ]
    if findings.compared is not None:
        figures.append(artist.models())
    if findings.decisions is not None:
        figures.append(artist.decisions(findings.decisions))
    if findings.importance is not None:
        figures += draw_importance(findings.importance, artist.words)
    if len(findings.evaluated.learning_curve) > 1:
        figures.append(artist.learning())
    return figures


class _Artist:
    """One method for each figure."""

    def __init__(self, findings: Findings, evidence: Evidence, words: Words) -> None:
        self.findings, self.evidence, self.words = findings, evidence, words
        self.judged = findings.evaluation
        self.labels = [genre.label for genre in evidence.genres]

    def _figure(self, key: str, told: Sequence[str], data: list[Trace], layout: dict[str, Any]) -> Figure:
        return framed(key, told, data, layout, self.words)

    def classes(self) -> Figure:
        labels = sorted({str(track.label) for track in self.findings.tracks})
        mine = [np.array([track.label == label for track in self.findings.tracks]) for label in labels]
        counts = {
            "tracks": [int(rows.sum()) for rows in mine],
            "artists": [len(np.unique(self.findings.groups[rows])) for rows in mine],
        }
        data = [
            {
                "type": "bar",
                "orientation": "h",
                "name": self.words.say(f"axis {kind}"),
                "x": values,
                "y": list(range(len(labels))),
                "text": [str(value) for value in values],
                "textposition": "auto",
                "textangle": 0,
                "hoverinfo": "skip",
                "marker": {"color": f"@{number}"},
            }
            for number, (kind, values) in enumerate(counts.items())
        ]
        told = [
            f"{label}: {self.words.count(tracks, 'track')}, {self.words.count(artists, 'artist')}"
            for label, tracks, artists in zip(labels, *counts.values(), strict=True)
        ]
        height = 110 + 42 * len(labels)
        axis = {"title": {"text": self.words.say("axis count")}, "rangemode": "tozero"}
        return self._figure(
            "classes", told, data, {"height": height, "xaxis": axis, "yaxis": named_axis(labels, down=True)}
        )

    def genres(self) -> Figure:
        data: list[Trace] = []
        for number, kind in enumerate(("precision", "recall", "f1")):
            measured = [getattr(genre, kind) for genre in self.evidence.genres]
            name = self.words.say(f"axis {kind}")
            data.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": name,
                    "x": [m.value for m in measured],
                    "y": list(range(len(measured))),
                    "error_x": whiskers(measured),
                    "hovertext": [
                        f"{name} {self.words.number(m.value)} [{self.words.interval(m.interval)}]" for m in measured
                    ],
                    "hoverinfo": "text",
                    "marker": {"color": f"@{number}"},
                }
            )
        told = [f"{genre.label} F1 {self.words.number(genre.f1.value, digits=2)}" for genre in self.evidence.genres]
        layout = {
            "height": 110 + 60 * len(told),
            "xaxis": share_axis(self.words.say("axis share")),
            "yaxis": named_axis(self.labels, down=True),
        }
        return self._figure("genres", told, data, layout)

    def roc(self) -> Figure:
        figures = [(genre.label, genre.auc, ev.roc) for genre in self.evidence.genres]
        chance = self._reference([0, 1], [0, 1], "line chance")
        axes = {"xaxis": share_axis(self.words.say("axis false")), "yaxis": share_axis(self.words.say("axis true"))}
        return self._lines("roc", "AUC", figures, [chance], axes)

    def precision_recall(self) -> Figure:
        figures = [(genre.label, genre.average_precision, ev.precision_recall) for genre in self.evidence.genres]
        axes = {
            "xaxis": share_axis(self.words.say("axis recall")),
            "yaxis": share_axis(self.words.say("axis precision")),
        }
        return self._lines("precision_recall", "AP", figures, [], axes)

    def _lines(
        self, key: str, area: str, figures: Sequence[tuple[str, float, Any]], before: list[Trace], axes: dict[str, Any]
    ) -> Figure:
        """Draw a curve for each genre, with its area in the legend."""
        data, told = list(before), []
        for number, (label, value, curve) in enumerate(figures):
            x, y = curve(self.judged, self.judged.labels.index(label))
            colours = len(PALETTES["light"]["lines"])
            line = {"color": f"@{number % colours}", "width": 2, "dash": DASHES[number // colours % len(DASHES)]}
            shape = "vh" if key == "precision_recall" else "linear"
            name = f"{shown(label)} {self.words.number(value, digits=2)}"
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": name,
                    "x": x.tolist(),
                    "y": y.tolist(),
                    "line": {**line, "shape": shape},
                    "hovertemplate": "%{x:.0%}, %{y:.0%}",
                }
            )
            told.append(f"{label}: {area} {self.words.number(value, digits=2)}")
        return self._figure(key, told, data, {"height": 470, **axes})

    def confusion(self, *, rates: bool) -> Figure:
        words, labels = self.words, self.judged.labels
        matrix = self.judged.confusion
        rows = [labels.index(label) for label in self.labels]
        shares = matrix[rows] / np.maximum(matrix[rows].sum(axis=1, keepdims=True), 1)
        values = shares if rates else matrix[rows]
        text = [[words.percent(v) if rates else str(v) for v in row] for row in values.tolist()]
        cells = [
            [
                words.say("script cell", reference=shown(self.labels[r]), predicted=shown(labels[c]), count=text[r][c])
                for c in range(len(labels))
            ]
            for r in range(len(rows))
        ]
        data = {
            "type": "heatmap",
            "z": values.tolist(),
            "text": text,
            "texttemplate": "%{text}",
            "hovertext": cells,
            "hoverinfo": "text",
            "showscale": False,
            "colorscale": "@scale",
            "zmin": 0,
            "xgap": 2,
            "ygap": 2,
        }
        told = [
            f"{label}: {words.number(100 * float(shares[row, code]), digits=0)} %"
            for row, (label, code) in enumerate(zip(self.labels, rows, strict=True))
        ]
        layout = {
            "height": 130 + 46 * len(rows),
            "xaxis": named_axis(labels, title=words.say("axis predicted")),
            "yaxis": named_axis(self.labels, title=words.say("axis reference"), down=True),
        }
        return self._figure("confusion_rates" if rates else "confusion", told, [data], layout)

    def calibration(self) -> Figure:
        words, bins = self.words, self.evidence.bins
        most = max(one.count for one in bins)
        points = {
            "type": "scatter",
            "mode": "markers",
            "cliponaxis": False,
            "name": words.say("line answers"),
            "x": [one.confidence for one in bins],
            "y": [one.accuracy.value for one in bins],
            "error_y": whiskers([one.accuracy for one in bins]),
            "marker": {"color": "@0", "size": [7 + 15 * math.sqrt(one.count / most) for one in bins]},
            "hovertext": [
                f"{words.count(one.count, 'answer')}: {words.percent(one.confidence)} → {words.percent(one.accuracy.value)}"
                for one in bins
            ],
            "hoverinfo": "text",
        }
        places, kept = [one.confidence for one in bins], [one.kept for one in bins]
        band = {
            "type": "scatter",
            "mode": "lines",
            "fill": "toself",
            "fillcolor": "@faint",
            "opacity": 0.18,
            "line": {"width": 0, "color": "@faint"},
            "name": words.say("line consistent"),
            "x": places + places[::-1],
            "y": [low for low, _ in kept] + [high for _, high in kept[::-1]],
            "hoverinfo": "skip",
        }
        told = [f"{words.percent(one.confidence)}: {words.percent(one.accuracy.value)} ({one.count})" for one in bins]
        layout = {
            "height": 420,
            "xaxis": share_axis(words.say("axis confidence")),
            "yaxis": share_axis(words.say("axis kept")),
        }
        return self._figure(
            "calibration", told, [band, self._reference([0, 1], [0, 1], "line perfect"), points], layout
        )

    def coverage(self) -> Figure:
        words = self.words
        shares = [share for share, _ in self.evidence.covered]
        measured = [accuracy for _, accuracy in self.evidence.covered]
        ends = [m.interval or (m.value, m.value) for m in measured]
        band = {
            "type": "scatter",
            "mode": "lines",
            "fill": "toself",
            "fillcolor": "@0",
            "opacity": 0.18,
            "line": {"width": 0, "color": "@0"},
            "name": words.say("line interval"),
            "x": shares + shares[::-1],
            "y": [low for low, _ in ends] + [high for _, high in ends[::-1]],
            "hoverinfo": "skip",
        }
        line = {
            "type": "scatter",
            "mode": "lines+markers",
            "cliponaxis": False,
            "name": words.say("axis accuracy"),
            "x": shares,
            "y": [m.value for m in measured],
            "line": {"color": "@0", "width": 2},
            "marker": {"color": "@0", "size": 7},
            "hovertemplate": "%{x:.0%}, %{y:.0%}",
        }
        told = [f"{words.percent(share)}: {words.percent(m.value)}" for share, m in self.evidence.covered]
        axes = {"xaxis": share_axis(words.say("axis covered")), "yaxis": share_axis(words.say("axis accuracy"))}
        return self._figure("coverage", told, [band, line], axes)

    def models(self) -> Figure:
        words = self.words
        rows = sorted(getattr(self.findings.compared, "rows", ()), key=lambda row: -row.difference)
        rows = [row for row in rows if not row.decision or row in rows[:MOST_ROWS]]
        names = [model_name(row, words) for row in rows]
        measured = [
            Measured(100 * r.difference, (100 * r.difference_interval[0], 100 * r.difference_interval[1])) for r in rows
        ]
        points = {
            "type": "scatter",
            "mode": "markers",
            "cliponaxis": False,
            "x": [m.value for m in measured],
            "y": list(range(len(rows))),
            "error_x": whiskers(measured),
            "marker": {"color": ["@1" if not row.decision else "@0" for row in rows], "size": 9},
            "hovertext": [
                f"{escape(name, quote=False)}: {words.interval(m.interval, digits=1, sign=True)}"
                for name, m in zip(names, measured, strict=True)
            ],
            "hoverinfo": "text",
            "showlegend": False,
        }
        zero = self._reference([0, 0], [-0.6, len(rows) - 0.4], "line chance")
        told = [f"{name} {words.number(m.value, digits=1, sign=True)}" for name, m in zip(names, measured, strict=True)]
        layout = {
            "height": 90 + 36 * len(rows),
            "xaxis": {"title": {"text": words.say("axis difference")}, "zeroline": False},
            "yaxis": named_axis(names, down=True, width=28),
            "showlegend": False,
        }
        return self._figure("models", told, [zero, points], layout)

    def decisions(self, decisions: Decisions) -> Figure:
        words = self.words
        data: list[Trace] = []
        told = []
        for number, (kind, judged) in enumerate((("whole", decisions.whole), ("parts", decisions.parts))):
            codes = [judged.labels.index(label) for label in self.labels]
            measured = [ev.share_right(judged, np.flatnonzero(judged.reference == code)) for code in codes]
            measured.append(ev.share_right(judged, np.arange(len(judged.reference))))
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "cliponaxis": False,
                    "name": words.say(f"line {kind}"),
                    "x": [m.value for m in measured],
                    "y": [row - 0.13 + 0.26 * number for row in range(len(measured))],
                    "error_x": whiskers(measured),
                    "marker": {"color": f"@{number}", "size": 10, "symbol": "square" if number else "circle"},
                    "hovertext": [f"{words.percent(m.value)} [{words.interval(m.interval)}]" for m in measured],
                    "hoverinfo": "text",
                }
            )
            told.append(f"{words.say(f'line {kind}')} {words.percent(measured[-1].value)}")
        layout = {
            "height": 120 + 40 * (len(self.labels) + 1),
            "xaxis": share_axis(words.say("axis recall")),
            "yaxis": named_axis([*self.labels, words.say("line all")], down=True),
        }
        return self._figure("decisions", told, data, layout)

    def learning(self) -> Figure:
        words, points = self.words, self.findings.evaluated.learning_curve
        x = [point.tracks for point in points]
        accuracies = [Measured(point.accuracy, point.accuracy_interval) for point in points]
        common = {
            "type": "scatter",
            "mode": "lines+markers",
            "cliponaxis": False,
            "x": x,
            "hovertemplate": "%{x:.0f}, %{y:.0%}",
        }
        data = [
            {
                **common,
                "name": words.say("axis accuracy"),
                "y": [m.value for m in accuracies],
                "error_y": whiskers(accuracies),
                "line": {"color": "@0", "width": 2},
                "marker": {"color": "@0", "size": 9},
            },
            {
                **common,
                "name": words.say("axis balanced"),
                "y": [point.balanced_accuracy for point in points],
                "line": {"color": "@1", "width": 2, "dash": "dash"},
                "marker": {"color": "@1", "size": 9, "symbol": "square"},
            },
        ]
        told = [f"{round(point.tracks)}: {words.percent(point.accuracy)}" for point in points]
        axis = {"title": {"text": words.say("axis taught")}, "rangemode": "tozero"}
        return self._figure("learning", told, data, {"xaxis": axis, "yaxis": share_axis(words.say("axis accuracy"))})

    def _reference(self, x: list[float], y: list[float], name: str) -> Trace:
        """Draw a line to hold the figure against."""
        line = {"color": "@faint", "width": 1.2, "dash": "dash"}
        return {
            "type": "scatter",
            "mode": "lines",
            "name": self.words.say(name),
            "x": x,
            "y": y,
            "line": line,
            "hoverinfo": "skip",
        }
