"""Output of inspect."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.formatting import display_path, format_time


def print_inspection(result: results.InspectionResult) -> None:
    """Print the duration, tempo, key, loudness, auto-tags and genres of one file."""
    channels = {1: "mono", 2: "stereo"}.get(result.channels, f"{result.channels} channels")
    duration = f"{format_time(result.seconds)} ({result.seconds:.1f} s)"
    tempo = _format_measurement(result.tempo, "BPM", f"beat strength {result.beat_strength:.2f} of 1")
    loudness = _format_measurement(result.loudness, "LUFS", _format_loudness_range(result.loudness_range))
    peak = _format_measurement(result.true_peak, "dBTP") or _format_measurement(result.sample_peak, "dBFS")
    auto_tags = ", ".join(f"{tag.name} {tag.strength:.2f}" for tag in result.tags)
    rows = [
        ["file", display_path(result.path)],
        ["duration", f"{duration}, {result.sample_rate / 1000:g} kHz, {channels}"],
        ["tempo", tempo or "no clear beat"],
        ["key", f"{result.key} (clarity {result.clarity:.2f} of 1)" if result.key else "none"],
        ["loudness", loudness or "none (silent or too short)"],
        ["peak", peak or "none (silent)"],
        ["auto-tags", auto_tags or "none (silent)"],
    ]
    if result.timeline:
        segments = (f"{format_time(one.start)} {one.genre} {one.probability:.2f}" for one in result.timeline)
        rows.append(["genres", ", ".join(segments)])
    if result.silent or result.notice:
        rows.append(["notice", "; ".join(filter(None, ["silent" if result.silent else None, result.notice]))])
    for name, text in rows:
        click.echo(f"{name:<9} {text}")


def _format_measurement(value: float | None, unit: str, detail: str = "") -> str | None:
    return None if value is None else f"{value:.1f} {unit}" + (f" ({detail})" if detail else "")


def _format_loudness_range(loudness_range: float | None) -> str:
    return "" if loudness_range is None else f"range {loudness_range:.1f} LU"
