"""What is said of learning, answering and judging."""

from __future__ import annotations

from collections.abc import Sequence

import click

from sonotheque import results
from sonotheque.console.collection import show_failed
from sonotheque.console.terminal import clip, clock, name_of, plural, short, table


def show_trained(result: results.TrainingResult) -> None:
    """Print which classifier was kept, and why."""
    for candidate in result.candidates:
        click.echo(f"{candidate.model}: accuracy {candidate.accuracy:.3f} on grouped folds")
    if len(result.members) > 1:
        for part in sorted(result.members, key=lambda part: -part.share):
            click.echo(
                f"{part.share:5.0%}  {part.model} on {_spaces(part.spaces)}, {_decision(part.decision, copies=part.copies)}"
            )
    if result.evaluated:
        low, high = result.evaluated.accuracy_interval
        click.echo(
            f"the same search inside {result.evaluated.folds} grouped folds: accuracy {result.evaluated.accuracy:.3f}, "
            f"95 % interval {low:.3f} to {high:.3f}, balanced accuracy {result.evaluated.balanced_accuracy:.3f}"
        )
    chosen = " (the best of them)" if result.candidates else ""
    data = f"{plural(result.tracks, 'track')}, {plural(len(result.labels), 'genre')}"
    rest = "" if result.evaluated else "; `sonotheque evaluate` says how far to trust it"
    click.echo(f"trained {result.model}{chosen} on {data}{rest}")


def _spaces(spaces: Sequence[str]) -> str:
    from sonotheque.embed.space import short_name

    return " + ".join(map(short_name, spaces))


def _decision(decision: str, *, copies: bool) -> str:
    return ("tracks" if decision == "track" else f"segments ({decision})") + (", with copies" if copies else "")


def show_compared(result: results.ComparisonResult) -> None:
    """Print the table of a comparison, with the difference of each row to the best single model."""
    click.echo(f"{result.protocol}; {plural(result.tracks, 'track')}")
    click.echo(f"difference: in accuracy, to the best single model ({result.best}); 95 % intervals over artists")
    click.echo()
    rows = [
        [
            row.model,
            _spaces(row.spaces),
            _decision(row.decision, copies=row.copies) if row.decision else "",
            f"{row.accuracy:.3f} [{row.accuracy_interval[0]:.3f}, {row.accuracy_interval[1]:.3f}]",
            f"{row.balanced_accuracy:.3f}",
            f"{row.log_loss:.2f}",
            f"{row.auc:.3f}",
            f"{row.difference:+.3f} [{row.difference_interval[0]:+.3f}, {row.difference_interval[1]:+.3f}]",
        ]
        for row in result.rows
    ]
    header = ["model", "spaces", "decision", "accuracy", "balanced", "log loss", "AUC", "difference"]
    table(header, rows, right=(4, 5, 6))


def show_classified(result: results.ClassificationResult) -> None:
    """Print the genre of each file, with the labelled tracks that speak for it."""
    rows = [
        [short(t.path), _genre(t), f"{t.probability:.2f}", ", ".join(clip(name_of(n.path)) for n in t.neighbours)]
        for t in result.tracks
    ]
    if rows:
        table(["file", "genre", "probability", "nearest of that genre"], rows, right=(2,))
    for track in result.tracks:
        if track.timeline is not None:
            moments = ", ".join(f"{clock(m.start)} {m.genre} {m.probability:.2f}" for m in track.timeline)
            click.echo(f"{short(track.path)}: {moments}")
    show_failed(result.failed, most=None)
    if result.promise and result.promise.threshold is not None:
        p = result.promise
        click.echo(
            f"answered from probability {p.threshold:.2f}: on grouped folds {p.coverage:.0%} of the tracks, "
            f"{p.accuracy:.1%} of them right (at least {p.lower:.1%} with 95 % confidence)"
        )
    click.echo(f"{plural(len(result.tracks), 'file')} classified by {result.model}, {len(result.failed)} failed")


def _genre(track: results.Prediction) -> str:
    if track.none_of_these:
        return f"{track.genre}? (like none of the labelled tracks)"
    return track.genre if track.answered else f"({track.genre}: not sure enough)"


def show_evaluated(result: results.EvaluationResult) -> None:
    """Print the figures, each genre's, and the confusion matrix."""
    low, high = result.accuracy_interval
    chosen = f" (chosen inside each fold: {', '.join(result.chosen)})" if result.chosen else ""
    click.echo(f"{result.protocol}; model {result.model}{chosen}; {plural(result.tracks, 'track')}")
    click.echo(f"accuracy {result.accuracy:.3f}, 95 % interval {low:.3f} to {high:.3f} (bootstrap over artists)")
    low, high = result.balanced_accuracy_interval
    click.echo(
        f"balanced accuracy {result.balanced_accuracy:.3f} ({low:.3f} to {high:.3f}), macro F1 {result.macro_f1:.3f}"
    )
    click.echo(f"log loss {result.log_loss:.3f}, AUC {result.auc:.3f}")
    click.echo()
    rows = [
        [g.label, str(g.tracks), str(g.artists), *(f"{figure:.2f}" for figure in (g.precision, g.recall, g.f1, g.auc))]
        for g in result.genres
    ]
    table(["genre", "tracks", "artists", "precision", "recall", "F1", "AUC"], rows, right=range(1, 7))
    for genre in result.apart:
        click.echo(f"not judged: {genre.label} ({plural(genre.tracks, 'track')}, {genre.reason}); it helped to train")
    click.echo()
    apart = {genre.label for genre in result.apart}
    cells = [
        [label, *map(str, row)]
        for label, row in zip(result.labels, result.confusion, strict=True)
        if label not in apart
    ]
    table(["true \\ predicted", *result.labels], cells, right=range(1, 1 + len(result.labels)))
    if result.learning_curve:
        click.echo()
        points = [
            [
                f"{p.tracks:.0f}",
                f"{p.accuracy:.3f}",
                f"{p.balanced_accuracy:.3f}",
                "{:.3f} to {:.3f}".format(*p.accuracy_interval),
            ]
            for p in result.learning_curve
        ]
        table(["training tracks", "accuracy", "balanced", "95 % interval"], points, right=range(3))
