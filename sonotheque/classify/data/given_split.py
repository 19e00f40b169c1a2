"""A given split: which tracks teach and which are tested, as data sets publish it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sonotheque.classify.data.folds import Fold
from sonotheque.errors import LabelsError
from sonotheque.metadata.label_sources import CsvLabels
from sonotheque.metadata.tables import read_table
from sonotheque.store.records import Track

COLUMNS = ("set.split", "split", "set", "subset", "fold")
TESTED = {"test", "testing"}
TEACHING = {"train", "training", "validation", "valid", "val", "dev"}


def read_given_split(path: Path, *, tracks: Sequence[Track]) -> list[Fold]:
    """Read a split.

    Parameters
    ----------
    path : path of a file
        A CSV with a column for the file and one named ``split`` (also FMA's ``tracks.csv``, whose column is ``('set', 'split')``)
        with ``train``, ``validation`` and ``test``; the validation tracks teach. Or a text file that lists the tested files,
        one in a line, such as GTZAN's ``test_filtered.txt``: then those in ``train_filtered.txt`` and ``valid_filtered.txt``
        beside it teach, or where there are none all the others.
    tracks : the labelled tracks

    Returns
    -------
    list of one (train, test)

    Raises
    ------
    LabelsError
        If it is unusable, or names no track on one of the sides.
    """
    sides = _listed(path) if path.suffix.lower() == ".txt" else _table(path)
    train, test = [], []
    for row, track in enumerate(tracks):
        side = sides.side(track.path)
        if side == "test":
            test.append(row)
        elif side == "train" or (side is None and sides.others_teach):
            train.append(row)
    for name, rows in (("test", test), ("train", train)):
        if not rows:
            raise LabelsError(f"{path}: none of the {len(tracks)} labelled tracks is on its {name} side")
    return [(np.array(train), np.array(test))]


class _Sides:
    """Says on which side a file stands; files are matched as labels are."""

    def __init__(self, rows: CsvLabels, *, others_teach: bool) -> None:
        self._rows = rows
        self.others_teach = others_teach

    def side(self, path: str) -> str | None:
        found = self._rows.label(path)
        return found.label if found else None


def _table(path: Path) -> _Sides:
    header = read_table(path).header
    lower = {name.lower(): name for name in reversed(header)}
    column = next((lower[name] for name in COLUMNS if name in lower), None)
    if column is None:
        raise LabelsError(f"{path}: no column for the split; known names are {', '.join(COLUMNS)}")
    rows = CsvLabels(path, label=column)
    unknown = sorted(rows.labels() - TESTED - TEACHING)
    if unknown:
        raise LabelsError(f"{path}: column {column!r} has {unknown[0]!r}; known are train, validation, test")
    return _Sides(rows.renamed(dict.fromkeys(TESTED, "test") | dict.fromkeys(TEACHING, "train")), others_teach=False)


def _listed(path: Path) -> _Sides:
    sides = dict.fromkeys(_lines(path), "test")
    teaching = []
    for name in ("train", "valid"):
        beside = path.with_name(path.name.replace("test", name))
        if beside != path and beside.exists():
            teaching += _lines(beside)
    for line in teaching:
        if sides.setdefault(line, "train") == "test":
            raise LabelsError(f"{path}: {line!r} stands in the training list too")
    return _Sides(CsvLabels.of(path, sides), others_teach=not teaching)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelsError(f"{path}: cannot be read ({error})") from None
    return [line.strip().replace("/", os.sep) for line in text.splitlines() if line.strip()]
