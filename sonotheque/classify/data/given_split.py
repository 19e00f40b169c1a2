"""Read a given split into training and test tracks, as datasets publish it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonotheque.classify.data.folds import Fold
from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import CsvLabels
from sonotheque.metadata.tables import read_table
from sonotheque.store.records import Track

SPLIT_COLUMNS = ("set.split", "split", "set", "subset", "fold")
TEST_NAMES = {"test", "testing"}
TRAIN_NAMES = {"train", "training", "validation", "valid", "val", "dev"}


def read_given_split(path: Path, *, tracks: Sequence[Track]) -> list[Fold]:
    """Read a split from a CSV or from text files.

    Parameters
    ----------
    path : Path
        A CSV with one column for the file and one named ``split`` (also FMA's ``tracks.csv``, whose column is ``('set',
        'split')``), whose values are ``train``, ``validation`` and ``test``. Validation tracks are used for training. Or a text
        file that lists the test files, one per line, such as GTZAN's ``test_filtered.txt``. The training files are then read from
        ``train_filtered.txt`` and ``valid_filtered.txt`` in the same folder; without these, all other tracks are used for
        training.
    tracks : sequence of Track
        The labelled tracks.

    Returns
    -------
    list of one (train, test)

    Raises
    ------
    LabelsError
        If the file is unusable, or if no labelled track is in the training set or in the test set.
    """
    split = _read_lists(path) if path.suffix.lower() == ".txt" else _read_csv(path)
    train, test = [], []
    for row, track in enumerate(tracks):
        subset = split.subset_of(track.path)
        if subset == "test":
            test.append(row)
        elif subset == "train":
            train.append(row)
    for name, rows in (("test", test), ("training", train)):
        if not rows:
            raise LabelsError(f"{path}: none of the {len(tracks)} labelled tracks is in the {name} set")
    return [(np.array(train), np.array(test))]


@dataclass(frozen=True)
class _Split:
    """The subset of each file, ``train`` or ``test``. Files are matched in the same way as labels.

    `default` is the subset of files that are not listed.
    """

    rows: CsvLabels
    default: str | None = None

    def subset_of(self, path: str) -> str | None:
        matched = self.rows.label(path)
        return matched.label if matched else self.default


def _read_csv(path: Path) -> _Split:
    header = read_table(path).header
    lower = {name.lower(): name for name in reversed(header)}
    column = next((lower[name] for name in SPLIT_COLUMNS if name in lower), None)
    if column is None:
        raise LabelsError(f"{path}: no column for the split; it must have one of the names {', '.join(SPLIT_COLUMNS)}")
    rows = CsvLabels(path, label=column)
    unknown = sorted(rows.labels() - TEST_NAMES - TRAIN_NAMES)
    if unknown:
        raise LabelsError(
            f"{path}: column {column!r} has the value {unknown[0]!r}; it must be train, validation or test"
        )
    return _Split(rows.renamed(dict.fromkeys(TEST_NAMES, "test") | dict.fromkeys(TRAIN_NAMES, "train")))


def _read_lists(path: Path) -> _Split:
    subsets = dict.fromkeys(_read_lines(path), "test")
    train = []
    for name in ("train", "valid"):
        train_list = path.with_name(path.name.replace("test", name))
        if train_list != path and train_list.exists():
            train += _read_lines(train_list)
    for line in train:
        if subsets.setdefault(line, "train") == "test":
            raise LabelsError(f"{path}: {line!r} is also in the training list")
    return _Split(CsvLabels.of(path, subsets), default=None if train else "train")


def _read_lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsError(f"{path}: cannot be read ({error})") from None
    return [line.strip().replace("/", os.sep) for line in text.split("\n") if line.strip()]
