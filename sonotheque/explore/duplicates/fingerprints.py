"""The fingerprints of tracks: read from the cache of the library, or computed from their files."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from sonotheque.audio.fingerprint import Fingerprint, FingerprintMethod
from sonotheque.embed.runtime import count_cores
from sonotheque.errors import AudioError, LibraryError
from sonotheque.store.catalogue import Catalogue
from sonotheque.store.records import Track
from sonotheque.types import Progress

log = logging.getLogger("sonotheque")

_Computed = tuple[Fingerprint | None, str]
"""A fingerprint, or None and the reason why there is none."""

CACHED_FINGERPRINTS = 4096
"""Fingerprints that are kept in memory."""


class TrackFingerprints:
    """The fingerprints of the tracks of a catalogue by one method.

    Parameters
    ----------
    catalogue : Catalogue
    method : FingerprintMethod

    Attributes
    ----------
    failed : dict of str to str
        Maps the path of each track whose fingerprint could not be computed to the reason.
    """

    def __init__(self, catalogue: Catalogue, method: FingerprintMethod) -> None:
        self._catalogue, self.method = catalogue, method
        self.failed: dict[str, str] = {}
        self._unstored: dict[str, Fingerprint] = {}
        self._read = lru_cache(maxsize=CACHED_FINGERPRINTS)(self._read_stored)

    def compute(self, tracks: Iterable[Track], *, progress: Progress | None = None) -> None:
        """Compute the missing fingerprints of tracks, and store each as soon as it is computed.

        A file that cannot be decoded is noted in `failed`.

        Parameters
        ----------
        tracks : iterable of Track
        progress : callable or None
            Called with (files done, files to do).
        """
        stored = self._catalogue.fingerprints
        missing = [track for track in tracks if not stored.has(track.hash, self.method.id)]
        sources = [self._catalogue.files.of_track(track.id) for track in missing]
        computed = _map_with_threads(lambda paths: _compute_first(paths, self.method), sources)
        for number, (track, (fingerprint, reason)) in enumerate(zip(missing, computed, strict=True), start=1):
            if fingerprint is None:
                self.failed[track.path] = reason
            else:
                self._store(track.hash, fingerprint)
            if progress:
                progress(number, len(missing))

    def get(self, track: Track) -> Fingerprint:
        """Return the fingerprint of a track, uint32 [n]. It is empty if it could not be computed."""
        return self._read(track.hash)

    def _read_stored(self, content: str) -> Fingerprint:
        found = self._unstored.get(content)
        if found is None:
            found = self._catalogue.fingerprints.read(content, self.method.id)
        return np.zeros(0, np.uint32) if found is None else found

    def _store(self, content: str, fingerprint: Fingerprint) -> None:
        if not self._unstored:
            try:
                self._catalogue.fingerprints.write(content, self.method.id, fingerprint)
                return
            except LibraryError as error:
                log.warning("%s. The fingerprints are not stored; the next run computes them again", error)
        self._unstored[content] = fingerprint


def _compute_first(paths: Sequence[str], method: FingerprintMethod) -> _Computed:
    """Return the fingerprint of the first file that exists, or None and the reason."""
    existing = next(filter(os.path.isfile, paths), None)
    if existing is None:
        return None, "the file no longer exists"
    try:
        return method.compute(existing), ""
    except AudioError as error:
        return None, str(error).removeprefix(f"{existing}: ")


def _map_with_threads(
    function: Callable[[Sequence[str]], _Computed], items: Sequence[Sequence[str]]
) -> Iterator[_Computed]:
    """Apply a function to items in threads, one for each core. Decoders and FFTs release Python's lock."""
    pool = ThreadPoolExecutor(count_cores())
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(cancel_futures=True)
