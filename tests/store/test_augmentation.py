"""Augmented copies are made once, belong to their track, and change nothing else in the library."""

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


def make(library: Library, *, count: int) -> dict[tuple[str, int], np.ndarray]:
    catalogue = library.catalogue
    tracks = catalogue.tracks.all()
    add_augmented_copies(catalogue, tracks, spaces=[SPACE], count=count)
    names = {track.id: Path(track.path).name for track in tracks}
    copies = catalogue.augmented_copies.read(SPACE, version=augment.VERSION, limit=count)
    return {(names[track], number): vector for track, number, vector, _ in copies}


def test_only_what_is_missing_is_made(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    generation = library.catalogue.generation
    first = make(library, count=1)
    assert sorted(first) == [("ambient.mp3", 1), ("ave.mp3", 1), ("metal.ogg", 1)]
    asked = []
    original = pool._Worker.extract

    def ask(self: pool._Worker, path: str, *rest: object) -> Extraction:
        asked.append(path)
        return original(self, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(pool._Worker, "extract", ask)
    both = make(library, count=2)
    assert len(asked) == 3
    assert all(np.array_equal(both[key], first[key]) for key in first)
    make(library, count=2)
    make(library, count=1)
    assert len(asked) == 3
    assert library.catalogue.generation == generation  # nothing that a classifier or an index rests on

    monkeypatch.setattr(augment, "VERSION", "other transforms")
    make(library, count=1)
    assert len(asked) == 6


def test_a_copy_is_its_seeds(library: Library, clips: Path) -> None:
    track = next(track for track in library.catalogue.tracks.all() if track.path.endswith("metal.ogg"))
    made = make(library, count=2)
    for number in (1, 2):
        again = extract(track.path, [SPACE], augmentation_seed=augmentation_seed(track.hash, number))
        assert np.array_equal(made["metal.ogg", number], again.vectors[SPACE][0])
    assert not np.array_equal(made["metal.ogg", 1], made["metal.ogg", 2])


def test_copies_go_with_their_track(library: Library, clips: Path) -> None:
    make(library, count=1)
    library.remove(clips / "metal.ogg")
    assert len(make(library, count=1)) == 2


def test_a_file_that_is_gone_is_mentioned(library: Library, clips: Path, caplog: pytest.LogCaptureFixture) -> None:
    (clips / "metal.ogg").unlink()
    assert sorted(make(library, count=1)) == [("ambient.mp3", 1), ("ave.mp3", 1)]
    assert "metal.ogg: no such file; it is learned without augmented copies" in caplog.text
