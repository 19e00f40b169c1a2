"""Resolve a query to tracks of the library or an audio file."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass

from sonotheque.errors import LibraryError
from sonotheque.extract.file_identity import content_hash, name_problem
from sonotheque.metadata.file_names import existing_path
from sonotheque.store import Catalogue
from sonotheque.store.search_names import NamedTrack, search_key

log = logging.getLogger("sonotheque")

MAX_LISTED = 5
"""Number of tracks that a message lists."""


@dataclass(frozen=True)
class ResolvedQuery:
    """What a query means.

    Attributes
    ----------
    paths : sequence of str
        Absolute paths; several if the query is an artist.
    tracks : sequence of int
        Track ids, one for each path; empty if the file is not in the catalogue.
    """

    paths: Sequence[str]
    tracks: Sequence[int]


def resolve_query(query: str, *, catalogue: Catalogue) -> ResolvedQuery:
    """Find what a query names: a file, or a track by its file name, stem, artist and title, title, or artist.

    The first of these that exists is taken. Names are compared without case, accents and Unicode normalisation; for file names, an
    exact match is preferred. The name of an artist means all tracks by the artist.

    Parameters
    ----------
    query : str
        Path of a file, name or stem of a track's file, title, artist, or ``artist - title``.
    catalogue : Catalogue

    Returns
    -------
    ResolvedQuery

    Raises
    ------
    LibraryError
        If the query is none of these, or several tracks have that file name or title.
    """
    path = os.path.abspath(existing_path(query))
    unchanged = catalogue.files.get_unchanged(path)
    if unchanged is not None:
        return ResolvedQuery([path], [unchanged])
    if os.path.isfile(path):
        if problem := name_problem(path):
            raise LibraryError(f"{query}: {problem}")
        track = catalogue.tracks.find(content_hash(path))
        return ResolvedQuery([path], [] if track is None else [track])
    known = catalogue.files.find(path)
    if known is not None:
        return ResolvedQuery([known[0]], [known[1]])
    names = catalogue.search_names
    if found := names.find_files(query):
        return _require_one(found, query, "file name")
    for artist, title in _split_at_dashes(query):
        if found := names.find_titles(title, artist=artist):
            return _require_one(found, query, "artist and title")
    by_artist = names.find_artist(query)
    if found := names.find_titles(query):
        chosen = _require_one(found, query, "title")
        if {track.id for track in by_artist} - set(chosen.tracks):
            log.info(
                "%r is taken as the title of %s; it is also an artist: for another track, give %s - TITLE",
                *(query, _describe(found[0]), query),
            )
        return chosen
    if len(by_artist) > 1:
        log.info(
            "%r is an artist; the search is for what is like the mean of these %d tracks: %s",
            *(query, len(by_artist), _list_tracks(by_artist)),
        )
    if by_artist:
        return ResolvedQuery([track.path for track in by_artist], [track.id for track in by_artist])
    suggestions = names.suggest(query)
    hint = f"; did you mean {', '.join(suggestions)}?" if suggestions else ""
    raise LibraryError(
        f"{query}: neither a file on disk nor the file name, title or artist of a track in the library{hint}"
    )


def _split_at_dashes(query: str) -> list[tuple[str, str]]:
    """Split ``artist - title`` at each dash between spaces: either of the two may contain one itself."""
    parts = search_key(query).split(" - ")
    return [(" - ".join(parts[:n]), " - ".join(parts[n:])) for n in range(1, len(parts))]


def _require_one(found: Sequence[NamedTrack], query: str, kind: str) -> ResolvedQuery:
    first_files = {track.id: track for track in reversed(found)}
    if len(first_files) == 1:
        return ResolvedQuery([found[0].path], [found[0].id])
    tracks = sorted(first_files.values(), key=lambda track: track.path)
    artists = {search_key(track.artist or "") for track in tracks}
    choice = "ARTIST - TITLE, or a path" if kind == "title" and len(artists) == len(tracks) else "one of the paths"
    raise LibraryError(f"{query}: {len(tracks)} tracks have that {kind}: {_list_tracks(tracks)}; give {choice}")


def _list_tracks(tracks: Sequence[NamedTrack]) -> str:
    more = [f"{len(tracks) - MAX_LISTED} more"] if len(tracks) > MAX_LISTED else []
    return "; ".join([*map(_describe, tracks[:MAX_LISTED]), *more])


def _describe(track: NamedTrack) -> str:
    name = " - ".join(filter(None, (track.artist, track.title)))
    return f"{name} ({track.path})" if name else track.path
