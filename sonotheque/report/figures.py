"""The figures of a report as Plotly JSON, for Plotly.js in the page and for `sonotheque.report.static_figures`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from sonotheque.classify.evaluation.cross_validation import CrossValidationResult
from sonotheque.report.feature_importance.figures import build_importance_figures
from sonotheque.report.genre_colours import N_COLOURS, assign_colours
from sonotheque.report.model_name import format_model_name
from sonotheque.report.plotly_figure import (
    DASHES,
    Figure,
    Trace,
    category_axis,
    error_bars,
    make_figure,
    percent_axis,
    wrap_label,
)
from sonotheque.report.report_data import AggregationComparison, ReportData
from sonotheque.report.report_statistics import (
    Estimate,
    ReportStatistics,
    accuracy_estimate,
    precision_recall_points,
    roc_points,
)
from sonotheque.report.translation import Translator
from sonotheque.types import Float64Array

MAX_MODELS = 24
"""Single models drawn in the model comparison; ensembles are always drawn."""

PAIRED: dict[str, Any] = {"height": 470, "margin": {"l": 56, "r": 16, "t": 8, "b": 124}}
"""Layout of two figures side by side: with the same space for their legends, the axes are level."""

LINES: Trace = {"type": "scatter", "mode": "lines"}
MARKERS: Trace = {"type": "scatter", "mode": "markers", "cliponaxis": False}
LINES_AND_MARKERS: Trace = {**MARKERS, "mode": "lines+markers"}


FIGURE_KEYS = (
    *("classes", "genres", "roc", "precision_recall", "confusion", "confusion_rates", "calibration", "coverage"),
    *("models", "decisions", "permutation", "trees", "columns", "learning"),
)
"""Keys of all figures that a report can have, in the order of the page."""


def build_figures(data: ReportData, statistics: ReportStatistics, *, lang: str) -> list[Figure]:
    """Build all figures that the data allow, in the order of the page."""
    builder = FigureBuilder(data, statistics, Translator(lang))
    figures = [
        builder.classes(),
        builder.metrics(),
        builder.genres(),
        builder.roc(),
        builder.precision_recall(),
        builder.confusion(normalised=False),
        builder.confusion(normalised=True),
        builder.calibration(),
        builder.coverage(),
    ]
    if data.comparison is not None:
        figures.append(builder.models())
    if data.aggregation is not None:
        figures.append(builder.aggregation(data.aggregation))
    if data.importance is not None:
        figures += build_importance_figures(data.importance, builder.translator)
    if len(data.evaluation.learning_curve) > 1:
        figures.append(builder.learning_curve())
    return figures


class FigureBuilder:
    """One method per figure."""

    def __init__(self, data: ReportData, statistics: ReportStatistics, translator: Translator) -> None:
        self.data, self.statistics, self.translator = data, statistics, translator
        self.cross_validation = data.cross_validation
        self.genre_labels = [genre.label for genre in statistics.genres]

    def classes(self) -> Figure:
        """Build a bar chart of the tracks and artists of each genre."""
        translator = self.translator
        labels = sorted({str(track.label) for track in self.data.tracks})
        masks = [np.array([track.label == label for track in self.data.tracks]) for label in labels]
        counts = {
            "tracks": [int(mask.sum()) for mask in masks],
            "artists": [len(np.unique(self.data.groups[mask])) for mask in masks],
        }
        bars = [
            {
                "type": "bar",
                "orientation": "h",
                "name": translator.translate(f"axis.{kind}"),
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
        alt = [
            f"{label}: {translator.format_count(tracks, 'track')}, {translator.format_count(artists, 'artist')}"
            for label, tracks, artists in zip(labels, *counts.values(), strict=True)
        ]
        layout = {
            "height": 110 + 42 * len(labels),
            "xaxis": {"title": {"text": translator.translate("axis.count")}, "rangemode": "tozero"},
            "yaxis": category_axis(labels, first_on_top=True),
        }
        return make_figure("classes", alt, bars, layout, self.translator)

    def metrics(self) -> Figure:
        """Build the accuracy, balanced accuracy and macro F1 with their intervals on one axis, beside the baseline."""
        translator, evaluation = self.translator, self.data.evaluation
        estimates = {
            "accuracy": Estimate(evaluation.accuracy, evaluation.accuracy_interval),
            "balanced_accuracy": Estimate(evaluation.balanced_accuracy, evaluation.balanced_accuracy_interval),
            "macro_f1": Estimate(evaluation.macro_f1, evaluation.macro_f1_interval),
        }
        names = [translator.translate(f"metric.{key}") for key in estimates]
        values = [translator.format_percent(one.value, digits=1) for one in estimates.values()]
        intervals = [translator.format_percent_interval(one.interval) for one in estimates.values()]
        points = {
            **MARKERS,
            "x": [one.value for one in estimates.values()],
            "y": list(range(len(estimates))),
            "error_x": error_bars(list(estimates.values())),
            "marker": {"color": "@0", "size": 10},
            "hovertext": [
                f"{name} {value} [{interval}]" for name, value, interval in zip(names, values, intervals, strict=True)
            ],
            "hoverinfo": "text",
            "showlegend": False,
        }
        majority = self.statistics.majority_accuracy
        baseline = self._reference_line([majority, majority], [-0.6, len(names) - 0.4], "majority")
        alt = [f"{name} {value}" for name, value in zip(names, values, strict=True)]
        layout = {
            "height": 100 + 42 * len(names),
            "xaxis": percent_axis(""),
            "yaxis": category_axis(names, first_on_top=True),
        }
        return make_figure("metrics", alt, [baseline, points], layout, translator)

    def genres(self) -> Figure:
        """Build a bar chart of the precision, recall and F1 of each genre."""
        translator = self.translator
        bars: list[Trace] = []
        for number, metric in enumerate(("precision", "recall", "f1")):
            estimates = [getattr(genre, metric) for genre in self.statistics.genres]
            name = translator.translate(f"axis.{metric}")
            bars.append(
                {
                    "type": "bar",
                    "orientation": "h",
                    "name": name,
                    "x": [one.value for one in estimates],
                    "y": list(range(len(estimates))),
                    "error_x": error_bars(estimates),
                    "hovertext": [
                        f"{name} {translator.format_percent(one.value)} [{translator.format_percent_interval(one.interval)}]"
                        for one in estimates
                    ],
                    "hoverinfo": "text",
                    "marker": {"color": f"@{number}"},
                }
            )
        alt = [f"{genre.label} F1 {translator.format_percent(genre.f1.value)}" for genre in self.statistics.genres]
        layout = {
            "height": 110 + 60 * len(self.genre_labels),
            "xaxis": percent_axis(translator.translate("axis.metric")),
            "yaxis": category_axis(self.genre_labels, first_on_top=True),
        }
        return make_figure("genres", alt, bars, layout, self.translator)

    def roc(self) -> Figure:
        """Build the ROC curve of each genre."""
        axes = self._fraction_axes("false_positive_rate", "true_positive_rate")
        chance = self._reference_line([0, 1], [0, 1], "chance")
        curves, alt = self._genre_curves("AUC", [genre.auc for genre in self.statistics.genres], roc_points)
        return make_figure("roc", alt, [chance, *curves], {**PAIRED, **axes}, self.translator)

    def precision_recall(self) -> Figure:
        """Build the precision-recall curve of each genre, drawn as steps."""
        axes = self._fraction_axes("recall", "precision")
        areas = [genre.average_precision for genre in self.statistics.genres]
        curves, alt = self._genre_curves("AP", areas, precision_recall_points, shape="vh")
        return make_figure("precision_recall", alt, curves, {**PAIRED, **axes}, self.translator)

    def _genre_curves(
        self,
        metric: str,
        areas: Sequence[float],
        points: Callable[[CrossValidationResult, int], tuple[Float64Array, Float64Array]],
        *,
        shape: str = "linear",
    ) -> tuple[list[Trace], list[str]]:
        """Build a curve per genre, with the area under it in the legend; also return the descriptions."""
        traces: list[Trace] = []
        alt = []
        slots = assign_colours(self.genre_labels, stored=self.data.genre_colours)  # the same colours as on the map
        for label, area in zip(self.genre_labels, areas, strict=True):
            x, y = points(self.cross_validation, self.cross_validation.labels.index(label))
            colour, dash = slots[label] % N_COLOURS, DASHES[slots[label] // N_COLOURS % len(DASHES)]
            value = self.translator.format_number(area, digits=2)
            traces.append(
                {
                    **LINES,
                    "name": f"{wrap_label(label)} {value}",
                    "x": x.tolist(),
                    "y": y.tolist(),
                    "line": {"color": f"@{colour}", "width": 2, "dash": dash, "shape": shape},
                    "hovertemplate": "%{x:.0%}, %{y:.0%}",
                }
            )
            alt.append(f"{label}: {metric} {value}")
        return traces, alt

    def confusion(self, *, normalised: bool) -> Figure:
        """Build the confusion matrix, as counts or normalised per row."""
        translator, labels = self.translator, self.cross_validation.labels
        codes = [labels.index(label) for label in self.genre_labels]
        counts = self.cross_validation.confusion[codes]
        fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        values = fractions if normalised else counts
        text = [[translator.format_percent(v) if normalised else str(v) for v in row] for row in values.tolist()]
        hovertext = [
            [
                translator.translate(
                    "page.confusion_cell", reference=wrap_label(reference), predicted=wrap_label(predicted), count=cell
                )
                for predicted, cell in zip(labels, row, strict=True)
            ]
            for reference, row in zip(self.genre_labels, text, strict=True)
        ]
        heatmap = {
            "type": "heatmap",
            "z": values.tolist(),
            "text": text,
            "texttemplate": "%{text}",
            "hovertext": hovertext,
            "hoverinfo": "text",
            "showscale": False,
            "colorscale": "@scale",
            "zmin": 0,
            "xgap": 2,
            "ygap": 2,
        }
        alt = [
            f"{label}: {translator.format_percent(float(fractions[row, code]))}"
            for row, (label, code) in enumerate(zip(self.genre_labels, codes, strict=True))
        ]
        layout = {
            "height": 130 + 46 * len(codes),
            "xaxis": category_axis(labels, title=translator.translate("axis.predicted")),
            "yaxis": category_axis(self.genre_labels, title=translator.translate("axis.reference"), first_on_top=True),
        }
        return make_figure("confusion_rates" if normalised else "confusion", alt, [heatmap], layout, self.translator)

    def calibration(self) -> Figure:
        """Build the calibration curve: accuracy against probability, with the consistency band of exact probabilities."""
        translator, bins = self.translator, self.statistics.calibration_bins
        max_count = max(one.count for one in bins)
        confidences = [translator.format_percent(one.confidence) for one in bins]
        accuracies = [translator.format_percent(one.accuracy.value) for one in bins]
        counts = [translator.format_count(one.count, "prediction") for one in bins]
        points = {
            **MARKERS,
            "name": translator.translate("legend.predictions"),
            "x": [one.confidence for one in bins],
            "y": [one.accuracy.value for one in bins],
            "error_y": error_bars([one.accuracy for one in bins]),
            "marker": {"color": "@0", "size": [7 + 15 * math.sqrt(one.count / max_count) for one in bins]},
            "hovertext": [f"{n}: {x} → {y}" for n, x, y in zip(counts, confidences, accuracies, strict=True)],
            "hoverinfo": "text",
        }
        band = self._band(
            [one.confidence for one in bins],
            [one.consistency_interval for one in bins],
            "consistency_band",
            colour="@faint",
        )
        diagonal = self._reference_line([0, 1], [0, 1], "perfect_calibration")
        alt = [f"{x}: {y} ({one.count})" for one, x, y in zip(bins, confidences, accuracies, strict=True)]
        axes = self._fraction_axes("confidence", "fraction_correct")
        return make_figure("calibration", alt, [band, diagonal, points], {**PAIRED, **axes}, self.translator)

    def coverage(self) -> Figure:
        """Build the accuracy of the most confident predictions against their fraction."""
        translator = self.translator
        fractions = [fraction for fraction, _ in self.statistics.coverage]
        accuracies = [accuracy for _, accuracy in self.statistics.coverage]
        intervals = [one.interval or (one.value, one.value) for one in accuracies]
        band = self._band(fractions, intervals, "confidence_interval", colour="@0")
        line = {
            **LINES_AND_MARKERS,
            "name": translator.translate("axis.accuracy"),
            "x": fractions,
            "y": [one.value for one in accuracies],
            "line": {"color": "@0", "width": 2},
            "marker": {"color": "@0", "size": 7},
            "hovertemplate": "%{x:.0%}, %{y:.0%}",
        }
        alt = [
            f"{translator.format_percent(fraction)}: {translator.format_percent(accuracy.value)}"
            for fraction, accuracy in self.statistics.coverage
        ]
        axes = self._fraction_axes("coverage", "accuracy")
        return make_figure("coverage", alt, [band, line], {**PAIRED, **axes}, self.translator)

    def models(self) -> Figure:
        """Build the difference of each model from the best single model, in percentage points of accuracy."""
        translator = self.translator
        rows = sorted(getattr(self.data.comparison, "rows", ()), key=lambda row: -row.difference)
        rows = [row for row in rows if not row.decision or row in rows[:MAX_MODELS]]
        names = [format_model_name(row, translator) for row in rows]
        estimates = [
            Estimate(100 * r.difference, (100 * r.difference_interval[0], 100 * r.difference_interval[1])) for r in rows
        ]
        points = {
            **MARKERS,
            "x": [one.value for one in estimates],
            "y": list(range(len(rows))),
            "error_x": error_bars(estimates),
            "marker": {"color": ["@1" if not row.decision else "@0" for row in rows], "size": 9},
            "hovertext": [
                f"{escape(name, quote=False)}: {translator.format_interval(one.interval, digits=1, sign=True)}"
                for name, one in zip(names, estimates, strict=True)
            ],
            "hoverinfo": "text",
            "showlegend": False,
        }
        zero = self._reference_line([0, 0], [-0.6, len(rows) - 0.4], "no_difference")
        alt = [
            f"{name} {translator.format_number(one.value, digits=1, sign=True)}"
            for name, one in zip(names, estimates, strict=True)
        ]
        layout = {
            "height": 90 + 36 * len(rows),
            "xaxis": {"title": {"text": translator.translate("axis.accuracy_difference")}, "zeroline": False},
            "yaxis": category_axis(names, first_on_top=True, width=28),
            "showlegend": False,
        }
        return make_figure("models", alt, [zero, points], layout, self.translator)

    def aggregation(self, aggregation: AggregationComparison) -> Figure:
        """Build the recall of each genre with track and with segment aggregation."""
        translator = self.translator
        traces: list[Trace] = []
        alt = []
        for number, (kind, cv) in enumerate((("track", aggregation.track), ("segment", aggregation.segment))):
            codes = [cv.labels.index(label) for label in self.genre_labels]
            estimates = [accuracy_estimate(cv, np.flatnonzero(cv.reference == code)) for code in codes]
            estimates.append(accuracy_estimate(cv, np.arange(len(cv.reference))))
            name = translator.translate(f"legend.{kind}_aggregation")
            percentages = [translator.format_percent(one.value) for one in estimates]
            intervals = [translator.format_percent_interval(one.interval) for one in estimates]
            traces.append(
                {
                    **MARKERS,
                    "name": name,
                    "x": [one.value for one in estimates],
                    "y": [row - 0.13 + 0.26 * number for row in range(len(estimates))],
                    "error_x": error_bars(estimates),
                    "marker": {"color": f"@{number}", "size": 10, "symbol": "square" if number else "circle"},
                    "hovertext": [f"{x} [{interval}]" for x, interval in zip(percentages, intervals, strict=True)],
                    "hoverinfo": "text",
                }
            )
            alt.append(f"{name} {percentages[-1]}")
        layout = {
            "height": 120 + 40 * (len(self.genre_labels) + 1),
            "xaxis": percent_axis(translator.translate("axis.recall")),
            "yaxis": category_axis([*self.genre_labels, translator.translate("legend.all_genres")], first_on_top=True),
        }
        return make_figure("decisions", alt, traces, layout, self.translator)

    def learning_curve(self) -> Figure:
        """Build accuracy and balanced accuracy against the number of training tracks."""
        translator, points = self.translator, self.data.evaluation.learning_curve
        accuracies = [Estimate(point.accuracy, point.accuracy_interval) for point in points]
        common = {
            **LINES_AND_MARKERS,
            "x": [point.tracks for point in points],
            "hovertemplate": "%{x:.0f}, %{y:.0%}",
        }
        traces = [
            {
                **common,
                "name": translator.translate("axis.accuracy"),
                "y": [one.value for one in accuracies],
                "error_y": error_bars(accuracies),
                "line": {"color": "@0", "width": 2},
                "marker": {"color": "@0", "size": 9},
            },
            {
                **common,
                "name": translator.translate("axis.balanced_accuracy"),
                "y": [point.balanced_accuracy for point in points],
                "line": {"color": "@1", "width": 2, "dash": "dash"},
                "marker": {"color": "@1", "size": 9, "symbol": "square"},
            },
        ]
        alt = [f"{round(point.tracks)}: {translator.format_percent(point.accuracy)}" for point in points]
        layout = {
            "xaxis": {"title": {"text": translator.translate("axis.training_tracks")}, "rangemode": "tozero"},
            "yaxis": percent_axis(translator.translate("axis.accuracy")),
        }
        return make_figure("learning", alt, traces, layout, self.translator)

    def _fraction_axes(self, x: str, y: str) -> dict[str, Any]:
        return {
            "xaxis": percent_axis(self.translator.translate(f"axis.{x}")),
            "yaxis": percent_axis(self.translator.translate(f"axis.{y}")),
        }

    def _reference_line(self, x: list[float], y: list[float], name: str) -> Trace:
        return {
            **LINES,
            "name": self.translator.translate(f"legend.{name}"),
            "x": x,
            "y": y,
            "line": {"color": "@faint", "width": 1.2, "dash": "dash"},
            "hoverinfo": "skip",
        }

    def _band(self, x: Sequence[float], intervals: Sequence[tuple[float, float]], name: str, *, colour: str) -> Trace:
        """Build a filled area between the bounds of intervals."""
        return {
            **LINES,
            "fill": "toself",
            "fillcolor": colour,
            "opacity": 0.18,
            "line": {"width": 0, "color": colour},
            "name": self.translator.translate(f"legend.{name}"),
            "x": [*x, *x[::-1]],
            "y": [low for low, _ in intervals] + [high for _, high in intervals[::-1]],
            "hoverinfo": "skip",
        }
