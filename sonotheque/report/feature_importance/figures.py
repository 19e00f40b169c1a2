"""The figures of feature importance: bar charts of feature families and of single features."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from sonotheque.classify.evaluation.tree_shap import TreeShap
from sonotheque.report.feature_importance.importance_data import ImportanceData
from sonotheque.report.feature_importance.text import format_family_name
from sonotheque.report.plotly_figure import Figure, category_axis, error_bars, make_figure
from sonotheque.report.report_statistics import Estimate
from sonotheque.report.translation import Translator

MAX_FAMILIES, MAX_FEATURES = 24, 15
"""Bars in a figure."""

LABEL_WIDTH = 30
"""Characters in a line of an axis label."""


def build_importance_figures(importance: ImportanceData, translator: Translator) -> list[Figure]:
    """Build the figures that the data allow; whole spaces are compared if no space has feature families."""
    figures = []
    losses = (importance.family_losses or importance.space_losses)[:MAX_FAMILIES]
    if len(losses) > 1:
        figures.append(
            _bar_chart(
                "permutation",
                [format_family_name(loss.family, translator) for loss in losses],
                [Estimate(loss.rise, loss.rise_interval) for loss in losses],
                translator,
                axis="axis.log_loss_increase",
                sign=True,
            )
        )
    if importance.shap is not None:
        figures += _shap_figures(importance.shap, translator)
    return figures


def _shap_figures(shap: TreeShap, translator: Translator) -> list[Figure]:
    families = np.argsort(-shap.means, kind="stable")[:MAX_FAMILIES]
    feature_means = shap.column_strengths.mean(axis=1)
    features = np.argsort(-feature_means, kind="stable")[:MAX_FEATURES]
    ends = [shap.interval(n) for n in families]
    largest = max(float(shap.means[families].max()), *(high for _, high in filter(None, ends)))
    shared_range = [0.0, 1.05 * largest or 1.0]  # trees without a split have only zeros
    return [
        _bar_chart(
            "trees",
            [format_family_name(shap.families[n], translator) for n in families],
            [Estimate(float(shap.means[n]), interval) for n, interval in zip(families, ends, strict=True)],
            translator,
            axis="axis.mean_shap",
            axis_range=shared_range,
        ),
        _bar_chart(
            "columns",
            [shap.columns[n][1] for n in features],
            [Estimate(float(feature_means[n]), None) for n in features],
            translator,
            axis="axis.mean_shap",
            axis_range=shared_range,
        ),
    ]


def _bar_chart(
    key: str,
    names: Sequence[str],
    estimates: Sequence[Estimate],
    translator: Translator,
    *,
    axis: str,
    sign: bool = False,
    axis_range: list[float] | None = None,
) -> Figure:
    """Build a bar chart; bars whose interval does not lie above 0 are grey. Charts of one unit share `axis_range`."""
    values = [
        f"{name} {translator.format_number(one.value, sign=sign)}" for name, one in zip(names, estimates, strict=True)
    ]
    intervals = [
        f" [{translator.format_interval(one.interval, sign=sign)}]" if one.interval else "" for one in estimates
    ]
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": translator.translate(axis),
        "x": [one.value for one in estimates],
        "y": list(range(len(names))),
        "marker": {"color": ["@faint" if one.interval and one.interval[0] <= 0 else "@0" for one in estimates]},
        "hovertext": [escape(text, quote=False) + interval for text, interval in zip(values, intervals, strict=True)],
        "hoverinfo": "text",
    }
    if any(one.interval for one in estimates):
        bars["error_x"] = error_bars(estimates)
    layout = {
        "height": 100 + 27 * len(names),
        "xaxis": {"title": {"text": translator.translate(axis)}, **({"range": axis_range} if axis_range else {})},
        "yaxis": category_axis(names, first_on_top=True, width=LABEL_WIDTH),
        "showlegend": False,
    }
    return make_figure(key, values, [bars], layout, translator)
