"""The tags that a file carries: title, artist, album, genre, MusicBrainz id. Reading only, and never fatal."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

LONGEST = 500
"""Characters kept of a tag; a longer one is no name."""

MUSICBRAINZ = ("musicbrainz_trackid", "musicbrainz_releasetrackid")


@dataclass(frozen=True)
class Tags:
    """Tags of one file; None where it has none."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    musicbrainz_id: str | None = None


def read_tags(path: str | Path) -> Tags:
    """Read the tags of a file with mutagen.

    A file without tags, or with damaged ones, has none: the audio decides whether a file is usable.

    Parameters
    ----------
    path : path of an audio file

    Returns
    -------
    Tags
    """
    import mutagen

    try:
        with Path(path).open("rb") as file:
            tagged: Any = mutagen.File(file, easy=True)
    except Exception:  # mutagen leaks IndexError, struct.error and others on damaged tags
        return Tags()
    if tagged is None or tagged.tags is None:
        return Tags()

    def first(*names: str) -> str | None:
        for name in names:
            try:
                values = tagged.tags.get(name)
            except (KeyError, ValueError):  # a key that this kind of tag cannot have
                continue
            text = str(values[0] if isinstance(values, list) and values else values or "").strip().strip("\0")
            if text:
                return text.encode("utf-8", "replace").decode("utf-8")[:LONGEST]
        return None

    return Tags(
        title=first("title", "Title"),
        artist=first("artist", "Author"),
        album=first("album", "WM/AlbumTitle"),
        genre=first("genre", "WM/Genre"),
        musicbrainz_id=first(*MUSICBRAINZ, "MusicBrainz/Track Id"),
    )
