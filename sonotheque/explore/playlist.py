"""Tracks as a playlist that any player opens."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sonotheque.documents import SimilarTrack


def playlist(tracks: Iterable[SimilarTrack], *, folder: str | os.PathLike[str]) -> str:
    """Write tracks as an extended M3U, to be saved in UTF-8.

    Parameters
    ----------
    tracks : tracks, in order
    folder : path of the folder where the playlist will lie; paths are relative to it

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
        lines += [f"#EXTINF:{round(track.seconds)},{' '.join(name.split())}", path]
    return "\n".join(lines) + "\n"
