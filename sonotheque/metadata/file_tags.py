"""The tags that a file carries: what the fields are called in each kind of tag, and reading them. Never fatal, never writing.

One table of names, `NAMES`, serves reading here and writing in `sonotheque.store.tag_update`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_TAG_LENGTH = 500
"""Characters kept of a tag; a longer one is no name."""

TAG_FIELDS: dict[str, dict[str, Sequence[str]]] = {
    "id3": {
        "title": ["TIT2"],
        "artist": ["TPE1"],
        "album": ["TALB"],
        "genre": ["TCON"],
        "tempo": ["TBPM"],
        "musicbrainz_id": ["UFID:http://musicbrainz.org", "TXXX:MusicBrainz Release Track Id"],
    },
    "vorbis": {
        "title": ["title"],
        "artist": ["artist"],
        "album": ["album"],
        "genre": ["genre"],
        "tempo": ["bpm"],
        "musicbrainz_id": ["musicbrainz_trackid", "musicbrainz_releasetrackid"],
    },
    "mp4": {
        "title": ["\xa9nam"],
        "artist": ["\xa9ART"],
        "album": ["\xa9alb"],
        "genre": ["\xa9gen"],
        "tempo": ["tmpo"],
        "musicbrainz_id": [
            "----:com.apple.iTunes:MusicBrainz Track Id",
            "----:com.apple.iTunes:MusicBrainz Release Track Id",
        ],
    },
    "asf": {
        "title": ["Title"],
        "artist": ["Author"],
        "album": ["WM/AlbumTitle"],
        "genre": ["WM/Genre"],
        "tempo": ["WM/BeatsPerMinute"],
        "musicbrainz_id": ["MusicBrainz/Track Id"],
    },
    "ape": {
        "title": ["Title"],
        "artist": ["Artist"],
        "album": ["Album"],
        "genre": ["Genre"],
        "tempo": ["BPM"],
        "musicbrainz_id": ["MUSICBRAINZ_TRACKID", "MUSICBRAINZ_RELEASETRACKID"],
    },
}
"""What each field is called; the first name that is there counts. ID3 is in MP3, WAV and AIFF, Vorbis comments are in FLAC and
Ogg, ASF is WMA's, APEv2 Monkey's Audio's and WavPack's. The names are those of the formats, and for BPM and MusicBrainz those of
MusicBrainz Picard's table of tag names."""


@dataclass(frozen=True)
class FileTags:
    """Tags of one file; None where it has none."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    musicbrainz_id: str | None = None


def tag_format(tags: Any) -> str | None:
    """Say which kind of `NAMES` the tags of an open file of mutagen are; None for another one, or none."""
    from mutagen._vorbis import VComment  # has no other home
    from mutagen.apev2 import APEv2
    from mutagen.asf import ASFTags
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4Tags

    kinds = {"id3": ID3, "vorbis": VComment, "mp4": MP4Tags, "asf": ASFTags, "ape": APEv2}
    return next((name for name, kind in kinds.items() if isinstance(tags, kind)), None)


def read_values(tags: Any, field: str) -> list[str]:
    """Read all values of a field, without those that are empty.

    Parameters
    ----------
    tags : tags of an open file of mutagen
    field : str
        A field of `NAMES`.
    """
    for name in TAG_FIELDS.get(tag_format(tags) or "", {}).get(field, ()):
        found = _found(tags, name)
        texts = [text for value in found if (text := _text(value))]
        if texts:
            return texts
    return []


def _found(tags: Any, name: str) -> Sequence[Any]:
    value = tags.get(name, [])
    for attribute in ("genres", "text", "data"):  # of an ID3 frame; genres are its text with ID3v1's numbers in words
        value = getattr(value, attribute, value)
    if isinstance(value, list | bytes):
        return [value] if isinstance(value, bytes) else value
    return str(value).split("\0")  # APEv2


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip().strip("\0")


def first_value(tags: Any, field: str) -> str | None:
    """Read the first value of a field, at most `LONGEST` characters and just what UTF-8 can hold; None where there is none."""
    found = read_values(tags, field)
    return found[0].encode("utf-8", "replace").decode("utf-8")[:MAX_TAG_LENGTH] if found else None


def read_tags(path: str | Path) -> FileTags:
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
            tagged: Any = mutagen.File(file)
        if tagged is None or tagged.tags is None:
            return FileTags()
        return FileTags(**{field: first_value(tagged.tags, field) for field in FileTags.__annotations__})
    except Exception:  # mutagen leaks IndexError, struct.error and others on damaged tags
        return FileTags()
