"""`find_similar` excludes the query and its duplicates, and respects the limits."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sonotheque import AudioError, Library, LibraryError
from sonotheque.demo import music, unlabelled
from sonotheque.explore.similar.neighbours import diversify
from sonotheque.explore.track_attributes import likely_tags, load_track_attributes
from sonotheque.index import l2_normalize
from sonotheque.results import SimilarityResult
from sonotheque.store import Track

AVE = music() / "classical" / "john-michel-ave-maria-1.mp3"


def ranking(result: SimilarityResult) -> list[tuple[str, float]]:
    return [(track.path, track.similarity) for track in result.results]


def test_other_half_of_a_piece_is_nearest(demo_library: Library) -> None:
    result = demo_library.similar(AVE)
    assert Path(result.results[0].path).name == "john-michel-ave-maria-2.ogg"
    assert [track.rank for track in result.results] == list(range(1, 11))
    similarities = [track.similarity for track in result.results]
    assert similarities == sorted(similarities, reverse=True)
    assert result.query == [str(AVE)]


def test_query_and_its_duplicates_are_excluded(demo_library: Library, tmp_path: Path) -> None:
    shutil.copy(AVE, tmp_path / "copy.mp3")
    expected = demo_library.similar(AVE, k=100)
    assert len(expected.results) == 45
    assert ranking(demo_library.similar(tmp_path / "copy.mp3", k=100)) == ranking(expected)
    demo_library.add(tmp_path / "copy.mp3")
    assert demo_library.similar(AVE, k=100).results == expected.results


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
    assert ranking(reversed_order) == ranking(result)
    assert ranking(demo_library.similar(AVE, AVE)) == ranking(demo_library.similar(AVE))


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
        assert ranking(other.similar(AVE, k=100)) == ranking(demo_library.similar(AVE, k=100))


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


def test_negative_seeds_lead_away(demo_library: Library) -> None:
    metal = music() / "metal" / "obsidian-shell-fear.mp3"
    plain = demo_library.similar(AVE, k=100)
    away = demo_library.similar(AVE, unlike=[metal], k=100)
    assert str(metal) not in {track.path for track in away.results}
    assert away.unlike == [str(metal)]

    def mean_rank(result: SimilarityResult) -> float:
        return float(np.mean([track.rank for track in result.results if "/metal/" in track.path]))

    assert mean_rank(away) > mean_rank(plain)


def test_the_least_similar_are_the_end_of_the_list(demo_library: Library) -> None:
    nearest = ranking(demo_library.similar(AVE, k=100, same_recording=True))
    assert ranking(demo_library.similar(AVE, k=5, farthest=True)) == nearest[:-6:-1]


def test_a_minimum_similarity_replaces_the_number(demo_library: Library) -> None:
    every = demo_library.similar(AVE, k=100)
    found = demo_library.similar(AVE, min_similarity=0.3)
    assert ranking(found) == [hit for hit in ranking(every) if hit[1] >= 0.3]
    assert found.results
    assert found.shortfall is None
    assert len(demo_library.similar(AVE, min_similarity=0.3, k=2).results) == 2
    none = demo_library.similar(AVE, min_similarity=1)
    assert none.results == []
    assert none.shortfall is not None
    assert none.shortfall.reason == "all tracks are below the minimum similarity of 1"


def test_a_maximum_per_album(demo_library: Library) -> None:
    result = demo_library.similar(AVE, k=20, max_per_album=1)
    albums = Counter((track.artist, track.album) for track in result.results if track.album)
    assert set(albums.values()) == {1}


@pytest.mark.parametrize("checked", [1, 1000])
def test_conditions_exclude_what_does_not_meet_them(
    demo_library: Library, monkeypatch: pytest.MonkeyPatch, checked: int
) -> None:
    """The result is the same whether the nearest tracks are checked one by one or all that meet the conditions are listed first."""
    monkeypatch.setattr("sonotheque.explore.similar.neighbours.MAX_CHECKED", checked)
    catalogue = demo_library.catalogue
    known = catalogue.tempo_keys.all()
    attributes = load_track_attributes(catalogue)
    catalogue.database.execute("UPDATE tracks SET year = 1990 + id % 20")
    years = dict(catalogue.database.execute("SELECT id, year FROM tracks"))
    tracks = {track.path: track for track in catalogue.tracks.all() if track.path != str(AVE)}
    cases: list[tuple[dict[str, Any], Callable[[Track], bool]]] = [
        ({"genre": "metal"}, lambda track: track.label == "metal"),
        ({"min_year": 1995, "max_year": 2001}, lambda track: 1995 <= years[track.id] <= 2001),
        ({"min_tempo": 110, "max_tempo": 140}, lambda track: 110 <= (known[track.id].clear_tempo or 0) <= 140),
        ({"key": "a minor"}, lambda track: known[track.id].clear_key == "A minor"),
        ({"folder": music() / "ambient"}, lambda track: "/ambient/" in track.path),
        ({"max_duration": 5}, lambda track: track.seconds <= 5),
        (
            {"tags": ["Guitar", "instrumental"]},
            lambda track: {"guitar", "instrumental"} <= set(likely_tags(attributes[track.id], "instruments")),
        ),
        ({"tags": ["ambient"], "genre": "ambient"}, lambda track: track.label == "ambient"),
    ]
    every = [path for path, _ in ranking(demo_library.similar(AVE, k=100, same_recording=True))]
    for arguments, meets in cases:
        result = demo_library.similar(AVE, k=100, same_recording=True, **arguments)
        found = [track.path for track in result.results]
        expected = [path for path in every if meets(tracks[path])]
        if "tags" in arguments and "genre" in arguments:
            expected = [path for path in expected if "ambient" in likely_tags(attributes[tracks[path].id], "style")]
        assert found == expected, arguments
        assert result.shortfall is not None
        few = demo_library.similar(AVE, k=2, same_recording=True, **arguments)
        assert [track.path for track in few.results] == expected[:2]


def test_a_diverse_list_is_less_alike(demo_library: Library) -> None:
    def mean_cosine(result: SimilarityResult) -> float:
        index = demo_library._indexes.open(demo_library.catalogue.spaces.all()[0].id)
        ids = [track for _, track in filter(None, (demo_library.catalogue.files.find(t.path) for t in result.results))]
        rows = index.base.rows[index.base.find_rows(np.array(ids))][:, :200]
        return float((rows @ rows.T)[np.triu_indices(len(rows), 1)].mean())

    plain, diverse = (demo_library.similar(AVE, k=8, diversity=value) for value in (0.0, 0.5))
    assert diverse.results[0] == plain.results[0]
    assert mean_cosine(diverse) < mean_cosine(plain) - 0.05


def test_another_file_of_the_recording_is_left_out_unless_asked(demo_library: Library, tmp_path: Path) -> None:
    samples, rate = soundfile.read(AVE)
    copy = tmp_path / "other encoding.flac"
    soundfile.write(copy, 0.7 * samples, rate)
    demo_library.add(copy)
    found = demo_library.similar(AVE, k=100)
    assert str(copy) not in {track.path for track in found.results}
    assert found.shortfall is not None
    assert "1 track left out as the query's own recording (--same-recording)" in found.shortfall.reason
    assert demo_library.similar(AVE, k=3, same_recording=True).results[0].path == str(copy)


def test_every_answer_says_why(demo_library: Library) -> None:
    first = demo_library.similar(AVE).results[0]
    assert first.shared[0] == "classical"
    assert first.match is not None
    assert (first.match.query, first.match.query_start, first.match.start) == (str(AVE), 0, 0)
    assert 0.5 < first.match.similarity <= 1


def test_a_part_of_a_track_is_found_in_the_track_that_contains_it(demo_library: Library, tmp_path: Path) -> None:
    """A medley of 10 s parts: each part finds its source, and the source finds the part."""
    sources = [music() / "metal" / "obsidian-shell-fear.mp3", AVE]
    (one, rate), (other, other_rate) = (soundfile.read(source, always_2d=True) for source in sources)
    assert rate == other_rate
    medley = tmp_path / "medley.flac"
    soundfile.write(medley, np.concatenate([part[: 10 * rate].mean(axis=1) for part in (one, other)]), rate)
    demo_library.add(medley)
    for number, source in enumerate(sources):
        start = 10.0 * number
        result = demo_library.similar(medley, segment=(start + 1, start + 9), k=1)
        assert result.results[0].path == str(source)
        assert result.results[0].match is not None
        assert result.results[0].match.query_start == start
        back = demo_library.similar(source, segment=(0, 10), k=1, same_recording=True).results[0]
        assert back.path == str(medley)
        assert back.match is not None
        assert back.match.start == start
    with pytest.raises(LibraryError, match=r"nothing from 500 to 510 s; the track has 2 segments"):
        demo_library.similar(medley, segment=(500, 510))
    with pytest.raises(LibraryError, match="a segment needs exactly one query"):
        demo_library.similar(AVE, medley, segment=(0, 10))


@given(count=st.integers(1, 12), k=st.integers(1, 12), diversity=st.floats(0, 0.99), seed=st.integers(0, 9))
def test_diversify_is_a_permutation_and_starts_with_the_nearest(
    count: int, k: int, diversity: float, seed: int
) -> None:
    directions = l2_normalize(np.random.default_rng(seed).standard_normal((count, 3)).astype(np.float32))
    similarities = np.sort(directions[:, 0])[::-1].copy()
    order = diversify(similarities, directions, k=k, diversity=diversity)
    assert order[0] == 0
    assert len(order) == len(set(order)) == min(k, count)
    assert diversify(similarities, directions, k=k, diversity=0.0) == list(range(min(k, count)))
