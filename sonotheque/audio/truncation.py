"""Whether a file that libsndfile read to its end stops before it should.

Only what a header states counts. libsndfile's own frame count is no evidence: for WAV it follows the file's size, for an
MP3 without a Xing header it is a guess from the bit rate.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

Source = str | os.PathLike[str] | bytes

STREAMED = {0, 0xFFFFFFFF}
"""Sizes that a program writes into a RIFF header when it cannot seek back: they say nothing."""

TAIL = 65_307
"""Bytes of the largest Ogg page (RFC 3533, section 6)."""

END_OF_STREAM = 4
"""The flag in an Ogg page's header (RFC 3533, section 6)."""


def header_truncation(source: Source, *, format_: str, decoded: float) -> str | None:
    """Say how much of a recording is missing.

    Parameters
    ----------
    source : path or bytes
    format_ : libsndfile's name of the container, such as ``"WAV"``
    decoded : what was decoded, in s

    Returns
    -------
    str or None
        A notice for a person, None where nothing is known to be missing.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
        if format_ in {"WAV", "WAVEX", "AIFF"}:
            return _chunk_truncation(file, decoded=decoded, big_endian=format_ == "AIFF")
        if format_ == "OGG":
            return _ogg_truncation(file, decoded=decoded)
        if format_ == "MP3":
            return _mp3_truncation(file, decoded=decoded)
    return None


def _chunk_truncation(file: BinaryIO, *, decoded: float, big_endian: bool) -> str | None:
    header = file.read(8)
    stated = struct.unpack(">I" if big_endian else "<I", header[4:8])[0]
    size = file.seek(0, io.SEEK_END)
    if stated in STREAMED or stated + 8 <= size + 1:
        return None
    return f"truncated: {size} of {stated + 8} bytes, {decoded:.1f} s decoded"


def _ogg_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - TAIL))
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 6 or tail[page + 5] & END_OF_STREAM:
        return None
    return f"truncated: no end of stream, {decoded:.1f} s decoded"


def _mp3_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    from mutagen import MutagenError
    from mutagen.mp3 import MPEGInfo

    try:
        info: Any = MPEGInfo(file)
    except (MutagenError, EOFError):
        return None
    if str(info.bitrate_mode) == "BitrateMode.UNKNOWN":  # no Xing or VBRI header: the length is a guess
        return None
    if decoded >= info.length - max(0.5, 0.01 * info.length):
        return None
    return f"truncated: {decoded:.1f} s of {info.length:.1f} s decoded"
