"""The index of a library follows its vectors, and is built again only when it must be."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sonotheque.errors import ParameterError
from sonotheque.index import ExactIndex, SimilarityMeasure, default_measure
from sonotheque.index.cache import read_manifest
from sonotheque.index.measure import SAMPLE_SIZE
from sonotheque.library import indexes
from sonotheque.library.indexes import LibraryIndexes
from sonotheque.store import Catalogue
from sonotheque.types import FloatArray

SPACE = "musicnn-msd-penultimate-h3.0@1"
COUNT = 1500
SMALL_SAMPLE = 50


def make_vectors(count: int, *, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).standard_normal((count, 8)).astype(np.float32)


def content_hash(track: int) -> str:
    return f"{track * 2654435761 % 2**32:08x}"


def add_tracks(catalogue: Catalogue, first: int, vectors: FloatArray) -> None:
    """Add tracks with these ids, or replace the vectors of known ones."""
    with catalogue.database.transaction():
        for track, vector in enumerate(vectors, start=first):
            catalogue.database.execute(
                "INSERT OR IGNORE INTO tracks (id, hash, seconds, sample_rate, channels, silent) VALUES (?, ?, 30, 44100, 2, 0)",
                (track, content_hash(track)),
            )
            catalogue.vectors.write(track, SPACE, vector, vector[None])


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue(tmp_path / "library.sqlite") as catalogue:
        add_tracks(catalogue, 1, make_vectors(COUNT))
        yield catalogue


def answers(catalogue: Catalogue, opened: LibraryIndexes, *, sample_size: int = SAMPLE_SIZE) -> bool:
    """Return whether the index gives the answers of one that is built now."""
    ids, vectors = catalogue.vectors.matrix(SPACE)
    measure = SimilarityMeasure.fit(vectors, settings=default_measure(SPACE), sample_size=sample_size)
    index, expected = opened.open(SPACE), ExactIndex.build(ids, vectors, measure=measure)
    queries = make_vectors(20, seed=9)
    found, wanted = (one.search(queries, k=10) for one in (index, expected))
    return len(index) == len(expected) and np.array_equal(found[0], wanted[0]) and np.array_equal(found[1], wanted[1])


def built_at(folder: Path) -> object:
    manifest = read_manifest(folder / "index" / SPACE)
    return manifest and manifest.state


def outside_the_sample(catalogue: Catalogue) -> list[int]:
    """List the tracks by whose vectors the measure is not fitted, with a small sample."""
    tracks: list[int] = catalogue.vectors.matrix(SPACE)[0][SMALL_SAMPLE:].tolist()
    return tracks


def test_few_changes_are_searched_beside_the_index(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "SAMPLE_SIZE", SMALL_SAMPLE)
    opened = LibraryIndexes(tmp_path, catalogue)
    assert answers(catalogue, opened, sample_size=SMALL_SAMPLE)
    state = built_at(tmp_path)
    changed = outside_the_sample(catalogue)
    for track in changed[:5]:
        add_tracks(catalogue, track, make_vectors(1, seed=track))
    new = next(track for track in range(COUNT + 1, 2 * COUNT) if content_hash(track) > "f")
    add_tracks(catalogue, new, make_vectors(1, seed=1))
    for track in changed[5:9]:
        catalogue.database.execute("DELETE FROM tracks WHERE id = ?", (track,))
    assert answers(catalogue, opened, sample_size=SMALL_SAMPLE)
    assert answers(catalogue, LibraryIndexes(tmp_path, catalogue), sample_size=SMALL_SAMPLE)
    assert built_at(tmp_path) == state
    assert opened.describe(SPACE) == ("exact", None)


def test_a_change_of_the_measures_sample_builds_it_again(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "SAMPLE_SIZE", SMALL_SAMPLE)
    opened = LibraryIndexes(tmp_path, catalogue)
    opened.open(SPACE)
    state = built_at(tmp_path)
    catalogue.database.execute("DELETE FROM tracks WHERE id = ?", (int(catalogue.vectors.matrix(SPACE)[0][7]),))
    assert answers(catalogue, opened, sample_size=SMALL_SAMPLE)
    assert built_at(tmp_path) != state
    state = built_at(tmp_path)
    with catalogue.database.transaction():
        catalogue.database.execute(
            "INSERT INTO tracks (id, hash, seconds, sample_rate, channels, silent) VALUES (9999, '000', 30, 44100, 2, 0)"
        )
        catalogue.vectors.write(9999, SPACE, make_vectors(1)[0], make_vectors(1))
    assert answers(catalogue, opened, sample_size=SMALL_SAMPLE)
    assert built_at(tmp_path) != state


def test_many_changes_build_it_again(catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "ALWAYS_ALLOWED", 10)
    opened = LibraryIndexes(tmp_path, catalogue)
    opened.open(SPACE)
    state = built_at(tmp_path)
    add_tracks(catalogue, COUNT, make_vectors(COUNT // 10, seed=2))
    assert opened.describe(SPACE) == ("stale", None)
    assert answers(catalogue, opened)
    assert built_at(tmp_path) != state
    (left,) = catalogue.database.execute("SELECT count(*) FROM vector_changes").fetchone()
    assert left == 1  # the records of older changes are not needed any more


def test_the_end_of_add_brings_a_small_index_up_to_date(catalogue: Catalogue, tmp_path: Path) -> None:
    opened = LibraryIndexes(tmp_path, catalogue)
    opened.update(SPACE)
    state = built_at(tmp_path)
    opened.update(SPACE)
    assert built_at(tmp_path) == state
    add_tracks(catalogue, COUNT + 1, make_vectors(1, seed=3))
    opened.update(SPACE)
    assert built_at(tmp_path) != state
    assert answers(catalogue, opened)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_approximate_index_is_extended_and_rebuilt_when_a_fifth_is_outdated(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(indexes, "ALWAYS_ALLOWED", 10)
    monkeypatch.setattr(indexes, "MIN_ANNOUNCED", 1000)
    opened = LibraryIndexes(tmp_path, catalogue)
    built = opened.build(SPACE, kind=kind)
    assert (built.vectors, built.dimensions) == (COUNT, 9)
    assert built.bytes > 4 * COUNT * 8
    assert f"building the index of 1500 vectors ({kind})" in caplog.text
    assert (built.kind, opened.describe(SPACE)) == (kind, (kind, built.recall))
    add_tracks(catalogue, COUNT - 99, make_vectors(200, seed=4))
    extended = opened.open(SPACE)
    assert (len(extended.base), len(extended)) == (1700, 1600)
    ids, _ = extended.search(make_vectors(200, seed=4), k=1)
    assert (ids[:, 0] == np.arange(COUNT - 99, COUNT + 101)).mean() > 0.95
    add_tracks(catalogue, 1, make_vectors(300, seed=5))
    rebuilt = LibraryIndexes(tmp_path, catalogue).open(SPACE)
    assert (len(rebuilt.base), len(rebuilt), rebuilt.kind) == (1600, 1600, kind)


def test_an_index_of_another_history_is_not_used(catalogue: Catalogue, tmp_path: Path) -> None:
    """A backup that is restored and changed may reach the same number of changes."""
    backup = tmp_path / "backup"
    backup.mkdir()
    with Catalogue(backup / "library.sqlite") as restored:
        catalogue.database._connection.backup(restored.database._connection)
        add_tracks(catalogue, COUNT + 1, make_vectors(3, seed=6))
        LibraryIndexes(tmp_path, catalogue).update(SPACE)
        shutil.copytree(tmp_path / "index", backup / "index")
        add_tracks(restored, COUNT + 1, make_vectors(3, seed=7))
        assert restored.vectors.state(SPACE).number == catalogue.vectors.state(SPACE).number
        assert answers(restored, LibraryIndexes(backup, restored))


def test_a_library_that_cannot_be_written_is_searched_in_memory(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *arguments: False)
    opened = LibraryIndexes(tmp_path, catalogue)
    assert opened.build(SPACE, kind="hnsw").kind == "exact"
    assert answers(catalogue, opened)


def test_unknown_kinds_are_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="the kinds of index are"):
        LibraryIndexes(tmp_path, catalogue).build(SPACE, kind="tree")
