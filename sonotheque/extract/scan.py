"""Find audio files in folders by file extension. Whether a file can be decoded is checked later."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from sonotheque.audio.formats import EXTENSIONS
from sonotheque.errors import MissingFileError
from sonotheque.metadata.file_names import existing_path


@dataclass(frozen=True)
class AudioFile:
    """A file found by `scan_paths`.

    Attributes
    ----------
    path : str
        Absolute path.
    root : str
        Absolute path of the argument under which the file was found. For a file named directly, its own folder.
    """

    path: str
    root: str


def scan_paths(paths: Iterable[str | os.PathLike[str]]) -> list[AudioFile]:
    """Search folders for audio files. Files that are named directly are always included.

    Hidden files and folders are skipped. Symbolic links to folders are not followed. A path that does not exist stands for the one
    that differs from it only in Unicode normalisation.

    Parameters
    ----------
    paths : folders and files

    Returns
    -------
    list of AudioFile
        Sorted by path, without duplicates.

    Raises
    ------
    MissingFileError
        If a path does not exist or is not a regular file.

    Examples
    --------
    >>> [os.path.basename(file.path) for file in scan_paths(["tests/data/tone.flac"])]
    ['tone.flac']
    """
    files: dict[str, AudioFile] = {}
    for path in map(existing_path, paths):
        absolute = os.path.abspath(path)
        if os.path.isdir(absolute):
            for file in _walk(absolute):
                files.setdefault(file, AudioFile(file, absolute))
        else:
            _require_file(path)
            files.setdefault(absolute, AudioFile(absolute, os.path.dirname(absolute)))
    return [files[path] for path in sorted(files)]


def require_audio(paths: Iterable[str | os.PathLike[str]]) -> None:
    """Check that the paths contain at least one audio file. The search stops at the first one.

    Raises
    ------
    MissingFileError
        If a path does not exist or is not a regular file, or if no audio file is found.
    """
    paths = list(map(existing_path, paths))
    for path in paths:
        if not os.path.isdir(path):
            _require_file(path)
    if not any(not os.path.isdir(path) or any(_walk(os.path.abspath(path))) for path in paths):
        raise MissingFileError(f"{', '.join(map(str, paths))}: no audio file found")


def has_audio_name(path: str) -> bool:
    """Return whether the name of a file is that of an audio or video file: not hidden, and with a known extension."""
    name = os.path.basename(path)
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in EXTENSIONS


def _require_file(path: str | os.PathLike[str]) -> None:
    if not os.path.lexists(path):
        raise MissingFileError(f"{path}: no such file or folder")
    if os.path.exists(path) and not os.path.isfile(path):
        raise MissingFileError(f"{path}: not a file, but a pipe, socket or device")


def _walk(folder: str) -> Iterable[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = os.path.join(parent, name)
            if not has_audio_name(path):
                continue
            dangling_link = not os.path.exists(path)  # reported as a failure; pipes and devices are skipped
            if dangling_link or os.path.isfile(path):
                yield path
