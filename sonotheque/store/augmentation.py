"""Embed augmented copies of tracks and store their vectors. They are used for training only."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from sonotheque.audio import augment
from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError
from sonotheque.extract.pool import ExtractionPool
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import Progress

log = logging.getLogger("sonotheque")


def augmentation_seed(content: str, number: int) -> int:
    """Return the seed of one copy. It depends only on the content hash of the track and the number of the copy."""
    return int.from_bytes(hashlib.sha256(f"{content}/{number}".encode()).digest()[:4])


def add_augmented_copies(
    catalogue: Catalogue,
    tracks: Sequence[Track],
    *,
    spaces: Sequence[str],
    count: int,
    compute: Compute = Compute(),
    progress: Progress | None = None,
) -> None:
    """Embed the augmented copies that are missing. Each is committed separately.

    Parameters
    ----------
    catalogue : Catalogue
    tracks : sequence of Track
        Their files must still exist. A track whose file does not exist gets no copies, with a warning.
    spaces : sequence of str
        Ids of the spaces.
    count : int
        Copies of each track.
    compute : Compute
    progress : callable or None
        Called with (copies done, copies to embed) if some are missing.

    Raises
    ------
    SonothequeError
        If audiomentations is not installed and copies are missing.
    """
    existing = catalogue.augmented_copies.existing(spaces, version=augment.VERSION)
    work = [
        (track, number, missing)
        for track in tracks
        for number in range(1, count + 1)
        if (missing := tuple(space for space in spaces if (track.id, number, space) not in existing))
    ]
    if not work:
        return
    augment.check_installed()
    failed: dict[str, str] = {}
    with ExtractionPool(files=len(work), compute=compute) as pool:
        copies = pool.map(work, key=lambda item: (item[0].path, item[2], augmentation_seed(item[0].hash, item[1])))
        for done, ((track, number, _), extraction) in enumerate(copies, start=1):
            if isinstance(extraction, AudioError):
                failed[track.path] = str(extraction)
            else:
                catalogue.augmented_copies.store(track.id, number, extraction.vectors, version=augment.VERSION)
            if progress:
                progress(done, len(work))
    for reason in failed.values():
        log.warning("%s; the track is used without augmented copies", reason)
