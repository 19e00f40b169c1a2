"""Which files of a folder are audio. It looks at names; whether a file decodes is found out later."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from sonotheque.errors import MissingFileError

EXTENSIONS = frozenset(
    (
        ".mp3",
        ".flac",
        ".wav",
        ".wave",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".m4b",
        ".aac",
        ".wma",
        ".aif",
        ".aiff",
        ".aifc",
    )
    + (".caf", ".w64", ".au", ".ape", ".wv", ".ac3", ".amr", ".mka")
    + (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".mpg", ".mpeg", ".ts", ".flv", ".3gp")
)
"""Audio and video extensions that a folder is searched for."""


@dataclass(frozen=True)
class Found:
    """A file that was found.

    Attributes
    ----------
    path : str
        Absolute.
    root : str
        The PATH that it was found under, absolute; the file's own folder where it was named outright.
    """

    path: str
    root: str


def scan(paths: Iterable[str | os.PathLike[str]]) -> list[Found]:
    """Walk folders for audio files; take files named outright as they are.

    Hidden files and folders are passed over, symbolic links to folders are not followed.

    Parameters
    ----------
    paths : folders and files

    Returns
    -------
    list of Found
        Sorted by path, each once.

    Raises
    ------
    MissingFileError
        If a path does not exist or is no file.

    Examples
    --------
    >>> [os.path.basename(found.path) for found in scan(["tests/data/tone.flac"])]
    ['tone.flac']
    """
    found: dict[str, Found] = {}
    for path in paths:
        absolute = os.path.abspath(path)
        if os.path.isdir(absolute):
            for file in _walk(absolute):
                found.setdefault(file, Found(file, absolute))
        else:
            _require_file(path)
            found.setdefault(absolute, Found(absolute, os.path.dirname(absolute)))
    return [found[path] for path in sorted(found)]


def require_audio(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Check that there is something to scan; it stops at the first file.

    Raises
    ------
    MissingFileError
        If a path does not exist, is no file, or none holds an audio file.
    """
    paths = list(paths)
    for path in paths:
        if not os.path.isdir(path):
            _require_file(path)
    if not any(not os.path.isdir(path) or any(_walk(os.path.abspath(path))) for path in paths):
        raise MissingFileError(f"{', '.join(map(str, paths))}: no audio file there")


def _require_file(path: str | os.PathLike[str]) -> None:
    if not os.path.lexists(path):
        raise MissingFileError(f"{path}: no such file or folder")
    if os.path.exists(path) and not os.path.isfile(path):
        raise MissingFileError(f"{path}: a pipe, socket or device, not a file")


def _walk(folder: str) -> Iterable[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)
            if name.startswith(".") or os.path.splitext(name)[1].lower() not in EXTENSIONS:
                continue
            if os.path.isfile(path) or not os.path.exists(path):  # no pipes or devices; a dangling link is a failure
                yield path
