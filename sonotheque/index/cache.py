"""The index of a space as a file beside the catalogue: a cache, made again whenever it is missing, stale or damaged.

One file: a line of JSON (what it was made from, and the SHA-256 of the rest), then the index as FAISS writes it. It is put
in place by a rename, so a reader never sees half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from sonotheque.errors import LibraryError
from sonotheque.index.exact import ExactIndex, IdArray
from sonotheque.output_files import write_atomic
from sonotheque.types import FloatArray

FORMAT = 1
LONGEST_HEADER = 4096


def cached_index(path: Path, *, stamp: str, vectors: Callable[[], tuple[IdArray, FloatArray]]) -> ExactIndex:
    """Load an index, or build and keep it.

    Parameters
    ----------
    path : path of the file
    stamp : str
        What the index must have been made from: space and generation.
    vectors : callable
        Gives ids [N] and vectors [N, D] where the index must be built.

    Returns
    -------
    ExactIndex
    """
    index = _load(path, stamp)
    if index is None:
        index = ExactIndex.build(*vectors())
        with contextlib.suppress(LibraryError):  # a library that may only be read is searched all the same
            _save(path, stamp, index)
    return index


def is_fresh(path: Path, *, stamp: str) -> bool:
    """Say whether the file was made from just this, by its header alone."""
    try:
        with path.open("rb") as file:
            header = _header(file)
    except OSError:
        return False
    return header is not None and header.get("stamp") == stamp and header.get("format") == FORMAT


def _header(file: BinaryIO) -> dict[str, Any] | None:
    try:
        header = json.loads(file.readline(LONGEST_HEADER))
    except (ValueError, UnicodeDecodeError):
        return None
    return header if isinstance(header, dict) else None


def _load(path: Path, stamp: str) -> ExactIndex | None:
    import faiss

    if not is_fresh(path, stamp=stamp):
        return None
    with path.open("rb") as file:
        header = _header(file) or {}
        start = file.tell()
        if hashlib.file_digest(file, "sha256").hexdigest() != header.get("sha256"):
            return None
        file.seek(start)
        reader: Any = faiss.PyCallbackIOReader(file.read)  # type: ignore[attr-defined]
        return ExactIndex(faiss.read_index(reader))


def _save(path: Path, stamp: str, index: ExactIndex) -> None:
    import faiss

    content: Any = faiss.serialize_index(index.faiss_index)
    header = {"format": FORMAT, "stamp": stamp, "sha256": hashlib.sha256(content).hexdigest()}
    write_atomic(path, (json.dumps(header).encode() + b"\n", content))
