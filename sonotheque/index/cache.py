"""The cached index of a space: a file beside the catalogue, which is rebuilt if it is missing, stale or damaged.

The file starts with one line of JSON, which holds a stamp of the vectors and the SHA-256 of the rest of the file. The rest is the
serialised FAISS index. The file is replaced atomically, so a reader never sees a partial file.
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
MAX_HEADER_BYTES = 4096


def load_or_build_index(path: Path, *, stamp: str, vectors: Callable[[], tuple[IdArray, FloatArray]]) -> ExactIndex:
    """Load the cached index of a space, or build it and write the cache file.

    Parameters
    ----------
    path : Path
        The cache file.
    stamp : str
        Identifies the vectors that the index must hold: their space and the catalogue's generation.
    vectors : callable
        Returns the ids [N] and the vectors [N, D]. It is called only if the index must be built.

    Returns
    -------
    ExactIndex
    """
    index = _load(path, stamp)
    if index is None:
        index = ExactIndex.build(*vectors())
        with contextlib.suppress(LibraryError):  # a read-only library can still be searched
            _save(path, stamp, index)
    return index


def is_fresh(path: Path, *, stamp: str) -> bool:
    """Return whether the file has the current format and this stamp. Only its header is read."""
    try:
        with path.open("rb") as file:
            header = _read_header(file)
    except OSError:
        return False
    return header is not None and header.get("stamp") == stamp and header.get("format") == FORMAT


def _read_header(file: BinaryIO) -> dict[str, Any] | None:
    try:
        header = json.loads(file.readline(MAX_HEADER_BYTES))
    except (ValueError, UnicodeDecodeError):
        return None
    return header if isinstance(header, dict) else None


def _load(path: Path, stamp: str) -> ExactIndex | None:
    import faiss

    if not is_fresh(path, stamp=stamp):
        return None
    with path.open("rb") as file:
        header = _read_header(file) or {}
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
