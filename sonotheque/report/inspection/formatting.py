"""Formatting for the inspection figure: safe text, times and frequencies as text, and the style and ticks of axes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from sonotheque.report.plotly_figure import PALETTES

TEXT_COLOUR, MUTED_COLOUR, GRID_COLOUR = (PALETTES["light"][name] for name in ("ink", "faint", "grid"))
LINE_COLOURS: Sequence[str] = PALETTES["light"]["lines"]

SMALL, NORMAL, LARGE = 6.5, 7.5, 12.0
"""Font sizes in points."""

TICK_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800, 86_400)
"""Possible intervals between the ticks of a time axis, in s."""

MAX_TICKS = 10
"""Approximate maximum number of ticks on a time axis."""

CLOCK_FROM = 10.0
"""Duration in s from which times are written as minutes and seconds."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def sanitize_text(text: str) -> str:
    r"""Return text on one line, with characters that the font lacks replaced and dollar signs escaped.

    Without the escape, Matplotlib would read text between dollar signs as a formula.

    Examples
    --------
    >>> sanitize_text("cash $5 $6\n\N{CJK UNIFIED IDEOGRAPH-97F3}")
    'cash \\$5 \\$6 �'
    """
    line = " ".join("".join(" " if unicodedata.category(letter) == "Cc" else letter for letter in text).split())
    return "".join(letter if ord(letter) in _font_characters() else REPLACEMENT for letter in line).replace("$", r"\$")


@cache
def _font_characters() -> frozenset[int]:
    """Return the code points that the font contains."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def shorten_to_width(text: Any, width: float) -> None:
    """Replace the middle of a Matplotlib text by an ellipsis until it is at most `width` pixels wide."""
    renderer = text.figure.canvas.get_renderer()
    full = text.get_text()
    kept = len(full)
    while text.get_window_extent(renderer).width > width and kept > 2:
        kept = min(kept - 1, int(kept * width / text.get_window_extent(renderer).width))
        text.set_text(full[: -(-kept // 2)].rstrip("\\") + "…" + full[len(full) - kept // 2 :])


def format_clock(seconds: float, *, hours: bool = False) -> str:
    """Format a time as minutes and seconds, or as hours, minutes and seconds.

    Examples
    --------
    >>> format_clock(75), format_clock(3675, hours=True)
    ('1:15', '1:01:15')
    """
    rounded = round(seconds)
    if hours:
        return f"{rounded // 3600}:{rounded // 60 % 60:02d}:{rounded % 60:02d}"
    return f"{rounded // 60}:{rounded % 60:02d}"


def format_timestamp(seconds: float) -> str:
    """Format a time to the millisecond.

    Examples
    --------
    >>> format_timestamp(75.25), format_timestamp(3675), format_timestamp(-0.046)
    ('1:15.250', '1:01:15.000', '−0:00.046')
    """
    milliseconds = round(abs(seconds) * 1000)
    sign = "\N{MINUS SIGN}" if seconds < 0 and milliseconds else ""
    clock = format_clock(milliseconds // 1000, hours=milliseconds >= 3_600_000)
    return f"{sign}{clock}.{milliseconds % 1000:03d}"


def format_duration(seconds: float) -> str:
    """Format a duration in seconds, from 10 s on also in minutes and seconds.

    Examples
    --------
    >>> format_duration(0.1), format_duration(30.015), format_duration(10800)
    ('0.100 s', '0:30 (30.0 s)', '3:00:00 (10800.0 s)')
    """
    if seconds < CLOCK_FROM:
        return f"{seconds:.3f} s"
    return f"{format_clock(seconds, hours=seconds >= 3600)} ({seconds:.1f} s)"


def format_khz(hz: float) -> str:
    """Format a frequency in kHz.

    Examples
    --------
    >>> format_khz(510), format_khz(44100), format_khz(2000)
    ('0.51', '44.1', '2')
    """
    return f"{hz / 1000:.3g}"


def set_time_axis(axes: Any, seconds: float, *, tick_labels: bool) -> None:
    """Set the x axis to a time from 0 to `seconds`."""
    from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter

    axes.set_xlim(0, seconds)
    if seconds < CLOCK_FROM:
        axes.xaxis.set_major_locator(MaxNLocator(MAX_TICKS, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
        axes.set_xlabel("Time (s)", fontsize=SMALL, color=TEXT_COLOUR, labelpad=1)
    else:
        step = next((step for step in TICK_STEPS if seconds / step <= MAX_TICKS), TICK_STEPS[-1])
        set_time_ticks(axes, hours=seconds >= 3600, step=step)
    if not tick_labels:
        axes.xaxis.set_major_formatter(NullFormatter())
        axes.set_xlabel("")


def set_time_ticks(axes: Any, *, hours: bool, step: int) -> None:
    """Put a tick every `step` seconds on the x axis, labelled in minutes and seconds."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_clock(value, hours=hours)))
    label = "Time (h:min:s)" if hours else "Time (min:s)"
    axes.set_xlabel(label, fontsize=SMALL, color=TEXT_COLOUR, labelpad=1)


def set_amplitude_ticks(axes: Any, peak: float) -> str:
    """Put a few ticks from -peak to peak on the y axis; return the axis label, with a power of ten if the numbers are long."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    exponent = 0 if 1e-3 <= peak < 1e3 else int(np.floor(np.log10(peak)))
    ticks = [tick for tick in MaxNLocator(4).tick_values(-peak, peak) if abs(tick) <= peak]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / 10.0**exponent:.3g}".replace("-", "\N{MINUS SIGN}"))
    )
    return "Amplitude" if exponent == 0 else f"Amplitude, 1e{exponent}"


def style_axes(axes: Any, title: str, ylabel: str, *, grid: str | None = None) -> None:
    """Set title and y label, small fonts, thin spines and, if given, the grid of axis ``x``, ``y`` or ``both``."""
    axes.set_title(title, loc="left", fontsize=NORMAL, fontweight="bold", color=TEXT_COLOUR, pad=3)
    axes.set_ylabel(ylabel, fontsize=SMALL, color=TEXT_COLOUR, labelpad=2)
    width = axes.get_position().width * axes.figure.get_figwidth()  # in inches
    axes.yaxis.set_label_coords(-0.058 * 7.3 / width, 0.5)
    axes.tick_params(labelsize=SMALL, colors=TEXT_COLOUR, length=2, width=0.5, pad=2)
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set(linewidth=0.5, color=MUTED_COLOUR)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(axis=grid, color=GRID_COLOUR, linewidth=0.5)
