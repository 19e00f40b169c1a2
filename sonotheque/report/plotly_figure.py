"""Plotly figures as plain dicts: the `Figure` type, colour palettes, axes, error bars and wrapped labels.

Conventions
-----------
Positions on an axis of genres are integers, and the names are tick labels, so that no name is parsed as a number, a date or markup.
A colour is a token such as ``@0`` or ``@ink``; the page and the static figures look it up in `PALETTES`. Only the trace types
``scatter``, ``bar`` and ``heatmap`` are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from sonotheque.report.report_statistics import Estimate
from sonotheque.report.translation import Translator

PALETTES: dict[str, dict[str, Any]] = {
    "light": {
        "lines": ["#0072b2", "#d55e00", "#009e73", "#b5568c", "#b87e00", "#3a93cc", "#746200", "#5f6670"],
        "ink": "#22262b",
        "faint": "#8b929b",
        "grid": "#e3e6ea",
        "scale": [[0, "#f4f7fa"], [0.5, "#6fadd4"], [1, "#00527f"]],
    },
    "dark": {
        "lines": ["#56b4e9", "#ff8d52", "#2cc295", "#e39ac3", "#f0b429", "#9bd4fb", "#f0e442", "#b4bac2"],
        "ink": "#e4e7eb",
        "faint": "#8d959f",
        "grid": "#343a42",
        "scale": [[0, "#1d2228"], [0.5, "#17517a"], [1, "#2374ad"]],
    },
}
"""The colour-blind safe palette of Okabe and Ito, darkened or lightened for contrast with the background."""

DASHES = ("solid", "dash", "dot")
"""Dash styles; lines use the next one when all colours are taken."""

LABEL_WIDTH, LABEL_LINES = 22, 3
"""Maximum number of characters in a line of a label on an axis or in a legend, and of lines."""

Trace = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure: its key (also the name of its PNG), title, alternative text, and Plotly's traces and layout."""

    key: str
    title: str
    alt: str
    data: list[Trace]
    layout: dict[str, Any]


def make_figure(
    key: str, values: Sequence[str], data: list[Trace], layout: dict[str, Any], words: Translator
) -> Figure:
    """Make a figure from traces and changes to the common layout; the alternative text lists `values`."""
    title = words.translate(f"figure.{key}")
    legend = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0.5, "xanchor": "center"}
    common = {
        "margin": {"l": 56, "r": 16, "t": 8, "b": 48},
        "separators": ",\u202f" if words.lang == "fr" else ".,",
        "legend": legend,
        "hovermode": "closest",
        "height": 380,
    }
    return Figure(key, title, f"{title}: {'; '.join(values)}.", data, {**common, **layout})


def wrap_label(name: str, *, width: int = LABEL_WIDTH) -> str:
    """Wrap a long name, and escape what Plotly would read as markup.

    Examples
    --------
    >>> wrap_label("drum & bass of the early nineties")
    'drum &amp; bass of the<br>early nineties'
    """
    return "<br>".join(escape(line, quote=False) for line in wrap(name, width, max_lines=LABEL_LINES, placeholder="…"))


def error_bars(measured: Sequence[Estimate]) -> Trace:
    """Make error bars from confidence intervals, of length 0 where there is no interval."""
    pairs = [(m.value, m.interval or (m.value, m.value)) for m in measured]
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) for value, (_, high) in pairs],
        "arrayminus": [max(0.0, value - low) for value, (low, _) in pairs],
        "color": "@ink",
        "thickness": 1.2,
        "width": 3,
    }


def percent_axis(title: str) -> dict[str, Any]:
    """Make an axis from 0 to 100%."""
    return {"title": {"text": title}, "range": [-0.02, 1.02], "tickformat": ".0%", "zeroline": False}


def category_axis(
    names: Sequence[str], *, title: str = "", first_on_top: bool = False, width: int = LABEL_WIDTH
) -> dict[str, Any]:
    """Make an axis with a name at each integer; on a y axis the first name is at the bottom unless `first_on_top` is set."""
    ends = [-0.6, len(names) - 0.4]
    return {
        "title": {"text": title},
        "tickvals": list(range(len(names))),
        "ticktext": [wrap_label(name, width=width) for name in names],
        "range": ends[::-1] if first_on_top else ends,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }
