"""The tables of names follow every change of the library, whoever makes it, and cost what has changed."""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sonotheque import Library, LibraryError
from sonotheque.demo import music
from sonotheque.store import Catalogue
from sonotheque.store.search_names import search_key

AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"
TITLES = ("Ágætis Byrjun", "Für Elise", "東京ナイト", "Don’t Stop", "Intro", "intro")
ARTISTS = ("Sigur Rós", "Røyksopp", "ガゼル", "AC/DC", None)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue(tmp_path / "library.sqlite") as opened:
        yield opened


def insert_track(catalogue: Catalogue, path: str, *, title: str | None = None, artist: str | None = None) -> int:
    (track,) = catalogue.database.execute(
        "INSERT INTO tracks (hash, seconds, sample_rate, channels, silent, title, artist) VALUES (?, 30, 44100, 2, 0, ?, ?) "
        "RETURNING id",
        (path, title, artist),
    ).fetchone()
    catalogue.database.execute("INSERT INTO files VALUES (?, ?, 1, 1)", (path, track))
    return int(track)


def read_tables(catalogue: Catalogue) -> list[list[tuple[Any, ...]]]:
    """Read both tables of names, after they were brought up to date."""
    catalogue.search_names.refresh()
    return [
        catalogue.database.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2, 3").fetchall()  # noqa: S608
        for table, columns in (("search_names", "*"), ("name_words", "rowid, title, artist, album, file"))
    ]


def build_tables_again(catalogue: Catalogue) -> list[list[tuple[Any, ...]]]:
    for table in ("search_names", "name_words"):
        catalogue.database.execute(f"DELETE FROM {table}")  # noqa: S608
    catalogue.database.execute("INSERT OR IGNORE INTO stale_search_names SELECT id FROM tracks")
    return read_tables(catalogue)


def change_at_random(catalogue: Catalogue, generator: random.Random, number: int) -> None:
    database = catalogue.database
    tracks = [track for (track,) in database.execute("SELECT id FROM tracks ORDER BY id")]
    track = generator.choice(tracks) if tracks else None
    kind = generator.randrange(8) if track else 0
    title, artist = generator.choice(TITLES), generator.choice(ARTISTS)
    if kind <= 1:
        insert_track(catalogue, f"/music/{number} {title}.mp3", title=title, artist=artist)
    elif kind == 2:
        database.execute(
            "UPDATE tracks SET title = ?, artist = ?, album = ? WHERE id = ?", (title, artist, title, track)
        )
    elif kind == 3:
        database.execute("INSERT OR REPLACE INTO labels VALUES (?, 'rock', 'test', ?, ?)", (track, artist, title))
    elif kind == 4:
        database.execute("DELETE FROM labels WHERE track_id = ?", (track,))
    elif kind == 5:
        database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, 1, 1)", (f"/copies/{number % 3}.mp3", track))
    elif kind == 6:
        database.execute("UPDATE files SET path = path || '.flac' WHERE track_id = ?", (track,))
    else:
        database.execute("DELETE FROM tracks WHERE id = ?", (track,))


def test_the_tables_follow_any_changes(catalogue: Catalogue) -> None:
    generator = random.Random(0)  # noqa: S311
    for number in range(300):
        change_at_random(catalogue, generator, number)
        if number % 10 == 9:
            found = read_tables(catalogue)
            assert found == build_tables_again(catalogue)
    assert len(found[1]) > 20


def test_the_tables_follow_the_commands(demo_library: Library, tmp_path: Path) -> None:
    catalogue = demo_library.catalogue
    names = catalogue.search_names
    before = read_tables(catalogue)
    labels = tmp_path / "labels.csv"
    labels.write_text("file,genre,artist,album\njohn-michel-ave-maria-1,classical,Sømebody,Récital\n", encoding="utf-8")
    demo_library.label(str(labels))
    assert [track.path for track in names.find_artist("somebody")] == [str(AVE)]
    assert [track for track, _ in names.rank(["recital"], limit=5)] == [names.find_artist("somebody")[0].id]
    demo_library.undo()
    assert read_tables(catalogue) == before
    demo_library.remove(AVE)
    assert not names.find_files(AVE.name)
    assert not names.find_paths(AVE.name)
    demo_library.undo()
    assert names.find_paths(AVE.name) == [str(AVE)]
    assert read_tables(catalogue) == before == build_tables_again(catalogue)


def test_a_change_costs_what_has_changed(catalogue: Catalogue) -> None:
    for number in range(500):
        insert_track(catalogue, f"/music/{number}.mp3", title=f"Title {number}", artist="Somebody")
    catalogue.search_names.refresh()
    changes = catalogue.database.total_changes
    assert catalogue.search_names.find_titles("title 7")
    assert catalogue.database.total_changes == changes
    track = insert_track(catalogue, "/music/new.mp3", title="New", artist="Somebody")
    assert [found.id for found in catalogue.search_names.find_titles("new")] == [track]
    assert catalogue.database.total_changes - changes < 40


def test_no_look_up_reads_all_rows(catalogue: Catalogue) -> None:
    insert_track(catalogue, "/music/Noël.mp3", title="Noël", artist="Somebody")
    statements: list[str] = []
    catalogue.search_names.refresh()
    catalogue.database._connection.set_trace_callback(statements.append)
    assert catalogue.search_names.suggest("noe") == ["Noël"]
    assert catalogue.search_names.is_name("somebody")
    assert catalogue.search_names.has_word("somebody")
    assert catalogue.search_names.rank(["noel"], limit=3)
    assert catalogue.files.find(unicodedata.normalize("NFD", "/music/Noël.mp3")) is not None
    catalogue.database._connection.set_trace_callback(None)
    assert len(statements) > 10
    for statement in statements:
        if statement.startswith("SELECT") and "sqlite_master" not in statement:
            plan = str(catalogue.database.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall())
            scans = plan.count("SCAN") - plan.count("SCAN name_words VIRTUAL TABLE INDEX")
            assert scans == plan.count("SCAN stale_search_names") + plan.count("SCAN search_names_copy"), plan


def test_another_process_changes_names(catalogue: Catalogue) -> None:
    insert_track(catalogue, "/music/a.mp3", title="One")
    assert catalogue.search_names.find_titles("one")
    with Catalogue(catalogue.path) as other:
        track = insert_track(other, "/music/b.mp3", title="Two")
        assert [found.id for found in catalogue.search_names.find_titles("two")] == [track]
        catalogue.database.execute("UPDATE tracks SET title = 'Three' WHERE id = ?", (track,))
        assert [found.id for found in other.search_names.find_titles("three")] == [track]
        assert not other.search_names.find_titles("two")


def open_read_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        return Catalogue(path)


@pytest.mark.parametrize("stale", [False, True])
def test_a_library_that_cannot_be_written(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, stale: bool) -> None:
    insert_track(catalogue, "/music/01 Noël.mp3", title="Noël", artist="Sigur Rós")
    if not stale:
        catalogue.search_names.refresh()
    catalogue.close()
    content = catalogue.path.read_bytes()
    with open_read_only(catalogue.path, monkeypatch) as reader:
        for _ in range(2):
            assert [track.title for track in reader.search_names.find_artist("sigur ros")] == ["Noël"]
            assert reader.search_names.suggest("sig") == ["Sigur Rós"]
            assert reader.search_names.rank(["noel"], limit=3)[0][0] == 1
            assert reader.files.find(unicodedata.normalize("NFD", "/music/01 Noël.mp3")) is not None
        copy = reader.database.execute("SELECT count(*) FROM temp.sqlite_master WHERE name = 'search_names'").fetchone()
        assert copy == (int(stale),)
    assert catalogue.path.read_bytes() == content


def test_a_copy_in_memory_is_left_when_the_library_can_be_written(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise LibraryError("in use")

    insert_track(catalogue, "/music/a.mp3", title="One")
    monkeypatch.setattr(catalogue.database, "transaction", refuse)
    assert catalogue.search_names.find_titles("one")
    catalogue.database.execute("UPDATE tracks SET title = 'Two'")
    catalogue.database.mark_changed()
    assert catalogue.search_names.find_titles("two")
    monkeypatch.undo()
    catalogue.database.execute("UPDATE tracks SET title = 'Three'")
    catalogue.database.mark_changed()
    assert catalogue.search_names.find_titles("three")
    assert read_tables(catalogue) == build_tables_again(catalogue)
    assert catalogue.database.execute("SELECT count(*) FROM temp.sqlite_master").fetchone() == (0,)


def test_words_are_ranked(catalogue: Catalogue) -> None:
    for number in range(20):
        insert_track(catalogue, f"/music/{number}.mp3", title=f"Other {number}", artist="Nobody")
    both = insert_track(catalogue, "/music/x.mp3", title="Blue in Green", artist="Miles Davis")
    one = insert_track(catalogue, "/music/y.mp3", title="Jean-Pierre", artist="Miles Davis")
    names = catalogue.search_names
    ranked = names.rank(["MILES", "green"], limit=10)
    assert [track for track, _ in ranked] == [both, one]
    assert ranked[0][1] > ranked[1][1] > 0
    assert names.matching_columns(both, ["miles", "green"]) == ["title", "artist"]
    assert [track for track, _ in names.rank(["davis miles"], limit=10)] == []
    assert (names.has_word("jean-pierre"), names.has_word("jean-paul"), names.has_word("...")) == (True, False, False)
    assert names.rank(['"', "miles OR nobody", "title:blue", "*"], limit=3) == []


def test_ideographs_are_words(catalogue: Catalogue) -> None:
    track = insert_track(catalogue, "/music/a.mp3", title="東京の夜", artist="ガゼル")
    for text in ("東京", "夜", "ガゼ"):
        assert [found for found, _ in catalogue.search_names.rank([text], limit=3)] == [track]
    assert not catalogue.search_names.has_word("京東")
    assert not catalogue.search_names.has_word("カ")
    assert catalogue.search_names.suggest("東京") == ["東京の夜"]


def test_suggestions(catalogue: Catalogue) -> None:
    for number, title in enumerate(("Home", "Homecoming", "Going Home", "Homeward")):
        insert_track(catalogue, f"/music/{number}.mp3", title=title, artist="The Homers")
    assert catalogue.search_names.suggest("hom") == ["Home", "Homecoming", "Homeward"]
    assert catalogue.search_names.suggest("home g") == ["Going Home"]
    assert catalogue.search_names.suggest("homers") == ["The Homers"]
    for text in ("", "?", "nothing", "'"):
        assert catalogue.search_names.suggest(text) == []
    assert search_key("Ágætis") == "agaetis"
