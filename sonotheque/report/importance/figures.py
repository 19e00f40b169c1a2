"""The figures on a model's reasons: bars of families and of columns."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from sonotheque.classify.evaluation.tree_shap import TreeShap
from sonotheque.report.drawing import Figure, framed, named_axis, whiskers
from sonotheque.report.evidence import Measured
from sonotheque.report.importance.collected import Importance
from sonotheque.report.importance.text import family_name
from sonotheque.report.wording import Words

MOST_BARS = 24
"""Families that are drawn."""

MOST_COLUMNS = 15

WIDTH = 30
"""Characters in a line of a family's name."""


def draw_importance(importance: Importance, words: Words) -> list[Figure]:
    """Draw what there is; where no space has families, whole spaces against each other."""
    figures = []
    losses = importance.families or importance.spaces
    if len(losses) > 1:
        figures.append(
            _bars(
                "permutation",
                [family_name(loss.family, words) for loss in losses[:MOST_BARS]],
                [Measured(loss.rise, loss.rise_interval) for loss in losses[:MOST_BARS]],
                words,
                axis="axis rise",
                sign=True,
            )
        )
    if importance.trees is not None:
        figures += _trees(importance.trees, words)
    return figures


def _trees(trees: TreeShap, words: Words) -> list[Figure]:
    order = np.argsort(-trees.means, kind="stable")[:MOST_BARS]
    single = trees.column_strengths.mean(axis=1)
    best = np.argsort(-single, kind="stable")[:MOST_COLUMNS]
    return [
        _bars(
            "trees",
            [family_name(trees.families[n], words) for n in order],
            [Measured(float(trees.means[n]), trees.interval(n)) for n in order],
            words,
            axis="axis added",
        ),
        _bars(
            "columns",
            [trees.columns[n][1] for n in best],
            [Measured(float(single[n]), None) for n in best],
            words,
            axis="axis added",
        ),
    ]


def _bars(
    key: str, names: Sequence[str], measured: Sequence[Measured], words: Words, *, axis: str, sign: bool = False
) -> Figure:
    """Draw a bar for each name; grey where an interval does not lie above 0."""
    told = [f"{name} {words.number(m.value, sign=sign)}" for name, m in zip(names, measured, strict=True)]
    between = [f" [{words.interval(m.interval, sign=sign)}]" if m.interval else "" for m in measured]
    bars = {
        "type": "bar",
        "orientation": "h",
        "name": words.say(axis),
        "x": [m.value for m in measured],
        "y": list(range(len(names))),
        "marker": {"color": ["@faint" if m.interval and m.interval[0] <= 0 else "@0" for m in measured]},
        "hovertext": [escape(one, quote=False) + more for one, more in zip(told, between, strict=True)],
        "hoverinfo": "text",
    }
    if any(m.interval for m in measured):
        bars["error_x"] = whiskers(measured)
    layout = {
        "height": 100 + 27 * len(names),
        "xaxis": {"title": {"text": words.say(axis)}},
        "yaxis": named_axis(names, down=True, width=WIDTH),
        "showlegend": False,
    }
    return framed(key, told, [bars], layout, words)
