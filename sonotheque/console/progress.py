"""Progress bars on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(title: str, *, unit: str = "files") -> Iterator[Callable[[int, int], None]]:
    """Show the number done, the total, the rate and the time left on standard error; nothing if it is not a terminal.

    Parameters
    ----------
    title : str
        Text before the bar, such as ``"embedding"``.
    unit : str
        What is counted. ``bytes`` are shown with a transfer rate, anything else with a rate per minute.

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

    class RatePerMinuteColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{60 * speed:.0f}/min" if speed else "")

    counters = (
        (DownloadColumn(), TransferSpeedColumn()) if unit == "bytes" else (MofNCompleteColumn(), RatePerMinuteColumn())
    )
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
