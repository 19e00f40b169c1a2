"""Given splits are read from FMA's table, from a plain CSV and from GTZAN's lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonotheque.classify.data.given_split import read_given_split
from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import CsvLabels
from sonotheque.store.records import Track

FMA = """,album,artist,set,set,track
,id,id,split,subset,genre_top
track_id,,,,,
2,1,7,training,small,Hip-Hop
3,1,7,validation,small,Hip-Hop
5,4,8,test,small,Rock
"""


def tracks(*paths: str) -> list[Track]:
    return [Track(n, str(n), path, 30.0, False, None, None, None, None, None, "x", "y") for n, path in enumerate(paths)]


def test_fma_table(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_text(FMA)
    files = tracks("/fma/000/000002.mp3", "/fma/000/000003.mp3", "/fma/000/000005.mp3", "/fma/000/000010.mp3")
    ((train, test),) = read_given_split(tmp_path / "tracks.csv", tracks=files)
    assert (train.tolist(), test.tolist()) == ([0, 1], [2])
    label = CsvLabels(tmp_path / "tracks.csv").label("/fma/000/000005.mp3")
    assert label is not None
    assert (label.label, label.artist, label.album) == ("Rock", "8", "4")


def test_csv(tmp_path: Path) -> None:
    (tmp_path / "split.csv").write_text("file,split\na.mp3,train\nb.mp3,test\n")
    ((train, test),) = read_given_split(tmp_path / "split.csv", tracks=tracks("/m/a.mp3", "/m/b.mp3", "/m/c.mp3"))
    assert (train.tolist(), test.tolist()) == ([0], [1])


@pytest.mark.parametrize("n_lists", [1, 2])
def test_gtzan_lists(tmp_path: Path, n_lists: int) -> None:
    (tmp_path / "test_filtered.txt").write_text("blues/blues.00012.wav\n")
    if n_lists == 2:
        (tmp_path / "train_filtered.txt").write_text("blues/blues.00029.wav\n")
    files = tracks("/g/blues/blues.00012.wav", "/g/blues/blues.00029.wav", "/g/blues/blues.00099.wav")
    ((train, test),) = read_given_split(tmp_path / "test_filtered.txt", tracks=files)
    assert (train.tolist(), test.tolist()) == ([1] if n_lists == 2 else [1, 2], [0])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "file,genre\na.mp3,x\n", "no column for the split"),
        ("a.csv", "file,split\na.mp3,tset\n", "the value 'tset'; it must be"),
        ("a.csv", "file,split\na.mp3,train\n", "none of the 2 labelled tracks is in the test set"),
        ("a.txt", "z.mp3\n", "in the test set"),
    ],
)
def test_unusable_splits(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelsError, match=message):
        read_given_split(tmp_path / name, tracks=tracks("/m/a.mp3", "/m/b.mp3"))
