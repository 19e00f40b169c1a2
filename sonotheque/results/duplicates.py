"""Files and tracks that may be the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.results.status import FailedFile


@dataclass(frozen=True)
class IdenticalFiles:
    """Byte-identical files. They are one track."""

    paths: Sequence[str]
    title: str | None
    artist: str | None


@dataclass(frozen=True)
class RecordingFile:
    """One of several files of a recording.

    `seconds` is its length and `bit_rate` its mean bit rate in kbit/s. `likely_better` is true for the file with the highest bit
    rate among those that are not shorter than the others, unless all are the same.
    """

    path: str
    title: str | None
    artist: str | None
    album: str | None
    seconds: float
    bit_rate: int
    likely_better: bool


@dataclass(frozen=True)
class RecordingGroup:
    """Tracks that are one recording in different encodings, levels or cuts.

    `agreement` is the lowest fraction of equal fingerprint bits that joins two of them, and `similarity` the lowest cosine.
    """

    files: Sequence[RecordingFile]
    agreement: float
    similarity: float


@dataclass(frozen=True)
class UnsurePair:
    """Two tracks that may be one recording.

    Attributes
    ----------
    paths : two str
    similarity : float
        Cosine.
    agreement : float or None
        Fraction of equal fingerprint bits, at the best offset.
    offset : float or None
        Time in the first recording at which the second one starts, in s.
    overlap : float or None
        Audible overlap of the fingerprints in s.
    length_difference : float
        Length of the first minus length of the second in s.
    reason : str
        Why it is unsure.
    """

    paths: tuple[str, str]
    similarity: float
    agreement: float | None
    offset: float | None
    overlap: float | None
    length_difference: float
    reason: str


@dataclass(frozen=True)
class VersionPair:
    """Two tracks that may be versions of one piece.

    Attributes
    ----------
    paths : two str
    titles, artists : two str or None
    kind : str
        ``live``, ``remix``, ``karaoke``, ``cover``, ``acoustic``, ``demo``, ``edit``, ``remaster``, or ``version`` if the titles do
        not say.
    harmony : float or None
        Length of the longest common chord sequence relative to the shorter recording, from 0 to 1; None if it is not known.
    transposition : int or None
        Semitones from the first to the second, from -5 to 6.
    """

    paths: tuple[str, str]
    titles: tuple[str | None, str | None]
    artists: tuple[str | None, str | None]
    kind: str
    harmony: float | None
    transposition: int | None


@dataclass(frozen=True)
class DuplicatesResult:
    """What `duplicates` found. Nothing was changed.

    Attributes
    ----------
    space : str
        Id of the space that proposed the pairs.
    fingerprint : str
        Id of the fingerprint method that decided.
    tracks : int
        Number of tracks that were compared; silent ones are not.
    pairs : int
        Number of pairs of which the fingerprints were compared.
    identical : sequence of IdenticalFiles
    same_recording : sequence of RecordingGroup
    other_versions : sequence of VersionPair
        Proposals with low confidence, those with the most similar harmony first.
    unsure : sequence of UnsurePair
        The pair with the highest agreement first.
    failed : sequence of FailedFile
        Files of which no fingerprint could be computed.
    """

    space: str
    fingerprint: str
    tracks: int
    pairs: int
    identical: Sequence[IdenticalFiles]
    same_recording: Sequence[RecordingGroup]
    other_versions: Sequence[VersionPair]
    unsure: Sequence[UnsurePair]
    failed: Sequence[FailedFile]
