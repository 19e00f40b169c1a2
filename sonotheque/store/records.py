"""Rows of a catalogue as Python objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sonotheque.results import TrackNotice


class Track(NamedTuple):
    """One track of the library.

    `path` is the first of its files. `artist` and `album` come from the labels if they name them, otherwise from the file tags.
    """

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
class SpaceSummary:
    """A space of the library: its id, the length of its vectors, the number of tracks that have one, and its generation."""

    id: str
    dimensions: int
    tracks: int
    generation: int


def track_notices(tracks: Iterable[Track]) -> list[TrackNotice]:
    """List the notices about tracks: first those of the decoder, such as truncation, then silent tracks."""
    tracks = list(tracks)
    silent = [TrackNotice(track.path, "silent: no sample above -90 dB") for track in tracks if track.silent]
    return [TrackNotice(track.path, track.notice) for track in tracks if track.notice] + silent
