"""What all figures share: colours, axes of shares and of names, error bars, and what a figure is.

Conventions
-----------
Positions on an axis of genres are numbers; their names are tick texts, so that no name can be taken for a number, a date or
markup. A colour is a token such as ``@0`` or ``@ink``, which page and pictures replace from `PALETTES`. Of Plotly only
``scatter``, ``bar`` and ``heatmap`` are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from sonotheque.report.evidence import Measured
from sonotheque.report.wording import Words

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
"""Okabe and Ito's colours, which people with any colour vision tell apart, darkened or lightened to stand out from the page."""

DASHES = ("solid", "dash", "dot")
"""When the colours run out, lines take the next dash."""

LINE, LINES = 22, 3
"""Characters in a line of a name at an axis or in a legend, and how many lines."""

Trace = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure: its key (also the name of its picture), title, a description for those who cannot see it, and what is drawn."""

    key: str
    title: str
    alt: str
    data: list[Trace]
    layout: dict[str, Any]


def framed(key: str, told: Sequence[str], data: list[Trace], layout: dict[str, Any], words: Words) -> Figure:
    """Make a figure with what all layouts share; `told` is what those who cannot see it are told."""
    title = words.say(f"figure {key}")
    legend = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0.5, "xanchor": "center"}
    common = {
        "margin": {"l": 56, "r": 16, "t": 8, "b": 48},
        "separators": ",\u202f" if words.lang == "fr" else ".,",
        "legend": legend,
        "hovermode": "closest",
        "height": 380,
    }
    return Figure(key, title, f"{title}: {'; '.join(told)}.", data, {**common, **layout})


def shown(name: str, *, width: int = LINE) -> str:
    """Break a long name into lines, and escape what Plotly would take for markup.

    Examples
    --------
    >>> shown("drum & bass of the early nineties")
    'drum &amp; bass of the<br>early nineties'
    """
    return "<br>".join(escape(line, quote=False) for line in wrap(name, width, max_lines=LINES, placeholder="…"))


def whiskers(measured: Sequence[Measured]) -> Trace:
    """Error bars; none where there is no interval."""
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


def share_axis(title: str) -> dict[str, Any]:
    """Make an axis from 0 to 100 %."""
    return {"title": {"text": title}, "range": [-0.02, 1.02], "tickformat": ".0%", "zeroline": False}


def named_axis(names: Sequence[str], *, title: str = "", down: bool = False, width: int = LINE) -> dict[str, Any]:
    """Make an axis with a name at each whole number; `down` puts the first on top."""
    ends = [-0.6, len(names) - 0.4]
    return {
        "title": {"text": title},
        "tickvals": list(range(len(names))),
        "ticktext": [shown(name, width=width) for name in names],
        "range": ends[::-1] if down else ends,
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }
