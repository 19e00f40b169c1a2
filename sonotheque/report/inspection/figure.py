"""The inspection figure: layout of the panels, facts above them, and the PNG file."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sonotheque import results
from sonotheque.explore.inspection import Inspection
from sonotheque.output_files import PNG, FilePath, OutputFile, as_output, sign_png
from sonotheque.report.inspection import panels
from sonotheque.report.inspection.formatting import (
    GRID_COLOUR,
    LARGE,
    LINE_COLOURS,
    MUTED_COLOUR,
    NORMAL,
    SMALL,
    TEXT_COLOUR,
    format_duration,
    sanitize_text,
    set_time_axis,
    shorten_to_width,
    style_axes,
)
from sonotheque.user_folders import give_matplotlib_a_cache

WIDTH, LEFT, RIGHT = 9.0, 0.75, 0.75
"""Width of the figure and of its margins, in inches; colour bars are in the right margin."""

DPI = 150

HEADER_HEIGHT, TITLE_HEIGHT, TICK_LABEL_HEIGHT = 2.2, 0.24, 0.27
"""Heights of the facts at the top, of the title above a panel, and of the tick labels below it, in inches."""

NOTE = (
    "Spectrograms: mean over each time column, in dB below the maximum. Mel, Bark and onset strength: 22,050 Hz, frames of 2048 "
    "samples, hop 512; chroma: 8192, hop 2048.\nBold lines: means over 10 s. Auto-tags: probability by musicnn that a Last.fm "
    "listener would assign the tag. Loudness: ITU-R BS.1770-4, EBU Tech 3342."
)


@dataclass(frozen=True)
class Panel:
    """A panel over the full width of the figure.

    Attributes
    ----------
    height : float
        In inches.
    draw : callable
        Called with the axes, the axes of the colour bar if there is one, and the inspection.
    tick_labels : bool
        Whether the time axis has tick labels.
    colourbar : bool
    own_time_axis : bool
        Whether it shows an excerpt instead of the whole recording.
    """

    height: float
    draw: Callable[..., Any]
    tick_labels: bool = False
    colourbar: bool = False
    own_time_axis: bool = False

    @property
    def total_height(self) -> float:
        """Height with the title and, if there are any, the tick labels, in inches."""
        return self.height + TITLE_HEIGHT + TICK_LABEL_HEIGHT * self.tick_labels


def draw_inspection(inspection: Inspection, path: FilePath | OutputFile, *, title: str) -> None:
    """Write the figure of an inspection as a PNG file.

    The same inspection gives the same bytes.

    Parameters
    ----------
    inspection : Inspection
    path : path of the PNG file, or OutputFile
        Written atomically; missing folders are created. See `sonotheque.output_files.as_output`.
    title : str
        For example the file name; characters that the font lacks are replaced.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a PNG picture.
    """
    output = as_output(path, PNG)
    content = io.BytesIO()
    build_figure(inspection, title).savefig(content, format="png", dpi=DPI, metadata={"Software": None})
    output.write([sign_png(content.getvalue(), output="inspect -o")])


def build_figure(inspection: Inspection, title: str) -> Any:
    """Build the Matplotlib figure, without a window or pyplot's global state."""
    give_matplotlib_a_cache()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    seconds = max(inspection.result.seconds, 1e-3)
    stack = _choose_panels(inspection, seconds)
    row_height = 1.55
    heights = [HEADER_HEIGHT, stack[0].height + TITLE_HEIGHT + TICK_LABEL_HEIGHT]
    heights += [row_height + TITLE_HEIGHT + TICK_LABEL_HEIGHT]
    heights += [panel.total_height for panel in stack[1:]]
    genres = {segment.genre for segment in inspection.result.timeline}
    legend_height = 0.1 + 0.16 * -(-len(genres) // panels.LEGEND_COLUMNS) if genres else 0.0
    height = sum(heights) + legend_height + 0.5
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)

    def add_axes(left: float, top: float, axes_width: float, axes_height: float) -> Any:
        """Add axes at a position in inches from the top left corner."""
        bottom = 1 - (top + axes_height) / height
        return figure.add_axes((left / WIDTH, bottom, axes_width / WIDTH, axes_height / height))

    _draw_header(figure, add_axes, inspection, title)
    width = WIDTH - LEFT - RIGHT
    top = HEADER_HEIGHT
    for number, panel in enumerate(stack):
        axes = add_axes(LEFT, top + TITLE_HEIGHT, width, panel.height)
        colourbar_axes = (
            [add_axes(LEFT + width + 0.1, top + TITLE_HEIGHT, 0.1, panel.height)] if panel.colourbar else []
        )
        panel.draw(axes, *colourbar_axes, inspection)
        if not panel.own_time_axis:
            set_time_axis(axes, seconds, tick_labels=panel.tick_labels)
        top += panel.total_height
        if number == 0:  # two panels side by side below the waveform
            half = (width + RIGHT - 0.15) / 2 - 0.35
            panels.draw_spectrum(add_axes(LEFT, top + TITLE_HEIGHT, half, row_height), inspection)
            panels.draw_frames(add_axes(LEFT + half + 0.7, top + TITLE_HEIGHT, half, row_height), inspection)
            top += row_height + TITLE_HEIGHT + TICK_LABEL_HEIGHT
    figure.text(
        LEFT / WIDTH, 0.12 / height, NOTE, fontsize=SMALL - 0.5, color=MUTED_COLOUR, va="bottom", linespacing=1.4
    )
    return figure


def _choose_panels(inspection: Inspection, seconds: float) -> list[Panel]:
    """Return the panels over the full width, from top to bottom."""
    views, windows = inspection.views, inspection.result.windows

    def descriptor(title: str, ylabel: str, curves: list[Any], *fields: str) -> Callable[..., Any]:
        means = [[getattr(window, field) for window in windows] for field in fields]

        def draw(axes: Any, _: Inspection) -> None:
            panels.draw_descriptor(axes, title, ylabel, curves, means, seconds)

        return draw

    stack = [
        Panel(0.95, panels.draw_waveform, tick_labels=True),
        Panel(1.35, panels.draw_linear_spectrogram, colourbar=True),
        Panel(1.2, panels.draw_mel_spectrogram, colourbar=True),
        Panel(1.0, panels.draw_bark_spectrogram, colourbar=True, tick_labels=True),
        Panel(1.2, panels.draw_chroma, colourbar=True),
        Panel(0.75, panels.draw_onset_strength, tick_labels=True),
    ]
    if len(inspection.beats) > panels.MAX_MARKED_BEATS:
        stack.append(Panel(0.75, panels.draw_beats, tick_labels=True, own_time_axis=True))
    centroid = "Centroid (blue) and roll-off at 85% (orange)"
    flatness = "Flatness: 0 dB for white noise, much lower for tones"
    contrast = "Contrast: spectral peaks relative to valleys"
    stack += [
        Panel(0.5, descriptor("Level", "dBFS", [views.level], "level")),
        Panel(0.5, descriptor(centroid, "kHz", [views.centroid, views.rolloff], "centroid", "rolloff")),
        Panel(0.5, descriptor(flatness, "dB", [views.flatness], "flatness")),
        Panel(
            0.5,
            descriptor(contrast, "dB", [views.contrast], "contrast"),
            tick_labels=not inspection.result.timeline,
        ),
    ]
    if inspection.result.timeline:
        stack.append(Panel(0.6, panels.draw_genres, tick_labels=True))
    return stack


def _draw_header(
    figure: Any, add_axes: Callable[[float, float, float, float], Any], inspection: Inspection, title: str
) -> None:
    """Write the title and the facts, and draw the auto-tags beside them."""
    height = figure.get_figheight()
    heading = figure.text(
        0.3 / WIDTH,
        1 - 0.42 / height,
        sanitize_text(title),
        fontsize=LARGE,
        fontweight="bold",
        color=TEXT_COLOUR,
        va="baseline",
    )
    shorten_to_width(heading, (WIDTH - 0.6) * figure.dpi)
    for number, (name, value) in enumerate(_list_facts(inspection)):
        y = 1 - (0.75 + 0.19 * number) / height
        figure.text(0.3 / WIDTH, y, name, fontsize=NORMAL, color=MUTED_COLOUR, va="baseline")
        line = figure.text(
            1.15 / WIDTH, y, sanitize_text(value), fontsize=NORMAL + 0.5, color=TEXT_COLOUR, va="baseline"
        )
        shorten_to_width(line, 3.9 * figure.dpi)
    _draw_tags(add_axes(6.55, 0.68, 1.75, 1.4), inspection)


def _list_facts(inspection: Inspection) -> list[tuple[str, str]]:
    """Return names and values of the facts in the header."""
    result = inspection.result
    channels = {1: "mono", 2: "stereo"}.get(result.channels, f"{result.channels} channels")
    facts = {
        "Duration": format_duration(result.seconds),
        "Format": f"{result.sample_rate / 1000:g} kHz, {channels}",
        "Loudness": "undefined: silent, or shorter than 0.4 s",
        "Peak": "undefined: digital silence",
        "Tempo": "no clear beat",
        "Key": "no clear key",
    }
    if result.loudness is not None:
        loudness_range = "" if result.loudness_range is None else f", range {result.loudness_range:.1f} LU"
        facts["Loudness"] = f"{result.loudness:.1f} LUFS{loudness_range}".replace("-", "\N{MINUS SIGN}")
    if result.sample_peak is not None:
        true_peak = "" if result.true_peak is None else f"{result.true_peak:.1f} dBTP, "
        facts["Peak"] = f"{true_peak}sample peak {result.sample_peak:.1f} dBFS".replace("-", "\N{MINUS SIGN}")
    if result.tempo is not None:
        facts["Tempo"] = f"{result.tempo:.1f} BPM, confidence {result.tempo_confidence:.2f} (0 to 1)"
    if result.key is not None:
        facts["Key"] = f"{result.key}, confidence {result.key_confidence:.2f} (0 to 1)"
    if result.prediction:
        facts["Genre"] = _format_genre(result.prediction)
    if result.silent or result.notice:
        facts["Note"] = "; ".join(filter(None, ["silent" if result.silent else None, result.notice]))
    return list(facts.items())


def _format_genre(prediction: results.Prediction) -> str:
    """Format the predicted genre; for a training track, also the prediction without its artist."""

    def describe(one: results.Prediction | results.OutOfFoldPrediction) -> str:
        return f"{one.genre}{'?' * one.unsure} {one.probability:.2f}"

    if not prediction.learned_from:
        return describe(prediction) + " (unsure)" * prediction.unsure
    without = f"; without its artist {describe(prediction.out_of_fold)}" if prediction.out_of_fold else ""
    return f"{describe(prediction)} (trained on this track{without})"


def _draw_tags(axes: Any, inspection: Inspection) -> None:
    """Draw the strongest auto-tags as bars."""
    tags = inspection.result.tags
    style_axes(axes, "Strongest auto-tags" if tags else "No auto-tags: the recording is silent", "")
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    if not tags:
        return
    rows = range(len(tags))
    strengths = [tag.strength for tag in tags]
    axes.barh(rows, strengths, height=0.7, color=LINE_COLOURS[0])
    axes.set_yticks(rows, [sanitize_text(tag.name) for tag in tags])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(tags) - 0.4, -0.6)
    axes.set_xlim(0, 1.2 * max(*strengths, 1e-3))
    for row, strength in zip(rows, strengths, strict=True):
        axes.text(strength, row, f" {strength:.0%}", fontsize=SMALL, color=TEXT_COLOUR, va="center_baseline")
    axes.axvline(0, color=GRID_COLOUR, linewidth=0.8)
