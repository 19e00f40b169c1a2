"""The panels of a sheet, one function each: it takes axes and draws on them. Where they lie and from when to when is `sheet`'s."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.embed import musicnn
from sonotheque.embed.descriptors.columns import PITCH_CLASSES
from sonotheque.embed.descriptors.filters import BARK_EDGES, hann
from sonotheque.embed.descriptors.spectral import AUDIBLE_RATIO, FRAME_RATE, HOP, N_FFT, SAMPLE_RATE
from sonotheque.embed.space import SEGMENT
from sonotheque.explore.inspection import Inspection, OverTime
from sonotheque.report.inspection.lettering import (
    FAINT,
    GRID,
    INK,
    LINES,
    SMALL,
    amplitudes,
    instant,
    kilohertz,
    plain,
    printable,
    time_marks,
)

RANGE = 80.0
"""dB below the loudest that a spectrogram shows."""

SPECTRUM_RANGE = 100.0
"""dB below the top of the amplitude spectrum."""

SMOOTH = 1 / 6
"""Octaves over which the amplitude spectrum is averaged for its calm line (ISO 266 has thirds; half of that keeps peaks apart)."""

FEW_MARKS = 60
"""Segments, or frames of musicnn, that are marked on the waveform; more would hide it."""

FEW_BEATS = 120
"""Beats that are marked along a whole recording; of a longer one, those of `CLOSE` seconds."""

CLOSE = 10.0
"""Seconds of the close-up of beats."""

LEGEND, NAME = 5, 24
"""Genres beside each other in the legend, and letters of a name in it."""

FLOOR = 1e-20
"""Least power that is drawn; full scale is 1."""

FIRST = 0.5
"""Seconds at a recording's start whose onset, out of silence, does not set the height of the panel."""

LEAST_RANGE = 6.0
"""dB that a panel of a descriptor shows at least."""

SHAPE_TICKS = (100, 300, 1000, 3000, 10_000)
MEL_TICKS = (200, 500, 1000, 2000, 4000, 8000)
BARK_TICKS = (1, 5, 10, 15, 20)
SPECTRUM_TICKS = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def waveform(axes: Any, seen: Inspection) -> None:
    """Draw the least and the greatest sample of each column, with the marks of segments and of musicnn's frames."""
    wave, seconds = seen.pictures.waveform, seen.numbers.seconds
    low, high = wave.values
    if np.array_equal(low, high):  # a column is a sample
        axes.plot(wave.edges[:-1], low, color=LINES[0], linewidth=0.6)
    else:
        edges = np.repeat(wave.edges, 2)[1:-1]
        axes.fill_between(edges, np.repeat(low, 2), np.repeat(high, 2), color=LINES[0], linewidth=0.3)
    reach = float(np.abs(wave.values).max()) or 1.0
    axes.set_ylim(-1.15 * reach, 1.15 * reach)
    unit = amplitudes(axes, reach)
    title = "Waveform"
    for name, step, bottom in (("segments of 10 s", SEGMENT, 0.0), ("frames of musicnn, 3 s", musicnn.SPACE.hop, 0.92)):
        marks = np.arange(step, seconds - step / 10, step)
        if 0 < len(marks) <= FEW_MARKS:
            axes.vlines(marks, bottom, 1, transform=axes.get_xaxis_transform(), color=FAINT, linewidth=0.6, zorder=3)
            title += f"   |   {'long' if not bottom else 'short'} marks: {name}"
    plain(axes, title, unit)


def spectrum(axes: Any, seen: Inspection) -> None:
    """Draw the amplitude at each frequency over the recording."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    hz, amplitude = seen.pictures.spectrum_hz[1:], seen.pictures.spectrum[1:]
    level = 20 * np.log10(np.maximum(amplitude, np.sqrt(FLOOR)))
    places, calm = _smoothed(hz, amplitude**2)
    axes.plot(hz, level, color=LINES[5], linewidth=0.4, alpha=0.7)
    axes.plot(places, 10 * np.log10(np.maximum(calm, FLOOR)), color=LINES[0], linewidth=1.1)
    top = 10 * np.ceil(max(min(float(level.max()), 200.0), -60.0) / 10) + 5
    axes.set_ylim(top - SPECTRUM_RANGE, top)
    axes.set_xscale("log")
    axes.set_xlim(20, hz[-1])
    if not amplitude.any():
        axes.text(0.5, 0.5, "silent", transform=axes.transAxes, fontsize=SMALL, color=FAINT, ha="center")
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in SPECTRUM_TICKS if tick <= hz[-1]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: kilohertz(value)))
    plain(axes, "Amplitude spectrum", "dBFS", grid="both")
    axes.set_xlabel("Frequency (kHz)", fontsize=SMALL, color=INK, labelpad=1)


def _smoothed(
    hz: npt.NDArray[np.float64], power: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Average power over `SMOOTH` octaves around places that are a quarter of that apart."""
    places = hz[0] * 2 ** np.arange(0, np.log2(hz[-1] / hz[0]), SMOOTH / 4)
    sums = np.concatenate([[0.0], np.cumsum(power)])
    first = np.searchsorted(hz, places * 2 ** (-SMOOTH / 2))
    last = np.maximum(np.searchsorted(hz, places * 2 ** (SMOOTH / 2)), first + 1)
    last = np.minimum(last, len(hz))
    first = np.minimum(first, last - 1)
    return places, (sums[last] - sums[first]) / (last - first)


def frames(axes: Any, seen: Inspection) -> None:
    """Draw the samples around the loudest onset, and the windows that cut them into frames."""
    close = seen.pictures.close
    time = 1000 * np.arange(len(close.samples)) / SAMPLE_RATE
    reach = float(np.abs(close.samples).max()) or 1.0
    axes.plot(time, close.samples, color=FAINT, linewidth=0.5)
    window = reach * hann(N_FFT)
    for number in range(close.frames):
        span = slice(number * HOP, number * HOP + N_FFT)
        colour = LINES[number % len(LINES)]
        axes.plot(time[span], window, color=colour, linewidth=1)
        depth = -reach * (1.15 + 0.13 * number)
        axes.plot(time[span][[0, -1]], [depth, depth], color=colour, linewidth=2, solid_capstyle="butt")
    axes.set_xlim(time[0], time[-1])
    axes.set_ylim(-reach * (1.2 + 0.13 * close.frames), 1.1 * reach)
    unit = amplitudes(axes, reach)
    plain(axes, f"Cut into frames of {N_FFT} samples, each {HOP}", unit)
    label = f"Time (ms) from {instant(close.start)}: the loudest onset, under Hann windows"
    axes.set_xlabel(label, fontsize=SMALL, color=INK, labelpad=1)


def _spectrogram(axes: Any, scale: Any, over_time: OverTime, *, top: float, bottom: float = 0.0) -> None:
    """Draw powers as decibels below the loudest, with a scale beside; rows reach from `bottom` to `top`."""
    power = over_time.values.astype(np.float64)
    loudest = max(float(power.max()), FLOOR)
    level = 10 * np.log10(np.maximum(power, FLOOR) / loudest) if power.max() > FLOOR else np.full(power.shape, -RANGE)
    picture = axes.imshow(
        np.clip(level, -RANGE, 0),
        origin="lower",
        aspect="auto",
        extent=(over_time.edges[0], over_time.edges[-1], bottom, top),
        cmap="viridis",
        vmin=-RANGE,
        vmax=0,
    )
    _scale(scale, picture, ticks=[0, -20, -40, -60, -80], unit="dB")


def linear(axes: Any, scale: Any, seen: Inspection) -> None:
    """Draw the spectrogram on a linear scale, up to half of the file's rate or of 48 kHz."""
    hz = seen.pictures.linear_hz
    half = hz[1] / 2  # a bin reaches half a step to both sides
    _spectrogram(axes, scale, seen.pictures.linear, bottom=-half / 1000, top=(hz[-1] + half) / 1000)
    axes.set_ylim(0, hz[-1] / 1000)
    plain(axes, "Spectrogram, linear frequency", "kHz")


def mel(axes: Any, scale: Any, seen: Inspection) -> None:
    """Draw the spectrogram in 128 mel bands of equal height."""
    hz = seen.pictures.mel_hz
    _spectrogram(axes, scale, seen.pictures.mel, top=len(hz))
    axes.set_yticks(np.interp(MEL_TICKS, hz, np.arange(len(hz)) + 0.5), [kilohertz(tick) for tick in MEL_TICKS])
    plain(axes, f"Spectrogram, mel scale: {len(hz)} bands up to 11 kHz", "kHz")


def bark(axes: Any, scale: Any, seen: Inspection) -> None:
    """Draw the spectrogram in critical bands of equal height."""
    _spectrogram(axes, scale, seen.pictures.bark, top=len(BARK_EDGES) - 1)
    axes.set_yticks(BARK_TICKS, [kilohertz(BARK_EDGES[tick]) for tick in BARK_TICKS])
    plain(axes, f"Spectrogram, Bark scale: {len(BARK_EDGES) - 1} critical bands", "kHz")


def chroma(axes: Any, scale: Any, seen: Inspection) -> None:
    """Draw pitch classes, each column as loud as the others."""
    over_time = seen.pictures.chroma
    power = over_time.values.astype(np.float64)
    strongest = power.max(axis=0)
    heard = strongest > max(AUDIBLE_RATIO * strongest.max(), FLOOR)
    shares = np.divide(power, strongest, out=np.full_like(power, np.nan), where=heard)
    picture = axes.imshow(
        np.ma.masked_invalid(shares),
        origin="lower",
        aspect="auto",
        extent=(over_time.edges[0], over_time.edges[-1], -0.5, 11.5),
        cmap="cividis",
        vmin=0,
        vmax=1,
    )
    axes.set_facecolor(GRID)
    axes.set_yticks(range(12), PITCH_CLASSES)
    _scale(scale, picture, ticks=[0, 0.5, 1], unit="share")
    plain(axes, "Chroma: power of the pitch classes, as a share of the strongest", "Pitch class")
    axes.tick_params(axis="y", labelsize=SMALL - 1)


def _scale(axes: Any, picture: Any, *, ticks: list[float], unit: str) -> None:
    bar = axes.figure.colorbar(picture, cax=axes, ticks=ticks)
    bar.outline.set_visible(False)
    axes.tick_params(labelsize=SMALL, colors=INK, length=2, width=0.5, pad=2)
    axes.set_ylabel(unit, fontsize=SMALL, color=INK, labelpad=3)


def onsets(axes: Any, seen: Inspection) -> None:
    """Draw onset strength, with the beats where they are few."""
    curve = seen.pictures.onsets
    axes.fill_between(np.repeat(curve.edges, 2)[1:-1], np.repeat(curve.values[0], 2), color=LINES[0], linewidth=0)
    later = curve.values[:, curve.times > FIRST]
    axes.set_ylim(0, 1.05 * max(float(later.max(initial=0)) or float(curve.values.max()), 0.1))
    title = "Onset strength"
    if 0 < len(seen.beats) <= FEW_BEATS:
        _beats(axes, seen.beats)
        title += f" and beats at {seen.numbers.tempo:.1f} BPM"
    plain(axes, title, "dB")


def beats(axes: Any, seen: Inspection) -> None:
    """Draw onset strength and beats of some seconds around the loudest onset."""
    curve = seen.pictures.onset_curve
    middle = seen.pictures.close.start + len(seen.pictures.close.samples) / 2 / SAMPLE_RATE
    start = max(0.0, min(middle - CLOSE / 2, len(curve) / FRAME_RATE - CLOSE))
    time = np.arange(len(curve)) / FRAME_RATE
    near = (time >= start) & (time <= start + CLOSE)
    axes.fill_between(time[near], curve[near], color=LINES[0], linewidth=0)
    _beats(axes, seen.beats[(seen.beats >= start) & (seen.beats <= start + CLOSE)])
    axes.set_xlim(start, start + CLOSE)
    axes.set_ylim(0, 1.05 * max(float(curve[near].max()), 0.1))
    plain(axes, f"Beats at {seen.numbers.tempo:.1f} BPM, 10 s around the loudest onset", "dB")
    time_marks(axes, hours=seen.numbers.seconds >= 3600, step=1)


def _beats(axes: Any, times: npt.NDArray[np.float64]) -> None:
    axes.vlines(times, 0, 1, transform=axes.get_xaxis_transform(), color=LINES[1], linewidth=0.8, alpha=0.55)


def descriptor(
    axes: Any, title: str, unit: str, curves: list[OverTime], means: list[list[float | None]], seconds: float
) -> None:
    """Draw curves of columns, thin, and in the same colours the means of segments, bold; Hz on a logarithmic scale."""
    from matplotlib.ticker import MaxNLocator, NullLocator

    edges = SEGMENT * np.arange(len(means[0]) + 1)
    edges[-1] = max(seconds, edges[-2])
    bold = 1.2 if len(edges) <= FEW_MARKS else 0.6
    for number, (curve, values) in enumerate(zip(curves, means, strict=True)):
        heights = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        axes.plot(curve.times, curve.values[0], color=LINES[number], linewidth=0.5, alpha=0.6)
        axes.stairs(heights, edges, baseline=None, color=LINES[number], linewidth=bold)
    axes.yaxis.set_major_locator(MaxNLocator(3))
    if not any(value is not None for values in means for value in values):
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_locator(NullLocator())
    elif unit == "kHz":
        axes.set_yscale("log")
        axes.set_yticks(SHAPE_TICKS, [kilohertz(tick) for tick in SHAPE_TICKS])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(SHAPE_TICKS[0], SAMPLE_RATE / 2)
    else:
        low, high = axes.get_ylim()
        more = max(0.0, LEAST_RANGE - (high - low)) / 2
        axes.set_ylim(low - more, high + more)
    plain(axes, title, unit, grid="y")


def genres(axes: Any, seen: Inspection) -> None:
    """Draw the genre of each segment as a bar as high as its probability, with a legend below."""
    from matplotlib.patches import Patch

    moments, seconds = seen.numbers.timeline, seen.numbers.seconds
    starts = np.array([moment.start for moment in moments])
    ends = np.append(starts[1:], max(seconds, starts[-1]))
    names = sorted({moment.genre for moment in moments})
    patches = []
    for number, name in enumerate(names):
        rows = np.array([moment.genre == name for moment in moments])
        heights = [moment.probability for moment in moments if moment.genre == name]
        style: dict[str, Any] = {"facecolor": LINES[number % len(LINES)], "edgecolor": "white", "linewidth": 0}
        style["hatch"] = "//" * (number // len(LINES))
        axes.bar(starts[rows], heights, (ends - starts)[rows], align="edge", **style)
        short = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
        patches.append(Patch(**style, label=printable(short)))
    axes.set_ylim(0, 1)
    plain(axes, "Genre along time, each 10 s", "Probability", grid="y")
    axes.set_xlim(0, seconds)
    _name_runs(axes, [moment.genre for moment in moments], starts, ends)
    axes.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=(0, -0.42),
        ncols=min(len(patches), LEGEND),
        frameon=False,
        fontsize=SMALL,
        borderaxespad=0,
        handlelength=1.2,
    )


def _name_runs(axes: Any, names: list[str], starts: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]) -> None:
    """Write each genre where segments in a row have it, if it fits."""
    firsts = [row for row in range(len(names)) if row == 0 or names[row] != names[row - 1]]
    pixels = axes.bbox.width / axes.get_xlim()[1]
    for first, last in zip(firsts, [*firsts[1:], len(names)], strict=True):
        middle, width = (starts[first] + ends[last - 1]) / 2, ends[last - 1] - starts[first]
        text = axes.text(middle, 0.04, printable(names[first]), fontsize=SMALL, color="white", ha="center")
        if text.get_window_extent(axes.figure.canvas.get_renderer()).width > 0.95 * width * pixels:
            text.remove()
