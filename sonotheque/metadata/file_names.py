"""File names in different Unicode normalisations.

An é may be one character (NFC, as Linux, Windows and most programs write it) or an e and an accent (NFD, as older macOS stores it).
Both look the same. A name that a person gives, or that a CSV contains, means the file of exactly that name if there is one,
otherwise the file whose name differs only in normalisation.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path


def normalize_name(name: str) -> str:
    """Return a name or path in the normalisation NFC, in which equal-looking names are equal.

    Examples
    --------
    >>> normalize_name("Noe" + chr(0x308) + "l.mp3") == "No" + chr(0xEB) + "l.mp3"
    True
    """
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def match_name(name: str, names: Iterable[str]) -> str | None:
    """Return the one of some names that differs from a name only in normalisation; None if there is none, or several.

    Examples
    --------
    >>> match_name("No" + chr(0xEB) + "l", ["Noel", "Noe" + chr(0x308) + "l"]) == "Noe" + chr(0x308) + "l"
    True
    """
    normalized = normalize_name(name)
    if normalized.isascii():
        return None
    matches = [other for other in names if normalize_name(other) == normalized]
    return matches[0] if len(matches) == 1 else None


def existing_path(path: str | os.PathLike[str]) -> str:
    """Return the path of an existing file or folder whose path differs from the given one at most in normalisation.

    Parameters
    ----------
    path : path

    Returns
    -------
    str
        The path as given if it exists, or if no such file or folder exists.
    """
    given = os.fspath(path)
    if given.isascii() or os.path.lexists(given):
        return given
    found = Path(given).anchor
    for part in Path(given).parts[1 if found else 0 :]:
        following = os.path.join(found, part)
        if not os.path.lexists(following):
            try:
                match = match_name(part, os.listdir(found or os.curdir))
            except OSError:
                match = None
            if match is None:
                return given
            following = os.path.join(found, match)
        found = following
    return found
