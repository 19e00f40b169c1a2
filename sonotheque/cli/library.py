"""The commands that change the library or show its contents: add, status, label, remove."""

from __future__ import annotations

from pathlib import Path

import click

from sonotheque.cli.options import (
    as_json,
    compute_options,
    embedder_option,
    ids_option,
    label_columns_option,
    open_library,
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
    "Default: the embedders that the library already uses, "
    "otherwise auto."
)
@click.option("--retry", is_flag=True, help="Retry files that failed before, even if they have not changed.")
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
    retry: bool,
    precision: str,
    device: str,
    as_json: bool,
) -> None:
    """Add audio files, or all audio files in folders, to the library.

    Folders are searched recursively for audio and video files. Files that are already in the library are skipped: if the
    command is interrupted, run it again to continue.
    """
    from sonotheque import console
    from sonotheque.embed.registry import choose_spaces
    from sonotheque.extract.scan import require_audio

    require_audio(paths)  # before an empty library is created
    if embedders and "auto" not in embedders:
        with console.progress_bar("downloading weights", unit="bytes") as download_progress:
            choose_spaces(embedders, progress=download_progress)
    library = open_library(ctx, create=True, precision=precision, device=device)
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
            retry=retry,
            progress=progress,
            fetching=download_progress,
        )
    if as_json:
        console.print_json(status)
    else:
        console.print_status(status, library=str(library.path), roots=[str(path) for path in paths])


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
@click.argument("source", metavar="FILE.csv|tags")
@label_columns_option()
@ids_option
@as_json
@click.pass_context
def label(ctx: click.Context, source: str, columns: list[str] | None, ids: Path | None, as_json: bool) -> None:
    """Set or change the genre labels of tracks in the library.

    The rows of a CSV file are matched to tracks by path, file name or stem. With `tags`, the labels are read from the file
    tags.
    """
    from sonotheque import console

    result = open_library(ctx).label(source, columns=columns, ids=ids)
    if as_json:
        console.print_json(result)
    else:
        console.print_label_changes(result)


@click.command()
@paths_argument(required=False)
@click.option("--missing", is_flag=True, help="Remove every file that no longer exists on disk.")
@as_json
@click.pass_context
def remove(ctx: click.Context, paths: tuple[Path, ...], missing: bool, as_json: bool) -> None:
    """Remove files or folders from the library, but not from disk."""
    from sonotheque import console

    if not paths and not missing:
        raise click.UsageError("Give a PATH or --missing.")
    result = open_library(ctx).remove(*paths, missing=missing)
    if as_json:
        console.print_json(result)
    else:
        console.print_removal(result)
