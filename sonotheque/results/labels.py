"""Changes of labels, their history, and what `undo` took back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class LabelChange:
    """The genre of one track before and after a change. None is no label.

    The two are equal if only the source, the artist or the album was changed.
    """

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class LabellingResult:
    """What `label` or `errors --apply` did or, in a dry run, would do.

    Attributes
    ----------
    matched : int
        Number of tracks with a label in the source or, for `errors --apply`, with a decision.
    changed : int
        Number of labels that are new or changed.
    unmatched : sequence of str
        Rows without a track.
    changes : sequence of LabelChange
    kept : int
        For `errors --apply`: number of rows that keep the label.
    dry_run : bool
    """

    matched: int
    changed: int
    unmatched: Sequence[str]
    changes: Sequence[LabelChange] = ()
    kept: int = 0
    dry_run: bool = False


@dataclass(frozen=True)
class AdditionPreview:
    """What `add` would do.

    Attributes
    ----------
    embedded : int
        Number of files that would be embedded.
    analysed : int
        Number of files that are already embedded, and whose tempo and key would be computed.
    linked : int
        Number of moved files and duplicates of known tracks.
    unchanged : int
        Number of files that are already known.
    failed : int
        Number of files that cannot be opened. Whether a file can be decoded is not tested.
    changed : int
        Number of labels that would be new or changed.
    changes : sequence of LabelChange
    unmatched : sequence of str
        Rows of the label source without a file.
    dry_run : bool
        Always true.
    """

    embedded: int
    linked: int
    unchanged: int
    failed: int
    changed: int
    changes: Sequence[LabelChange]
    unmatched: Sequence[str]
    dry_run: bool = True
    analysed: int = 0


@dataclass(frozen=True)
class HistoryEntry:
    """One change of labels, one removal, or one restoration of kept labels.

    Attributes
    ----------
    number : int
        Later changes have larger numbers.
    kind : str
        ``labels``, ``removal``, or ``restoration``: labels of removed tracks that were added again.
    command : str
    time : str
        In UTC, ISO 8601.
    changed : int
        Number of labels that were changed.
    tracks : int
        Number of tracks that were removed.
    undone : bool
        Whether `undo` took it back.
    changes : sequence of LabelChange
    """

    number: int
    kind: str
    command: str
    time: str
    changed: int
    tracks: int
    undone: bool
    changes: Sequence[LabelChange]


@dataclass(frozen=True)
class LabelHistory:
    """The history of the labels, the latest change first."""

    history: Sequence[HistoryEntry]


@dataclass(frozen=True)
class UndoResult:
    """What `undo` took back or, in a dry run, would take back.

    Attributes
    ----------
    number, kind, command, time : int and str
        The change that was taken back, see `HistoryEntry`.
    changed : int
        Number of labels that were set back.
    changes : sequence of LabelChange
        `before` is the label before `undo`.
    tracks, places : int
        Number of tracks and of files that came back.
    present : int
        Number of removed tracks that had been added again already.
    without_vectors : int
        Number of tracks that came back without vectors, because the removal is too long ago; `add` computes them.
    left : int
        Number of earlier changes that can be taken back.
    dry_run : bool
    """

    number: int
    kind: str
    command: str
    time: str
    changed: int
    changes: Sequence[LabelChange]
    tracks: int
    places: int
    present: int
    without_vectors: int
    left: int
    dry_run: bool
