"""What a person sees in a terminal: progress, tables, notices. Results go to standard output, the rest to standard error."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import click

from sonotheque import documents as doc

SHOWN = 10
"""Lines of a long list that are shown; `status` shows all."""

WIDEST = 32
"""Characters of a title, artist or album in a table; JSON has all of them."""


class _Notices(logging.Handler):
    """Prints the package's log records on standard error, as one line each."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "note: " if record.levelno < logging.WARNING else "warning: "
        click.echo(prefix + record.getMessage(), err=True)


def show_notices() -> None:
    """Send the package's notices to standard error."""
    logger = logging.getLogger("sonotheque")
    logger.handlers = [_Notices()]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def print_json(result: Any) -> None:
    """Print a result as one JSON document."""
    click.echo(json.dumps(doc.document(result), ensure_ascii=False, indent=2))


@contextmanager
def progress_bar(what: str, *, amount: str = "files") -> Iterator[Callable[[int, int], None]]:
    """Draw done, total, rate and time left on standard error; nothing where that is no terminal.

    Parameters
    ----------
    what : str
        Such as ``"embedding"``.
    amount : str
        What is counted: ``files`` or ``bytes``.

    Yields
    ------
    callable
        Takes (done, total).
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{60 * speed:.0f}/min" if speed else "")

    counted = (DownloadColumn(), TransferSpeedColumn()) if amount == "bytes" else (MofNCompleteColumn(), Rate())
    columns = (TextColumn("{task.description}"), BarColumn(), *counted, TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=60)
    task = None

    def update(done: int, total: int) -> None:
        nonlocal task
        if task is None:
            bar.start()
            task = bar.add_task(what, total=total)
        bar.update(task, completed=done, total=total)
        if done >= total:
            bar.stop()

    try:
        yield update
    finally:
        bar.stop()


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Print columns; `right` numbers those that are aligned to the right. Wide tables are not folded when piped."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _short(path: str) -> str:
    """Write a path relative to the working folder where that is shorter, control characters as escapes."""
    with suppress(ValueError):  # on another drive
        path = min(path, os.path.relpath(path), key=len)
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in path)


def _clip(text: str | None) -> str:
    """Keep a column narrow."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text or "-").split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def show_failed(failed: Sequence[doc.FailedFile], *, most: int | None = SHOWN) -> None:
    """List files that could not be used, on standard error."""
    for failure in failed[:most]:
        click.echo(f"failed: {_short(failure.path)}: {failure.reason}", err=True)
    if most is not None and len(failed) > most:
        click.echo(f"... and {len(failed) - most} more", err=True)


def show_status(status: doc.Status, *, library: str, below: Sequence[str] | None = None) -> None:
    """Print what the library holds: with all failures and remarks, or only with the first failures below some paths."""
    if below is None:
        for remark in status.remarks:
            click.echo(f"remark: {_short(remark.path)}: {remark.notice}", err=True)
        show_failed(status.failed, most=None)
    else:
        show_failed([failure for failure in status.failed if _lies_below(failure.path, below)])
    click.echo(f"library {library}")
    for space in status.spaces:
        index = "exact" if space.index == "exact" else f"{space.index}, rebuilt when needed"
        click.echo(f"space {space.id}: {_plural(space.tracks, 'track')}, {space.dimensions} dimensions, index {index}")
    if below is None and status.labels:
        click.echo("labels: " + ", ".join(f"{label} ({count})" for label, count in status.labels.items()))
    parts = [_plural(status.tracks, "track")]
    if status.files > status.tracks:
        parts.append(f"{status.files} files")
    parts.append(
        f"{status.labelled} labelled" + (f" in {_plural(len(status.labels), 'genre')}" if status.labels else "")
    )
    if status.remarks:
        parts.append(f"{len(status.remarks)} with a remark")
    parts.append(f"{_plural(len(status.failed), 'file')} failed")
    click.echo(", ".join(parts))


def _lies_below(path: str, roots: Sequence[str]) -> bool:
    return any(path == root or path.startswith(root.rstrip(os.sep) + os.sep) for root in map(os.path.abspath, roots))


def show_similar(result: doc.Similar) -> None:
    """Print similar tracks, nearest first."""
    if not result.results:
        click.echo("no track matches")
        return
    rows = [
        [str(t.rank), f"{t.similarity:.3f}", *map(_clip, (t.title, t.artist, t.album)), _short(t.path)]
        for t in result.results
    ]
    table(["rank", "similarity", "title", "artist", "album", "path"], rows, right=(0, 1))


def show_trained(result: doc.Trained) -> None:
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
    data = f"{_plural(result.tracks, 'track')}, {_plural(len(result.labels), 'genre')}"
    rest = "" if result.evaluated else "; `sonotheque evaluate` says how far to trust it"
    click.echo(f"trained {result.model}{chosen} on {data}{rest}")


def _spaces(spaces: Sequence[str]) -> str:
    from sonotheque.embed.space import short_name

    return " + ".join(map(short_name, spaces))


def _decision(decision: str, *, copies: bool) -> str:
    return ("tracks" if decision == "track" else f"segments ({decision})") + (", with copies" if copies else "")


def show_compared(result: doc.Compared) -> None:
    """Print the table of a comparison, with the difference of each row to the best single model."""
    click.echo(f"{result.protocol}; {_plural(result.tracks, 'track')}")
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


def show_classified(result: doc.Classified) -> None:
    """Print the genre of each file, with the labelled tracks that speak for it."""
    rows = [
        [_short(t.path), _genre(t), f"{t.probability:.2f}", ", ".join(_clip(_name(n.path)) for n in t.neighbours)]
        for t in result.tracks
    ]
    if rows:
        table(["file", "genre", "probability", "nearest of that genre"], rows, right=(2,))
    for track in result.tracks:
        if track.timeline is not None:
            moments = ", ".join(f"{_clock(m.start)} {m.genre} {m.probability:.2f}" for m in track.timeline)
            click.echo(f"{_short(track.path)}: {moments}")
    show_failed(result.failed, most=None)
    if result.promise and result.promise.threshold is not None:
        p = result.promise
        click.echo(
            f"answered from probability {p.threshold:.2f}: on grouped folds {p.coverage:.0%} of the tracks, "
            f"{p.accuracy:.1%} of them right (at least {p.lower:.1%} with 95 % confidence)"
        )
    click.echo(f"{_plural(len(result.tracks), 'file')} classified by {result.model}, {len(result.failed)} failed")


def _genre(track: doc.Prediction) -> str:
    if track.none_of_these:
        return f"{track.genre}? (like none of the labelled tracks)"
    return track.genre if track.answered else f"({track.genre}: not sure enough)"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _name(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def show_evaluated(result: doc.Evaluated) -> None:
    """Print the figures, each genre's, and the confusion matrix."""
    low, high = result.accuracy_interval
    chosen = f" (chosen inside each fold: {', '.join(result.chosen)})" if result.chosen else ""
    click.echo(f"{result.protocol}; model {result.model}{chosen}; {_plural(result.tracks, 'track')}")
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
        click.echo(f"not judged: {genre.label} ({_plural(genre.tracks, 'track')}, {genre.reason}); it helped to train")
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


def show_suspicious(result: doc.Suspicious) -> None:
    """Print labels that are probably wrong, and what is odd apart from labels."""
    rows = [
        [
            str(rank),
            one.label,
            one.proposal + ("*" if one.by_track else ""),
            f"{one.support:.2f}",
            f"{one.confidence:.2f}",
            _clip(one.artist),
            _short(one.path),
        ]
        for rank, one in enumerate(result.suspicious, start=1)
    ]
    if rows:
        table(["rank", "label", "proposal", "for label", "for proposal", "artist", "path"], rows, right=(0, 3, 4))
    if any(one.by_track for one in result.suspicious):
        genres = ", ".join(result.by_track)
        click.echo(f"* judged beside other tracks of the same artist: too few artists for folds of artists in {genres}")
    for label in result.alone:
        click.echo(f"not judged: {label} has one track")
    for pair in result.duplicates:
        labels = "" if len(set(pair.labels)) == 1 else f", labelled {pair.labels[0] or '-'} and {pair.labels[1] or '-'}"
        click.echo(f"nearly the same ({pair.similarity:.3f}{labels}): {_short(pair.paths[0])}, {_short(pair.paths[1])}")
    for path in result.outliers:
        click.echo(f"like no other track: {_short(path)}")
    for remark in result.remarks:
        click.echo(f"{_short(remark.path)}: {remark.notice}")
    click.echo(
        f"the first {len(result.suspicious)} of {_plural(result.tracks, 'labelled track')}; {result.doubtful} have more that "
        "speaks for the proposal than for the label; nothing is relabelled"
    )
