"""Augmented copies are computed once, belong to their track, and do not change anything else in the library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonotheque import Library
from sonotheque.audio import augment
from sonotheque.extract import pool
from sonotheque.extract.extraction import Extraction, extract
from sonotheque.store.augmentation import add_augmented_copies, augmentation_seed

SPACE = "musicnn-msd-penultimate-h3.0@1"


@pytest.fixture
def library(tmp_path: Path, clips: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as library:
        library.add(clips, embedders=["musicnn"])
        yield library


def add_copies(library: Library, *, count: int) -> dict[tuple[str, int], np.ndarray]:
    """Add augmented copies of all tracks, and return their vectors by file name and number."""
    catalogue = library.catalogue
    tracks = catalogue.tracks.all()
    add_augmented_copies(catalogue, tracks, spaces=[SPACE], count=count)
    names = {track.id: Path(track.path).name for track in tracks}
    copies = catalogue.augmented_copies.read(SPACE, version=augment.VERSION, limit=count)
    return {(names[track], number): vector for track, number, vector, _ in copies}


@pytest.mark.slow
def test_only_missing_copies_are_computed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = library.catalogue.generation
    first = add_copies(library, count=1)
    assert sorted(first) == [("ambient.mp3", 1), ("ave.mp3", 1), ("metal.ogg", 1)]
    extracted = []
    original = pool._Worker.extract

    def recorded_extract(self: pool._Worker, path: str, *arguments: object) -> Extraction:
        extracted.append(path)
        return original(self, path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(pool._Worker, "extract", recorded_extract)
    second = add_copies(library, count=2)
    assert len(extracted) == 3
    assert all(np.array_equal(second[key], first[key]) for key in first)
    add_copies(library, count=2)
    add_copies(library, count=1)
    assert len(extracted) == 3
    assert library.catalogue.generation == generation  # classifiers and indexes stay valid

    monkeypatch.setattr(augment, "VERSION", "other transforms")
    add_copies(library, count=1)
    assert len(extracted) == 6


def test_a_copy_is_reproducible_from_its_seed(library: Library, clips: Path) -> None:
    track = next(track for track in library.catalogue.tracks.all() if track.path.endswith("metal.ogg"))
    copies = add_copies(library, count=2)
    for number in (1, 2):
        extraction = extract(track.path, [SPACE], augmentation_seed=augmentation_seed(track.hash, number))
        assert np.array_equal(copies["metal.ogg", number], extraction.vectors[SPACE][0])
    assert not np.array_equal(copies["metal.ogg", 1], copies["metal.ogg", 2])


def test_copies_are_removed_with_their_track(library: Library, clips: Path) -> None:
    add_copies(library, count=1)
    library.remove(clips / "metal.ogg")
    assert len(add_copies(library, count=1)) == 2


def test_a_missing_file_is_reported(library: Library, clips: Path, caplog: pytest.LogCaptureFixture) -> None:
    (clips / "metal.ogg").unlink()
    assert sorted(add_copies(library, count=1)) == [("ambient.mp3", 1), ("ave.mp3", 1)]
    assert "metal.ogg: no such file; the track is used without augmented copies" in caplog.text
