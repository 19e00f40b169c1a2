"""The contents of a library, and the results of `label` and `remove`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be used, and the reason."""

    path: str
    reason: str


@dataclass(frozen=True)
class TrackNotice:
    """A notice about a track that was added: that it is silent, truncated or damaged."""

    path: str
    notice: str


@dataclass(frozen=True)
class SpaceStatus:
    """A space of the library; `index` is ``exact``, or it is ``stale`` or ``missing`` until the next search rebuilds the index."""

    id: str
    dimensions: int
    tracks: int
    index: str


@dataclass(frozen=True)
class Status:
    """The contents of a library; `tracks` is the number of different contents, `files` the number of files with these contents."""

    tracks: int
    files: int
    labelled: int
    labels: Mapping[str, int]
    failed: Sequence[FailedFile]
    remarks: Sequence[TrackNotice]
    spaces: Sequence[SpaceStatus]


@dataclass(frozen=True)
class LabellingResult:
    """What `label` did: the number of rows that matched a track, the number of new or changed labels, and the unmatched rows."""

    matched: int
    changed: int
    unmatched: Sequence[str]


@dataclass(frozen=True)
class RemovalResult:
    """What `remove` did: `places` counts removed files and failures, `removed` removed tracks, and `tracks` the tracks left."""

    places: int
    removed: int
    tracks: int
