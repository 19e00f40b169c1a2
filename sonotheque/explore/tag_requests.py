"""Which genre and tempo the tags of each file are to have."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from sonotheque.explore.track_attributes import load_track_attributes
from sonotheque.plurals import pluralize
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.store.tag_update import TagRequest

log = logging.getLogger("sonotheque")


def make_tag_requests(
    catalogue: Catalogue,
    tracks: Sequence[Track],
    *,
    genres: Mapping[int, str | None],
    only: str | None = None,
    paths: frozenset[str] | None = None,
) -> list[TagRequest]:
    """Request the genre and the tempo of tracks.

    Parameters
    ----------
    catalogue : Catalogue
    tracks : sequence of Track
    genres : mapping of track id to genre, None for no genre
    only : str or None
        ``genre`` or ``tempo``, to leave the other one as it is.
    paths : frozenset of str or None
        Change only these files; by default all files of the tracks.

    Returns
    -------
    list of TagRequest
        One for each track.
    """
    attributes = load_track_attributes(catalogue) if only != "genre" else {}
    requests = [
        TagRequest(
            track,
            genre=genres[track.id] if only != "tempo" else None,
            bpm=round(tempo) if track.id in attributes and (tempo := attributes[track.id].tempo) else None,
            paths=paths,
        )
        for track in tracks
    ]
    empty = sum(request.genre is None and request.bpm is None for request in requests)
    if empty:
        log.info(
            "nothing to write for %s (of %d) with neither a label nor a tempo", pluralize(empty, "track"), len(requests)
        )
    return requests
