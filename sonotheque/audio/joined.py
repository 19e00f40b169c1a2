"""Find the recordings that are joined in one file.

Ogg streams may be chained (RFC 3533, section 4), MP3 and AAC streams of web radio change their format, and files of any format are
joined with `cat`. Decoders stop after the first recording. `find_recordings` tells where each begins, from page, frame and chunk
headers; the samples are not decoded. A plain file is one recording.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from sonotheque.audio.mpeg_frames import adts_frame, find_mpeg_frames, mpeg_frame, walk_frames
from sonotheque.audio.stated_length import read_stated_length

READ_SIZE = 1 << 20
MAX_JUNK = 1 << 24
"""Bytes before the first MPEG frame that are searched for it."""

OGG_BEGINS = 2
"""Beginning-of-stream flag in the header of an Ogg page (RFC 3533, section 6)."""

OGG_PAGE = re.compile(b"OggS\0", re.DOTALL)

FLAC_START = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22", re.DOTALL)
"""The marker of a FLAC stream and the header of its STREAMINFO block, whose length is always 34 bytes."""

CONTAINER_START = re.compile(
    rb"(?:RIFF|RIFX|RF64|BW64).{4}WAVE(?:fmt |JUNK|junk|bext|ds64|LIST|PEAK|fact)"
    rb"|FORM.{4}AIF[FC]"
    rb"|riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
    rb"|\.snd\x00\x00.{6}\x00\x00\x00.\x00[\x00-\x0b]"
    rb"|caff\x00\x01\x00\x00desc"
    rb"|\x1a\x45\xdf\xa3.{1,60}?(?:webm|matroska)"
    rb"|\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c",
    re.DOTALL,
)
"""How a WAV, RF64, AIFF, W64, AU, CAF, Matroska or ASF file begins."""

CONTAINER_MAGIC = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"BW64",
    b"FORM",
    b"riff\x2e\x91",
    b".snd\0\0",
    b"caff\0\1",
    b"\x1a\x45\xdf\xa3",
) + (b"\x30\x26\xb2\x75\x8e",)
"""The first bytes of the same, which are searched for much faster than the pattern."""

LONGEST_START = 80
"""Bytes that a match of the patterns above spans at most."""


@dataclass(frozen=True)
class Recording:
    """One recording in a file.

    Attributes
    ----------
    start, end : int
        Its first byte, and the byte after the last one.
    patches : mapping of int to bytes
        Bytes of the header to replace, by their offset from `start`, see `sonotheque.audio.stated_length`.
    unknown_length : bool
        Whether the header has a placeholder where the length belongs.
    samples : int or None
        MPEG audio without a Xing header: samples per channel in its frames.
    """

    start: int
    end: int
    patches: Mapping[int, bytes] = field(default_factory=dict)
    unknown_length: bool = False
    samples: int | None = None


def find_recordings(file: BinaryIO) -> list[Recording]:
    """Find the recordings in a file, in their order.

    Parameters
    ----------
    file : binary file

    Returns
    -------
    list of Recording
        A single one from 0 to the end of the file if the file is plain or its format is unknown.
    """
    size = file.seek(0, 2)
    start = _skip_padding(file, 0, size)
    file.seek(start)
    head = file.read(64)
    found: list[Recording] = []
    if head[:4] == b"OggS":
        found = list(_ogg_links(file, start, size))
    elif FLAC_START.match(head):
        found = list(_flac_streams(file, start, size))
    elif head[4:8] == b"ftyp":
        found = list(_mp4_files(file, start, size))
    elif CONTAINER_START.match(head):
        found = list(_containers(file, start, size))
    elif adts_frame(head[:7]) is not None and head[1] & 6 == 0:
        found = [Recording(run.start, run.end) for run in walk_frames(file, start=start, adts=True)]
    elif mpeg_frame(head[:4]) is not None:
        found = list(_mpeg_streams(file, start))
    if not found or (len(found) == 1 and not found[0].patches and _decoders_skip(file, found[0].start)):
        single = found[0] if found else Recording(0, size)
        return [Recording(0, size, {}, single.unknown_length, single.samples)]
    return found


def find_mpeg_streams(file: BinaryIO) -> list[Recording]:
    """Find the MPEG streams in a file that begins with something else, such as damage. Empty if there are none."""
    start = find_mpeg_frames(file, start=0, limit=MAX_JUNK)
    return [] if start is None else list(_mpeg_streams(file, start))


def _mpeg_streams(file: BinaryIO, start: int) -> Iterator[Recording]:
    for run in walk_frames(file, start=start):
        yield Recording(run.start, run.end, samples=None if run.counted else run.samples)


def _skip_padding(file: BinaryIO, position: int, size: int) -> int:
    """Skip zero bytes and ID3v2 tags."""
    while position < size:
        file.seek(position)
        block = file.read(READ_SIZE)
        zeros = len(block) - len(block.lstrip(b"\0"))
        box = block.find(b"ftyp", zeros, zeros + 8)
        if box >= 4:  # an MP4 file; its first bytes are those of a length
            return position + box - 4
        if zeros:
            position += zeros
            continue
        tag = block[:10]
        if len(tag) < 10 or tag[:3] != b"ID3" or max(tag[6:10]) >= 0x80:
            break
        length = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        position += 10 + length + (10 if tag[5] & 0x10 else 0)
    return min(position, size)


def _decoders_skip(file: BinaryIO, start: int) -> bool:
    """Whether the decoders skip what is before a recording by themselves: nothing, or an ID3v2 tag and a little padding."""
    if start == 0:
        return True
    file.seek(0)
    tag = file.read(10)
    length = 0
    if tag[:3] == b"ID3" and len(tag) == 10:
        length = 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]) + (10 if tag[5] & 0x10 else 0)
    file.seek(start)
    return start - length <= (60_000 if file.read(1) == b"\xff" else 0)


def _find_starts(
    file: BinaryIO, magic: Sequence[bytes], pattern: re.Pattern[bytes], position: int, size: int
) -> Iterator[int]:
    """Yield the offsets of all matches of a pattern that begins with one of some bytes. The file is read once, in blocks."""
    tail = b""
    while position < size:
        file.seek(position)
        block = file.read(READ_SIZE)
        if not block:
            return
        buffer, origin = tail + block, position - len(tail)
        last = position + len(block) >= size
        end = len(buffer) if last else len(buffer) - LONGEST_START
        offsets = sorted(offset for prefix in magic for offset in _find_all(buffer, prefix, end))
        yield from (origin + offset for offset in offsets if pattern.match(buffer, offset))
        position += len(block)
        tail = buffer[max(0, end) :]


def _find_all(buffer: bytes, prefix: bytes, end: int) -> Iterator[int]:
    offset = buffer.find(prefix)
    while 0 <= offset < end:
        yield offset
        offset = buffer.find(prefix, offset + 1)


def _flac_streams(file: BinaryIO, start: int, size: int) -> Iterator[Recording]:
    starts = [start, *(offset for offset in _find_starts(file, [b"fLaC"], FLAC_START, start + 1, size))]
    for begin, end in zip(starts, [*starts[1:], size], strict=True):
        yield Recording(begin, end)


def _ogg_links(file: BinaryIO, start: int, size: int) -> Iterator[Recording]:
    """Yield the links of a chain. A link begins with pages that all have the flag; data pages follow."""
    position = link = start
    in_data = False
    while position + 27 <= size:
        file.seek(position)
        header = file.read(27 + 255)
        if header[:4] != b"OggS":  # damage
            found = next(_find_starts(file, [b"OggS"], OGG_PAGE, position + 1, size), None)
            if found is None:
                break
            position = found
            continue
        if header[5] & OGG_BEGINS:
            if in_data:
                yield Recording(link, position)
                link = position
            in_data = False
        else:
            in_data = True
        position += 27 + header[26] + sum(header[27 : 27 + header[26]])
    yield Recording(link, size)


def _mp4_files(file: BinaryIO, start: int, size: int) -> Iterator[Recording]:
    position = begin = start
    has_index = False
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length, name = struct.unpack(">I4s", header[:8])
        if length == 1 and len(header) == 16:
            (length,) = struct.unpack(">Q", header[8:])
        if name == b"ftyp" and has_index:
            yield Recording(begin, position)
            begin, has_index = position, False
        has_index = has_index or name == b"moov"
        if length < 8:  # 0: to the end of the file
            break
        position += length
    yield Recording(begin, size)


def _containers(file: BinaryIO, start: int, size: int) -> Iterator[Recording]:
    """Yield WAV, AIFF, W64, AU, CAF, Matroska and ASF files. The next one is searched only behind the end that a header states."""
    begin = start
    while True:
        length = read_stated_length(file, start=begin, limit=size)
        stated_end = _stated_end(file, begin, size) if length is None else length.end
        search = max(begin + 1, stated_end or 0)
        following = (
            next(_find_starts(file, CONTAINER_MAGIC, CONTAINER_START, search, size), size) if search < size else size
        )
        if following < size and length is not None:  # where it ends decides how much is missing from it
            length = read_stated_length(file, start=begin, limit=following)
        if length is None:
            yield Recording(begin, following)
        else:
            patches = {offset - begin: patch for offset, patch in length.patches.items()}
            yield Recording(begin, following, patches, length.unknown)
        if following >= size:
            return
        begin = following


def _stated_end(file: BinaryIO, begin: int, size: int) -> int | None:
    """Return the end that the header of a Matroska or ASF file states; None if it does not."""
    file.seek(begin)
    magic = file.read(4)
    if magic == b"\x1a\x45\xdf\xa3":
        return _matroska_end(file, begin, size)
    if magic == b"\x30\x26\xb2\x75":
        return _asf_end(file, begin, size)
    return size


def _matroska_end(file: BinaryIO, position: int, size: int) -> int | None:
    for identity in (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"):  # the EBML header and the segment
        file.seek(position)
        header = file.read(12)
        if header[:4] != identity or len(header) < 12 or header[4] == 0:
            return None
        width = 9 - header[4].bit_length()
        value = int.from_bytes(header[4 : 4 + width], "big") & ((1 << 7 * width) - 1)
        if value == (1 << 7 * width) - 1:
            return None
        position += 4 + width + value
    return min(position, size)


def _asf_end(file: BinaryIO, position: int, size: int) -> int | None:
    first = True
    while position + 24 <= size:
        file.seek(position)
        name, length = struct.unpack("<16sQ", file.read(24))
        if length < 24 or (CONTAINER_START.match(name) and not first):
            return position
        position, first = position + length, False
    return min(position, size)
