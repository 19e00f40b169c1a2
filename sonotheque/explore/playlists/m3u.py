"""Write tracks as a playlist that any player opens."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

from sonotheque.output_files import M3U, FilePath, OutputFile, as_output
from sonotheque.results import FoundTrack, PlaylistTrack, SimilarTrack
from sonotheque.types import PathLike

log = logging.getLogger("sonotheque")


def format_m3u(tracks: Iterable[SimilarTrack | FoundTrack | PlaylistTrack], *, folder: PathLike) -> str:
    """Format tracks as an extended M3U playlist, to be saved as UTF-8.

    A playlist has one path on each line, so a file with a line end in its path is left out, with a warning.

    Parameters
    ----------
    tracks : iterable of SimilarTrack, FoundTrack or PlaylistTrack
        In order.
    folder : path of the folder of the playlist
        Paths in the playlist are relative to it.

    Returns
    -------
    str
    """
    lines = ["#EXTM3U"]
    for track in tracks:
        title = track.title or Path(track.path).stem
        name = f"{track.artist} - {title}" if track.artist else title
        try:
            path = os.path.relpath(track.path, os.path.abspath(folder))
        except ValueError:  # on another drive
            path = track.path
        if "\n" in path or "\r" in path:
            log.warning("%r is left out of the playlist: its name contains a line end; rename the file", track.path)
            continue
        if path.startswith("#") or path != path.lstrip():  # would be a comment, or lose its first characters
            path = os.path.join(os.curdir, path)
        lines += [f"#EXTINF:{round(track.seconds)},{_clean(name)}", path]
    return "\n".join(lines) + "\n"


def _clean(name: str) -> str:
    """Return a name on one line, without control characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in name).split())


def write_m3u(tracks: Iterable[SimilarTrack | FoundTrack | PlaylistTrack], path: FilePath | OutputFile) -> None:
    """Write tracks to an extended M3U playlist in UTF-8.

    Parameters
    ----------
    tracks : iterable of SimilarTrack, FoundTrack or PlaylistTrack
    path : path of the playlist, or OutputFile
        See `sonotheque.output_files.as_output`.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not a playlist.
    """
    output = as_output(path, M3U)
    output.write([format_m3u(tracks, folder=output.path.parent).encode("utf-8", "surrogateescape")])
