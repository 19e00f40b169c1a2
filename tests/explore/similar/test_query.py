"""Queries are resolved by path, file name, stem, artist and title, whatever their case, accents and Unicode normalisation."""

from __future__ import annotations

import logging
import shutil
import unicodedata
from pathlib import Path

import pytest

from sonotheque import Library, LibraryError
from sonotheque.demo import music, unlabelled
from sonotheque.explore.similar.query import resolve_query

AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"
FEAR = music() / "metal" / "obsidian-shell-fear.mp3"


def rename(library: Library, path: Path, *, title: str | None, artist: str | None) -> None:
    """Change the title and the artist of a track, as another file's tags would have it."""
    track = library.catalogue.files.all()[str(path)][1]
    database = library.catalogue.database
    database.execute("UPDATE tracks SET title = ?, artist = ? WHERE id = ?", (title, artist, track))
    database.execute("UPDATE labels SET artist = NULL WHERE track_id = ?", (track,))
    database.mark_changed()


def found_paths(library: Library, query: str) -> list[str]:
    return list(resolve_query(query, catalogue=library.catalogue).paths)


@pytest.mark.parametrize(
    "query", ["john-michel-ave-maria-1.mp3", "john-michel-ave-maria-1", "John-Michel-AVE-maria-1.MP3"]
)
def test_query_by_name_or_stem(demo_library: Library, query: str) -> None:
    assert demo_library.similar(query).results == demo_library.similar(AVE).results


def test_ambiguous_name(demo_library: Library, tmp_path: Path) -> None:
    for number, clip in enumerate(sorted(unlabelled().glob("*.mp3"))[:2]):
        (tmp_path / str(number)).mkdir()
        shutil.copy(clip, tmp_path / str(number) / "same.mp3")
    demo_library.add(tmp_path)
    with pytest.raises(LibraryError, match=r"2 tracks have that file name: .*0/same\.mp3\); .*1/same\.mp3\); give one"):
        demo_library.similar("same.mp3")


@pytest.mark.parametrize(
    ("title", "artist", "queries"),
    [
        (
            "Crown of Thorns",
            "Mother Love Bone",
            ["Crown of Thorns", "crown  of THORNS", "mother love bone - crown of thorns"],
        ),
        ("Ágætis Byrjun", "Sigur Rós", ["agaetis byrjun", unicodedata.normalize("NFD", "Sigur Rós – Ágætis byrjun")]),
        (unicodedata.normalize("NFD", "Für Elise"), None, ["Für Elise", "fur elise", "FÜR ELISE"]),
        ("Don’t Stop", "Røyksopp", ["don't stop", "royksopp - Don't Stop", "Royksopp"]),
        ("Straße - Teil 2", "AC/DC - Live", ["strasse - teil 2", "ac/dc - live - strasse - teil 2"]),
        ("東京ナイト", "ガゼル", ["東京ナイト", "ガゼル"]),
    ],
)
def test_query_by_title_and_artist(demo_library: Library, title: str, artist: str | None, queries: list[str]) -> None:
    rename(demo_library, AVE, title=title, artist=artist)
    assert [found_paths(demo_library, query) for query in queries] == [[str(AVE)]] * len(queries)
    with pytest.raises(LibraryError, match="neither a file on disk nor"):
        found_paths(demo_library, f"Somebody else - {title}")


def test_other_letters_are_other_names(demo_library: Library) -> None:
    rename(demo_library, AVE, title="ガ", artist=None)
    with pytest.raises(LibraryError, match="neither a file on disk nor"):
        found_paths(demo_library, "カ")


def test_a_file_name_goes_before_a_title_and_a_title_before_an_artist(
    demo_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    rename(demo_library, AVE, title="obsidian-shell-fear", artist="Twice")
    rename(demo_library, FEAR, title="Twice", artist=None)
    assert found_paths(demo_library, "obsidian-shell-fear") == [str(FEAR)]
    caplog.set_level(logging.INFO, logger="sonotheque")
    assert found_paths(demo_library, "twice") == [str(FEAR)]
    assert "'twice' is taken as the title of Twice" in caplog.text
    assert "it is also an artist" in caplog.text


def test_several_tracks_with_a_title_are_listed(demo_library: Library) -> None:
    rename(demo_library, AVE, title="Home", artist="First")
    rename(demo_library, FEAR, title="HOME", artist="Second")
    with pytest.raises(LibraryError) as error:
        demo_library.similar("home")
    assert str(error.value) == (
        f"home: 2 tracks have that title: First - Home ({AVE}); Second - HOME ({FEAR}); give ARTIST - TITLE, or a path"
    )
    assert found_paths(demo_library, "second - home") == [str(FEAR)]
    rename(demo_library, FEAR, title="Home", artist="first")
    with pytest.raises(LibraryError, match=r"2 tracks have that artist and title: .*; give one of the paths"):
        demo_library.similar("First - Home")


def test_an_artist_means_the_mean_of_all_tracks(demo_library: Library, caplog: pytest.LogCaptureFixture) -> None:
    tracks = [track for track in demo_library.catalogue.tracks.all() if track.artist == "John Michel"]
    assert len(tracks) > 1
    caplog.set_level(logging.INFO, logger="sonotheque")
    result = demo_library.similar("john michel", k=100)
    assert list(result.query) == [track.path for track in tracks]
    assert f"is an artist; the search is for what is like the mean of these {len(tracks)} tracks" in caplog.text
    assert result.results == demo_library.similar(*[track.path for track in tracks], k=100).results
    assert not {track.path for track in result.results} & set(result.query)
    with_another = demo_library.similar("john michel", FEAR, k=100).results
    assert with_another[0].similarity > 0.5
    assert with_another != demo_library.similar(*result.query, FEAR, k=100).results  # the artist is one query of two


def test_names_follow_the_library(demo_library: Library, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("file,genre,artist\njohn-michel-ave-maria-1,classical,Somebody\n")
    assert len(found_paths(demo_library, "John Michel")) > 1
    demo_library.label(str(labels))
    assert found_paths(demo_library, "somebody") == [str(AVE)]
    assert str(AVE) not in found_paths(demo_library, "John Michel")
    demo_library.remove(AVE)
    with pytest.raises(LibraryError, match="neither a file on disk nor"):
        found_paths(demo_library, "somebody")


def test_a_name_is_found_by_the_index_of_the_table(demo_library: Library) -> None:
    found_paths(demo_library, "John Michel")
    plan = demo_library.catalogue.database.execute(
        "EXPLAIN QUERY PLAN SELECT track_id FROM search_names WHERE key = ? AND field = ?", ("a", "title")
    ).fetchall()
    assert "SEARCH search_names USING PRIMARY KEY (key=? AND field=?)" in str(plan)
    changes = demo_library.catalogue.database.total_changes
    found_paths(demo_library, "Fear")
    assert demo_library.catalogue.database.total_changes == changes  # the table is filled once
