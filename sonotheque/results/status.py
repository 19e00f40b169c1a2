"""What the library holds, and what changed when labels were set or tracks removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FailedFile:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class TrackNotice:
    """What a person should know of a track that was used: it is silent, truncated, damaged."""

    path: str
    notice: str


@dataclass(frozen=True)
class SpaceStatus:
    """A space of the library; `index` is ``exact``, or ``stale`` or ``missing`` until the next search rebuilds it."""

    id: str
    dimensions: int
    tracks: int
    index: str


@dataclass(frozen=True)
class Status:
    """What the library holds. `tracks` counts different contents, `files` the places where they lie."""

    tracks: int
    files: int
    labelled: int
    labels: Mapping[str, int]
    failed: Sequence[FailedFile]
    remarks: Sequence[TrackNotice]
    spaces: Sequence[SpaceStatus]


@dataclass(frozen=True)
class LabellingResult:
    """What `label` did: rows of the source that matched, labels that are new or changed, and rows without a track."""

    matched: int
    changed: int
    unmatched: Sequence[str]


@dataclass(frozen=True)
class RemovalResult:
    """What `remove` forgot: places where a file lies or failed, and tracks that lie nowhere else; and the tracks left."""

    places: int
    removed: int
    tracks: int
