"""Read how long a container says that it is: WAV, RF64, W64, AIFF, AU and CAF.

A program that streams its output, or is stopped while it records, leaves a placeholder where the length belongs. The samples are
there nevertheless, up to the end of the file. `read_stated_length` says so, and which bytes of the header to replace so that
libsndfile reads them. Sources: the RIFF specification, EBU Tech 3306 (RF64), the Sony W64 and the Apple AIFF 1.3 specifications.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

MAX_CHUNKS = 10_000
"""Chunks of one file that are looked at."""

W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
W64_DATA = b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
UNKNOWN_64 = 1 << 62
"""Sizes of 64 bits from here on are placeholders."""


@dataclass(frozen=True)
class StatedLength:
    """The length that a header states.

    Attributes
    ----------
    end : int or None
        Offset of the byte after the container; None if the header does not say.
    unknown : bool
        Whether a placeholder stands for a length.
    patches : mapping of int to bytes
        Bytes by offset that make libsndfile read to the end of the file. Empty if it does so by itself.
    """

    end: int | None
    unknown: bool = False
    patches: Mapping[int, bytes] = field(default_factory=dict)


def is_placeholder(size: int) -> bool:
    """Whether a size of 32 bits stands for an unknown length.

    The values are 0, the largest unsigned number (FFmpeg, RF64) and the largest signed one or little less (SoX, arecord).
    """
    return size == 0 or size >= 0xFFFFFF00 or 0x7FFFF000 <= size <= 0x80000100


def read_stated_length(file: BinaryIO, *, start: int, limit: int) -> StatedLength | None:
    """Read the length that the header of a WAV, RF64, W64, AIFF, AU or CAF file states.

    Parameters
    ----------
    file : binary file
    start, limit : int
        The bytes to look at: the first one of the container, and the end of the file or of the part that is read.

    Returns
    -------
    StatedLength or None
        None for any other container, or for one without samples.
    """
    file.seek(start)
    magic = file.read(16)
    if limit - start < 24:  # shorter than any of the headers
        return None
    if magic[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and magic[8:12] == b"WAVE":
        return _wave(
            file, start, limit, order=">" if magic[:4] == b"RIFX" else "<", wide=magic[:4] in (b"RF64", b"BW64")
        )
    if magic == W64_RIFF:
        return _w64(file, start, limit)
    if magic[:4] == b"FORM" and magic[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(file, start, limit)
    if magic[:4] == b".snd":
        return _au(file, start, limit)
    if magic[:6] == b"caff\0\1":
        return _caf(file, start, limit)
    return None


def _chunks(file: BinaryIO, position: int, limit: int, *, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield the id, the offset of the content, and the stated size of each chunk. The caller stops at one with a placeholder."""
    for _ in range(MAX_CHUNKS):
        if position + 8 > limit:
            return
        file.seek(position)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        yield name, position + 8, size
        position += 8 + size + size % 2


def _only_chunks_follow(file: BinaryIO, position: int, limit: int, *, order: str) -> bool:
    """Whether the rest of a file is a list of well-formed chunks, so that a size of 0 before it is meant."""
    end = position
    for name, content, size in _chunks(file, position, limit, order=order):
        if not all(0x20 <= byte < 0x7F for byte in name):
            return False
        end = content + size + size % 2
    return 0 <= end - limit <= 1 or end == position == limit


def _wave(file: BinaryIO, start: int, limit: int, *, order: str, wide: bool) -> StatedLength | None:
    file.seek(start + 4)
    (riff,) = struct.unpack(f"{order}I", file.read(4))
    align, ds64, wide_riff, wide_data = 1, 0, 0, 0
    content = size = 0
    for name, content, size in _chunks(file, start + 12, limit, order=order):  # noqa: B007 - both are used below
        if name == b"ds64" and content + 24 <= limit:
            ds64, (wide_riff, wide_data) = content, struct.unpack("<QQ", file.read(16))
        elif name == b"fmt " and content + 14 <= limit:
            file.seek(content + 12)
            align = max(1, struct.unpack(f"{order}H", file.read(2))[0])
        elif name == b"data":
            break
    else:
        return None
    rest = limit - content
    if wide and ds64 and (riff == 0 or is_placeholder(riff)):
        riff_unknown, riff = wide_riff == 0 or wide_riff >= UNKNOWN_64, wide_riff
    else:
        riff_unknown = is_placeholder(riff)
    if wide and ds64 and is_placeholder(size):
        size, data_unknown = wide_data, wide_data == 0 or wide_data >= UNKNOWN_64
    else:
        data_unknown = is_placeholder(size)
    if size == 0 and (rest <= 0 or _only_chunks_follow(file, content, limit, order=order)):
        data_unknown = False
        riff_unknown = False if rest <= 0 else riff_unknown
    if not data_unknown:
        end = None if riff_unknown else max(start + 8 + riff, content + size)
        return StatedLength(end, riff_unknown)
    if wide and ds64:
        count = struct.pack("<QQQ", limit - start - 8, rest, rest // align)
        return StatedLength(None, True, {start + 4: b"\xff" * 4, ds64: count, content - 4: b"\xff" * 4})
    return StatedLength(None, True, {content - 4: b"\xff" * 4} if size == 0 else {})


def _w64(file: BinaryIO, start: int, limit: int) -> StatedLength | None:
    file.seek(start + 16)
    (riff,) = struct.unpack("<Q", file.read(8))
    position = start + 40
    for _ in range(MAX_CHUNKS):
        if position + 24 > limit:
            return None
        file.seek(position)
        name, size = struct.unpack("<16sQ", file.read(24))
        if name == W64_DATA:
            unknown = (size <= 24 and position + 24 < limit) or size >= UNKNOWN_64
            riff_unknown = riff == 0 or riff >= UNKNOWN_64
            end = None if unknown or riff_unknown else max(start + riff, position + size)
            return StatedLength(end, unknown or riff_unknown)  # libsndfile reads to the end of the file
        position += (max(size, 24) + 7) // 8 * 8
    return None


def _aiff(file: BinaryIO, start: int, limit: int) -> StatedLength | None:
    file.seek(start + 4)
    (form,) = struct.unpack(">I", file.read(4))
    common, frame_bytes = None, 1
    content = size = 0
    for name, content, size in _chunks(file, start + 12, limit, order=">"):  # noqa: B007 - both are used below
        if name == b"COMM" and content + 8 <= limit:
            channels, _, bits = struct.unpack(">HIH", file.read(8))
            frame_bytes, common = max(1, channels * -(-bits // 8)), content
        elif name == b"SSND":
            break
    else:
        return None
    rest = limit - content - 8
    unknown = is_placeholder(size) or size == 8
    if size <= 8 and (rest <= 0 or _only_chunks_follow(file, content + size, limit, order=">")):
        return StatedLength(max(start + 8 + form, content + size))
    if not unknown:
        return StatedLength(
            None if is_placeholder(form) else max(start + 8 + form, content + size), is_placeholder(form)
        )
    if size > 8 or common is None:
        return StatedLength(None, True)
    frames = struct.pack(">I", min(rest // frame_bytes, 0xFFFFFFFF))
    return StatedLength(None, True, {content - 4: struct.pack(">I", min(rest + 8, 0xFFFFFFFF)), common + 2: frames})


def _au(file: BinaryIO, start: int, limit: int) -> StatedLength | None:
    file.seek(start + 4)
    header, size = struct.unpack(">II", file.read(8))
    if size == 0 and start + header < limit:
        return StatedLength(None, True, {start + 8: b"\xff" * 4})
    return StatedLength(
        None if size == 0xFFFFFFFF else start + header + size
    )  # 0xFFFFFFFF is the format's own "unknown"


def _caf(file: BinaryIO, start: int, limit: int) -> StatedLength | None:
    position, has_data = start + 8, False
    for _ in range(MAX_CHUNKS):
        if position + 12 > limit:
            break
        file.seek(position)
        name, size = struct.unpack(">4sq", file.read(12))
        position += 12
        if name == b"data" and size < 0:  # the format's own "unknown", for the last chunk
            return StatedLength(None)
        if name == b"data" and size <= 4 and position + 4 < limit:  # the edit count, and no samples
            return StatedLength(None, True)
        has_data = has_data or name == b"data"
        if name == b"caff" or not all(0x20 <= byte < 0x7F for byte in name):  # the next file, or padding
            return StatedLength(position - 12)
        if size < 0:
            break
        position += size
    return StatedLength(position) if has_data else None
