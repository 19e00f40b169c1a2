"""Progress bars on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from sonotheque.plurals import pluralize

RATED_UNITS = ("files", "copies")
"""Units whose rate is shown."""

MIN_RATED, MAX_RATE = 3, 10_000
"""A rate is shown from this number of things on, and up to this number a minute: a higher one is not a rate of work."""


def format_progress(done: int, total: int, *, unit: str) -> str:
    """Format how many things are done.

    Examples
    --------
    >>> format_progress(3, 46, unit="files"), format_progress(0, 1, unit="copies")
    ('3 of 46 files', '0 of 1 copy')
    """
    singular = unit.removesuffix("ies") + "y" if unit.endswith("ies") else unit.removesuffix("s")
    return f"{done} of {pluralize(total, singular, unit)}"


def format_rate(per_second: float | None, *, done: int) -> str:
    """Format a rate per minute; empty if it is unknown or says nothing.

    Examples
    --------
    >>> format_rate(5.5, done=10), format_rate(46_284.2, done=1000)
    ('330 a minute', '')
    """
    rate = 60 * (per_second or 0)
    return f"{rate:.0f} a minute" if done >= MIN_RATED and 1 <= rate <= MAX_RATE else ""


@contextmanager
def progress_bar(title: str, *, unit: str = "files") -> Iterator[Callable[[int, int], None]]:
    """Show how far a command is on standard error; nothing if it is not a terminal.

    Parameters
    ----------
    title : str
        Text before the bar, such as ``"embedding"``.
    unit : str
        What is counted, as a plural that a person knows, such as ``files``. ``bytes`` are shown with a transfer rate; ``files`` and
        ``copies``, which take long, with a rate per minute. ``%`` is for work whose steps mean nothing to a person.

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
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.text import Text

    class CountColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(format_progress(int(task.completed), int(task.total or 0), unit=unit))

    class RatePerMinuteColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(format_rate(task.finished_speed or task.speed, done=int(task.completed)))

    counters: tuple[ProgressColumn, ...]
    if unit == "bytes":
        counters = (DownloadColumn(), TransferSpeedColumn())
    elif unit == "%":
        counters = (TaskProgressColumn(),)
    elif unit in RATED_UNITS:
        counters = (CountColumn(), RatePerMinuteColumn())
    else:
        counters = (CountColumn(),)
    columns = (TextColumn("{task.description}"), BarColumn(), *counters, TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=60)
    task = None

    def update(done: int, total: int) -> None:
        nonlocal task
        if task is None:
            bar.start()
            task = bar.add_task(title, total=total)
        bar.update(task, completed=done, total=total)
        if done >= total:
            bar.stop()

    try:
        yield update
    finally:
        bar.stop()


@contextmanager
def repeated_progress_bar(title: str, *, unit: str = "files") -> Iterator[Callable[[int, int], None]]:
    """Show a new bar, see `progress_bar`, each time that the work starts again at 0."""
    with ExitStack() as stack:
        bar: Callable[[int, int], None] | None = None

        def update(done: int, total: int) -> None:
            nonlocal bar
            if bar is None or done == 0:
                stack.close()
                bar = stack.enter_context(progress_bar(title, unit=unit))
            bar(done, total)
            if done >= total:
                stack.close()
                bar = None

        yield update
