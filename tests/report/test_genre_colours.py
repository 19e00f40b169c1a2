"""Colours of genres: distinct, independent of counts, remembered by the library."""

from __future__ import annotations

import random

import pytest

from sonotheque import Library
from sonotheque.report.genre_colours import N_COLOURS, PREFERRED_COLOURS, assign_colours, load_genre_colours

FMA_SMALL = ["Electronic", "Experimental", "Folk", "Hip-Hop", "Instrumental", "International", "Pop", "Rock"]
GTZAN = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"]


@pytest.mark.parametrize(
    "genres", [FMA_SMALL, GTZAN, [f"genre {number}" for number in range(40)], ["un", "deux", "trois"]]
)
def test_genres_are_distinct(genres: list[str]) -> None:
    slots = assign_colours(genres)
    assert len(set(slots.values())) == len(genres)
    uses = [sum(slot % N_COLOURS == colour for slot in slots.values()) for colour in range(N_COLOURS)]
    assert max(uses) - min(uses) <= 1


def test_order_and_counts_do_not_matter() -> None:
    genres = GTZAN + ["zouk", "zydeco"]
    for seed in range(5):
        shuffled = random.Random(seed).choices(genres, k=200) + genres  # noqa: S311
        assert assign_colours(shuffled) == assign_colours(genres)


def test_a_common_genre_has_the_same_colour_in_every_library() -> None:
    for genre, colour in (("Rock", 1), ("hip hop", 6), ("Hip-Hop", 6), ("JAZZ", 2)):
        assert assign_colours([genre])[genre] == colour
        assert assign_colours([genre, "metal", "xyz", "polka"])[genre] == colour
    assert set(PREFERRED_COLOURS.values()) == set(range(N_COLOURS))


def test_added_and_removed_genres_change_no_colour() -> None:
    first = assign_colours(["rock", "xyz", "polka"])
    second = assign_colours(["rock", "aaa", *GTZAN], stored=first)
    assert second.items() >= first.items()
    third = assign_colours(["polka"], stored=second)
    assert third == second


def test_the_library_remembers_the_colours(demo_library: Library) -> None:
    catalogue = demo_library.catalogue
    before = load_genre_colours(catalogue)
    assert set(before) == {"acoustic", "ambient", "classical", "electronic", "metal"}
    catalogue.database.execute("UPDATE labels SET label = 'aardvark' WHERE label = 'metal'")
    after = load_genre_colours(catalogue)
    assert after == before | {"aardvark": after["aardvark"]}
    assert after["aardvark"] not in before.values()
