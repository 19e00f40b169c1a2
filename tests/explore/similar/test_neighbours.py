"""`find_similar` excludes the query and its duplicates, and respects the limits."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from sonotheque import AudioError, Library, LibraryError
from sonotheque.demo import music, unlabelled

AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"


def test_other_half_of_a_piece_is_nearest(demo_library: Library) -> None:
    result = demo_library.similar(AVE)
    assert Path(result.results[0].path).name == "john-michel-ave-maria-2.ogg"
    assert [track.rank for track in result.results] == list(range(1, 11))
    similarities = [track.similarity for track in result.results]
    assert similarities == sorted(similarities, reverse=True)
    assert result.query == [str(AVE)]


def test_query_and_its_duplicates_are_excluded(demo_library: Library, tmp_path: Path) -> None:
    shutil.copy(AVE, tmp_path / "copy.mp3")
    expected = demo_library.similar(AVE, k=100).results
    assert len(expected) == 45
    assert demo_library.similar(tmp_path / "copy.mp3", k=100).results == expected
    demo_library.add(tmp_path / "copy.mp3")
    assert demo_library.similar(AVE, k=100).results == expected


def test_query_that_is_not_in_the_library(demo_library: Library) -> None:
    clip = unlabelled() / "yd-galactic-temple.ogg"
    before = demo_library.status()
    assert len(demo_library.similar(clip, k=46).results) == 46
    assert demo_library.status() == before


def test_several_queries_are_averaged(demo_library: Library) -> None:
    metal = music() / "metal" / "obsidian-shell-fear.mp3"
    result = demo_library.similar(AVE, metal, k=100)
    assert len(result.results) == 44
    reversed_order = demo_library.similar(metal, AVE, k=100)
    assert reversed_order.results == result.results
    assert demo_library.similar(AVE, AVE).results == demo_library.similar(AVE).results


def test_max_per_artist(demo_library: Library) -> None:
    result = demo_library.similar(AVE, k=15, max_per_artist=1)
    assert len(result.results) == 15
    assert set(Counter(track.artist for track in result.results).values()) == {1}
    one_per_artist = demo_library.similar(AVE, k=100, max_per_artist=1).results
    artists = {track.artist for track in demo_library.catalogue.tracks.all()}
    assert {track.artist for track in one_per_artist} == artists


def test_genre_filter(demo_library: Library) -> None:
    result = demo_library.similar(AVE, k=100, genre="Metal")
    assert len(result.results) == 10
    assert all("/metal/" in track.path for track in result.results)
    with pytest.raises(LibraryError, match="'polka'; the genres here are: acoustic, ambient"):
        demo_library.similar(AVE, genre="polka")


def test_unusable_queries(demo_library: Library, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="neither a file on disk nor"):
        demo_library.similar("nothing of that name")
    with pytest.raises(LibraryError, match="did you mean obsidian-shell-fear"):
        demo_library.similar("FEAR")
    (tmp_path / "words.mp3").write_text("words")
    with pytest.raises(AudioError, match=r"words\.mp3: not an audio file"):
        demo_library.similar(tmp_path / "words.mp3")
    with Library(tmp_path / "empty") as library, pytest.raises(LibraryError, match="empty"):
        library.similar(AVE)


def test_order_of_adding_does_not_matter(tmp_path: Path, demo_library: Library) -> None:
    with Library(tmp_path / "other") as other:
        for genre in ("metal", "classical"):
            other.add(music() / genre)
        demo_library.remove(*(music() / genre for genre in ("acoustic", "ambient", "electronic")))
        assert other.similar(AVE, k=100).results == demo_library.similar(AVE, k=100).results
