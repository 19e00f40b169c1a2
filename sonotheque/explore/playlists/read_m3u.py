"""Read playlist files in M3U, as players write them, and find their entries in a library."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from sonotheque.errors import LibraryError
from sonotheque.output_files import HEAD_SIZE, M3U
from sonotheque.store.catalogue import Catalogue
from sonotheque.types import PathLike

MAX_SIZE = 16 << 20
"""Maximum size of a playlist file in bytes."""

MAX_ENTRIES = 100_000
"""Maximum number of entries."""

BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

DRIVE = re.compile(r"[A-Za-z]:[\\/]")
"""How an absolute path on Windows starts."""


@dataclass(frozen=True)
class FoundEntries:
    """The entries of a playlist file.

    Attributes
    ----------
    tracks : sequence of int
        Track ids of the entries that are in the library, in order. One that is there twice is listed twice.
    not_found : sequence of str
        The other entries, as they are in the file.
    """

    tracks: Sequence[int]
    not_found: Sequence[str]


def read_m3u(path: PathLike) -> list[str]:
    """Read the entries of a playlist file. Comments and ``#EXTINF`` lines are skipped.

    Parameters
    ----------
    path : path
        In UTF-8, with or without a byte order mark, UTF-16 with one, or else Windows-1252.

    Returns
    -------
    list of str
        Paths and addresses, as they are in the file.

    Raises
    ------
    LibraryError
        If the file does not exist, cannot be read, is not a playlist, or is too large.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise LibraryError(f"{os.fspath(path)}: cannot be read ({error.strerror or error}); give an M3U file") from None
    if len(content) > MAX_SIZE:
        raise LibraryError(f"{os.fspath(path)}: larger than {MAX_SIZE >> 20} MiB; give a smaller playlist")
    text = _decode(content)
    if text is None or not (M3U.matches(text.encode("utf-8", "replace")[:HEAD_SIZE]) or not text.strip()):
        raise LibraryError(f"{os.fspath(path)}: not an M3U playlist; give a file with one path on each line")
    lines = (line.strip("\r\n") for line in text.split("\n"))
    entries = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if len(entries) > MAX_ENTRIES:
        raise LibraryError(f"{os.fspath(path)}: {len(entries)} entries; at most {MAX_ENTRIES} can be read")
    return entries


def _decode(content: bytes) -> str | None:
    """Decode a playlist; None if it is not text."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def find_entries(entries: Sequence[str], *, folder: PathLike, catalogue: Catalogue) -> FoundEntries:
    """Find the entries of a playlist file in a library by their paths. Only their rows are read.

    Parameters
    ----------
    entries : sequence of str
        See `read_m3u`.
    folder : path of the folder of the playlist
        Relative paths start there.
    catalogue : Catalogue

    Returns
    -------
    FoundEntries
    """
    tracks: list[int] = []
    not_found: list[str] = []
    for entry in entries:
        for path in list_paths(entry, folder=folder):
            found = catalogue.files.find(path) or catalogue.files.find(os.path.realpath(path))
            if found is not None:
                tracks.append(found[1])
                break
        else:
            not_found.append(entry)
    return FoundEntries(tracks, not_found)


def list_paths(entry: str, *, folder: PathLike) -> list[str]:
    """List the absolute paths that an entry may mean, the most literal one first.

    Parameters
    ----------
    entry : str
        A path, absolute or relative, with the separators of this system or of Windows, or a ``file:`` address. Percent-encoded
        characters are tried as they are and decoded, and spaces at the ends with and without.
    folder : path of the folder of the playlist

    Returns
    -------
    list of str
        Empty for the address of a stream.

    Examples
    --------
    >>> list_paths("a%20b.mp3", folder="/music"), list_paths("file:///x/%C3%A9.mp3", folder="/music")
    (['/music/a%20b.mp3', '/music/a b.mp3'], ['/x/é.mp3'])
    """
    texts: list[str] = []
    for text in (entry, entry.strip()):
        if re.match(r"file:", text, re.I):
            address = urlsplit(text.replace("#", "%23").replace("?", "%3F"))
            if address.netloc not in {"", "localhost"}:
                continue
            texts.append(url2pathname(address.path))
        elif re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
            continue
        else:
            texts += [text, unquote(text)]
            if os.sep == "/" and "\\" in text and not DRIVE.match(text):
                texts += [text.replace("\\", "/"), unquote(text.replace("\\", "/"))]
    paths = [os.path.abspath(os.path.join(folder, text)) for text in texts if "\0" not in text]
    return list(dict.fromkeys(paths))
