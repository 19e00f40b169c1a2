"""Augmented copies of tracks: which are missing, and how their vectors come into the catalogue. They only ever teach."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from sonotheque.audio import augment
from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.heard import Listener
from sonotheque.store.ingest import Progress
from sonotheque.store.records import Track

log = logging.getLogger("sonotheque")


def copy_seed(content: str, number: int) -> int:
    """Return the seed of one copy: it follows from the track's content hash and the copy's number alone."""
    return int.from_bytes(hashlib.sha256(f"{content}/{number}".encode()).digest()[:4])


def make_copies(
    catalogue: Catalogue,
    tracks: Sequence[Track],
    *,
    spaces: Sequence[str],
    count: int,
    compute: Compute = Compute(),
    progress: Progress | None = None,
) -> None:
    """Embed the augmented copies that are missing, each committed on its own.

    Parameters
    ----------
    catalogue : Catalogue
    tracks : sequence of Track
        Their files must still be there; a track whose file is not has no copies, which is mentioned.
    spaces : ids of the spaces
    count : int
        Copies of each track.
    compute : Compute
    progress : callable
        Called with (copies done, copies to do) where some are missing.

    Raises
    ------
    SonothequeError
        If audiomentations is not installed and copies are missing.
    """
    have = catalogue.copied(spaces, recipe=augment.VERSION)
    work = [
        (track, number, missing)
        for track in tracks
        for number in range(1, count + 1)
        if (missing := tuple(space for space in spaces if (track.id, number, space) not in have))
    ]
    if not work:
        return
    augment.require()
    failed: dict[str, str] = {}
    with Listener(files=len(work), compute=compute) as listener:
        heard_copies = listener.map(work, key=lambda item: (item[0].path, item[2], copy_seed(item[0].hash, item[1])))
        for done, ((track, number, _), heard) in enumerate(heard_copies, start=1):
            if isinstance(heard, AudioError):
                failed[track.path] = str(heard)
            else:
                catalogue.store_copy(track.id, number, heard.vectors, recipe=augment.VERSION)
            if progress:
                progress(done, len(work))
    for reason in failed.values():
        log.warning("%s; it is learned without augmented copies", reason)
