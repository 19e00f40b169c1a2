"""Cached arrays: a file beside the catalogue, which is mapped into memory, and rebuilt if it is missing, stale or damaged.

The file starts with one line of JSON, padded to a multiple of 64 bytes: a stamp of what the arrays were made from, the types,
shapes and positions of the arrays, and the SHA-256 of the rest of the file. The rest is the arrays, each of which starts at a
multiple of 64 bytes. The file is replaced atomically, so a reader never sees a partial file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.errors import LibraryError
from sonotheque.output_files import write_atomic

FORMAT = 1
ALIGNMENT = 64
MAX_HEADER_BYTES = 4096

Arrays = Mapping[str, npt.NDArray[Any]]


def load_or_build_arrays(path: Path, *, stamp: str, build: Callable[[], Arrays]) -> Arrays:
    """Map the arrays of a file into memory, or build them and write the file.

    Parameters
    ----------
    path : Path
        The cache file.
    stamp : str
        Identifies what the arrays are made from.
    build : callable
        Returns the arrays by name, of any shape and of numbers or truth values. It is called only if they must be built.

    Returns
    -------
    mapping of str to array
        Read-only.
    """
    found = read_arrays(path)
    if found is not None and found[0] == stamp:
        return found[1]
    arrays = build()
    write_arrays(path, stamp, arrays)
    return arrays


def read_arrays(path: Path) -> tuple[str, Arrays] | None:
    """Map the arrays of a file into memory.

    Returns
    -------
    (stamp, mapping of str to read-only array) or None
        None if there is no file, or if it is damaged or has another format.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_HEADER_BYTES)
            header = json.loads(line)
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                return None
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    data = memoryview(content)[len(line) :]
    if hashlib.sha256(data).hexdigest() != header["sha256"]:
        return None
    return header["stamp"], {
        name: np.frombuffer(data, dtype=dtype, count=int(np.prod(shape)), offset=start).reshape(shape)
        for name, (dtype, shape, start) in header["arrays"].items()
    }


def write_arrays(path: Path, stamp: str, arrays: Arrays) -> None:
    """Write arrays to a file, if it can be written, and make them read-only."""
    with contextlib.suppress(LibraryError):  # a read-only library can still be searched
        _save(path, stamp, arrays)
    for array in arrays.values():
        array.flags.writeable = False


def _save(path: Path, stamp: str, arrays: Arrays) -> None:
    parts: list[Any] = []
    places: dict[str, tuple[str, tuple[int, ...], int]] = {}
    digest, position = hashlib.sha256(), 0
    for name, array in arrays.items():
        places[name] = (array.dtype.str, array.shape, position)
        content = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        for part in (content, bytes(-len(content) % ALIGNMENT)):
            parts.append(part)
            digest.update(part)
            position += len(part)
    header = json.dumps({"format": FORMAT, "stamp": stamp, "arrays": places, "sha256": digest.hexdigest()}).encode()
    write_atomic(path, [header + b" " * (-(len(header) + 1) % ALIGNMENT) + b"\n", *parts])
