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
        demo_library.similar("SHELL-FEA")
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


def test_fewer_tracks_than_requested_are_explained(demo_library: Library, tmp_path: Path) -> None:
    assert demo_library.similar(AVE, k=45).shortfall is None
    assert demo_library.similar(AVE, k=10, genre="metal").shortfall is None
    others = [track for track in demo_library.catalogue.tracks.all() if track.path != str(AVE)]
    surplus = len(others) - len({track.artist for track in others})
    metal = [track for track in others if track.label == "metal"]
    metal_surplus = len(metal) - len({track.artist for track in metal})
    for k, genre, limit, reason in (
        (100, None, None, "the library has only 45 tracks besides the query"),
        (20, "METAL", None, "only 10 tracks besides the query with the genre 'METAL'"),
        (40, None, 1, f"the maximum of 1 per artist leaves out {surplus} tracks"),
        (
            50,
            "metal",
            1,
            "the library has only 45 tracks besides the query; only 10 of them with the genre 'metal'; "
            f"the maximum of 1 per artist leaves out {metal_surplus} tracks",
        ),
    ):
        result = demo_library.similar(AVE, k=k, genre=genre, max_per_artist=limit)
        assert result.shortfall is not None
        assert (result.shortfall.requested, result.shortfall.others) == (k, 45)
        assert (result.shortfall.of_genre, result.shortfall.reason) == (10 if genre else None, reason)
        found = (10 if genre else 45) - (result.shortfall.over_artist_limit or 0)
        assert len(result.results) == found
    with Library(tmp_path / "one") as library:
        library.add(AVE)
        alone = library.similar(AVE)
    assert alone.results == []
    assert alone.shortfall is not None
    assert alone.shortfall.reason == "the library has no track besides the query"


def test_only_the_tracks_that_are_found_are_read(demo_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = demo_library.similar(AVE, k=3, genre="classical", max_per_artist=1)
    for repository, method in (("tracks", "all"), ("tracks", "labelled"), ("files", "all"), ("vectors", "matrix")):
        monkeypatch.setattr(getattr(demo_library.catalogue, repository), method, None)
    assert demo_library.similar(AVE, k=3, genre="classical", max_per_artist=1) == expected
    assert demo_library.similar("John Michel", k=3)
