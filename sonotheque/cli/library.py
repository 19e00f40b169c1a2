"""The commands that change the library or show its contents: add, status, label, remove, undo."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from sonotheque.cli.options import (
    as_json,
    compute_options,
    dry_run_option,
    embedder_option,
    ids_option,
    label_columns_option,
    new_genres_option,
    open_library,
    open_library_for_preview,
    paths_argument,
)


@click.command()
@paths_argument()
@click.option(
    "--labels",
    metavar="folder|tags|FILE.csv",
    help="Source of the genre labels: the names of the folders, the file tags, or a CSV file.",
)
@label_columns_option()
@ids_option
@embedder_option(
    "auto, openl3, musicnn, descriptors, essentia, mel, musicnn-frames, openl3-frames or an OpenL3 variant; repeatable. "
    "Default: the embedders that the library already uses, otherwise auto: openl3 if its weights are on this machine, else "
    "musicnn. auto downloads nothing."
)
@click.option(
    "--auto-tags/--no-auto-tags",
    default=None,
    help="Also compute musicnn's auto-tags (style, mood, instruments, era) of every track, for libraries without musicnn "
    "vectors. Default: as before; for a new library, no.",
)
@click.option("--retry", is_flag=True, help="Retry files that failed before, even if they have not changed.")
@new_genres_option
@click.option(
    "--watch",
    is_flag=True,
    help="Then keep the library in step with the folders: add new and changed files, follow moved ones, remove deleted ones. "
    "Ctrl-C ends it.",
)
@dry_run_option
@compute_options
@as_json
@click.pass_context
def add(
    ctx: click.Context,
    paths: tuple[Path, ...],
    labels: str | None,
    columns: list[str] | None,
    ids: Path | None,
    embedders: tuple[str, ...],
    auto_tags: bool | None,
    retry: bool,
    new_genres: bool,
    watch: bool,
    dry_run: bool,
    precision: str,
    device: str,
    as_json: bool,
) -> None:
    """Add audio files, or all audio files in folders, to the library.

    Folders are searched recursively for audio and video files. Files that are already in the library are skipped: if the
    command is interrupted, run it again to continue. Tracks that were removed and are added again get their labels back.
    """
    from sonotheque import console
    from sonotheque.embed.registry import choose_spaces
    from sonotheque.extract.scan import require_audio
    from sonotheque.extract.watch import require_folders

    if watch and dry_run:
        raise click.UsageError("--watch cannot be combined with --dry-run.")
    (require_folders if watch else require_audio)(paths)  # before an empty library is created
    if dry_run:
        preview = open_library_for_preview(ctx).preview_add(
            *paths,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders or ("auto",),
            retry=retry,
            new_genres=new_genres,
        )
        if as_json:
            console.print_json(preview)
        else:
            console.print_addition_preview(preview)
        return
    if embedders:
        with console.progress_bar("downloading weights", unit="bytes") as download_progress:
            choose_spaces(embedders, progress=download_progress)
    library = open_library(ctx, create=True, precision=precision, device=device)
    if watch:
        with (
            _end_on_sigterm(),
            console.repeated_progress_bar("embedding", unit="files") as progress,
            console.progress_bar("downloading weights", unit="bytes") as download_progress,
        ):
            result = library.watch(
                *paths,
                labels=labels,
                columns=columns,
                ids=ids,
                embedders=embedders or ("auto",),
                auto_tags=auto_tags,
                retry=retry,
                new_genres=new_genres,
                report=console.print_watch_batch,
                progress=progress,
                fetching=download_progress,
            )
        if as_json:
            console.print_json(result)
        else:
            console.print_watch_result(result)
        return
    with (
        console.progress_bar("embedding", unit="files") as progress,
        console.progress_bar("downloading weights", unit="bytes") as download_progress,
    ):
        status = library.add(
            *paths,
            labels=labels,
            columns=columns,
            ids=ids,
            embedders=embedders or ("auto",),
            auto_tags=auto_tags,
            retry=retry,
            new_genres=new_genres,
            progress=progress,
            fetching=download_progress,
        )
    if as_json:
        console.print_json(status)
    else:
        console.print_status(status, library=str(library.path), roots=[str(path) for path in paths])


@contextmanager
def _end_on_sigterm() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C: a service manager ends the command with it."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@click.command()
@as_json
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what the library contains and which files failed, and why."""
    from sonotheque import console

    library = open_library(ctx)
    if as_json:
        console.print_json(library.status())
    else:
        console.print_status(library.status(), library=str(library.path))


@click.command()
@click.argument("source", metavar="[FILE.csv|tags|PATH]", required=False)
@label_columns_option()
@ids_option
@new_genres_option
@click.option(
    "--history",
    is_flag=True,
    help="Change nothing; list all changes of labels and removals, the latest first, or those of the file or folder PATH.",
)
@dry_run_option
@as_json
@click.pass_context
def label(
    ctx: click.Context,
    source: str | None,
    columns: list[str] | None,
    ids: Path | None,
    new_genres: bool,
    history: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Set or change the genre labels of tracks in the library, or list the changes made so far.

    The rows of a CSV file are matched to tracks by path, file name or stem. With `tags`, the labels are read from the file
    tags. `sonotheque undo` takes the change back.
    """
    from sonotheque import console

    if history:
        if columns or ids or new_genres or dry_run:
            raise click.UsageError("--history cannot be combined with --columns, --ids, --new-genres or --dry-run.")
        changes = open_library(ctx).label_history(source)
        if as_json:
            console.print_json(changes)
        else:
            console.print_label_history(changes, every_track=source is not None)
        return
    if source is None:
        raise click.UsageError("Give FILE.csv, tags or --history.")
    result = open_library(ctx).label(source, columns=columns, ids=ids, new_genres=new_genres, dry_run=dry_run)
    if as_json:
        console.print_json(result)
    else:
        console.print_label_changes(result)


@click.command()
@paths_argument(required=False)
@click.option("--missing", is_flag=True, help="Remove every file that no longer exists on disk.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@dry_run_option
@as_json
@click.pass_context
def remove(ctx: click.Context, paths: tuple[Path, ...], missing: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Remove files or folders from the library, but not from disk.

    On a terminal, the command shows what will be removed and asks. `sonotheque undo` brings the tracks back with their labels.
    Tracks that are added again get their labels back, too.
    """
    from sonotheque import console

    if not paths and not missing:
        raise click.UsageError("Give a PATH or --missing.")
    library = open_library(ctx)
    if not dry_run and not yes and console.can_ask():
        plan = library.remove(*paths, missing=missing, dry_run=True)
        if plan.places and not console.confirm_removal(plan):
            click.echo("nothing was removed", err=True)
            sys.exit(1)
    result = library.remove(*paths, missing=missing, dry_run=dry_run)
    if as_json:
        console.print_json(result)
    else:
        console.print_removal(result)


@click.command()
@dry_run_option
@as_json
@click.pass_context
def undo(ctx: click.Context, dry_run: bool, as_json: bool) -> None:
    """Take back the last change of labels or the last removal.

    Removed tracks come back with their labels. Run it again to take back the change before. `sonotheque label --history` lists
    all changes.
    """
    from sonotheque import console

    result = open_library(ctx).undo(dry_run=dry_run)
    if as_json:
        console.print_json(result)
    else:
        console.print_undo(result)
