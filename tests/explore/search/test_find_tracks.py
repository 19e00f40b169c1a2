"""Tracks are ranked by what is known of them, and the result says what was understood and why each track is found."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from sonotheque import LibraryError
from sonotheque.embed import descriptors, musicnn
from sonotheque.embed.auto_tags import TAGS
from sonotheque.embed.tempo_key import TempoKey
from sonotheque.explore.search import (
    GenrePredictions,
    TextAudioScorer,
    TrackArrays,
    find_tracks,
    load_track_arrays,
)
from sonotheque.explore.search.scores import MAX_SCORE, standardize
from sonotheque.explore.search.track_arrays import FILE, _compute_all
from sonotheque.index.array_cache import read_arrays
from sonotheque.results import FoundTrack, SearchResult
from sonotheque.store import Catalogue
from sonotheque.store.attributes import TrackColumns
from sonotheque.types import FloatArray


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue(tmp_path / "library.sqlite") as opened:
        yield opened


def add_track(
    catalogue: Catalogue,
    name: str,
    *,
    tags: Mapping[str, float] | None = None,
    tempo: float | None = None,
    key: str | None = None,
    label: str | None = None,
    genre: str | None = None,
    artist: str | None = None,
    silent: bool = False,
) -> int:
    """Insert a track with auto-tags (logits; others are -5), a tempo and a key."""
    database = catalogue.database
    (track,) = database.execute(
        "INSERT INTO tracks (hash, seconds, sample_rate, channels, silent, title, artist, genre) "
        "VALUES (?, 30, 44100, 2, ?, ?, ?, ?) RETURNING id",
        (name.ljust(64, "_"), int(silent), name, artist, genre),
    ).fetchone()
    database.execute("INSERT INTO files VALUES (?, ?, 1, 1)", (f"/music/{name}.mp3", track))
    if tags is not None:
        logits = np.array([tags.get(tag, -5) for tag in TAGS], np.float32)
        catalogue.auto_tags.write(track, musicnn.SPACE.id, logits)
    catalogue.tempo_keys.write(track, TempoKey(tempo, 0.0 if tempo is None else 0.9, key, 0.0 if key is None else 0.9))
    if label is not None:
        database.execute("INSERT INTO labels VALUES (?, ?, 'test', NULL, NULL)", (track, label))
    return int(track)


def open_arrays(catalogue: Catalogue, predictions: GenrePredictions | None = None) -> TrackArrays:
    return load_track_arrays(catalogue, catalogue.path.parent / "index", predictions=lambda: predictions)


def search(catalogue: Catalogue, text: str, *, k: int = 10, genre: str | None = None) -> SearchResult:
    return find_tracks(text, catalogue=catalogue, tracks=open_arrays(catalogue), k=k, genre=genre)


def titles(found: SearchResult | Sequence[FoundTrack]) -> list[str | None]:
    return [track.title for track in (found.results if isinstance(found, SearchResult) else found)]


def test_tags_with_low_probabilities_count(catalogue: Catalogue) -> None:
    for number in range(8):
        add_track(catalogue, f"rock {number}", tags={"rock": 1 + number / 10, "sad": -4})
    add_track(catalogue, "sad", tags={"rock": 1, "sad": -2.5})
    result = search(catalogue, "sad rock", k=3)
    assert titles(result)[0] == "sad"
    assert [words.meaning for words in result.understood] == ["tag sad", "tag rock"]
    matches = {match.words: match for match in result.results[0].matches}
    assert matches["sad"].value == "sad 8%"
    assert matches["sad"].score == pytest.approx(2.8284, abs=1e-3)
    assert result.results[0].score == pytest.approx(
        sum(match.score or 0 for match in result.results[0].matches), abs=1e-3
    )
    assert result.notes == []
    assert search(catalogue, "jazz").notes == [
        "no track is likely to be 'jazz': the highest probability of jazz is 0.7%"
    ]


def test_tempo_and_key(catalogue: Catalogue) -> None:
    add_track(catalogue, "slow", tempo=70, key="A minor")
    add_track(catalogue, "medium", tempo=104, key="A major")
    add_track(catalogue, "fast", tempo=150, key="C minor")
    add_track(catalogue, "unclear")
    assert titles(search(catalogue, "slow"))[0] == "slow"
    assert titles(search(catalogue, "not slow"))[-1] == "slow"
    assert titles(search(catalogue, "fast"))[0] == "fast"
    assert titles(search(catalogue, "120-160 bpm")) == ["fast"]
    assert titles(search(catalogue, "not 120-160 bpm")) == ["medium", "slow"]
    assert titles(search(catalogue, "in A minor")) == ["slow"]
    assert titles(search(catalogue, "minor key")) == ["fast", "slow"]
    assert titles(search(catalogue, "minor key, fast")) == ["fast", "slow"]
    result = search(catalogue, "100 bpm in a major")
    assert titles(result) == ["medium"]
    assert [match.value for match in result.results[0].matches] == ["104 BPM", "A major"]
    assert result.shortfall is not None
    assert "2 tracks do not fit" in result.shortfall
    assert "known of 1 track" in result.shortfall


def test_labels_decide_and_tags_order_the_tracks_of_a_genre(catalogue: Catalogue) -> None:
    add_track(catalogue, "a", label="Rock", tags={"rock": -2})
    add_track(catalogue, "b", label="Rock", tags={"rock": 2})
    add_track(catalogue, "c", label="pop", tags={"rock": 3})
    add_track(catalogue, "d", genre="rock", tags={"rock": 1})
    add_track(catalogue, "e", tags={"rock": 1})
    result = search(catalogue, "rock")
    assert titles(result)[:3] == ["b", "d", "a"]
    assert titles(result)[-1] == "c"
    assert result.understood[0].meaning == "genre rock, tag rock"
    assert [track.matches[0].value for track in result.results][:2] == ["genre Rock", "genre rock"]
    assert titles(search(catalogue, "not rock")) in (["c", "e"], ["e", "c"])
    assert set(titles(search(catalogue, "rock", genre="ROCK"))) == {"a", "b", "d"}
    with pytest.raises(LibraryError, match="no track is labelled or tagged 'polka'; the genres here are: pop, rock"):
        search(catalogue, "rock", genre="polka")


def test_the_classifier_tells_the_genre_of_tracks_without_a_label(catalogue: Catalogue) -> None:
    ids = [add_track(catalogue, name, tags={}) for name in "abc"]
    add_track(catalogue, "d", label="polka", tags={})
    predictions = GenrePredictions(
        ["polka", "waltz"], np.array(ids), np.array([[0.1, 0.2, 0.9], [0.9, 0.8, 0.1]], np.float16)
    )
    tracks = open_arrays(catalogue, predictions)
    result = find_tracks("polka", catalogue=catalogue, tracks=tracks)
    assert titles(result)[-2:] == ["b", "a"]
    assert [track.matches[0].value for track in result.results][-1] == "genre polka 10%"
    assert titles(find_tracks("waltz", catalogue=catalogue, tracks=tracks))[0] == "a"
    assert titles(find_tracks("not polka", catalogue=catalogue, tracks=tracks)) == ["a", "b", "c"]


def test_names(catalogue: Catalogue) -> None:
    add_track(catalogue, "Blue Train", artist="John Coltrane", tags={"happy": 0})
    add_track(catalogue, "Naima", artist="John Coltrane", tags={"happy": 2}, tempo=70)
    add_track(catalogue, "Happy Blues", artist="Somebody", tags={"happy": -2}, tempo=80)
    add_track(catalogue, "Other", artist="Happy Mondays", tags={"happy": -2}, tempo=180)
    assert titles(search(catalogue, "coltrane"))[0] in {"Blue Train", "Naima"}
    assert len(search(catalogue, "coltrane").results) == 2
    assert titles(search(catalogue, "coltrane train"))[0] == "Blue Train"
    assert titles(search(catalogue, "coltrane slow"))[0] == "Naima"
    assert len(search(catalogue, "coltrane slow").results) == 4
    assert titles(search(catalogue, '"happy blues"')) == ["Happy Blues"]
    assert "Naima" not in titles(search(catalogue, "slow -naima"))
    assert titles(search(catalogue, "happy"))[0] == "Naima"
    assert titles(search(catalogue, "happy blues"))[0] == "Happy Blues"
    match = search(catalogue, "coltrane train").results[0].matches[0]
    assert (match.words, match.score, match.value) == ("coltrane train", MAX_SCORE, "title, artist, file")


def test_words_that_are_not_understood(catalogue: Catalogue) -> None:
    add_track(catalogue, "a", tags={}, tempo=70)
    result = search(catalogue, "slow music, no drums, loud, in A minor")
    assert [words.words for words in result.understood] == ["slow"]
    assert [words.words for words in result.not_understood] == ["drums", "loud", "in a minor"]
    assert ["descriptors" in words.reason for words in result.not_understood] == [False, True, False]
    assert result.not_understood[2].reason.startswith("no track has a clear key")
    assert list(result.ignored) == ["music"]
    for text, message in (
        ("xylophone", "no word is understood"),
        ("and the", "no word to search for"),
        ("loud", r"nothing to search by \(loud: no level is stored"),
        ("", "no word to search for"),
    ):
        with pytest.raises(LibraryError, match=message):
            search(catalogue, text)


@pytest.mark.parametrize("n_tracks", [1, 2, 3])
@pytest.mark.parametrize("silent", [False, True])
def test_few_equal_and_silent_tracks(catalogue: Catalogue, n_tracks: int, silent: bool) -> None:
    for number in range(n_tracks):
        add_track(catalogue, str(number), tags={"rock": 1}, tempo=80, label="rock", silent=silent)
    result = search(catalogue, "rock")
    assert titles(result) == [str(number) for number in range(n_tracks)]
    assert {track.score for track in result.results} == {0.0}
    if silent:
        with pytest.raises(LibraryError, match="nothing to search by"):
            search(catalogue, "slow guitar")
    else:
        assert len(search(catalogue, "slow guitar").results) == n_tracks


def test_no_track(catalogue: Catalogue) -> None:
    with pytest.raises(LibraryError, match="nothing to search by"):
        search(catalogue, "rock 120 bpm")


def test_results_do_not_depend_on_the_order_of_adding(tmp_path: Path) -> None:
    generator = random.Random(0)  # noqa: S311
    tracks = [
        {
            "name": f"track {number}",
            "tags": {tag: generator.choice([-4.0, -2.0, 0.0]) for tag in ("rock", "sad", "guitar")},
            "tempo": generator.choice([70.0, 100.0, 150.0, None]),
            "label": generator.choice(["rock", "pop", None]),
        }
        for number in range(40)
    ]
    found = []
    for order in range(2):
        if order:
            generator.shuffle(tracks)
        folder = tmp_path / str(order)
        folder.mkdir()
        with Catalogue(folder / "library.sqlite") as catalogue:
            for track in tracks:
                add_track(catalogue, **track)  # type: ignore[arg-type]
            found.append([titles(search(catalogue, text, k=25)) for text in ("sad guitar", "rock", "slow track")])
    assert found[0] == found[1]
    assert all(len(names) == 25 for names in found[0])


def test_the_arrays_follow_the_library(catalogue: Catalogue) -> None:
    first = add_track(catalogue, "a", tags={"rock": 1}, label="polka", tempo=70)
    add_track(catalogue, "b", tags={"rock": 0}, label="waltz", tempo=90)
    assert titles(search(catalogue, "polka"))[0] == "a"
    database = catalogue.database
    database.execute("UPDATE labels SET label = 'waltz' WHERE track_id = ?", (first,))
    with pytest.raises(LibraryError, match="no word is understood"):
        search(catalogue, "polka")
    catalogue.tempo_keys.write(first, TempoKey(150, 0.9, None, 0.0))
    assert titles(search(catalogue, "fast"))[0] == "a"
    catalogue.auto_tags.write(first, musicnn.SPACE.id, np.full(len(TAGS), -5, np.float32))
    assert titles(search(catalogue, "guitar rock"))[0] == "b"
    add_track(catalogue, "c", tags={"rock": 3}, tempo=180)
    assert titles(search(catalogue, "rock"))[0] == "c"
    database.execute("DELETE FROM tracks WHERE id = ?", (first,))
    assert set(titles(search(catalogue, "rock"))) == {"b", "c"}
    assert add_track(catalogue, "d", tags={"rock": 9}) > 0
    assert titles(search(catalogue, "rock"))[0] == "d"


def change_at_random(catalogue: Catalogue, generator: random.Random, number: int) -> None:
    database = catalogue.database
    tracks = [track for (track,) in database.execute("SELECT id FROM tracks ORDER BY id")]
    track, label = generator.choice([*tracks, -1]), generator.choice(["rock", "pop", f"genre {number}"])
    kind = generator.randrange(9) if track > 0 else 0
    if kind <= 1:
        tags = {"rock": generator.uniform(-5, 5)} if generator.random() < 0.7 else None
        label_or_none = generator.choice([label, None])
        add_track(catalogue, f"{generator.random():.14f}", tags=tags, tempo=99, label=label_or_none, genre=label)
    elif kind == 2:
        database.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, 'test', NULL, NULL)", (track, label))
    elif kind == 3:
        database.execute("DELETE FROM labels WHERE track_id = ?", (track,))
    elif kind == 4:
        catalogue.tempo_keys.write(track, TempoKey(generator.uniform(60, 180), 0.9, "C major", generator.random()))
    elif kind == 5:
        catalogue.auto_tags.write(track, musicnn.SPACE.id, np.full(len(TAGS), generator.random(), np.float32))
    elif kind == 6:
        vector = np.full((1, 200), generator.random(), np.float32)
        catalogue.vectors.write(track, musicnn.SPACE.id, vector[0], vector)
    elif kind == 7:
        vector = np.full((1, 521), -generator.random(), np.float32)
        catalogue.vectors.write(track, descriptors.SPACE.id, vector[0], vector)
    else:
        database.execute("DELETE FROM tracks WHERE id = ?", (track,))


def test_changed_rows_are_as_if_all_were_computed(catalogue: Catalogue) -> None:
    generator = random.Random(2)  # noqa: S311
    folder = catalogue.path.parent / "index"
    for number in range(150):
        change_at_random(catalogue, generator, number)
        if number % 6 == 0:
            load_track_arrays(catalogue, folder)
            found, fresh = read_arrays(folder / FILE), _compute_all(catalogue)
            assert found is not None
            assert found[1].keys() == fresh.keys()
            for name, array in fresh.items():
                assert found[1][name].dtype == array.dtype
                np.testing.assert_array_equal(found[1][name], array, err_msg=name)
    assert len(fresh["ids"]) > 10


def test_a_change_costs_what_has_changed(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        add_track(catalogue, str(number), tags={"rock": 1}, label="rock")
    assert len(search(catalogue, "rock").results) == 10
    read: list[int] = []
    rows = catalogue.attributes.read

    def watch(*, since: int | None = None) -> TrackColumns:
        columns = rows(since=since)
        read.append(len(columns.ids))
        return columns

    monkeypatch.setattr(catalogue.attributes, "read", watch)
    catalogue.database.execute("UPDATE labels SET label = 'polka' WHERE track_id = 7")
    assert [track.path for track in search(catalogue, "polka").results][:1] == ["/music/6.mp3"]
    add_track(catalogue, "new", label="polka", tags={"rock": 3})
    assert set(titles(search(catalogue, "polka"))[:2]) == {"6", "new"}
    search(catalogue, "polka")
    assert read == [1, 1]
    (catalogue.path.parent / "index" / FILE).write_bytes(b"damaged")
    search(catalogue, "polka")
    assert read == [1, 1, 31]


def test_negations_never_return_what_they_exclude(catalogue: Catalogue) -> None:
    generator = random.Random(1)  # noqa: S311
    labels = ("rock", "pop", "polka", None)
    for number in range(60):
        add_track(
            catalogue,
            f"{generator.choice(['sun', 'moon'])} {number}",
            tags={"rock": generator.uniform(-5, 2)},
            label=generator.choice(labels),
            key=generator.choice(["A minor", "C major", None]),
            tempo=generator.choice([70.0, 120.0, None]),
        )
    arrays = open_arrays(catalogue)
    by_title = {track.title: track for track in catalogue.tracks.all()}
    tempo_keys = catalogue.tempo_keys.all()

    def found(text: str, genre: str | None = None) -> list[tuple[str, str | None, TempoKey]]:
        result = find_tracks(text, catalogue=catalogue, tracks=arrays, k=100, genre=genre)
        tracks = [by_title[track.title] for track in result.results]
        return [(track.title or "", track.label, tempo_keys[track.id]) for track in tracks]

    assert all(label != "rock" for _, label, _ in found("sad, not rock"))
    assert all("moon" not in title for title, _, _ in found("rock -moon"))
    assert all(facts.key != "A minor" for _, _, facts in found("rock not in A minor"))
    assert {facts.key for _, _, facts in found("rock in A minor")} == {"A minor", None}
    assert all(facts.tempo != 120 for _, _, facts in found("rock not 120 bpm"))
    assert {facts.tempo for _, _, facts in found("rock 120 bpm")} == {120, None}
    assert {label for _, label, _ in found("rock slow moon", genre="pop")} == {"pop"}


class MadeUpEncoder:
    """A text encoder that knows one text."""

    def encode(self, text: str) -> FloatArray:
        return np.array([1.0 if text == "a rainy night" else 0.0, 1.0], np.float32)


def test_a_network_for_text_and_audio_is_another_scorer(catalogue: Catalogue) -> None:
    ids = [add_track(catalogue, name, tempo=tempo) for name, tempo in (("a", 70), ("b", 75), ("c", 180))]
    tracks = open_arrays(catalogue)
    vectors = np.array([[1, 1], [0, 1], [-1, 1]], np.float32)
    scorer = TextAudioScorer(tracks, encoder=MadeUpEncoder(), ids=np.array(ids), vectors=vectors)
    result = find_tracks("a rainy night", catalogue=catalogue, tracks=tracks, scorers=[scorer])
    assert titles(result) == ["a", "b", "c"]
    assert [words.source for words in result.understood] == ["text", "text"]
    assert result.not_understood == []
    assert result.results[0].matches[0].value == "similarity 1.00"
    with pytest.raises(LibraryError, match="no word is understood"):
        find_tracks("a rainy night", catalogue=catalogue, tracks=tracks)


def test_standardised_scores() -> None:
    values = standardize(np.array([0.0] * 99 + [1.0]))
    assert values.max() == MAX_SCORE
    assert standardize(np.full(3, 7.0)).tolist() == [0, 0, 0]
    assert np.isnan(standardize(np.full(3, np.nan))).all()
    assert standardize(np.zeros(0)).shape == (0,)
    assert standardize(np.array([False, True])).tolist() == [-1, 1]
