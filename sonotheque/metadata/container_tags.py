"""Read the tags of containers that mutagen does not know: RIFF INFO, AIFF, Matroska, WebM, CAF, AU, AVI, FLV and others.

FFmpeg reads them, through PyAV. It keeps only the last of several values, so all genres of RIFF INFO and Matroska are read here.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from sonotheque.audio.ffmpeg_decoder import DEMUXERS

FIELD_NAMES = {
    "title": ("title",),
    "artist": ("artist", "author", "performer", "album_artist"),
    "album": ("album", "product"),
    "genre": ("genre",),
    "musicbrainz_id": ("musicbrainz_trackid",),
    "year": ("date", "year", "date_released", "creation_date"),
}
"""FFmpeg's names of each field, in lower case. AIFF has an author, and AVI calls the album a product."""

MAX_TAGS_BYTES = 1 << 24
MAX_ELEMENTS = 100_000

EBML, SEGMENT, TAGS, TAG, SIMPLE_TAG = 0x1A45DFA3, 0x18538067, 0x1254C367, 0x7373, 0x67C8
TAG_NAME, TAG_STRING = 0x45A3, 0x4487
"""Ids of elements (RFC 9559)."""


def read_container_tags(path: str | Path) -> dict[str, list[str]] | None:
    """Read the tags of a file with FFmpeg.

    Parameters
    ----------
    path : path of a file

    Returns
    -------
    dict of field to values
        Fields of `FIELD_NAMES` that the file has. None if FFmpeg does not know the format.
    """
    import av

    try:
        with av.open(
            str(Path(path).absolute()), options={"format_whitelist": DEMUXERS}, metadata_errors="surrogateescape"
        ) as container:
            metadata: dict[str, Any] = {}
            for stream in container.streams.audio[:1]:
                metadata |= {name.lower(): text for name, text in stream.metadata.items()}
            metadata |= {name.lower(): text for name, text in container.metadata.items()}
            name = container.format.name
    except (av.FFmpegError, ValueError, OSError):
        return None
    fields: dict[str, list[str]] = {}
    for field, names in FIELD_NAMES.items():
        texts = [text for key in names if (text := _decode(metadata.get(key, "")))]
        if texts:
            fields[field] = texts[:1]
    read_genres = _riff_genres if name in {"wav", "avi"} else _matroska_genres if "matroska" in name else None
    if read_genres is not None:
        with Path(path).open("rb") as file:
            genres = list(read_genres(file))
        if genres:
            fields["genre"] = genres
    return fields


def _decode(text: str) -> str:
    """Decode a text that is not UTF-8 as Windows-1252, as most programs write RIFF INFO."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return text.strip().strip("\0").strip()


def _riff_genres(file: BinaryIO) -> Iterator[str]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if file.read(4) not in (b"RIFF", b"RF64", b"BW64"):
        return
    position = 12
    for _ in range(MAX_ELEMENTS):
        if position + 12 > size:
            return
        file.seek(position)
        name, length, kind = struct.unpack("<4sI4s", file.read(12))
        if name == b"LIST" and kind == b"INFO":
            content = file.read(min(max(length, 4) - 4, MAX_TAGS_BYTES))
            offset = 0
            while offset + 8 <= len(content):
                entry, count = struct.unpack("<4sI", content[offset : offset + 8])
                if entry == b"IGNR":
                    yield _decode(content[offset + 8 : offset + 8 + count].decode("utf-8", "surrogateescape"))
                offset += 8 + count + count % 2
        position += 8 + length + length % 2


def _matroska_genres(file: BinaryIO) -> Iterator[str]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    for identity, start, end in _elements(file, 0, size):
        if identity == SEGMENT:
            for inner, begin, stop in _elements(file, start, end):
                if inner == TAGS and stop - begin <= MAX_TAGS_BYTES:
                    file.seek(begin)
                    tags = io.BytesIO(file.read(stop - begin))
                    for tag, tag_start, tag_end in _elements(tags, 0, stop - begin):
                        if tag == TAG:
                            yield from _simple_genres(tags, tag_start, tag_end)
        elif identity != EBML:
            return


def _simple_genres(tags: BinaryIO, start: int, end: int) -> Iterator[str]:
    for identity, begin, stop in _elements(tags, start, end):
        if identity != SIMPLE_TAG:
            continue
        texts = {}
        for part, part_start, part_end in _elements(tags, begin, stop):
            tags.seek(part_start)
            texts[part] = tags.read(part_end - part_start).decode("utf-8", "replace").strip("\0").strip()
        if texts.get(TAG_NAME, "").upper() == "GENRE" and texts.get(TAG_STRING):
            yield texts[TAG_STRING]


def _elements(file: BinaryIO, position: int, limit: int) -> Iterator[tuple[int, int, int]]:
    """Yield the id, the first byte and the end of each EBML element. One of unknown size reaches to the limit."""
    for _ in range(MAX_ELEMENTS):
        if position >= limit:
            return
        file.seek(position)
        head = file.read(12)
        width = 9 - head[0].bit_length() if head and head[0] else 9
        if width > 4 or len(head) <= width or head[width] == 0:
            return
        identity = int.from_bytes(head[:width], "big")
        size_width = 9 - head[width].bit_length()
        size = int.from_bytes(head[width : width + size_width], "big") & ((1 << 7 * size_width) - 1)
        start = position + width + size_width
        end = limit if size == (1 << 7 * size_width) - 1 else min(start + size, limit)
        yield identity, start, end
        position = end
