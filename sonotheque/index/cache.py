"""The cached index of a space: a folder of files that is rebuilt if it is missing, stale or damaged.

``manifest.json`` names the other files, with their SHA-256 and the state of the vectors that they were made from. They are
written before the manifest and never changed afterwards, so a reader sees either the old index or the complete new one. Vectors
are memory-mapped: they are read as they are needed, and shared by all processes that search them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.errors import LibraryError
from sonotheque.index.approximate import KINDS, ApproximateIndex, read_faiss_index, view_rows
from sonotheque.index.exact import ExactIndex
from sonotheque.index.measure import SimilarityMeasure
from sonotheque.output_files import write_atomic

FORMAT = 2
MAX_MANIFEST_BYTES = 1 << 20

ABANDONED_AFTER = 86_400
"""Age in s of a file that no manifest names, after which no process can still be about to name it."""


@dataclass(frozen=True)
class Manifest:
    """What a cached index says about itself.

    Attributes
    ----------
    state : JSON value
        The state of the vectors that it was made from.
    kind : str
        ``exact`` or a name of `sonotheque.index.approximate.KINDS`.
    recall : float or None
        See `ApproximateIndex`.
    measure : mapping
        The values of the measure, see `SimilarityMeasure.to_arrays`.
    files : mapping of str to (file name, SHA-256)
    """

    state: Any
    kind: str
    recall: float | None
    measure: Mapping[str, Any]
    files: Mapping[str, tuple[str, str]]


def read_manifest(folder: Path) -> Manifest | None:
    """Read what a cached index says about itself, or return None if there is none of this format."""
    try:
        with (folder / "manifest.json").open("rb") as file:
            content = json.loads(file.read(MAX_MANIFEST_BYTES))
        if content.pop("format") != FORMAT:
            return None
        files = {
            str(name): (os.path.basename(file), str(digest)) for name, (file, digest) in content.pop("files").items()
        }
        manifest = Manifest(files=files, **content)
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None
    return manifest if manifest.kind in {"exact", *KINDS} else None


def load_index(folder: Path, *, writable: bool = False) -> tuple[Manifest, ExactIndex | ApproximateIndex] | None:
    """Open a cached index, or return None if it is missing or damaged.

    All files are read once to check them. This is much faster than building the index.

    Parameters
    ----------
    folder : Path
    writable : bool
        Read everything into memory, so that the index can be extended.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    try:
        for file, digest in manifest.files.values():
            with (folder / file).open("rb") as stream:
                if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                    return None
        paths = {name: folder / file for name, (file, _) in manifest.files.items()}
        ids = np.load(paths["ids"], allow_pickle=False)
        with np.load(paths["measure"], allow_pickle=False) as arrays:
            measure = SimilarityMeasure.from_arrays(arrays, manifest.measure)
        if manifest.kind == "exact":
            return manifest, ExactIndex(ids, _map(paths["rows"]), measure)
        kind = KINDS[manifest.kind]
        faiss_index = read_faiss_index(paths["index"], writable=writable)
        rows = view_rows(faiss_index) if kind.holds_rows else _map(paths["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest, ApproximateIndex(kind, ids, rows, measure, faiss_index, recall=manifest.recall)


def save_index(folder: Path, index: ExactIndex | ApproximateIndex, *, state: Any) -> None:
    """Write the files of an index, then the manifest, and delete the files of the index that they replace.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    index : ExactIndex or ApproximateIndex
    state : JSON value
        See `Manifest`.

    Raises
    ------
    LibraryError
        If a file cannot be written. The old index is still there then.
    """
    arrays, values = index.measure.to_arrays()
    writers: dict[str, tuple[str, Callable[[Path], None]]] = {
        "ids": ("npy", lambda path: _save_array(path, index.ids)),
        "measure": ("npz", lambda path: _save_arrays(path, arrays)),
    }
    if isinstance(index, ExactIndex) or not KINDS[index.kind].holds_rows:
        writers["rows"] = ("npy", lambda path: _save_array(path, index.rows))
    if isinstance(index, ApproximateIndex):
        writers["index"] = ("faiss", index.write_faiss_index)
    old = read_manifest(folder)
    mark = secrets.token_hex(4)
    files = {}
    for name, (extension, write) in writers.items():
        file = f"{name}-{mark}.{extension}"
        files[name] = (file, _write_file(folder / file, write))
    content = {"state": state, "kind": index.kind, "recall": index.recall, "measure": values, "files": files}
    write_atomic(folder / "manifest.json", [json.dumps({"format": FORMAT, **content}, indent=1).encode()])
    for path in _files_to_delete(folder, old, current={file for file, _ in files.values()} | {"manifest.json"}):
        _unlink(path)  # fails on Windows if another process has mapped the file


def _write_file(path: Path, write: Callable[[Path], None]) -> str:
    """Write a new file and return its SHA-256. Nothing is left behind if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, RuntimeError) as error:  # FAISS raises RuntimeError
        _unlink(path)
        raise LibraryError(f"{path}: cannot be written ({error})") from None
    except BaseException:
        _unlink(path)
        raise


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _save_array(path: Path, array: npt.NDArray[Any]) -> None:
    with path.open("xb") as file:
        np.save(file, array, allow_pickle=False)


def _save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    with path.open("xb") as file:
        np.savez(file, **arrays)


def _map(path: Path) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def _files_to_delete(folder: Path, old: Manifest | None, *, current: Collection[str]) -> Iterator[Path]:
    """Yield the files of the replaced index, and what processes have left behind that were killed long ago."""
    replaced = {file for file, _ in old.files.values()} if old else set()
    for path in folder.iterdir():
        if path.name in current:
            continue
        with contextlib.suppress(OSError):
            abandoned = (
                path.suffix in {".npy", ".npz", ".faiss", ".part"}
                and path.stat().st_mtime < time.time() - ABANDONED_AFTER
            )
            if path.name in replaced or abandoned:
                yield path
