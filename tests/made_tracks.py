"""Libraries of made-up tracks: nothing is decoded or embedded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sonotheque import Library
from sonotheque.embed.tempo_key import TempoKey
from sonotheque.extract.extraction import Extraction
from sonotheque.extract.file_identity import FileStamp
from sonotheque.metadata.file_tags import FileTags

SPACE = "musicnn-msd-penultimate-h3.0@1"


class Made(NamedTuple):
    """A made-up track: nothing is decoded, and its file does not exist. Its vector is drawn from `place`."""

    name: str
    place: int
    artist: str | None = None
    album: str | None = None
    seconds: float = 180.0
    genre: str | None = None
    title: str | None = None
    tempo_key: TempoKey | None = None
    silent: bool = False


def make_vector(place: int) -> np.ndarray:
    """Draw a vector. Negative places are near-duplicates of the positive ones."""
    vector = np.zeros(200, np.float32)
    vector[:8] = np.random.default_rng(abs(place)).normal(size=8)
    if place < 0:
        vector[:8] += 0.01 * np.random.default_rng(10_000 - place).normal(size=8)
    return vector


def add_made(library: Library, folder: Path, track: Made) -> None:
    vector = np.zeros(200, np.float32) if track.silent else make_vector(track.place)
    extraction = Extraction(
        seconds=track.seconds,
        sample_rate=44_100,
        channels=2,
        silent=track.silent,
        notice=None,
        tags=FileTags(title=track.title or track.name, artist=track.artist, album=track.album, genre=track.genre),
        vectors={SPACE: (vector, vector[None])},
        tempo_key=track.tempo_key,
    )
    content = f"{np.random.default_rng(abs(hash_name(track.name))).integers(2**60):064x}"
    library.catalogue.store_extraction(content, {str(folder / track.name): FileStamp(1, 1)}, extraction)


def hash_name(name: str) -> int:
    return int.from_bytes(name.encode(), "big") % 2**63


def make_library(folder: Path, tracks: Sequence[Made], *, music: Path) -> Library:
    """Make a library of tracks whose files would be in the folder `music`."""
    library = Library(folder)
    with library.catalogue.database.transaction():
        for track in tracks:
            add_made(library, music, track)
    return library
