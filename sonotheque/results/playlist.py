"""Playlists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class PlaylistTrack:
    """One track of a playlist.

    Attributes
    ----------
    rank : int
    similarity : float or None
        To the track before it: the cosine of the centred vectors, which is the mean of the similarities that `similar` reports in
        both directions. None for the first track, and if one of the two has no vector.
    similarity_to_start : float or None
        To the first track.
    given : bool
        Whether it was a part of the request: a seed, the start, the end, or from the playlist file.
    path : str
    title, artist, album, genre : str or None
        The genre is the label or, without one, the genre in the file tags.
    seconds : float
        Duration.
    tempo : float or None
        In BPM, if it is clear.
    key : str or None
        Such as ``F# minor``, if it is clear.
    """

    rank: int
    similarity: float | None
    similarity_to_start: float | None
    given: bool
    path: str
    title: str | None
    artist: str | None
    album: str | None
    genre: str | None
    seconds: float
    tempo: float | None
    key: str | None


@dataclass(frozen=True)
class PlaylistResult:
    """A playlist.

    Attributes
    ----------
    source : str
        ``path`` (from one track to another), ``seeds``, ``extension`` (of a playlist file) or ``mix`` (of a genre or cluster).
    space : str
        Id of the space in which tracks are compared.
    seconds : float
        Total duration.
    results : sequence of PlaylistTrack
        In order.
    smallest_similarity, mean_similarity : float or None
        Of the tracks to the one before. None if there are fewer than two tracks.
    same_artist : int
        Number of tracks that follow one by the same artist, which no order of these tracks avoids.
    not_found : sequence of str
        Entries of the playlist file that are not in the library.
    notes : sequence of str
        What a person should know about the playlist.
    shortfall : str or None
        Why there are fewer tracks, or less time, than requested.
    """

    source: str
    space: str
    seconds: float
    results: Sequence[PlaylistTrack]
    smallest_similarity: float | None
    mean_similarity: float | None
    same_artist: int
    not_found: Sequence[str] = ()
    notes: Sequence[str] = ()
    shortfall: str | None = None
