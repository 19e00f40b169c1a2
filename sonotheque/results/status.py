"""The contents of a library, and the results of `add --dry-run` and `remove`."""

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
    """A space of the library.

    Attributes
    ----------
    id : str
    dimensions, tracks : int
    index : str
        The kind of its index: ``exact``, ``hnsw`` or ``ivf``; ``stale`` or ``missing`` until the next search builds it.
    recall : float or None
        Fraction of the ten nearest tracks that an approximate index finds, measured when it was built.
    """

    id: str
    dimensions: int
    tracks: int
    index: str
    recall: float | None = None


@dataclass(frozen=True)
class Status:
    """The contents of a library.

    `tracks` is the number of different contents, `files` the number of files with these contents, `auto_tags` the number of tracks
    that have auto-tags, and `tempo_and_key` the number of tracks whose tempo and key have been computed. A library that was made
    by an older version gets them with the next `add`. `variants` lists labels that differ only in case, white space or Unicode
    normalisation, and are probably the same genre.
    """

    tracks: int
    files: int
    labelled: int
    labels: Mapping[str, int]
    failed: Sequence[FailedFile]
    remarks: Sequence[TrackNotice]
    spaces: Sequence[SpaceStatus]
    variants: Sequence[Sequence[str]] = ()
    auto_tags: int = 0
    tempo_and_key: int = 0


@dataclass(frozen=True)
class IndexBuild:
    """An index that was built.

    Attributes
    ----------
    space : str
    kind : str
        ``exact``, ``hnsw`` or ``ivf``.
    vectors, dimensions : int
        Number and length of the vectors that are compared.
    recall : float or None
        Fraction of the ten nearest tracks that it finds; None if it is exact.
    bytes : int
        Size of its files.
    """

    space: str
    kind: str
    vectors: int
    dimensions: int
    recall: float | None
    bytes: int


@dataclass(frozen=True)
class IndexBuildResult:
    """The indexes that were built, and the kind that was requested for the library."""

    requested: str
    indexes: Sequence[IndexBuild]


@dataclass(frozen=True)
class RemovalResult:
    """What `remove` did or, in a dry run, would do.

    Attributes
    ----------
    places : int
        Number of files that were removed from the library, unusable ones included.
    removed : int
        Number of tracks that were removed, because they have no other file.
    tracks : int
        Number of tracks that are left.
    labelled : int
        How many of the removed tracks have a label.
    labels : mapping of label to number of tracks
        The labels of the removed tracks.
    paths : sequence of str
        The files.
    dry_run : bool
    """

    places: int
    removed: int
    tracks: int
    labelled: int
    labels: Mapping[str, int]
    paths: Sequence[str]
    dry_run: bool
