"""Walk over the frames of MPEG audio (MP3) and of AAC in ADTS, to find where a joined recording begins.

Only frame headers are read; nothing is decoded. Sources: ISO/IEC 11172-3 and 13818-3 (header and frame length), the unofficial
MPEG 2.5 extension, ISO/IEC 14496-3 (ADTS), and the Xing and VBRI headers as LAME and the Fraunhofer encoder write them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, NamedTuple

READ_SIZE = 1 << 20
"""Bytes that are read at once."""

LOOK_AHEAD = 4096
"""Bytes that must follow a frame header in memory: more than the longest MPEG frame and its Xing header."""

SYNC_FRAMES = 4
"""Frames of the same format that must follow each other before they are taken for audio rather than chance."""

MAX_GAP = 1024
"""A gap between frames that is longer ends a part; mpg123 gives up there. Tags and padding may be that long."""

UNCOUNTED_SECONDS = 0.5
"""Frames after those that a Xing header counts become a part of their own if they last at least this long."""

BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates in kbit/s by (MPEG version, layer). Layers II and III of MPEG 2 share one table."""

SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Sampling rates in Hz by the version bits of the header: MPEG 1, 2 and 2.5."""


class Frame(NamedTuple):
    """What a frame header states: length in bytes, samples per channel, and what must not change inside one stream."""

    length: int
    samples: int
    format: tuple[int, ...]


@dataclass
class FrameRun:
    """Frames of one stream.

    Attributes
    ----------
    start, end : int
        First byte, and the byte after the last frame.
    samples : int
        Samples per channel in the frames.
    counted : int or None
        Samples per channel that a Xing or VBRI header counts; None without such a header.
    format : tuple of int
        MPEG: version bits, layer, sampling rate in Hz and whether it is mono. ADTS: version, profile, sampling rate, channels.
    frame_samples : int
        Samples per channel in one frame.
    counted_end : int
        The byte after the last frame that a header counts.
    """

    start: int
    end: int
    samples: int
    counted: int | None
    format: tuple[int, ...]
    frame_samples: int = 0
    counted_end: int = 0


def _mpeg_headers() -> dict[int, Frame]:
    """Map the second and third byte of every valid header to what they state."""
    headers = {}
    for second in range(0xE0, 0x100):
        version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
        if version == 1 or layer == 4:
            continue
        for third in range(0x10, 0xF0):
            if third >> 2 & 3 == 3:
                continue
            rate = SAMPLE_RATES[version][third >> 2 & 3]
            kbits = BITRATES[(1, layer) if version == 3 else (2, min(layer, 2))][(third >> 4) - 1]
            samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
            padding = third >> 1 & 1
            length = (12_000 * kbits // rate + padding) * 4 if layer == 1 else samples * 125 * kbits // rate + padding
            headers[second << 8 | third] = Frame(length, samples, (version, layer, rate))
    return headers


_MPEG = _mpeg_headers()
_LENGTHS: dict[tuple[int, ...], dict[bytes, int]] = {}
for _key, _frame in _MPEG.items():
    _LENGTHS.setdefault(_frame.format, {})[bytes((0xFF, _key >> 8, _key & 0xFF))] = _frame.length
_MARKS = frozenset((b"Xing", b"Info"))
_MPEG_SYNC = re.compile(
    rb"\xff[%b][%b]" % tuple(re.escape(bytes(sorted({key >> shift & 0xFF for key in _MPEG}))) for shift in (8, 0)),
    re.DOTALL,
)
_ADTS_SYNC = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]", re.DOTALL)
ADTS_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)


def mpeg_frame(header: bytes) -> Frame | None:
    """Parse the first 4 bytes of an MPEG audio frame; None if they are no frame header."""
    if len(header) < 4 or header[0] != 0xFF:
        return None
    frame = _MPEG.get(header[1] << 8 | header[2])
    if frame is None:
        return None
    return Frame(frame.length, frame.samples, (*frame.format, int(header[3] >> 6 == 3)))


def adts_frame(header: bytes) -> Frame | None:
    """Parse the first 7 bytes of an ADTS frame; None if they are no frame header."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or header[2] >> 2 & 15 >= len(ADTS_RATES):
        return None
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    channels = (header[2] & 1) << 2 | header[3] >> 6
    if length < 7:
        return None
    rate = ADTS_RATES[header[2] >> 2 & 15]
    return Frame(length, 1024 * (1 + (header[6] & 3)), (header[1] & 8, header[2] >> 6, rate, channels))


def find_mpeg_frames(file: BinaryIO, *, start: int, limit: int) -> int | None:
    """Find the first `SYNC_FRAMES` MPEG frames of one format that follow each other.

    Parameters
    ----------
    file : binary file
    start, limit : int
        The bytes to search.

    Returns
    -------
    int or None
        Offset of the first frame.
    """
    walk = _Walk(file, start, adts=False)
    return walk.sync(start, limit=limit)


def walk_frames(file: BinaryIO, *, start: int, adts: bool = False) -> Iterator[FrameRun]:
    """Split a file of MPEG or ADTS frames into the streams that were joined in it.

    A stream of MPEG frames ends before a Xing or VBRI header, after the frames that its own header counts, at a gap of more than
    `MAX_GAP` bytes, and where the version, the layer, the sampling rate or mono and stereo change. A stream of ADTS frames ends
    only where its format changes: AAC has no header that counts frames, and FFmpeg skips gaps.

    Parameters
    ----------
    file : binary file
    start : int
        Offset of the first frame, or of padding before it.
    adts : bool
        Whether these are ADTS frames.

    Yields
    ------
    FrameRun
        In the order of the file.
    """
    walk = _Walk(file, start, adts=adts)
    position = walk.sync(start)
    run: FrameRun | None = None
    while position is not None:
        buffer, offset = walk.at(position)
        if run is not None and not adts and position == run.end:
            count, end = _skip_frames(buffer, offset, run)
            position += end - offset
            offset, run.end = end, position
            run.samples += count * run.frame_samples
        frame = walk.parse(buffer[offset : offset + 7])
        if frame is None or (run is not None and frame.format != run.format and not walk.continues(position, frame)):
            position = walk.sync(position + 1)
            continue
        counted = None if adts else _counted_frames(buffer, offset, frame)
        if run is None or _begins_stream(run, frame, position, counted, adts=adts):
            if run is not None:
                yield from _split_uncounted(run)
            # a Xing header is a frame without sound
            run = FrameRun(position, position, 0 if counted is None else -frame.samples, None, frame.format)
            run.frame_samples = frame.samples
            run.counted = counted * frame.samples if counted else None
        position += frame.length
        run.end = min(position, walk.size)
        run.samples += frame.samples
        if run.counted == run.samples:
            run.counted_end = run.end
    if run is not None:
        yield from _split_uncounted(run)


def _split_uncounted(run: FrameRun) -> Iterator[FrameRun]:
    """Split off the frames that a Xing header does not count: its decoder stops before them."""
    rest = run.samples - (run.counted or run.samples)
    if rest < UNCOUNTED_SECONDS * run.format[2]:
        yield run
        return
    yield replace(run, end=run.counted_end, samples=run.samples - rest)
    yield replace(run, start=run.counted_end, samples=rest, counted=None)


def _skip_frames(buffer: bytes, offset: int, run: FrameRun) -> tuple[int, int]:
    """Walk over frames of the same stream that need no closer look, up to the end of a Xing header's count.

    This loop is the reason that a plain MP3 costs only about 3 ms for each minute of music.

    Returns
    -------
    count, offset : int
    """
    version, layer, rate, mono = run.format
    lengths = _LENGTHS[version, layer, rate]
    place = 4 + _side_info(version, mono)
    count, end = 0, len(buffer) - LOOK_AHEAD
    if run.counted is not None and run.samples < run.counted:
        most = (run.counted - run.samples) // run.frame_samples - 1
    else:
        most = len(buffer)
    while offset < end and count < most:
        length = lengths.get(buffer[offset : offset + 3])
        if length is None or (buffer[offset + 3] >= 0xC0) != mono:
            break
        if buffer[offset + place : offset + place + 4] in _MARKS or buffer[offset + 36 : offset + 40] == b"VBRI":
            break
        offset += length
        count += 1
    return count, offset


def _begins_stream(run: FrameRun, frame: Frame, position: int, counted: int | None, *, adts: bool) -> bool:
    if frame.format != run.format:
        return True
    if adts:
        return False
    return counted is not None or position - run.end > MAX_GAP


def _counted_frames(buffer: bytes, offset: int, frame: Frame) -> int | None:
    """Read the number of frames that a Xing or VBRI header counts; 0 if it does not say; None if there is no such header."""
    version, layer, _, mono = frame.format
    if layer != 3:
        return None
    place = offset + 4 + _side_info(version, mono)
    if buffer[place : place + 4] in _MARKS:
        stated = buffer[place + 7] & 1
        return int.from_bytes(buffer[place + 8 : place + 12], "big") if stated else 0
    place = offset + 36
    if buffer[place : place + 4] == b"VBRI":
        return int.from_bytes(buffer[place + 14 : place + 18], "big")
    return None


def _side_info(version: int, mono: int) -> int:
    """Length of the side information between the header of a layer III frame and its data, in bytes."""
    return (17 if mono else 32) if version == 3 else (9 if mono else 17)


class _Walk:
    """The bytes around a position of a file, and the search for the next frame."""

    def __init__(self, file: BinaryIO, start: int, *, adts: bool) -> None:
        self._file = file
        self.size = file.seek(0, 2)
        self._buffer, self._origin = b"", start
        self.parse = adts_frame if adts else mpeg_frame
        self._pattern = _ADTS_SYNC if adts else _MPEG_SYNC

    def at(self, position: int) -> tuple[bytes, int]:
        """Return bytes of the file that include at least `LOOK_AHEAD` from a position, and the offset of the position in them."""
        end = self._origin + len(self._buffer)
        if position < self._origin or (position + LOOK_AHEAD > end and end < self.size):
            self._file.seek(position)
            self._buffer, self._origin = self._file.read(READ_SIZE), position
        return self._buffer, position - self._origin

    def continues(self, position: int, frame: Frame) -> bool:
        """Whether a frame of the same format follows a frame, or the file ends there."""
        return self._follow(position, frame, count=2)

    def _follow(self, position: int, frame: Frame, *, count: int) -> bool:
        for _ in range(count - 1):
            position += frame.length
            if position >= self.size:
                return position == self.size
            self._file.seek(position)
            following = self.parse(self._file.read(7))
            if following is None or following.format != frame.format:
                return False
            frame = following
        return True

    def sync(self, position: int, *, limit: int | None = None) -> int | None:
        """Find the next position at or after `position` at which several frames follow each other."""
        limit = self.size if limit is None else min(limit, self.size)
        while position < limit:
            buffer, offset = self.at(position)
            match = self._pattern.search(buffer, offset)
            if match is None:
                position = self._origin + max(len(buffer) - 2, offset + 1)
                continue
            position = self._origin + match.start()
            buffer, offset = self.at(position)
            frame = self.parse(buffer[offset : offset + 7])
            if frame is not None and position < limit and self._follow(position, frame, count=SYNC_FRAMES):
                return position
            position += 1
        return None
