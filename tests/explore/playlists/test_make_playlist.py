"""A playlist obeys its rules, whatever the library, the source and the rules are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import made_tracks
import numpy as np
import pytest
from made_tracks import SPACE, Made, make_vector

from sonotheque import Library, LibraryError, ParameterError, results
from sonotheque.explore.playlists.arrange import NOBODY, count_unavoidable, encode_artists
from sonotheque.metadata.label_sources import Label
from sonotheque.store.maps import StoredMap

MakeLibrary = Callable[[Sequence[Made]], Library]

ARTISTS = ("A", "a", "B", "Ç", "c", "D", None)  # two spellings of two artists


@pytest.fixture
def make_library(tmp_path: Path) -> Iterator[MakeLibrary]:
    """Return a function that makes a library of tracks whose files are in `tmp_path` / "music"."""
    opened: list[Library] = []

    def make(tracks: Sequence[Made]) -> Library:
        folder = tmp_path / f"library{len(opened)}"
        opened.append(made_tracks.make_library(folder, tracks, music=tmp_path / "music"))
        return opened[-1]

    yield make
    for library in opened:
        library.close()


def draw_tracks(generator: random.Random, *, n: int) -> list[Made]:
    """Draw tracks of a few artists and albums, some of them near-duplicates of others, or silent."""
    tracks: list[Made] = []
    for number in range(n):
        artist = generator.choice(ARTISTS)
        copied = number > 3 and generator.random() < 0.1
        place = -generator.randrange(1, number + 1) if copied else number + 1
        seconds = tracks[-place - 1].seconds if copied else generator.uniform(60, 400)
        tracks.append(
            Made(
                f"{number:03d}.mp3",
                place,
                artist,
                generator.choice(("One", "Two", None)),
                seconds,
                genre=generator.choice(("rock", "jazz")),
                silent=generator.random() < 0.05,
            )
        )
    return tracks


def draw_request(generator: random.Random, folder: Path, tracks: list[Made]) -> dict[str, Any]:
    """Draw the source and rules of a playlist, as arguments of `Library.playlist`."""
    request: dict[str, Any] = {}
    names = [track.name for track in tracks if not track.silent]
    kind = generator.choice(("path", "seeds", "extension", "mix"))
    if kind == "path":
        request["start"], request["end"] = generator.sample(names, 2)
    elif kind == "seeds":
        request["seeds"] = generator.sample(names, generator.randrange(1, 4))
    elif kind == "extension":
        entries = [str(folder / "music" / name) for name in generator.choices(names, k=generator.randrange(1, 5))]
        request["extend"] = folder / "given.m3u8"
        request["extend"].write_text("\n".join([*entries, "elsewhere.mp3"]), encoding="utf-8")
    if kind == "mix" or generator.random() < 0.2:
        request["genre"] = generator.choice(("rock", "Jazz"))
    bound = generator.choice(("n", "minutes", "between", "both", "none"))
    if bound in {"n", "both"}:
        request["n"] = generator.randrange(6, 25)
    if bound in {"minutes", "both"}:
        request["minutes"] = generator.uniform(30, 90)
    if bound == "between":
        request["min_minutes"] = generator.uniform(30, 60)
        request["max_minutes"] = request["min_minutes"] + generator.uniform(1, 20)
    for name in ("max_per_artist", "max_per_album"):
        if generator.random() < 0.4:
            request[name] = generator.randrange(1, 5)
    return request


def check_rules(result: results.PlaylistResult, request: dict[str, Any], tracks: list[Made]) -> None:
    made = {track.name: track for track in tracks}
    chosen = [made[Path(track.path).name] for track in result.results]
    given = [track.given for track in result.results]
    assert [track.rank for track in result.results] == list(range(1, len(chosen) + 1))
    assert len({track.name for track in chosen}) == len(chosen), "a track twice"
    assert result.seconds == pytest.approx(sum(track.seconds for track in chosen), abs=0.01)

    if "start" in request:
        assert (chosen[0].name, chosen[-1].name) == (request["start"], request["end"])
        assert sum(given) == 2
    elif "seeds" in request:
        assert chosen[0].name == request["seeds"][0]
        assert {track.name for track, is_given in zip(chosen, given, strict=True) if is_given} == set(request["seeds"])
    elif "extend" in request:
        lines = request["extend"].read_text(encoding="utf-8").splitlines()
        entries = list(dict.fromkeys(Path(line).name for line in lines[:-1]))
        assert [track.name for track in chosen[: len(entries)]] == entries
        assert given == [True] * len(entries) + [False] * (len(chosen) - len(entries))
        assert list(result.not_found) == ["elsewhere.mp3"]

    added = [track for track, is_given in zip(chosen, given, strict=True) if not is_given]
    assert not any(track.silent for track in added)
    if "genre" in request:
        assert {track.genre for track in added} <= {request["genre"].lower()}
    for first, track in enumerate(chosen):
        for second in range(first):
            if not (given[first] and given[second]):
                same = abs(track.place) == abs(chosen[second].place)
                assert not same, "one recording twice"
    keys: tuple[tuple[str, list[Any]], ...] = (
        ("max_per_artist", [track.artist and fold(track.artist) for track in chosen]),
        ("max_per_album", [track.album and (track.artist and fold(track.artist), track.album) for track in chosen]),
    )
    for name, names in keys:
        for value, is_given in zip(names, given, strict=True):
            assert name not in request or is_given or not value or names.count(value) <= request[name]

    seconds = result.seconds
    n = request.get("n")
    if n is None and not {"minutes", "min_minutes"} & set(request):
        n = 20 + (sum(given) if "extend" in request else 0)
    highest = 60 * request.get("minutes", request.get("max_minutes", np.inf))
    lowest = 60 * request["minutes"] - 5 if "minutes" in request else 60 * request.get("min_minutes", 0)
    assert seconds <= highest
    assert n is None or len(chosen) <= n
    if result.shortfall is None:
        assert seconds >= lowest - 0.01
        assert n is None or len(chosen) == n
    else:
        assert seconds < lowest or (n is not None and len(chosen) < n)

    codes = encode_artists(track.artist and fold(track.artist) for track in chosen)
    n_first = {"start": 1, "seeds": 1, "extend": sum(given)}.get(next(iter(request)), 0)
    moved = codes[n_first : len(codes) - ("start" in request)]
    ends = (codes[n_first - 1] if n_first else NOBODY, codes[-1] if "start" in request else NOBODY)
    fewest = count_unavoidable(moved, before=int(ends[0]), after=int(ends[1]))
    fixed = int((codes[1:n_first] == codes[: n_first - 1]).sum()) if n_first else 0
    assert int((codes[1:] == codes[:-1]).sum()) == result.same_artist == fewest + fixed


def fold(artist: str) -> str:
    return artist.lower().replace("ç", "c")


@pytest.mark.parametrize("seed", range(6))
def test_a_playlist_obeys_its_rules(seed: int, tmp_path: Path, make_library: MakeLibrary) -> None:
    generator = random.Random(seed)  # noqa: S311
    tracks = draw_tracks(generator, n=generator.choice((12, 60, 120)))
    library = make_library(tracks)
    kinds = set()
    for _ in range(15):
        request = draw_request(generator, tmp_path, tracks)
        seeds = request.get("seeds", ())
        try:
            result = library.playlist(*seeds, **{name: value for name, value in request.items() if name != "seeds"})
        except LibraryError as error:
            if "are given" in str(error) or "longer than the maximum" in str(error):
                continue  # the request contradicts itself
            raise
        kinds.add(result.source)
        check_rules(result, request, tracks)
    assert len(kinds) >= 3


def test_a_duration_is_reached_within_five_seconds(make_library: MakeLibrary) -> None:
    generator = np.random.default_rng(3)
    lengths = generator.uniform(100, 400, 120)
    library = make_library(
        [Made(f"{n:03d}.mp3", n + 1, f"Artist {n // 3}", seconds=lengths[n], genre="rock") for n in range(120)]
    )
    for minutes in generator.uniform(15, 90, 8).tolist():
        sources: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
            ((), {"start": "000.mp3", "end": "050.mp3"}),
            (("000.mp3",), {}),
            ((), {"genre": "rock"}),
        )
        for seeds, options in sources:
            result = library.playlist(*seeds, minutes=minutes, max_per_artist=1, **options)
            assert 60 * minutes - 5 <= result.seconds <= 60 * minutes
            assert result.shortfall is None


def test_results_do_not_depend_on_the_order_of_adding(tmp_path: Path, make_library: MakeLibrary) -> None:
    tracks = draw_tracks(random.Random(1), n=80)  # noqa: S311
    (tmp_path / "given.m3u8").write_text("music/001.mp3\nmusic/002.mp3\n", encoding="utf-8")
    one, two = make_library(tracks), make_library(tracks[::-1])
    names = [track.name for track in tracks if not track.silent]
    for arguments, options in (
        ((), {"start": names[0], "end": names[30]}),
        ((names[0], names[5]), {"minutes": 45}),
        ((), {"extend": tmp_path / "given.m3u8"}),
        ((), {"genre": "rock", "seed": 7}),
    ):
        assert one.playlist(*arguments, **options) == two.playlist(*arguments, **options)


def test_another_seed_makes_another_mix(make_library: MakeLibrary) -> None:
    library = make_library(draw_tracks(random.Random(2), n=80))  # noqa: S311
    mixes = [{track.path for track in library.playlist(genre="rock", seed=seed, n=10).results} for seed in (0, 0, 1)]
    assert mixes[0] == mixes[1]
    assert len(mixes[0] & mixes[2]) < 8


def test_a_path_moves_steadily(make_library: MakeLibrary) -> None:
    """The steps of a path through many tracks are much smaller than the way from the first track to the last one."""
    library = make_library([Made(f"{number:04d}.mp3", number + 1) for number in range(600)])
    vectors = np.stack([make_vector(number + 1) for number in range(600)])
    farthest = int((vectors @ vectors[0] / np.linalg.norm(vectors, axis=1)).argmin())
    result = library.playlist(start="0000.mp3", end=f"{farthest:04d}.mp3", n=12)
    ends = result.results[-1].similarity_to_start
    assert ends is not None
    assert ends < -0.8
    assert result.smallest_similarity is not None
    assert result.smallest_similarity > 0.5
    to_start = [track.similarity_to_start or 0 for track in result.results]
    assert np.corrcoef(to_start, np.arange(12))[0, 1] < -0.9
    given = [track.given for track in result.results]
    assert given == [True] + [False] * 10 + [True]


def test_one_artist_does_not_flood_a_playlist_that_has_others(make_library: MakeLibrary) -> None:
    """The ten nearest tracks are by the artist of the seed: others take some of the places."""
    near = [Made(f"near{number}.mp3", -1, "Artist", seconds=100 + 40 * number) for number in range(10)]
    others = [Made(f"other{number}.mp3", number + 2, f"Artist {number}") for number in range(30)]
    library = make_library([Made("seed.mp3", 1, "Artist", seconds=60), *near, *others])
    result = library.playlist("seed.mp3", n=9)
    artists = [track.artist for track in result.results]
    assert (len(artists), result.same_artist) == (9, 0)
    assert artists.count("Artist") <= 5
    alone = make_library([Made("seed.mp3", 1, "Artist", seconds=60), *near]).playlist("seed.mp3", n=9)
    assert (len(alone.results), alone.same_artist) == (9, 8)


def test_a_mix_of_silent_tracks_is_empty(make_library: MakeLibrary) -> None:
    library = make_library([Made("0.mp3", 1, genre="rock", silent=True)])
    result = library.playlist(genre="rock", minutes=5)
    assert (list(result.results), result.seconds, result.smallest_similarity) == ([], 0, None)
    assert result.shortfall == "0.0 of 4.9 minutes: no other track fulfils the rules"


def test_what_cannot_be_made_is_said(make_library: MakeLibrary, tmp_path: Path) -> None:
    library = make_library([Made(f"{number}.mp3", number + 1, "Artist", seconds=300) for number in range(4)])
    few = library.playlist("0.mp3", n=10)
    assert few.shortfall == "4 of 10 tracks: no other track fulfils the rules"
    short = library.playlist(start="0.mp3", end="1.mp3", min_minutes=60)
    assert short.shortfall == "20.0 of 60.0 minutes: no other track fulfils the rules"
    assert len(short.results) == 4
    for arguments, options, message in (
        ((), {}, "give seeds, --from and --to"),
        ((), {"start": "0.mp3"}, "needs both"),
        (("0.mp3",), {"extend": "a.m3u"}, "give one of them"),
        ((), {"start": "0.mp3", "end": "0.mp3"}, "start and end with one track"),
        ((), {"start": "Artist", "end": "0.mp3"}, "an artist with 4 tracks"),
        (("0.mp3", "1.mp3"), {"n": 1}, "given are 2 tracks"),
        (("0.mp3",), {"minutes": 4}, "last 5.0 minutes"),
        ((), {"genre": "jazz"}, "no track is labelled or tagged 'jazz'"),
        ((), {"cluster": "1"}, "no map yet"),
        ((), {"extend": tmp_path / "none.m3u"}, "cannot be read"),
        (("none.mp3",), {}, "neither a file"),
    ):
        with pytest.raises(LibraryError, match=message):
            library.playlist(*arguments, **options)
    for bounds in ({"minutes": 5, "max_minutes": 5}, {"min_minutes": 6, "max_minutes": 5}):
        with pytest.raises(ParameterError):
            library.playlist("0.mp3", **bounds)  # type: ignore[arg-type]


def test_a_mix_of_a_cluster(make_library: MakeLibrary) -> None:
    tracks = [Made(f"{number:02d}.mp3", number + 1, genre=("rock", "jazz")[number % 2]) for number in range(40)]
    library = make_library(tracks)
    ids, _ = library.catalogue.vectors.matrix(SPACE)
    paths = [Path(library.catalogue.files.of_track(int(id_))[0]) for id_ in ids]
    clusters = np.array([int(path.stem) // 20 for path in paths])  # 00 to 19, and 20 to 39
    one_hot = np.eye(2, dtype=np.float32)[clusters]
    positions = np.zeros((40, 2), np.float32)
    stored = StoredMap({}, ids, positions, clusters, one_hot, np.zeros(40, dtype=bool))
    library.catalogue.maps.save(SPACE, stored)
    polka = {int(id_): Label("Polka", "test") for id_ in ids[clusters == 1]}
    library.catalogue.labels.assign(polka, command="label")
    by_number = library.playlist(cluster="2", n=10)
    assert {track.path for track in by_number.results} < {str(path) for path in paths if int(path.stem) >= 20}
    assert len(by_number.results) == 10
    assert library.playlist(cluster="polka", n=10) == by_number
    both = library.playlist(cluster="1", genre="jazz", n=50)
    assert sorted(Path(track.path).stem for track in both.results) == [f"{number:02d}" for number in range(1, 20, 2)]
    with pytest.raises(LibraryError, match=r"99: no such cluster; the clusters are: 1 .*; 2 Polka"):
        library.playlist(cluster="99")
