"""What `add --watch` did: after each batch of changes, and in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.status import FailedFile


@dataclass(frozen=True)
class WatchBatch:
    """What was done for one batch of changes in the watched folders.

    Attributes
    ----------
    embedded : int
        New or changed files that were embedded.
    analysed : int
        Files that were already embedded, but whose tempo and key were missing.
    linked : int
        Moved files and duplicates, which were linked to a known track.
    failed : int
        Files that could not be used.
    removed : int
        Deleted files that were removed from the library.
    removed_tracks : int
        Tracks that were removed, because they have no other file. `undo` brings them back.
    kept : int
        Files that vanished and stay in the library, because too many vanished at once.
    labelled : int
        Labels that were set.
    failures : sequence of FailedFile
        The files that could not be used.
    """

    embedded: int = 0
    analysed: int = 0
    linked: int = 0
    failed: int = 0
    removed: int = 0
    removed_tracks: int = 0
    kept: int = 0
    labelled: int = 0
    failures: Sequence[FailedFile] = ()


@dataclass(frozen=True)
class WatchResult:
    """What was done while folders were watched, the first `add` of the folders included.

    Attributes
    ----------
    batches : int
        Number of batches in which something was done.
    embedded, analysed, linked, failed, removed, removed_tracks, kept, labelled : int
        Sums over the batches, see `WatchBatch`.
    tracks : int
        Number of tracks in the library at the end.
    """

    batches: int
    embedded: int
    analysed: int
    linked: int
    failed: int
    removed: int
    removed_tracks: int
    kept: int
    labelled: int
    tracks: int
