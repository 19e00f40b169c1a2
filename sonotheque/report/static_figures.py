"""The figures of a report as PNG files: Matplotlib draws the subset of Plotly's JSON that `sonotheque.report.figures` uses."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import unescape
from typing import Any

import numpy as np

from sonotheque.report.plotly_figure import PALETTES, Figure, Trace
from sonotheque.user_folders import give_matplotlib_a_cache

WIDTH = 7.4
"""In inches."""

PIXELS_PER_INCH = 100
"""Converts the heights in Plotly's layout."""

DPI = 130

_LINESTYLES = {"solid": "-", "dash": "--", "dot": ":"}
_MARKERS = {"circle": "o", "square": "s"}


def draw_static_figures(figures: Sequence[Figure]) -> dict[str, bytes]:
    """Draw each figure as a PNG, with the light palette.

    Parameters
    ----------
    figures : sequence of Figure

    Returns
    -------
    dict of the figure's key to the content of the file
    """
    pictures = {}
    for figure in figures:
        content = io.BytesIO()
        metadata = {"Software": None, "Title": figure.title}
        _draw_figure(figure).savefig(content, format="png", dpi=DPI, metadata=metadata)
        pictures[figure.key] = content.getvalue()
    return pictures


def _draw_figure(figure: Figure) -> Any:
    """Draw a Matplotlib figure without a window or pyplot's global state."""
    give_matplotlib_a_cache()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as MatplotlibFigure

    height = figure.layout["height"] / PIXELS_PER_INCH + 0.5
    static = MatplotlibFigure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(static)
    axes = static.add_subplot()
    bars = [trace for trace in figure.data if trace["type"] == "bar"]
    for number, trace in enumerate(bars):
        _draw_bars(axes, trace, number, len(bars))
    for trace in figure.data:
        if trace["type"] == "scatter":
            _draw_scatter(axes, trace)
        elif trace["type"] == "heatmap":
            _draw_heatmap(axes, trace)
    decimal_comma = figure.layout["separators"].startswith(",")
    for side in ("x", "y"):
        _set_axis(axes, side, figure.layout[f"{side}axis"], decimal_comma=decimal_comma)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    axes.set_axisbelow(True)
    axes.set_title(figure.title, loc="left", fontsize=11, fontweight="bold", color=_resolve_colour("@ink"))
    handles, labels = axes.get_legend_handles_labels()
    if handles and figure.layout.get("showlegend", True):
        static.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return static


def _resolve_colour(token: Any) -> Any:
    palette = PALETTES["light"]
    if isinstance(token, list):
        return [_resolve_colour(one) for one in token]
    name = token.removeprefix("@")
    return palette["lines"][int(name)] if name.isdigit() else palette[name]


def _convert_text(text: str) -> str:
    """Convert Plotly's escaped text to Matplotlib's, with dollar signs escaped so that they do not start a formula."""
    return unescape(text.replace("<br>", "\n")).replace("$", r"\$")


def _error_lengths(trace: Trace, side: str) -> Any:
    error = trace.get(f"error_{side}")
    return None if error is None else np.array([error["arrayminus"], error["array"]])


def _draw_bars(axes: Any, trace: Trace, number: int, count: int) -> None:
    """Draw bars of trace `number` of `count`, side by side with those of the other traces."""
    thickness = 0.8 / count
    y = np.asarray(trace["y"]) + (number - (count - 1) / 2) * thickness
    bars = axes.barh(
        y,
        trace["x"],
        height=thickness * 0.92,
        color=_resolve_colour(trace["marker"]["color"]),
        label=_convert_text(trace["name"]),
        xerr=_error_lengths(trace, "x"),
        error_kw={"ecolor": _resolve_colour("@ink"), "elinewidth": 1, "capsize": 2},
    )
    if "text" in trace:
        axes.bar_label(bars, trace["text"], padding=3, fontsize=8)


def _draw_scatter(axes: Any, trace: Trace) -> None:
    x, y = trace["x"], trace["y"]
    line, marker = trace.get("line", {}), trace.get("marker", {})
    label = _convert_text(trace.get("name", "")) or None
    if trace.get("fill") == "toself":
        axes.fill(x, y, color=_resolve_colour(trace["fillcolor"]), alpha=trace["opacity"], linewidth=0, label=label)
        return
    for side in ("x", "y"):
        if (lengths := _error_lengths(trace, side)) is not None:
            error = {f"{side}err": lengths}
            axes.errorbar(x, y, fmt="none", ecolor=_resolve_colour("@ink"), elinewidth=1, capsize=2, **error)
    if "lines" in trace["mode"]:
        axes.plot(
            x,
            y,
            color=_resolve_colour(line["color"]),
            linewidth=line["width"] * 0.8,
            linestyle=_LINESTYLES[line.get("dash", "solid")],
            drawstyle="steps-pre" if line.get("shape") == "vh" else "default",
            label=label,
        )
        label = None
    if "markers" in trace["mode"]:
        areas = (np.asarray(marker["size"], dtype=float) * 0.72) ** 2
        symbol = _MARKERS[marker.get("symbol", "circle")]
        axes.scatter(x, y, s=areas, c=_resolve_colour(marker["color"]), marker=symbol, label=label, zorder=3)


def _draw_heatmap(axes: Any, trace: Trace) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = np.asarray(trace["z"], dtype=float)
    highest = max(float(values.max()), 1e-9)
    colourmap = LinearSegmentedColormap.from_list("scale", [tuple(stop) for stop in PALETTES["light"]["scale"]])
    axes.imshow(values, cmap=colourmap, vmin=0, vmax=highest, aspect="auto")
    for row, texts in enumerate(trace["text"]):
        for column, text in enumerate(texts):
            colour = "white" if values[row, column] > 0.55 * highest else _resolve_colour("@ink")
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def _set_axis(axes: Any, side: str, axis: dict[str, Any], *, decimal_comma: bool) -> None:
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    target = getattr(axes, f"{side}axis")
    target.label.set_text(axis["title"]["text"])
    if "range" in axis:
        getattr(axes, f"set_{side}lim")(*axis["range"])
    elif axis.get("rangemode") == "tozero":
        getattr(axes, f"set_{side}lim")(0, None)
    if "tickvals" in axis:
        rotation = {"rotation": 35, "ha": "right"} if side == "x" else {}
        labels = [_convert_text(text) for text in axis["ticktext"]]
        getattr(axes, f"set_{side}ticks")(axis["tickvals"], labels, **rotation)
    elif axis.get("tickformat") == ".0%":
        target.set_major_formatter(PercentFormatter(1.0, decimals=0))
    elif decimal_comma:
        target.set_major_formatter(
            FuncFormatter(lambda value, _: f"{value:g}".replace(".", ",").replace("-", "\u2212"))
        )
    if axis.get("showgrid", True):
        axes.grid(axis=side, color=_resolve_colour("@grid"), linewidth=0.7)
