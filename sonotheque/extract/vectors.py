"""Get the vectors of files: stored ones where the content is already known, newly extracted ones otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError
from sonotheque.extract.file_identity import content_hash, name_problem, printable_path
from sonotheque.extract.pool import ExtractionPool
from sonotheque.results import FailedFile
from sonotheque.types import FloatArray, Progress

VectorPair = tuple[FloatArray, FloatArray | None]
"""A track vector [D] and the segment vectors [S, D], or None if segments were not requested."""


class VectorStore(Protocol):
    """Vectors that have already been computed. `sonotheque.store.StoredVectors` implements it."""

    def content_hash(self, path: str) -> str:
        """Return the content hash of a file, without reading a file that is known and unchanged.

        Raises
        ------
        OSError
            If the file cannot be read.
        """

    def lookup(self, content: str) -> Mapping[str, VectorPair] | None:
        """Return the vectors of a content in all requested spaces, or None if one is missing."""


class NoStoredVectors:
    """A `VectorStore` that holds nothing, so that every file is extracted."""

    def content_hash(self, path: str) -> str:
        """Return the content hash of a file."""
        return content_hash(path)

    def lookup(self, content: str) -> None:
        """Return None."""


@dataclass(frozen=True)
class FileVectors:
    """Vectors and content hashes of the usable files, and the files that failed.

    Attributes
    ----------
    paths : sequence of str
        Usable files, sorted.
    hashes : sequence of str
        Content hash of each usable file.
    vectors : sequence of mapping of space id to (track vector, segment vectors)
        One mapping per usable file.
    failed : sequence of FailedFile
    """

    paths: Sequence[str]
    hashes: Sequence[str]
    vectors: Sequence[Mapping[str, VectorPair]]
    failed: Sequence[FailedFile]


def get_vectors(
    paths: Sequence[str],
    *,
    spaces: Sequence[str],
    stored: VectorStore = NoStoredVectors(),
    compute: Compute = Compute(),
    progress: Progress | None = None,
) -> FileVectors:
    """Get the vectors of files in some spaces. Nothing is stored.

    Parameters
    ----------
    paths : sequence of str
        Absolute paths.
    spaces : sequence of str
        Ids of the spaces.
    stored : VectorStore
        Vectors that are reused, by content hash.
    compute : Compute
    progress : callable or None
        Called with (files done, files to extract) if files must be extracted.

    Returns
    -------
    FileVectors
    """
    vectors: dict[str, Mapping[str, VectorPair]] = {}
    hashes: dict[str, str] = {}
    failed, missing = [], []
    for path in paths:
        problem = name_problem(path)
        if problem:
            failed.append(FailedFile(printable_path(path), problem))
            continue
        try:
            hashes[path] = stored.content_hash(path)
        except OSError as error:
            failed.append(FailedFile(path, f"cannot be read ({error.strerror or error})"))
            continue
        known = stored.lookup(hashes[path])
        if known is None:
            missing.append(path)
        else:
            vectors[path] = known
    if missing:
        with ExtractionPool(files=len(missing), compute=compute) as pool:
            key: Callable[[str], tuple[str, Sequence[str]]] = lambda path: (path, spaces)  # noqa: E731
            for done, (path, extraction) in enumerate(pool.map(missing, key=key), start=1):
                if isinstance(extraction, AudioError):
                    failed.append(FailedFile(path, str(extraction).removeprefix(f"{path}: ")))
                else:
                    vectors[path] = {space: extraction.vectors[space] for space in spaces}
                if progress:
                    progress(done, len(missing))
    usable = sorted(vectors)
    return FileVectors(
        usable,
        [hashes[path] for path in usable],
        [vectors[path] for path in usable],
        sorted(failed, key=lambda failure: failure.path),
    )


def extract_file(path: str, *, spaces: Sequence[str], compute: Compute = Compute()) -> Mapping[str, VectorPair]:
    """Extract the vectors of one file in a worker process.

    Returns
    -------
    mapping of space id to (track vector, segment vectors)

    Raises
    ------
    AudioError
        If the file cannot be used.
    """
    with ExtractionPool(files=1, compute=compute) as pool:
        ((_, extraction),) = pool.map([path], key=lambda path: (path, spaces))
    if isinstance(extraction, AudioError):
        raise extraction
    return extraction.vectors
