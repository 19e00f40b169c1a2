"""What a person asks about: a track of the library, named by path, name or stem, or any audio file."""

from __future__ import annotations

import os

from sonotheque.embed.runtime import Compute
from sonotheque.errors import AudioError, LibraryError
from sonotheque.extract import ExtractionPool
from sonotheque.extract.file_identity import content_hash
from sonotheque.store import Catalogue
from sonotheque.types import FloatArray


def resolve_query(query: str, *, catalogue: Catalogue) -> tuple[str, int | None]:
    """Find a query's path and, where it is one, its track: by content, by path, by name, by stem.

    Parameters
    ----------
    query : str
    catalogue : Catalogue

    Returns
    -------
    path : str
        Absolute.
    track : int or None
        The track's id.

    Raises
    ------
    LibraryError
        If it is neither a file nor a track, or the name of several tracks.
    """
    files = catalogue.files.all()
    path = os.path.abspath(query)
    if os.path.isfile(path):
        return path, catalogue.tracks.hashes().get(content_hash(path))
    if path in files:
        return path, files[path][1]
    for part in (os.path.basename, _stem):
        named = sorted(file for file in files if part(file) == query)
        if len({files[file][1] for file in named}) > 1:
            raise LibraryError(f"{query}: {len(named)} tracks have that name; give a path, such as {named[0]}")
        if named:
            return named[0], files[named[0]][1]
    near = sorted({_stem(file) for file in files if query.casefold() in _stem(file).casefold()})[:3]
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    raise LibraryError(f"{query}: neither a file nor the file name of a track of the library{meant}")


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def listen_to(path: str, *, space: str, compute: Compute = Compute()) -> FloatArray:
    """Embed one file that the library does not know, float32 [D].

    Raises
    ------
    AudioError
        If it cannot be decoded.
    """
    with ExtractionPool(files=1, compute=compute) as listener:
        ((_, heard),) = listener.map([path], key=lambda path: (path, [space]))
    if isinstance(heard, AudioError):
        raise heard
    return heard.vectors[space][0]
