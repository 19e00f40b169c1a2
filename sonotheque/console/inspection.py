"""Output of inspect."""

from __future__ import annotations

import click

from sonotheque import results
from sonotheque.console.classification import (
    format_neighbours,
    format_out_of_fold,
    format_prediction,
    format_timeline,
)
from sonotheque.console.formatting import display_path, format_time


def print_inspection(result: results.InspectionResult) -> None:
    """Print the duration, tempo, key, loudness, auto-tags and genres of one file."""
    channels = {1: "mono", 2: "stereo"}.get(result.channels, f"{result.channels} channels")
    duration = f"{format_time(result.seconds)} ({result.seconds:.1f} s)"
    tempo = _format_measurement(result.tempo, "BPM", f"confidence {result.tempo_confidence:.2f} of 1")
    loudness = _format_measurement(result.loudness, "LUFS", _format_loudness_range(result.loudness_range))
    peak = _format_measurement(result.true_peak, "dBTP") or _format_measurement(result.sample_peak, "dBFS")
    auto_tags = ", ".join(f"{tag.name} {tag.strength:.2f}" for tag in result.tags)
    rows = [
        ["file", display_path(result.path)],
        ["duration", f"{duration}, {result.sample_rate / 1000:g} kHz, {channels}"],
        ["tempo", tempo or f"no clear beat (confidence {result.tempo_confidence:.2f} of 1)"],
        ["key", f"{result.key or 'no clear key'} (confidence {result.key_confidence:.2f} of 1)"],
        ["loudness", loudness or "none (silent or too short)"],
        ["peak", peak or "none (silent)"],
        ["auto-tags", auto_tags or "none (silent)"],
    ]
    if result.prediction:
        rows += _prediction_rows(result.prediction)
    if result.timeline:
        rows.append(["genres", format_timeline(result.timeline)])
    if result.silent or result.notice:
        rows.append(["notice", "; ".join(filter(None, ["silent" if result.silent else None, result.notice]))])
    for name, text in rows:
        click.echo(f"{name:<9} {text}")


def _prediction_rows(prediction: results.Prediction) -> list[list[str]]:
    rows = [["genre", format_prediction(prediction)]]
    if prediction.learned_from:
        without = "no prediction without its artist: the genre has too few artists"
        if prediction.out_of_fold:
            without = f"without its artist: {format_out_of_fold(prediction)}"
        rows.append(["training", f"the classifier was trained on this track, as {prediction.label}; {without}"])
    if prediction.neighbours:
        rows.append(["nearest", ", ".join(format_neighbours(prediction))])
    return rows


def _format_measurement(value: float | None, unit: str, detail: str = "") -> str | None:
    return None if value is None else f"{value:.1f} {unit}" + (f" ({detail})" if detail else "")


def _format_loudness_range(loudness_range: float | None) -> str:
    return "" if loudness_range is None else f"range {loudness_range:.1f} LU"
