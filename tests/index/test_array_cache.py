"""Cached arrays are mapped into memory, and rebuilt if the file is missing, stale or damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sonotheque import LibraryError
from sonotheque.index import array_cache
from sonotheque.index.array_cache import ALIGNMENT, Arrays, load_or_build_arrays

ARRAYS: Arrays = {
    "ids": np.arange(5, dtype=np.int64),
    "matrix": np.linspace(0, 1, 6, dtype=np.float16).reshape(2, 3).T,
    "none": np.zeros((0, 3), np.float32),
    "truth": np.array([True, False]),
}


def refuse() -> Arrays:
    raise AssertionError("the arrays are built again")


def check(found: Arrays) -> None:
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
        assert not found[name].flags.writeable


def copies() -> Arrays:
    return {name: array.copy() for name, array in ARRAYS.items()}


def test_arrays_are_built_once(tmp_path: Path) -> None:
    file = tmp_path / "index" / "a.arrays"
    check(load_or_build_arrays(file, stamp="1", build=copies))
    check(load_or_build_arrays(file, stamp="1", build=refuse))
    head = file.read_bytes().index(b"\n") + 1
    assert head % ALIGNMENT == 0
    with pytest.raises(AssertionError):
        load_or_build_arrays(file, stamp="2", build=refuse)
    check(load_or_build_arrays(file, stamp="2", build=copies))
    check(load_or_build_arrays(file, stamp="2", build=refuse))


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "no header", "other header", "other format"])
def test_a_damaged_file_is_built_again(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.arrays"
    load_or_build_arrays(file, stamp="1", build=copies)
    content = file.read_bytes()
    start = content.index(b"\n") + 1
    if damage == "other format":
        monkeypatch.setattr(array_cache, "FORMAT", 2)
    file.write_bytes(
        {
            "truncated": content[:-1],
            "changed": content[:start] + b"\1" + content[start + 1 :],
            "empty": b"",
            "no header": content[start:],
            "other header": b"[1]\n" + content[start:],
            "other format": content,
        }[damage]
    )
    check(load_or_build_arrays(file, stamp="1", build=copies))
    check(load_or_build_arrays(file, stamp="1", build=refuse))


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LibraryError("read-only")

    monkeypatch.setattr(array_cache, "write_atomic", fail)
    check(load_or_build_arrays(tmp_path / "a.arrays", stamp="1", build=copies))
    assert list(tmp_path.iterdir()) == []
