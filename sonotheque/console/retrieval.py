"""Output of evaluate --retrieval."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.formatting import format_track, print_table
from sonotheque.embed.space import short_name
from sonotheque.plurals import pluralize

CRITERIA = {"genre": "same genre, other artists", "album": "same album", "artist": "same artist"}


def print_retrieval(result: results.RetrievalResult) -> None:
    """Print a table for each space: its measures side by side, and the tracks that are in most lists."""
    for number, space in enumerate(result.spaces):
        if number:
            click.echo()
        measures = space.measures
        click.echo(f"{short_name(space.space)}: {pluralize(space.tracks, 'track')}, lists of {result.k}")
        for measure in measures[1:]:
            click.echo(f"{measure.measure}: {measure.description}")
        click.echo("brackets: 95% intervals over artists")
        click.echo()
        rows = [
            row
            for scores in zip(*(m.scores for m in measures), strict=True)
            for row in _format_scores(scores, result.k)
        ]
        rows += [
            ["hubness (skewness)", "", "", *(f"{measure.skewness:.2f}" for measure in measures)],
            ["reach (in any list)", "", "", *(f"{measure.reach:.1%}" for measure in measures)],
            ["orphans (in no list)", "", "", *(str(measure.orphans) for measure in measures)],
        ]
        header = ["", "queries", "chance", *(measure.measure for measure in measures)]
        header += ["difference"] * (len(measures) > 1)
        print_table(header, [row + [""] * (len(header) - len(row)) for row in rows], right_aligned=(1, 2))
        hubs = ", ".join(
            f"{format_track(hub.path, artist=hub.artist, title=hub.title)} ({hub.lists})" for hub in measures[-1].hubs
        )
        if hubs:
            click.echo(f"in most lists: {hubs}")


def _format_scores(scores: Sequence[results.RetrievalScore], k: int) -> list[list[str]]:
    """Format the two rows of a criterion. `scores` has one element for each measure."""
    name, last = CRITERIA[scores[0].criterion], scores[-1]
    precision = [_format_interval(score.precision, score.precision_interval) for score in scores]
    average = [
        _format_interval(score.mean_average_precision, score.mean_average_precision_interval) for score in scores
    ]
    if last.precision_difference_interval and last.mean_average_precision_difference_interval:
        precision.append(_format_interval(last.precision_difference or 0, last.precision_difference_interval, sign="+"))
        average.append(
            _format_interval(
                last.mean_average_precision_difference or 0, last.mean_average_precision_difference_interval, sign="+"
            )
        )
    queries, chance = str(scores[0].queries), f"{scores[0].chance:.3f}"
    return [[f"{name}: precision@{k}", queries, chance, *precision], [f"{name}: MAP", queries, "", *average]]


def _format_interval(value: float, interval: tuple[float, float], *, sign: str = "") -> str:
    low, high = interval
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"
