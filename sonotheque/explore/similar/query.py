"""Resolve a query to a track of the library or an audio file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from sonotheque.errors import LibraryError
from sonotheque.extract.file_identity import content_hash, name_problem
from sonotheque.metadata.file_names import existing_path, normalize_name
from sonotheque.store import Catalogue


def resolve_query(query: str, *, catalogue: Catalogue) -> tuple[str, int | None]:
    """Find the path of a query and its track: by file content, by path, by file name, then by stem.

    A name that differs from the query only in Unicode normalisation counts if none is equal.

    Parameters
    ----------
    query : str
        Path of a file, or name or stem of a track's file.
    catalogue : Catalogue

    Returns
    -------
    path : str
        Absolute path.
    track : int or None
        Track id; None if the file is not in the catalogue.

    Raises
    ------
    LibraryError
        If the query is neither a file nor a track, or several tracks have that name.
    """
    files = catalogue.files.all()
    path = os.path.abspath(existing_path(query))
    if os.path.isfile(path):
        if problem := name_problem(path):
            raise LibraryError(f"{query}: {problem}")
        return path, catalogue.tracks.hashes().get(content_hash(path))
    known = catalogue.files.find(path)
    if known is not None:
        return known
    for name_of, wanted in _ways_to_name(query):
        matches = sorted(file for file in files if name_of(file) == wanted)
        if len({files[file][1] for file in matches}) > 1:
            raise LibraryError(f"{query}: {len(matches)} tracks have that name; give a path, such as {matches[0]}")
        if matches:
            return matches[0], files[matches[0]][1]
    suggestions = sorted({_stem(file) for file in files if query.casefold() in _stem(file).casefold()})[:3]
    hint = f"; did you mean {', '.join(suggestions)}?" if suggestions else ""
    raise LibraryError(f"{query}: neither a file on disk nor the name of a track in the library{hint}")


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _ways_to_name(query: str) -> Iterator[tuple[Callable[[str], str], str]]:
    """Yield functions of a path and what they must return, the best match first."""
    for name_of in (os.path.basename, _stem):
        yield name_of, query
    if not query.isascii():
        for name_of in (os.path.basename, _stem):
            yield lambda path, name_of=name_of: normalize_name(name_of(path)), normalize_name(query)  # type: ignore[misc]
