"""A cached index is used if it is intact; anything else is treated as missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sonotheque.errors import LibraryError
from sonotheque.index import ApproximateIndex, ExactIndex
from sonotheque.index.approximate import KINDS
from sonotheque.index.cache import load_index, read_manifest, save_index

VECTORS = np.random.default_rng(0).standard_normal((1500, 8)).astype(np.float32)
IDS = np.arange(100, 1600)


def build(kind: str) -> ExactIndex | ApproximateIndex:
    return ExactIndex.build(IDS, VECTORS) if kind == "exact" else ApproximateIndex.build(kind, IDS, VECTORS)


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("kind", ["exact", *KINDS])
def test_a_saved_index_answers_the_same(tmp_path: Path, kind: str, writable: bool) -> None:
    index = build(kind)
    save_index(tmp_path / "space", index, state=[7, "ab"])
    loaded = load_index(tmp_path / "space", writable=writable)
    assert loaded is not None
    manifest, again = loaded
    assert (manifest.state, manifest.kind, manifest.recall) == ([7, "ab"], kind, index.recall)
    found, expected = (one.search(VECTORS[:50], k=5) for one in (again, index))
    assert np.array_equal(found[0], expected[0])
    assert np.array_equal(found[1], expected[1])


def test_files_of_the_replaced_index_are_deleted(tmp_path: Path) -> None:
    save_index(tmp_path, build("hnsw"), state=1)
    (tmp_path / "notes.txt").write_text("mine")
    save_index(tmp_path, build("exact"), state=2)
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    files = {file for file, _ in manifest.files.values()}
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", "notes.txt", *files}


@pytest.mark.parametrize(
    "damage", ["missing", "bit flip", "truncated", "no file", "garbage", "other format", "other kind"]
)
@pytest.mark.parametrize("kind", ["exact", "hnsw"])
def test_a_damaged_index_is_not_used(tmp_path: Path, kind: str, damage: str) -> None:
    save_index(tmp_path, build(kind), state=1)
    manifest = tmp_path / "manifest.json"
    data = max(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    content = data.read_bytes()
    match damage:
        case "missing":
            manifest.unlink()
        case "bit flip":
            data.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        case "truncated":
            data.write_bytes(content[: len(content) // 2])
        case "no file":
            data.unlink()
        case "garbage":
            manifest.write_bytes(b"\xff" * 10_000)
        case "other format":
            manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 0}))
        case "other kind":
            manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "kind": "tree"}))
    assert load_index(tmp_path) is None


def test_a_manifest_names_files_of_its_own_folder_only(tmp_path: Path) -> None:
    save_index(tmp_path / "one", build("exact"), state=1)
    save_index(tmp_path / "two", build("exact"), state=1)
    path = tmp_path / "two" / "manifest.json"
    content = json.loads((tmp_path / "one" / "manifest.json").read_text())
    content["files"] = {name: (f"../one/{file}", digest) for name, (file, digest) in content["files"].items()}
    path.write_text(json.dumps(content))
    assert load_index(tmp_path / "two") is None


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "space").write_text("a file")
    with pytest.raises(LibraryError, match="cannot be written"):
        save_index(tmp_path / "space", build("exact"), state=1)
    assert (tmp_path / "space").read_text() == "a file"
