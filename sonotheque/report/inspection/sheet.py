"""The sheet: where the panels lie, what is said in words above them, and the file."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonotheque.explore.inspection import WEAK, Inspection
from sonotheque.output_files import write_atomic
from sonotheque.report.inspection import panels
from sonotheque.report.inspection.lettering import (
    FAINT,
    GRID,
    INK,
    LARGE,
    LINES,
    NORMAL,
    SMALL,
    duration,
    fit,
    plain,
    printable,
    time_axis,
)

WIDTH, LEFT, RIGHT = 9.0, 0.75, 0.75
"""Of the sheet and of its margins, in inches; the scales of colours stand in the right one."""

DPI = 150

HEADER, TITLED, NAMED = 2.2, 0.24, 0.27
"""Inches for the words, for a panel's title above it, and for the times under it."""

NOTE = (
    "Spectrograms: dB below their loudest point, means over a column of time. Mel, Bark, onsets: at 22,050 Hz, frames of 2048 "
    "samples, each 512; chroma: 8192, each 2048.\nBold lines: means of 10 s. Tags: probability that a listener of Last.fm would "
    "give them, by musicnn. Loudness: ITU-R BS.1770-4, EBU Tech 3342."
)


@dataclass(frozen=True)
class Panel:
    """A panel as wide as the sheet.

    Attributes
    ----------
    height : float
        In inches.
    draw : callable
        Takes axes, those of a scale of colours if it is `scaled`, and the inspection.
    named : bool
        Whether times are written under it.
    scaled : bool
    close : bool
        Whether it shows a stretch of its own, not the whole recording.
    """

    height: float
    draw: Callable[..., Any]
    named: bool = False
    scaled: bool = False
    close: bool = False


def draw_inspection(inspection: Inspection, path: str | os.PathLike[str], *, title: str) -> None:
    """Draw one recording as a PNG.

    The same inspection gives the same bytes.

    Parameters
    ----------
    inspection : Inspection
    path : path of the picture
        Put in place whole or not at all; its folder is made.
    title : str
        Such as the file's name; letters that the font lacks are replaced.

    Raises
    ------
    LibraryError
        If it cannot be written.
    """
    content = io.BytesIO()
    _sheet(inspection, title).savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    write_atomic(Path(path), [content.getvalue()])


def _sheet(seen: Inspection, title: str) -> Any:
    """Make the Matplotlib figure; it belongs to no window and no global state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seconds = max(seen.numbers.seconds, 1e-3)
    stack = _panels(seen, seconds)
    row = 1.55
    heights = [HEADER, stack[0].height + TITLED + NAMED, row + TITLED + NAMED]
    heights += [panel.height + TITLED + NAMED * panel.named for panel in stack[1:]]
    genres = {moment.genre for moment in seen.numbers.timeline}
    legend = 0.1 + 0.16 * -(-len(genres) // panels.LEGEND) if genres else 0.0
    height = sum(heights) + legend + 0.5
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)

    def place(left: float, top: float, width: float, tall: float) -> Any:
        return figure.add_axes((left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height))

    _words(figure, place, seen, title)
    wide = WIDTH - LEFT - RIGHT
    top = HEADER
    for number, panel in enumerate(stack):
        axes = place(LEFT, top + TITLED, wide, panel.height)
        scale = [place(LEFT + wide + 0.1, top + TITLED, 0.1, panel.height)] if panel.scaled else []
        panel.draw(axes, *scale, seen)
        if not panel.close:
            time_axis(axes, seconds, named=panel.named)
        top += panel.height + TITLED + NAMED * panel.named
        if number == 0:
            half = (wide + RIGHT - 0.15) / 2 - 0.35
            panels.spectrum(place(LEFT, top + TITLED, half, row), seen)
            panels.frames(place(LEFT + half + 0.7, top + TITLED, half, row), seen)
            top += row + TITLED + NAMED
    figure.text(LEFT / WIDTH, 0.12 / height, NOTE, fontsize=SMALL - 0.5, color=FAINT, va="bottom", linespacing=1.4)
    return figure


def _panels(seen: Inspection, seconds: float) -> list[Panel]:
    """Choose the panels that are as wide as the sheet, from above."""
    many = len(seen.beats) > panels.FEW_BEATS
    pictures, windows = seen.pictures, seen.numbers.windows

    def over_time(title: str, unit: str, curves: list[Any], *names: str) -> Callable[..., Any]:
        means = [[getattr(window, name) for window in windows] for name in names]

        def draw(axes: Any, _: Inspection) -> None:
            panels.descriptor(axes, title, unit, curves, means, seconds)

        return draw

    stack = [
        Panel(0.95, panels.waveform, named=True),
        Panel(1.35, panels.linear, scaled=True),
        Panel(1.2, panels.mel, scaled=True),
        Panel(1.0, panels.bark, scaled=True, named=True),
        Panel(1.2, panels.chroma, scaled=True),
        Panel(0.75, panels.onsets, named=True),
    ]
    if many:
        stack.append(Panel(0.75, panels.beats, named=True, close=True))
    stack += [
        Panel(0.5, over_time("Level", "dBFS", [pictures.level], "level")),
        Panel(
            0.5,
            over_time(
                "Centroid (blue) and roll-off at 85 % (orange)",
                "kHz",
                [pictures.centroid, pictures.rolloff],
                "centroid",
                "rolloff",
            ),
        ),
        Panel(
            0.5, over_time("Flatness: 0 dB for white noise, far below for tones", "dB", [pictures.flatness], "flatness")
        ),
        Panel(
            0.5,
            over_time("Contrast: peaks over valleys of the spectrum", "dB", [pictures.contrast], "contrast"),
            named=not seen.numbers.timeline,
        ),
    ]
    if seen.numbers.timeline:
        stack.append(Panel(0.6, panels.genres, named=True))
    return stack


def _words(figure: Any, place: Callable[[float, float, float, float], Any], seen: Inspection, title: str) -> None:
    height = figure.get_figheight()
    heading = figure.text(
        0.3 / WIDTH, 1 - 0.42 / height, printable(title), fontsize=LARGE, fontweight="bold", color=INK, va="baseline"
    )
    fit(heading, (WIDTH - 0.6) * figure.dpi)
    for number, (name, said) in enumerate(_facts(seen)):
        level = 1 - (0.75 + 0.19 * number) / height
        figure.text(0.3 / WIDTH, level, name, fontsize=NORMAL, color=FAINT, va="baseline")
        line = figure.text(1.15 / WIDTH, level, printable(said), fontsize=NORMAL + 0.5, color=INK, va="baseline")
        fit(line, 3.9 * figure.dpi)
    _tags(place(6.55, 0.68, 1.75, 1.4), seen)


def _facts(seen: Inspection) -> list[tuple[str, str]]:
    """Say in words what is known of the recording."""
    numbers = seen.numbers
    channels = {1: "mono", 2: "stereo"}.get(numbers.channels, f"{numbers.channels} channels")
    told = {
        "Duration": duration(numbers.seconds),
        "Sound": f"{numbers.sample_rate / 1000:g} kHz, {channels}",
        "Loudness": "none: silent or shorter than 0.4 s",
        "Peak": "none: digital silence",
        "Tempo": "no clear beat",
        "Key": "none",
    }
    if numbers.loudness is not None:
        spread = "" if numbers.loudness_range is None else f", range {numbers.loudness_range:.1f} LU"
        told["Loudness"] = f"{numbers.loudness:.1f} LUFS{spread}".replace("-", "\N{MINUS SIGN}")
    if numbers.sample_peak is not None:
        true = "" if numbers.true_peak is None else f"{numbers.true_peak:.1f} dBTP, "
        told["Peak"] = f"{true}samples {numbers.sample_peak:.1f} dBFS".replace("-", "\N{MINUS SIGN}")
    if numbers.tempo is not None:
        weak = " (weak)" if numbers.beat_strength < WEAK else ""
        told["Tempo"] = f"{numbers.tempo:.1f} BPM, beat strength {numbers.beat_strength:.2f} of 1{weak}"
    if numbers.key is not None:
        told["Key"] = f"{numbers.key}, clarity {numbers.clarity:.2f} of 1"
    if numbers.silent or numbers.notice:
        told["Note"] = "; ".join(filter(None, ["silent" if numbers.silent else None, numbers.notice]))
    return list(told.items())


def _tags(axes: Any, seen: Inspection) -> None:
    """Draw the strongest tags as bars."""
    tags = seen.numbers.tags
    plain(axes, "Strongest tags" if tags else "No tags: the recording is silent", "")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    if not tags:
        return
    places = range(len(tags))
    strengths = [tag.strength for tag in tags]
    axes.barh(places, strengths, height=0.7, color=LINES[0])
    axes.set_yticks(places, [printable(tag.name) for tag in tags])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(tags) - 0.4, -0.6)
    axes.set_xlim(0, 1.2 * max(*strengths, 1e-3))
    for place, strength in zip(places, strengths, strict=True):
        axes.text(strength, place, f" {strength:.0%}", fontsize=SMALL, color=INK, va="center_baseline")
    axes.axvline(0, color=GRID, linewidth=0.8)
