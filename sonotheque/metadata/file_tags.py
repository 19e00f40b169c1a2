"""Read the tags of audio files. Unreadable tags are not an error.

If a file names several genres, `sonotheque.metadata.genre_tags` has the rule which one counts. The names of the fields in each tag
format are in `TAG_FIELDS`. `sonotheque.metadata.writable_tags` uses them for writing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sonotheque.metadata.container_tags import read_container_tags
from sonotheque.metadata.genre_tags import resolve_numbers, split_genres

MAX_TAG_LENGTH = 500
"""Longer tags are cut to this number of characters."""

TAG_FIELDS: dict[str, dict[str, Sequence[str]]] = {
    "id3": {
        "title": ["TIT2"],
        "artist": ["TPE1"],
        "album": ["TALB"],
        "genre": ["TCON"],
        "year": ["TDRC", "TDOR", "TYER", "TORY"],
        "tempo": ["TBPM"],
        "musicbrainz_id": ["UFID:http://musicbrainz.org", "TXXX:MusicBrainz Release Track Id"],
    },
    "vorbis": {
        "title": ["title"],
        "artist": ["artist"],
        "album": ["album"],
        "genre": ["genre"],
        "year": ["date", "year", "originaldate"],
        "tempo": ["bpm"],
        "musicbrainz_id": ["musicbrainz_trackid", "musicbrainz_releasetrackid"],
    },
    "mp4": {
        "title": ["\xa9nam"],
        "artist": ["\xa9ART"],
        "album": ["\xa9alb"],
        "genre": ["\xa9gen"],
        "year": ["\xa9day"],
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
        "genre": ["WM/Genre", "WM/GenreID"],
        "year": ["WM/Year"],
        "tempo": ["WM/BeatsPerMinute"],
        "musicbrainz_id": ["MusicBrainz/Track Id"],
    },
    "ape": {
        "title": ["Title"],
        "artist": ["Artist"],
        "album": ["Album"],
        "genre": ["Genre"],
        "year": ["Year"],
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
    """The tags of one file. A missing tag is None.

    Attributes
    ----------
    title, artist, album, genre, musicbrainz_id : str or None
        `genre` is the first of `genres`.
    year : int or None
        Year of release.
    genres : tuple of str
        All genres in the tags.
    unreadable : str or None
        Why the tags cannot be read.
    """

    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    musicbrainz_id: str | None = None
    year: int | None = None
    genres: tuple[str, ...] = field(default=(), compare=False)
    unreadable: str | None = field(default=None, compare=False)


READ_FIELDS = ("title", "artist", "album", "genre", "musicbrainz_id", "year")
"""Fields that `read_tags` reads."""


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
    """Read all non-empty values of a field. Numbers of ID3 genres are replaced by names.

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
    format_name = tag_format(tags) or ""
    for name in TAG_FIELDS.get(format_name, {}).get(field, ()):
        texts = [text for value in _raw_values(tags, name) if (text := _text(value))]
        if format_name == "id3" and field == "genre":
            texts = resolve_numbers((part for text in texts for part in text.split("\0")), id3=True)
        if texts:
            return texts
    return []


def _raw_values(tags: Any, name: str) -> Sequence[Any]:
    value = tags.get(name, [])
    for attribute in ("text", "data"):  # of an ID3 frame
        value = getattr(value, attribute, value)
    if isinstance(value, list | bytes):
        return [value] if isinstance(value, bytes) else value
    return str(value).split("\0")  # APEv2


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.strip().strip("\0")


def read_tags(path: str | Path) -> FileTags:
    """Read the tags of a file: with mutagen, and with FFmpeg what mutagen does not read.

    Missing and damaged tags are returned as None, because only the audio decides whether a file is usable. If a file has tags of
    several formats, a field is read from the first one that has it: its own format, ID3, APEv2, then what FFmpeg reads.

    Parameters
    ----------
    path : path of an audio file

    Returns
    -------
    FileTags
    """
    found: dict[str, list[str]] = {}
    reason = None
    for read in (_native_fields, _id3_fields, _ape_fields, _container_fields):
        if found.keys() >= {"title", "artist", "album", "genre"}:
            break
        try:
            fields = read(Path(path))
        except Exception as error:  # mutagen raises IndexError, struct.error and others for damaged tags
            reason = reason or (str(error).splitlines() or [type(error).__name__])[0]
            continue
        for name, values in fields.items():
            found.setdefault(name, values)
        if read is _container_fields and reason is not None and not _begins_with_id3(path):
            reason = None  # mutagen took the file for another format
    genres = tuple(_clean(genre) for genre in found.pop("genre", []))
    year = parse_year(found.pop("year", []))
    texts = {name: _clean(values[0]) for name, values in found.items()}
    unreadable = reason if reason is not None and not found and not genres else None
    return FileTags(**texts, year=year, genre=genres[0] if genres else None, genres=genres, unreadable=unreadable)


def parse_year(texts: Sequence[str]) -> int | None:
    """Return the year in the first text that begins with one, or None.

    Examples
    --------
    >>> parse_year(["1997-05-21"]), parse_year(["unknown", "2004"]), parse_year(["0000"])
    (1997, 2004, None)
    """
    for text in texts:
        found = re.match(r"\s*([12]\d{3})(?!\d)", text)
        if found:
            return int(found[1])
    return None


def _clean(text: str) -> str:
    """Cut a text to `MAX_TAG_LENGTH`, and keep valid UTF-8 only."""
    return text.encode("utf-8", "replace").decode("utf-8")[:MAX_TAG_LENGTH]


def _fields_of(tags: Any) -> dict[str, list[str]]:
    fields = {name: read_values(tags, name) for name in READ_FIELDS}
    fields["genre"] = split_genres(resolve_numbers(fields["genre"], id3=False))  # those of ID3 are names already
    return {name: values for name, values in fields.items() if values}


def _native_fields(path: Path) -> dict[str, list[str]]:
    """Read the tags that mutagen expects in the format of a file."""
    import mutagen

    with path.open("rb") as file:
        opened: Any = mutagen.File(file)
        if opened is not None and tag_format(opened.tags) == "id3":
            file.seek(0)
            opened = type(opened)(file, translate=False)  # without "Unknown" for numbers that are no genre
    return {} if opened is None or opened.tags is None else _fields_of(opened.tags)


def _begins_with_id3(path: str | Path) -> bool:
    try:
        with Path(path).open("rb") as file:
            return file.read(3) == b"ID3"
    except OSError:
        return False


def _id3_fields(path: Path) -> dict[str, list[str]]:
    """Read ID3 tags before or after any format, such as AAC or FLAC."""
    from mutagen.id3 import ID3, ID3NoHeaderError

    try:
        with path.open("rb") as file:
            return _fields_of(ID3(file, translate=False))
    except ID3NoHeaderError:
        return {}


def _ape_fields(path: Path) -> dict[str, list[str]]:
    """Read APEv2 tags after any format, such as MP3."""
    from mutagen.apev2 import APENoHeaderError, APEv2

    try:
        with path.open("rb") as file:
            return _fields_of(APEv2(file))
    except APENoHeaderError:
        return {}


def _container_fields(path: Path) -> dict[str, list[str]]:
    """Read with FFmpeg the formats of which mutagen reads no tags, or only ID3."""
    import mutagen
    from mutagen.aiff import AIFF
    from mutagen.mp4 import MP4
    from mutagen.wave import WAVE

    try:
        with path.open("rb") as file:
            opened: Any = mutagen.File(file)
    except Exception:
        opened = None
    if opened is not None and opened.tags is not None and not isinstance(opened, AIFF | WAVE):
        return {}
    if opened is not None and not isinstance(opened, AIFF | WAVE | MP4):
        return {}
    fields = read_container_tags(path)
    if fields is None:
        if opened is None:
            raise ValueError("neither mutagen nor FFmpeg knows their format")
        return {}
    if "genre" in fields:
        fields["genre"] = split_genres(resolve_numbers(fields["genre"], id3=False))
    return {name: values for name, values in fields.items() if values}
