"""Similar tracks: never the query itself, never its copies, within the limits."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from sonotheque import AudioError, Library, LibraryError
from sonotheque.demo import music, unlabelled
from sonotheque.explore import format_m3u
from sonotheque.results import SimilarTrack

AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"


def test_the_other_half_of_the_piece_is_nearest(demo_library: Library) -> None:
    result = demo_library.similar(AVE)
    assert Path(result.results[0].path).name == "john-michel-ave-maria-2.ogg"
    assert [track.rank for track in result.results] == list(range(1, 11))
    similarities = [track.similarity for track in result.results]
    assert similarities == sorted(similarities, reverse=True)
    assert result.query == [str(AVE)]


def test_neither_the_query_nor_its_copies(demo_library: Library, tmp_path: Path) -> None:
    shutil.copy(AVE, tmp_path / "copy.mp3")
    expected = demo_library.similar(AVE, k=100).results
    assert len(expected) == 45
    assert demo_library.similar(tmp_path / "copy.mp3", k=100).results == expected
    demo_library.add(tmp_path / "copy.mp3")
    assert demo_library.similar(AVE, k=100).results == expected


@pytest.mark.parametrize("query", ["john-michel-ave-maria-1.mp3", "john-michel-ave-maria-1"])
def test_a_name_is_enough(demo_library: Library, query: str) -> None:
    assert demo_library.similar(query).results == demo_library.similar(AVE).results


def test_a_stranger_as_query(demo_library: Library) -> None:
    clip = unlabelled() / "yd-galactic-temple.ogg"
    before = demo_library.status()
    assert len(demo_library.similar(clip, k=46).results) == 46
    assert demo_library.status() == before


def test_several_queries_are_averaged(demo_library: Library) -> None:
    metal = music() / "metal" / "obsidian-shell-fear.mp3"
    both = demo_library.similar(AVE, metal, k=100)
    assert len(both.results) == 44
    reverse = demo_library.similar(metal, AVE, k=100)
    assert reverse.results == both.results
    assert demo_library.similar(AVE, AVE).results == demo_library.similar(AVE).results


def test_few_of_each_artist(demo_library: Library) -> None:
    result = demo_library.similar(AVE, k=15, max_per_artist=1)
    assert len(result.results) == 15
    assert set(Counter(track.artist for track in result.results).values()) == {1}
    everything = demo_library.similar(AVE, k=100, max_per_artist=1).results
    artists = {track.artist for track in demo_library.catalogue.tracks.all()}
    assert {track.artist for track in everything} == artists


def test_one_genre(demo_library: Library) -> None:
    result = demo_library.similar(AVE, k=100, genre="Metal")
    assert len(result.results) == 10
    assert all("/metal/" in track.path for track in result.results)
    with pytest.raises(LibraryError, match="'polka'; the genres here are: acoustic, ambient"):
        demo_library.similar(AVE, genre="polka")


def test_bad_queries(demo_library: Library, tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="neither a file nor"):
        demo_library.similar("nothing of that name")
    with pytest.raises(LibraryError, match="did you mean obsidian-shell-fear"):
        demo_library.similar("FEAR")
    (tmp_path / "words.mp3").write_text("words")
    with pytest.raises(AudioError, match=r"words\.mp3: not an audio file"):
        demo_library.similar(tmp_path / "words.mp3")
    with Library(tmp_path / "empty") as library, pytest.raises(LibraryError, match="empty"):
        library.similar(AVE)


def test_a_name_that_two_tracks_have(demo_library: Library, tmp_path: Path) -> None:
    for number, clip in enumerate(sorted(unlabelled().glob("*.mp3"))[:2]):
        (tmp_path / str(number)).mkdir()
        shutil.copy(clip, tmp_path / str(number) / "same.mp3")
    demo_library.add(tmp_path)
    with pytest.raises(LibraryError, match="2 tracks have that name"):
        demo_library.similar("same.mp3")


def test_results_do_not_depend_on_the_order_of_adding(tmp_path: Path, demo_library: Library) -> None:
    with Library(tmp_path / "other") as other:
        for folder in ("metal", "electronic", "classical", "ambient", "acoustic"):
            other.add(music() / folder)
        assert other.similar(AVE, k=100).results == demo_library.similar(AVE, k=100).results


def test_playlist(tmp_path: Path) -> None:
    track = SimilarTrack(1, 0.9, str(tmp_path / "music" / "a.mp3"), "Song\nof two lines", "Ärtist", None, 61.7)
    nameless = SimilarTrack(2, 0.8, str(tmp_path / "b.ogg"), None, None, None, 3.0)
    assert format_m3u([track, nameless], folder=tmp_path / "lists") == (
        "#EXTM3U\n#EXTINF:62,Ärtist - Song of two lines\n../music/a.mp3\n#EXTINF:3,b\n../b.ogg\n"
    )
