"""Write a playlist as Rekordbox XML, which Rekordbox and other DJ programs import.

The format is DJ_PLAYLISTS 1.0.0 (Pioneer DJ, "XML format list" for developers): a collection of tracks with their tempo and key,
and a tree of playlists, which name the tracks by their ids.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
from urllib.parse import quote
from xml.etree import ElementTree as ET

from sonotheque.output_files import REKORDBOX, FilePath, OutputFile, as_output
from sonotheque.results import PlaylistTrack

NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, not even escaped."""


def format_rekordbox(tracks: Sequence[PlaylistTrack], *, name: str) -> bytes:
    """Format tracks as Rekordbox XML with one playlist.

    Parameters
    ----------
    tracks : sequence of PlaylistTrack
        In order. Unknown values, and a tempo or key that is not clear, are left out.
    name : str
        Name of the playlist.

    Returns
    -------
    bytes
        XML in UTF-8.
    """
    from sonotheque import __version__

    root = ET.Element("DJ_PLAYLISTS", Version="1.0.0")
    ET.SubElement(root, "PRODUCT", Name="sonotheque", Version=__version__, Company="")
    collection = ET.SubElement(root, "COLLECTION", Entries=str(len(tracks)))
    for number, track in enumerate(tracks, start=1):
        values = {
            "TrackID": str(number),
            "Name": _clean(track.title or Path(track.path).stem),
            "Artist": _clean(track.artist or ""),
            "Album": _clean(track.album or ""),
            "Genre": _clean(track.genre or ""),
            "TotalTime": str(round(track.seconds)),
            "AverageBpm": "" if track.tempo is None else f"{track.tempo:.2f}",
            "Tonality": "" if track.key is None else format_tonality(track.key),
            "Location": format_location(track.path),
        }
        ET.SubElement(collection, "TRACK", {key: value for key, value in values.items() if value})
    playlists = ET.SubElement(root, "PLAYLISTS")
    folder = ET.SubElement(playlists, "NODE", Type="0", Name="ROOT", Count="1")
    node = ET.SubElement(
        folder, "NODE", Name=_clean(name), Type="1", KeyType="0", Entries=str(len(tracks))
    )  # the keys are track ids
    for number in range(1, len(tracks) + 1):
        ET.SubElement(node, "TRACK", Key=str(number))
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content + b"\n"


def format_location(path: str) -> str:
    """Format an absolute path as the URL that Rekordbox expects.

    Examples
    --------
    >>> format_location("/music/Sigur Rós/#1 100%.mp3")
    'file://localhost/music/Sigur%20R%C3%B3s/%231%20100%25.mp3'
    """
    location = PurePath(os.path.abspath(path)).as_posix()
    return "file://localhost/" + quote(os.fsencode(location.removeprefix("/")), safe="/:")


def format_tonality(key: str) -> str:
    """Format a key as DJ programs show it.

    Examples
    --------
    >>> format_tonality("F# minor"), format_tonality("C major")
    ('F#m', 'C')
    """
    tonic, _, mode = key.partition(" ")
    return tonic + ("m" if mode == "minor" else "")


def write_rekordbox(tracks: Sequence[PlaylistTrack], path: FilePath | OutputFile) -> None:
    """Write tracks to Rekordbox XML. The playlist is named after the file.

    Parameters
    ----------
    tracks : sequence of PlaylistTrack
    path : path of the file, or OutputFile
        See `sonotheque.output_files.as_output`.

    Raises
    ------
    LibraryError
        If the file cannot be written, or would replace a file that is not Rekordbox XML.
    """
    output = as_output(path, REKORDBOX)
    output.write([format_rekordbox(tracks, name=output.path.stem)])


def _clean(text: str) -> str:
    """Return a text on one line, without the characters that XML does not allow."""
    return " ".join(NOT_IN_XML.sub(" ", text).split())
