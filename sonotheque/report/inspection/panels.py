"""Panels of the inspection figure: each function draws one panel on given axes. `figure` decides layout and time range."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.embed import musicnn
from sonotheque.embed.descriptors.columns import PITCH_CLASSES
from sonotheque.embed.descriptors.filters import BARK_EDGES, hann
from sonotheque.embed.descriptors.spectral import AUDIBLE_RATIO, FRAME_RATE, HOP, N_FFT, SAMPLE_RATE
from sonotheque.embed.space import SEGMENT
from sonotheque.explore.inspection import Inspection, TimeSeries
from sonotheque.report.inspection.formatting import (
    GRID_COLOUR,
    LINE_COLOURS,
    MUTED_COLOUR,
    SMALL,
    TEXT_COLOUR,
    format_khz,
    format_timestamp,
    sanitize_text,
    set_amplitude_ticks,
    set_time_ticks,
    style_axes,
)

DYNAMIC_RANGE = 80.0
"""Range of a spectrogram in dB, down from its maximum."""

SPECTRUM_RANGE = 100.0
"""Range of the amplitude spectrum in dB."""

SMOOTHING_OCTAVES = 1 / 6
"""Bandwidth of the smooth line of the amplitude spectrum (ISO 266 has thirds of an octave; half of that keeps peaks apart)."""

MAX_WAVEFORM_TICKS = 60
"""Maximum number of segments, or of musicnn frames, that are marked on the waveform; more would hide it."""

MAX_MARKED_BEATS = 120
"""Maximum number of beats that are marked over a whole recording; if there are more, `draw_beats` shows some of them."""

BEATS_SECONDS = 10.0
"""Duration of the panel of `draw_beats`, in s."""

UNSURE_ALPHA = 0.6
"""Opacity of the bars of unsure segments."""

LEGEND_COLUMNS, LEGEND_NAME_LENGTH = 5, 24
"""Genres in a row of the legend, and maximum number of characters of a name."""

MIN_POWER = 1e-20
"""Smaller powers are drawn as this one; full scale is 1."""

INITIAL_SECONDS = 0.5
"""The onset at the start of a recording, out of silence, does not scale the panel of onset strength if it is earlier than this."""

MIN_DB_RANGE = 6.0
"""Minimum range of a descriptor panel in dB."""

HZ_TICKS = (100, 300, 1000, 3000, 10_000)
MEL_TICKS = (200, 500, 1000, 2000, 4000, 8000)
BARK_TICKS = (1, 5, 10, 15, 20)
SPECTRUM_TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def draw_waveform(axes: Any, inspection: Inspection) -> None:
    """Draw the minimum and maximum sample of each column, with ticks at the segments and the musicnn frames."""
    waveform, seconds = inspection.views.waveform, inspection.result.seconds
    low, high = waveform.values
    if np.array_equal(low, high):  # each column is a single sample
        axes.plot(waveform.edges[:-1], low, color=LINE_COLOURS[0], linewidth=0.6)
    else:
        edges = np.repeat(waveform.edges, 2)[1:-1]
        axes.fill_between(edges, np.repeat(low, 2), np.repeat(high, 2), color=LINE_COLOURS[0], linewidth=0.3)
    peak = float(np.abs(waveform.values).max()) or 1.0
    axes.set_ylim(-1.15 * peak, 1.15 * peak)
    ylabel = set_amplitude_ticks(axes, peak)
    title = "Waveform"
    for name, step, bottom in (
        ("long lines: 10 s segments", SEGMENT, 0.0),
        ("short lines: 3 s musicnn frames", musicnn.SPACE.hop, 0.92),
    ):
        times = np.arange(step, seconds - step / 10, step)
        if 0 < len(times) <= MAX_WAVEFORM_TICKS:
            axes.vlines(
                times, bottom, 1, transform=axes.get_xaxis_transform(), color=MUTED_COLOUR, linewidth=0.6, zorder=3
            )
            title += f"   |   {name}"
    style_axes(axes, title, ylabel)


def draw_spectrum(axes: Any, inspection: Inspection) -> None:
    """Draw the amplitude spectrum over the whole recording."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    hz, amplitude = inspection.views.spectrum_hz[1:], inspection.views.spectrum[1:]
    level = 20 * np.log10(np.maximum(amplitude, np.sqrt(MIN_POWER)))
    smooth_hz, smooth_power = _smooth_spectrum(hz, amplitude**2)
    axes.plot(hz, level, color=LINE_COLOURS[5], linewidth=0.4, alpha=0.7)
    axes.plot(smooth_hz, 10 * np.log10(np.maximum(smooth_power, MIN_POWER)), color=LINE_COLOURS[0], linewidth=1.1)
    top = 10 * np.ceil(max(min(float(level.max()), 200.0), -60.0) / 10) + 5
    axes.set_ylim(top - SPECTRUM_RANGE, top)
    axes.set_xscale("log")
    axes.set_xlim(20, hz[-1])
    if not amplitude.any():
        axes.text(0.5, 0.5, "silent", transform=axes.transAxes, fontsize=SMALL, color=MUTED_COLOUR, ha="center")
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in SPECTRUM_TICKS if tick <= hz[-1]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_khz(value)))
    style_axes(axes, "Amplitude spectrum", "dBFS", grid="both")
    axes.set_xlabel("Frequency (kHz)", fontsize=SMALL, color=TEXT_COLOUR, labelpad=1)


def _smooth_spectrum(
    hz: npt.NDArray[np.float64], power: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Average power over `SMOOTHING_OCTAVES` around frequencies that are a quarter of that apart."""
    centres = hz[0] * 2 ** np.arange(0, np.log2(hz[-1] / hz[0]), SMOOTHING_OCTAVES / 4)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    first = np.searchsorted(hz, centres * 2 ** (-SMOOTHING_OCTAVES / 2))
    last = np.maximum(np.searchsorted(hz, centres * 2 ** (SMOOTHING_OCTAVES / 2)), first + 1)
    last = np.minimum(last, len(hz))
    first = np.minimum(first, last - 1)
    return centres, (sums[last] - sums[first]) / (last - first)


def draw_frames(axes: Any, inspection: Inspection) -> None:
    """Draw the samples around the loudest onset, and the windows of the analysis frames there."""
    excerpt = inspection.views.loudest_onset
    time = 1000 * np.arange(len(excerpt.samples)) / SAMPLE_RATE
    peak = float(np.abs(excerpt.samples).max()) or 1.0
    axes.plot(time, excerpt.samples, color=MUTED_COLOUR, linewidth=0.5)
    window = peak * hann(N_FFT)
    for number in range(excerpt.frames):
        span = slice(number * HOP, number * HOP + N_FFT)
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        axes.plot(time[span], window, color=colour, linewidth=1)
        depth = -peak * (1.15 + 0.13 * number)
        axes.plot(time[span][[0, -1]], [depth, depth], color=colour, linewidth=2, solid_capstyle="butt")
    axes.set_xlim(time[0], time[-1])
    axes.set_ylim(-peak * (1.2 + 0.13 * excerpt.frames), 1.1 * peak)
    ylabel = set_amplitude_ticks(axes, peak)
    style_axes(axes, f"Analysis frames of {N_FFT} samples, hop {HOP}", ylabel)
    label = f"Time (ms) from {format_timestamp(excerpt.start)}: loudest onset with Hann windows"
    axes.set_xlabel(label, fontsize=SMALL, color=TEXT_COLOUR, labelpad=1)


def _draw_spectrogram(axes: Any, colourbar_axes: Any, series: TimeSeries, *, top: float, bottom: float = 0.0) -> None:
    """Draw powers in dB below the maximum, with a colour bar; the rows extend from `bottom` to `top` on the y axis."""
    power = series.values.astype(np.float64)
    maximum = max(float(power.max()), MIN_POWER)
    if power.max() > MIN_POWER:
        level = 10 * np.log10(np.maximum(power, MIN_POWER) / maximum)
    else:
        level = np.full(power.shape, -DYNAMIC_RANGE)
    image = axes.imshow(
        np.clip(level, -DYNAMIC_RANGE, 0),
        origin="lower",
        aspect="auto",
        extent=(series.edges[0], series.edges[-1], bottom, top),
        cmap="viridis",
        vmin=-DYNAMIC_RANGE,
        vmax=0,
    )
    _draw_colourbar(colourbar_axes, image, ticks=[0, -20, -40, -60, -80], label="dB")


def draw_linear_spectrogram(axes: Any, colourbar_axes: Any, inspection: Inspection) -> None:
    """Draw the spectrogram on a linear scale, up to half of the file's sample rate, or of 48 kHz if that is lower."""
    hz = inspection.views.linear_hz
    half_bin = hz[1] / 2
    bottom, top = -half_bin / 1000, (hz[-1] + half_bin) / 1000
    _draw_spectrogram(axes, colourbar_axes, inspection.views.linear, bottom=bottom, top=top)
    axes.set_ylim(0, hz[-1] / 1000)
    style_axes(axes, "Spectrogram, linear frequency", "kHz")


def draw_mel_spectrogram(axes: Any, colourbar_axes: Any, inspection: Inspection) -> None:
    """Draw the spectrogram of 128 mel bands."""
    hz = inspection.views.mel_hz
    _draw_spectrogram(axes, colourbar_axes, inspection.views.mel, top=len(hz))
    axes.set_yticks(np.interp(MEL_TICKS, hz, np.arange(len(hz)) + 0.5), [format_khz(tick) for tick in MEL_TICKS])
    style_axes(axes, f"Spectrogram, mel scale: {len(hz)} bands up to 11 kHz", "kHz")


def draw_bark_spectrogram(axes: Any, colourbar_axes: Any, inspection: Inspection) -> None:
    """Draw the spectrogram of 23 critical bands."""
    _draw_spectrogram(axes, colourbar_axes, inspection.views.bark, top=len(BARK_EDGES) - 1)
    axes.set_yticks(BARK_TICKS, [format_khz(BARK_EDGES[tick]) for tick in BARK_TICKS])
    style_axes(axes, f"Spectrogram, Bark scale: {len(BARK_EDGES) - 1} critical bands", "kHz")


def draw_chroma(axes: Any, colourbar_axes: Any, inspection: Inspection) -> None:
    """Draw the power of the pitch classes, divided by the maximum of each column."""
    series = inspection.views.chroma
    power = series.values.astype(np.float64)
    maximum = power.max(axis=0)
    audible = maximum > max(AUDIBLE_RATIO * maximum.max(), MIN_POWER)
    ratio = np.divide(power, maximum, out=np.full_like(power, np.nan), where=audible)
    image = axes.imshow(
        np.ma.masked_invalid(ratio),
        origin="lower",
        aspect="auto",
        extent=(series.edges[0], series.edges[-1], -0.5, 11.5),
        cmap="cividis",
        vmin=0,
        vmax=1,
    )
    axes.set_facecolor(GRID_COLOUR)
    axes.set_yticks(range(12), PITCH_CLASSES)
    _draw_colourbar(colourbar_axes, image, ticks=[0, 0.5, 1], label="ratio")
    style_axes(axes, "Chroma: power of each pitch class relative to the strongest", "Pitch class")
    axes.tick_params(axis="y", labelsize=SMALL - 1)


def _draw_colourbar(axes: Any, image: Any, *, ticks: list[float], label: str) -> None:
    colourbar = axes.figure.colorbar(image, cax=axes, ticks=ticks)
    colourbar.outline.set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=TEXT_COLOUR, length=2, width=0.5, pad=2)
    axes.set_ylabel(label, fontsize=SMALL, color=TEXT_COLOUR, labelpad=3)


def draw_onset_strength(axes: Any, inspection: Inspection) -> None:
    """Draw onset strength, with the beats unless there are more than `MAX_MARKED_BEATS`."""
    series = inspection.views.onset_strength
    axes.fill_between(
        np.repeat(series.edges, 2)[1:-1], np.repeat(series.values[0], 2), color=LINE_COLOURS[0], linewidth=0
    )
    later = series.values[:, series.times > INITIAL_SECONDS]
    axes.set_ylim(0, 1.05 * max(float(later.max(initial=0)) or float(series.values.max()), 0.1))
    title = "Onset strength"
    if 0 < len(inspection.beats) <= MAX_MARKED_BEATS:
        _mark_beats(axes, inspection.beats)
        title += f" and beats at {inspection.result.tempo:.1f} BPM"
    style_axes(axes, title, "dB")


def draw_beats(axes: Any, inspection: Inspection) -> None:
    """Draw onset strength and beats for `BEATS_SECONDS` around the loudest onset."""
    envelope, excerpt = inspection.views.onset_envelope, inspection.views.loudest_onset
    middle = excerpt.start + len(excerpt.samples) / 2 / SAMPLE_RATE
    start = max(0.0, min(middle - BEATS_SECONDS / 2, len(envelope) / FRAME_RATE - BEATS_SECONDS))
    end = start + BEATS_SECONDS
    time = np.arange(len(envelope)) / FRAME_RATE
    inside = (time >= start) & (time <= end)
    axes.fill_between(time[inside], envelope[inside], color=LINE_COLOURS[0], linewidth=0)
    _mark_beats(axes, inspection.beats[(inspection.beats >= start) & (inspection.beats <= end)])
    axes.set_xlim(start, end)
    axes.set_ylim(0, 1.05 * max(float(envelope[inside].max()), 0.1))
    style_axes(axes, f"Beats at {inspection.result.tempo:.1f} BPM, 10 s around the loudest onset", "dB")
    set_time_ticks(axes, hours=inspection.result.seconds >= 3600, step=1)


def _mark_beats(axes: Any, times: npt.NDArray[np.float64]) -> None:
    axes.vlines(times, 0, 1, transform=axes.get_xaxis_transform(), color=LINE_COLOURS[1], linewidth=0.8, alpha=0.55)


def draw_descriptor(
    axes: Any, title: str, ylabel: str, curves: list[TimeSeries], means: list[list[float | None]], seconds: float
) -> None:
    """Draw each curve as a thin line and its means over segments as bold steps of the same colour; kHz on a logarithmic scale."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    edges = SEGMENT * np.arange(len(means[0]) + 1)
    edges[-1] = max(seconds, edges[-2])
    linewidth = 1.2 if len(edges) <= MAX_WAVEFORM_TICKS else 0.6
    for number, (curve, values) in enumerate(zip(curves, means, strict=True)):
        heights = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        axes.plot(curve.times, curve.values[0], color=LINE_COLOURS[number], linewidth=0.5, alpha=0.6)
        axes.stairs(heights, edges, baseline=None, color=LINE_COLOURS[number], linewidth=linewidth)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    if not any(value is not None for values in means for value in values):
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_locator(NullLocator())
    elif ylabel == "kHz":
        axes.set_yscale("log")
        axes.set_yticks(HZ_TICKS, [format_khz(tick) for tick in HZ_TICKS])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(HZ_TICKS[0], SAMPLE_RATE / 2)
    else:
        low, high = axes.get_ylim()
        margin = max(0.0, MIN_DB_RANGE - (high - low)) / 2
        axes.set_ylim(low - margin, high + margin)
    style_axes(axes, title, ylabel, grid="y")


def draw_genres(axes: Any, inspection: Inspection) -> None:
    """Draw the genre of each segment as a bar whose height is the probability, pale if unsure, with a legend below."""
    from matplotlib.patches import Patch

    timeline, seconds = inspection.result.timeline, inspection.result.seconds
    starts = np.array([segment.start for segment in timeline])
    ends = np.append(starts[1:], max(seconds, starts[-1]))
    names = sorted({segment.genre for segment in timeline})
    unsure = np.array([segment.unsure for segment in timeline])
    heights = np.array([segment.probability for segment in timeline])
    patches = []
    for number, name in enumerate(names):
        of_genre = np.array([segment.genre == name for segment in timeline])
        style: dict[str, Any] = {
            "facecolor": LINE_COLOURS[number % len(LINE_COLOURS)],
            "edgecolor": "white",
            "linewidth": 0,
            "hatch": "//" * (number // len(LINE_COLOURS)),
        }
        for rows, alpha in ((of_genre & ~unsure, 1.0), (of_genre & unsure, UNSURE_ALPHA)):
            axes.bar(starts[rows], heights[rows], (ends - starts)[rows], align="edge", alpha=alpha, **style)
        short = name if len(name) <= LEGEND_NAME_LENGTH else f"{name[: LEGEND_NAME_LENGTH - 1]}…"
        patches.append(Patch(**style, label=sanitize_text(short)))
    axes.set_ylim(0, 1)
    style_axes(axes, "Genre over time, 10 s segments" + " (pale: unsure)" * bool(unsure.any()), "Probability", grid="y")
    axes.set_xlim(0, seconds)
    _label_runs(axes, [segment.genre + "?" * segment.unsure for segment in timeline], starts, ends)
    axes.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=(0, -0.42),
        ncols=min(len(patches), LEGEND_COLUMNS),
        frameon=False,
        fontsize=SMALL,
        borderaxespad=0,
        handlelength=1.2,
    )


def _label_runs(axes: Any, names: list[str], starts: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]) -> None:
    """Write the genre of each run of consecutive segments of the same genre, if it fits."""
    firsts = [row for row in range(len(names)) if row == 0 or names[row] != names[row - 1]]
    pixels_per_second = axes.bbox.width / axes.get_xlim()[1]
    for first, last in zip(firsts, [*firsts[1:], len(names)], strict=True):
        middle, width = (starts[first] + ends[last - 1]) / 2, ends[last - 1] - starts[first]
        text = axes.text(middle, 0.04, sanitize_text(names[first]), fontsize=SMALL, color="white", ha="center")
        if text.get_window_extent(axes.figure.canvas.get_renderer()).width > 0.95 * width * pixels_per_second:
            text.remove()
