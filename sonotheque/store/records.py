"""The rows of a catalogue as Python sees them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sonotheque.documents import Remark


class Track(NamedTuple):
    """One track of the library. `path` is the first of its copies; `artist` and `album` come from the labels, else tags."""

    id: int
    hash: str
    path: str
    seconds: float
    silent: bool
    notice: str | None
    title: str | None
    artist: str | None
    album: str | None
    genre: str | None
    label: str | None
    label_source: str | None


@dataclass(frozen=True)
class Stamp:
    """Size in bytes and modification time in ns: enough to see that a file has not changed."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> Stamp:
        """Read the stamp of a file."""
        status = os.stat(path)
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class SpaceSummary:
    """A space of the library: its id, how long a vector is, how many tracks have one, and its generation."""

    id: str
    dimensions: int
    tracks: int
    generation: int


@dataclass(frozen=True)
class Label:
    """A genre that a person gave, with its source, and the artist and album where the same source names them."""

    label: str
    source: str
    artist: str | None = None
    album: str | None = None


def remarks_of(tracks: Iterable[Track]) -> list[Remark]:
    """List what a person should know of tracks: those with a notice, such as truncated ones, then silent ones."""
    kept = list(tracks)
    silent = [Remark(track.path, "silent: no sample above -90 dB") for track in kept if track.silent]
    return [Remark(track.path, track.notice) for track in kept if track.notice] + silent
