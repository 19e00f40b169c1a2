"""`add` computes tempo and key of every track once, for any embedder; tracks of an older library get them without embedding."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from pathlib import Path

import pytest

from sonotheque import Library
from sonotheque.embed.musicnn import SPACE
from sonotheque.embed.tempo_key import METHOD, TempoKey
from sonotheque.explore.inspection import inspect_recording
from sonotheque.explore.track_attributes import load_track_attributes
from sonotheque.store import Catalogue


def tempo_keys(library: Library) -> dict[str, TempoKey]:
    found = library.catalogue.tempo_keys.all()
    return {Path(track.path).name: found[track.id] for track in library.catalogue.tracks.all() if track.id in found}


def make_older(folder: Path) -> None:
    """Take the tempo and key from a library, as if an older version had made it."""
    with sqlite3.connect(folder / "library.sqlite") as database:
        database.execute("DELETE FROM tempo_keys")


def test_add_computes_tempo_and_key_and_inspect_agrees(tmp_path: Path, clips: Path) -> None:
    with Library(tmp_path / "library") as library:
        status = library.add(clips, embedders=["musicnn"])
        assert (status.tracks, status.tempo_and_key) == (3, 3)
        stored = tempo_keys(library)
        attributes = load_track_attributes(library.catalogue)
        for track in library.catalogue.tracks.all():
            assert attributes[track.id].tempo == stored[Path(track.path).name].clear_tempo
        with Library(tmp_path / "other") as other:
            other.add(clips / "metal.ogg", embedders=["mel"])
            assert tempo_keys(other) == {"metal.ogg": stored["metal.ogg"]}
    result = inspect_recording(clips / "metal.ogg").result
    found = stored["metal.ogg"]
    assert result.tempo == (None if found.clear_tempo is None else round(found.clear_tempo, 1))
    assert (result.key, result.key_confidence) == (found.clear_key, round(found.key_confidence, 3))
    assert result.tempo_confidence == round(found.tempo_confidence, 3)


def test_an_older_library_gets_them_with_the_next_add(
    tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sonotheque")
    folder = tmp_path / "library"
    with Library(folder) as library:
        library.add(clips, labels="folder", embedders=["musicnn"])
        before = tempo_keys(library)
        vectors = library.catalogue.vectors.matrix(SPACE.id)[1].tobytes()
    make_older(folder)
    shutil.copy(clips / "metal.ogg", clips / "slow" / "twin.ogg")
    (clips / "ambient.mp3").rename(clips / "moved.mp3")
    with Library(folder) as library:
        assert library.status().tempo_and_key == 0
        generation = library.catalogue.spaces.get(SPACE.id).generation
        caplog.clear()
        status = library.add(clips)
        assert (status.tracks, status.files, status.labels, status.tempo_and_key) == (3, 4, {"slow": 1}, 3)
        assert sorted(tempo_keys(library).values(), key=str) == sorted(before.values(), key=str)
        assert library.catalogue.vectors.matrix(SPACE.id)[1].tobytes() == vectors
        assert library.catalogue.spaces.get(SPACE.id).generation == generation
        assert "tempo and key of 3 known tracks computed; nothing was embedded again for that" in caplog.messages
        caplog.clear()
        library.add(clips)
        assert not any("tempo" in message for message in caplog.messages)


def test_a_track_that_cannot_be_decoded_again_stays_in_the_library(
    tmp_path: Path, clips: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sonotheque.errors import AudioError
    from sonotheque.extract import pool

    with Library(tmp_path / "library") as library:
        library.add(clips / "slow", labels="folder", embedders=["musicnn"])
        library.catalogue.database.execute("DELETE FROM tempo_keys")

        def fail(self: pool._Worker, path: str, *_: object) -> None:
            raise AudioError(f"{path}: the decoder crashed")

        monkeypatch.setattr(pool._Worker, "extract", fail)
        status = library.add(clips / "slow")
        assert (status.tracks, status.labelled, status.failed, status.tempo_and_key) == (1, 1, [], 0)
        assert "the decoder crashed; the track has no tempo and key" in caplog.text


def test_rows_of_another_method_are_missing(tmp_path: Path) -> None:
    with Catalogue(tmp_path / "library.sqlite") as catalogue:
        execute = catalogue.database.execute
        for track in (1, 2):
            execute(
                "INSERT INTO tracks (id, hash, seconds, sample_rate, channels, silent) VALUES (?, ?, 1, 1, 1, 0)",
                (track, str(track)),
            )
            catalogue.store_tempo_key(track, TempoKey(120.0, 0.5, "C major", 0.25))
        execute("UPDATE tempo_keys SET method = 'tempo-key@0' WHERE track_id = 2")
        assert METHOD != "tempo-key@0"
        assert catalogue.tempo_keys.all() == {1: TempoKey(120.0, 0.5, "C major", 0.25)}
        assert (catalogue.tempo_keys.tracks(), catalogue.tempo_keys.count()) == ({1}, 1)
        execute("DELETE FROM tracks")
        assert execute("SELECT count(*) FROM tempo_keys").fetchone() == (0,)


def test_status_says_what_is_missing(demo_library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    from sonotheque.console.library import print_status

    print_status(demo_library.status(), library="x")
    assert "tempo and key" not in capsys.readouterr().out
    demo_library.catalogue.database.execute("DELETE FROM tempo_keys WHERE track_id = 1")
    print_status(demo_library.status(), library="x")
    assert "tempo and key: missing for 1 track; `sonotheque add FOLDER`" in capsys.readouterr().out
