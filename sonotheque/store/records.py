"""Rows of a catalogue as Python objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sonotheque.metadata.label_sources import Label
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


@dataclass(frozen=True)
class TrackLabelChange:
    """The label of one track before and after a change. None is no label.

    `hash` is the content hash of the track, `path` the first of its files at that time.
    """

    hash: str
    path: str
    before: Label | None
    after: Label | None


@dataclass(frozen=True)
class Change:
    """A change of labels or a removal, as the history has it.

    Attributes
    ----------
    id : int
        Its number. Later changes have larger numbers.
    kind : str
        ``labels``, ``removal``, or ``restoration``: labels of removed tracks that were added again.
    command : str
    time : str
        In UTC, ISO 8601.
    labels, tracks : int
        How many labels were changed, and how many tracks were removed.
    undone : str or None
        When `undo` took it back.
    """

    id: int
    kind: str
    command: str
    time: str
    labels: int
    tracks: int
    undone: str | None


def track_notices(tracks: Iterable[Track]) -> list[TrackNotice]:
    """List the notices about tracks: first those of the decoder, such as truncation, then silent tracks."""
    tracks = list(tracks)
    silent = [TrackNotice(track.path, "silent: no sample above -90 dB") for track in tracks if track.silent]
    return [TrackNotice(track.path, track.notice) for track in tracks if track.notice] + silent
