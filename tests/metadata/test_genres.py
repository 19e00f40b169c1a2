"""Spellings of one genre are recognised, in labels from CSV files, tags and folders, and wherever a genre is looked up."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from sonotheque import Library
from sonotheque.errors import LabelsError
from sonotheque.metadata.genres import choose_spellings, clean_genre, find_variants, genre_key, list_spellings
from sonotheque.metadata.tables import GenreIds

CAFE, CAFE_NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    "spelling", ["hip hop", "Hip Hop", "HIP\u00a0HOP", " hip  hop ", "hip\thop", "\ufeffhip hop", "hip\u200b hop"]
)
def test_spellings_of_one_genre(spelling: str) -> None:
    assert genre_key(spelling) == genre_key("Hip hop")
    assert genre_key(clean_genre(spelling)) == genre_key(spelling)


@pytest.mark.parametrize(
    ("one", "other"),
    [(CAFE, CAFE_NFD), ("STRASSE", "stra\u00dfe"), ("\uff2a\uff30\uff2f\uff30", "jpop"), ("\u01c6", "dž")],
)
def test_unicode_forms_of_one_genre(one: str, other: str) -> None:
    assert genre_key(one) == genre_key(other)


@pytest.mark.parametrize(("one", "other"), [("rock", "folk"), ("cafe", CAFE), ("hip-hop", "hip hop"), ("r&b", "rb")])
def test_different_genres(one: str, other: str) -> None:
    assert genre_key(one) != genre_key(other)
    assert find_variants([one, other]) == []


def test_the_most_frequent_spelling_is_chosen() -> None:
    assert choose_spellings({"Rock": 1, "rock": 2}, known={}) == {"Rock": "rock", "rock": "rock"}
    assert choose_spellings({"Rock": 1, "rock": 1}, known={}) == {"Rock": "Rock", "rock": "Rock"}
    assert choose_spellings({"rock": 9}, known={"ROCK": 1, "Rock": 2}) == {"rock": "Rock"}
    assert choose_spellings({f" {CAFE_NFD} ": 1}, known={}) == {f" {CAFE_NFD} ": CAFE}


def test_spellings_that_look_the_same_are_told_apart() -> None:
    assert list_spellings([CAFE, CAFE_NFD, "CAF\u00c9"]) == f"'{CAFE}', 'cafe\\u0301' and 'CAF\u00c9'"


@pytest.fixture
def library(tmp_path: Path, demo_library: Library) -> Library:
    return demo_library


def test_variants_in_a_csv_become_one_genre(
    demo_library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [Path(track.path).stem for track in demo_library.catalogue.tracks.all()[:4]]
    rows = zip(names, (CAFE, CAFE_NFD, "Café", " café"), strict=True)
    (tmp_path / "a.csv").write_text("file,genre\n" + "".join(f'{n},"{g}"\n' for n, g in rows), encoding="utf-8")
    demo_library.label(str(tmp_path / "a.csv"))
    assert demo_library.status().labels[CAFE] == 4
    assert (
        f"'{CAFE}', 'cafe\\u0301' and 'Caf\u00e9' are spellings of one genre, which is written '{CAFE}'" in caplog.text
    )


def test_labels_keep_the_spelling_of_the_library(demo_library: Library, tmp_path: Path) -> None:
    before = demo_library.status().labels
    names = [Path(track.path).stem for track in demo_library.catalogue.tracks.all()]
    (tmp_path / "a.csv").write_text("file,genre\n" + "".join(f"{name},METAL\n" for name in names[:3]))
    demo_library.label(str(tmp_path / "a.csv"))
    labels = demo_library.status().labels
    assert labels.keys() == before.keys()
    assert labels["metal"] == before["metal"] + 3


def test_a_genre_can_be_spelled_anew(demo_library: Library, tmp_path: Path) -> None:
    """If all tracks of the genre get the new spelling, it is not a variant."""
    metal = [track.path for track in demo_library.catalogue.tracks.all() if track.label == "metal"]
    (tmp_path / "a.csv").write_text("file,genre\n" + "".join(f"{path},Metal\n" for path in metal))
    assert demo_library.label(str(tmp_path / "a.csv")).changed == len(metal)
    assert "Metal" in demo_library.status().labels


def test_variants_in_folders_and_tags_become_one_genre(tmp_path: Path, clips: Path) -> None:
    for folder, name in ((f"{CAFE_NFD}", "metal.ogg"), (CAFE.upper(), "ambient.mp3"), ("Caf\u00e9", "slow/ave.mp3")):
        (tmp_path / "music" / folder).mkdir(parents=True)
        shutil.copy(clips / name, tmp_path / "music" / folder)
    with Library(tmp_path / "library") as library:
        status = library.add(tmp_path / "music", labels="folder", embedders=["musicnn"])
        assert list(status.labels.values()) == [3]
        assert status.variants == []
        library.catalogue.database.executemany(
            "UPDATE tracks SET genre = ? WHERE id = ?", [(" Jazz", 1), ("JAZZ", 2), ("Jazz", 3)]
        )
        library.label("tags")
        assert library.status().labels == {"Jazz": 3}
        assert len(library.similar(tmp_path / "music" / CAFE.upper() / "ambient.mp3", genre=" jazz").results) == 2


def test_variants_that_are_in_the_library_already_are_named(demo_library: Library) -> None:
    track = next(track for track in demo_library.catalogue.tracks.all() if track.label == "metal")
    demo_library.catalogue.database.execute("UPDATE labels SET label = 'Metal ' WHERE track_id = ?", (track.id,))
    assert demo_library.status().variants == [["Metal ", "metal"]]


def test_ids_find_the_names_of_genres_in_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "genres.csv").write_text(f"genre_id,genre\n1,Hip Hop\n2,{CAFE}\n", encoding="utf-8")
    ids = GenreIds(tmp_path / "genres.csv")
    assert (ids.id("hip  hop"), ids.id(unicodedata.normalize("NFD", "Café"))) == ("1", "2")
    assert ids.name("HIP HOP", where="") == "Hip Hop"
    with pytest.raises(LabelsError, match="has no id for 'rock'"):
        ids.id("rock")
