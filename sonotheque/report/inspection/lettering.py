"""How a sheet writes: texts of strangers, times, frequencies, and the axes that carry them. No panel is drawn here."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from sonotheque.report.drawing import PALETTES

INK, FAINT, GRID = (PALETTES["light"][name] for name in ("ink", "faint", "grid"))
LINES: Sequence[str] = PALETTES["light"]["lines"]

SMALL, NORMAL, LARGE = 6.5, 7.5, 12.0
"""Sizes of letters in points."""

STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
"""Seconds between two marks on an axis of time."""

MARKS = 10
"""On an axis of time, about the most."""

CLOCK = 10.0
"""Seconds from which on times are written as on a clock."""

UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    r"""Make a text one line of letters that the font has, none of which Matplotlib takes for a formula.

    Examples
    --------
    >>> printable("cash $5 $6\n\N{CJK UNIFIED IDEOGRAPH-97F3}")
    'cash \\$5 \\$6 �'
    """
    line = " ".join("".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text).split())
    return "".join(letter if ord(letter) in _letters() else UNKNOWN for letter in line).replace("$", r"\$")


@cache
def _letters() -> frozenset[int]:
    """Return the code points that the font has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def fit(text: Any, width: float) -> None:
    """Shorten a Matplotlib text in its middle until it is at most so many pixels wide."""
    renderer = text.figure.canvas.get_renderer()
    whole = text.get_text()
    kept = len(whole)
    while text.get_window_extent(renderer).width > width and kept > 2:
        kept = min(kept - 1, int(kept * width / text.get_window_extent(renderer).width))
        text.set_text(whole[: -(-kept // 2)].rstrip("\\") + "…" + whole[len(whole) - kept // 2 :])


def clock(seconds: float, *, hours: bool = False) -> str:
    """Write a time as minutes and seconds, or with hours.

    Examples
    --------
    >>> clock(75), clock(3675, hours=True)
    ('1:15', '1:01:15')
    """
    whole = round(seconds)
    if hours:
        return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}"


def instant(seconds: float) -> str:
    """Write a moment to the millisecond.

    Examples
    --------
    >>> instant(75.25), instant(3675), instant(-0.046)
    ('1:15.250', '1:01:15.000', '−0:00.046')
    """
    thousandths = round(abs(seconds) * 1000)
    sign = "\N{MINUS SIGN}" if seconds < 0 and thousandths else ""
    return f"{sign}{clock(thousandths // 1000, hours=thousandths >= 3_600_000)}.{thousandths % 1000:03d}"


def duration(seconds: float) -> str:
    """Write a length.

    Examples
    --------
    >>> duration(0.1), duration(30.015), duration(10800)
    ('0.100 s', '0:30 (30.0 s)', '3:00:00 (10800.0 s)')
    """
    if seconds < CLOCK:
        return f"{seconds:.3f} s"
    return f"{clock(seconds, hours=seconds >= 3600)} ({seconds:.1f} s)"


def time_axis(axes: Any, seconds: float, *, named: bool) -> None:
    """Let an axis of time reach from 0 to so many seconds; write times only where it is `named`."""
    from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter

    axes.set_xlim(0, seconds)
    if seconds < CLOCK:
        axes.xaxis.set_major_locator(MaxNLocator(MARKS, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
        axes.set_xlabel("Time (s)", fontsize=SMALL, color=INK, labelpad=1)
    else:
        step = next((step for step in STEPS if seconds / step <= MARKS), STEPS[-1])
        time_marks(axes, hours=seconds >= 3600, step=step)
    if not named:
        axes.xaxis.set_major_formatter(NullFormatter())
        axes.set_xlabel("")


def time_marks(axes: Any, *, hours: bool, step: int) -> None:
    """Mark an axis of time each so many seconds, as on a clock."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: clock(value, hours=hours)))
    axes.set_xlabel("Time (h:min:s)" if hours else "Time (min:s)", fontsize=SMALL, color=INK, labelpad=1)


def kilohertz(hz: float) -> str:
    """Write a frequency in kHz.

    Examples
    --------
    >>> kilohertz(510), kilohertz(44100), kilohertz(2000)
    ('0.51', '44.1', '2')
    """
    return f"{hz / 1000:.3g}"


def plain(axes: Any, title: str, unit: str, *, grid: str | None = None) -> None:
    """Give axes their title, the unit of their height, small letters and few lines."""
    axes.set_title(title, loc="left", fontsize=NORMAL, fontweight="bold", color=INK, pad=3)
    axes.set_ylabel(unit, fontsize=SMALL, color=INK, labelpad=2)
    axes.yaxis.set_label_coords(-0.058 * 7.3 / _inches(axes), 0.5)
    axes.tick_params(labelsize=SMALL, colors=INK, length=2, width=0.5, pad=2)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set(linewidth=0.5, color=FAINT)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID, linewidth=0.5)


def amplitudes(axes: Any, reach: float) -> str:
    """Mark a few amplitudes from -reach to reach; return the unit, with a power of ten where the numbers were too long."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    power = 0 if 1e-3 <= reach < 1e3 else int(np.floor(np.log10(reach)))
    marks = [mark for mark in MaxNLocator(4).tick_values(-reach, reach) if abs(mark) <= reach]
    axes.yaxis.set_major_locator(FixedLocator(marks))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / 10.0**power:.3g}".replace("-", "\N{MINUS SIGN}"))
    )
    return "Amplitude" if power == 0 else f"Amplitude, 1e{power}"


def _inches(axes: Any) -> float:
    return float(axes.get_position().width * axes.figure.get_figwidth())
