"""Read the tags of audio files. Unreadable tags are not an error.

The names of the fields in each tag format are in `TAG_FIELDS`. `sonotheque.metadata.writable_tags` uses them for writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_TAG_LENGTH = 500
"""Longer tags are cut to this number of characters."""

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
"""Names of each field in each tag format. The first one that is present is read; the first one is written.

ID3 tags are in MP3, WAV and AIFF files, Vorbis comments in FLAC and Ogg, ASF attributes in WMA, APEv2 tags in Monkey's Audio and
WavPack. The names are those that the formats define. For the tempo and the MusicBrainz id they are those of the tag mapping of
MusicBrainz Picard.
"""


@dataclass(frozen=True)
class FileTags:
    """The tags of one file. A missing tag is None."""

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    musicbrainz_id: str | None = None


def tag_format(tags: Any) -> str | None:
    """Return the key of `TAG_FIELDS` for the tags of an open mutagen file, or None for any other format."""
    from mutagen._vorbis import VComment  # not exported anywhere else
    from mutagen.apev2 import APEv2
    from mutagen.asf import ASFTags
    from mutagen.id3 import ID3
    from mutagen.mp4 import MP4Tags

    classes = {"id3": ID3, "vorbis": VComment, "mp4": MP4Tags, "asf": ASFTags, "ape": APEv2}
    return next((name for name, tag_class in classes.items() if isinstance(tags, tag_class)), None)


def read_values(tags: Any, field: str) -> list[str]:
    """Read all non-empty values of a field.

    Parameters
    ----------
    tags : tags of an open mutagen file
    field : str
        A field of `TAG_FIELDS`.

    Returns
    -------
    list of str
        Empty if the tags lack the field.
    """
    for name in TAG_FIELDS.get(tag_format(tags) or "", {}).get(field, ()):
        texts = [text for value in _raw_values(tags, name) if (text := _text(value))]
        if texts:
            return texts
    return []


def _raw_values(tags: Any, name: str) -> Sequence[Any]:
    value = tags.get(name, [])
    for attribute in ("genres", "text", "data"):  # of an ID3 frame; `genres` is `text` with ID3v1 numbers as names
        value = getattr(value, attribute, value)
    if isinstance(value, list | bytes):
        return [value] if isinstance(value, bytes) else value
    return str(value).split("\0")  # APEv2


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip().strip("\0")


def first_value(tags: Any, field: str) -> str | None:
    """Read the first value of a field, cut to `MAX_TAG_LENGTH` and with valid UTF-8 only. None if there is none."""
    values = read_values(tags, field)
    return values[0].encode("utf-8", "replace").decode("utf-8")[:MAX_TAG_LENGTH] if values else None


def read_tags(path: str | Path) -> FileTags:
    """Read the tags of a file with mutagen.

    Missing and damaged tags are returned as None, because only the audio decides whether a file is usable.

    Parameters
    ----------
    path : path of an audio file

    Returns
    -------
    FileTags
    """
    import mutagen

    try:
        with Path(path).open("rb") as file:
            opened: Any = mutagen.File(file)
        if opened is None or opened.tags is None:
            return FileTags()
        return FileTags(**{field: first_value(opened.tags, field) for field in FileTags.__annotations__})
    except Exception:  # mutagen raises IndexError, struct.error and others for damaged tags
        return FileTags()
