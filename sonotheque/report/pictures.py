"""The same figures as PNG: Matplotlib draws the subset of Plotly's JSON that `sonotheque.report.figures` makes."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np

from sonotheque.report.drawing import PALETTES, Figure, Trace

WIDTH = 7.4
"""Of a picture, in inches."""

PIXELS = 100
"""Of Plotly's heights that stand for an inch."""

_DASHES = {"solid": "-", "dash": "--", "dot": ":"}
_MARKERS = {"circle": "o", "square": "s"}


def draw_pictures(figures: Sequence[Figure], folder: Path) -> list[Path]:
    """Draw each figure as ``folder/KEY.png``, in light colours.

    Parameters
    ----------
    figures : sequence of Figure
    folder : Path
        Exists.

    Returns
    -------
    list of Path
    """
    paths = []
    for figure in figures:
        path = folder / f"{figure.key}.png"
        _draw(figure).savefig(path, dpi=130, metadata={"Software": None, "Title": figure.title})
        paths.append(path)
    return paths


def _draw(figure: Figure) -> Any:
    """Make a Matplotlib figure; it belongs to no window and no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(WIDTH, figure.layout["height"] / PIXELS + 0.5), layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    bars = [trace for trace in figure.data if trace["type"] == "bar"]
    for number, trace in enumerate(bars):
        _bar(axes, trace, number, len(bars))
    for trace in figure.data:
        if trace["type"] == "scatter":
            _scatter(axes, trace)
        elif trace["type"] == "heatmap":
            _heatmap(axes, trace)
    french = figure.layout["separators"].startswith(",")
    for side in ("x", "y"):
        _axis(axes, side, figure.layout[f"{side}axis"], french=french)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    axes.set_axisbelow(True)
    axes.set_title(figure.title, loc="left", fontsize=11, fontweight="bold", color=_colour("@ink"))
    entries, names = axes.get_legend_handles_labels()
    if entries and figure.layout.get("showlegend", True):
        canvas.legend(entries, names, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return canvas


def _colour(token: Any) -> Any:
    palette = PALETTES["light"]
    if isinstance(token, list):
        return [_colour(one) for one in token]
    name = token.removeprefix("@")
    return palette["lines"][int(name)] if name.isdigit() else palette[name]


def _text(text: str) -> str:
    """Undo what keeps Plotly from reading markup, and keep Matplotlib from reading formulas."""
    return unescape(text.replace("<br>", "\n")).replace("$", r"\$")


def _whiskers(trace: Trace, side: str) -> Any:
    error = trace.get(f"error_{side}")
    return None if error is None else np.array([error["arrayminus"], error["array"]])


def _bar(axes: Any, trace: Trace, number: int, count: int) -> None:
    thick = 0.8 / count
    places = np.asarray(trace["y"]) + (number - (count - 1) / 2) * thick
    bars = axes.barh(
        places,
        trace["x"],
        height=thick * 0.92,
        color=_colour(trace["marker"]["color"]),
        label=_text(trace["name"]),
        xerr=_whiskers(trace, "x"),
        error_kw={"ecolor": _colour("@ink"), "elinewidth": 1, "capsize": 2},
    )
    if "text" in trace:
        axes.bar_label(bars, trace["text"], padding=3, fontsize=8)


def _scatter(axes: Any, trace: Trace) -> None:
    line, marker = trace.get("line", {}), trace.get("marker", {})
    name = _text(trace.get("name", "")) or None
    if trace.get("fill") == "toself":
        axes.fill(
            trace["x"], trace["y"], color=_colour(trace["fillcolor"]), alpha=trace["opacity"], linewidth=0, label=name
        )
        return
    for side in ("x", "y"):
        if (spread := _whiskers(trace, side)) is not None:
            given = {f"{side}err": spread}
            axes.errorbar(trace["x"], trace["y"], fmt="none", ecolor=_colour("@ink"), elinewidth=1, capsize=2, **given)
    if "lines" in trace["mode"]:
        style = "steps-pre" if line.get("shape") == "vh" else "default"
        axes.plot(
            trace["x"],
            trace["y"],
            color=_colour(line["color"]),
            linewidth=line["width"] * 0.8,
            linestyle=_DASHES[line.get("dash", "solid")],
            drawstyle=style,
            label=name,
        )
        name = None
    if "markers" in trace["mode"]:
        sizes = (np.asarray(marker["size"], dtype=float) * 0.72) ** 2
        shape = _MARKERS[marker.get("symbol", "circle")]
        axes.scatter(trace["x"], trace["y"], s=sizes, c=_colour(marker["color"]), marker=shape, label=name, zorder=3)


def _heatmap(axes: Any, trace: Trace) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    values = np.asarray(trace["z"], dtype=float)
    highest = max(float(values.max()), 1e-9)
    scale = LinearSegmentedColormap.from_list("scale", [tuple(stop) for stop in PALETTES["light"]["scale"]])
    axes.imshow(values, cmap=scale, vmin=0, vmax=highest, aspect="auto")
    for row, texts in enumerate(trace["text"]):
        for column, text in enumerate(texts):
            ink = "white" if values[row, column] > 0.55 * highest else _colour("@ink")
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)


def _axis(axes: Any, side: str, axis: dict[str, Any], *, french: bool) -> None:
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    own = getattr(axes, f"{side}axis")
    own.label.set_text(axis["title"]["text"])
    if "range" in axis:
        getattr(axes, f"set_{side}lim")(*axis["range"])
    elif axis.get("rangemode") == "tozero":
        getattr(axes, f"set_{side}lim")(0, None)
    if "tickvals" in axis:
        turned = {"rotation": 35, "ha": "right"} if side == "x" else {}
        getattr(axes, f"set_{side}ticks")(axis["tickvals"], [_text(text) for text in axis["ticktext"]], **turned)
    elif axis.get("tickformat") == ".0%":
        own.set_major_formatter(PercentFormatter(1.0, decimals=0))
    elif french:
        own.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace(".", ",").replace("-", "\u2212")))
    if axis.get("showgrid", True):
        axes.grid(axis=side, color=_colour("@grid"), linewidth=0.7)
