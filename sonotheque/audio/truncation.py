"""Detect whether a file that libsndfile has read to its end is truncated.

The decoded length is compared with the length that the file's header states. libsndfile's own frame count cannot be used: for
WAV it is derived from the file size, and for an MP3 without a Xing header it is an estimate from the bit rate.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

Source = str | os.PathLike[str] | bytes

UNKNOWN_SIZES = {0, 0xFFFFFFFF}
"""Placeholder sizes in a RIFF header, written by programs that stream their output and cannot seek back."""

MAX_OGG_PAGE = 65_307
"""Size of the largest Ogg page in bytes (RFC 3533, section 6)."""

OGG_END_OF_STREAM = 4
"""End-of-stream flag in the header of an Ogg page (RFC 3533, section 6)."""


def describe_truncation(source: Source, *, container: str, decoded: float) -> str | None:
    """Describe how much of a recording is missing.

    Parameters
    ----------
    source : path, or bytes of a whole file
    container : str
        libsndfile's name of the container format, such as ``"WAV"``.
    decoded : float
        Length of the decoded audio in s.

    Returns
    -------
    str or None
        A notice for the user; None if nothing is known to be missing.
    """
    with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
        if container in {"WAV", "WAVEX", "AIFF"}:
            return _riff_truncation(file, decoded=decoded, big_endian=container == "AIFF")
        if container == "OGG":
            return _ogg_truncation(file, decoded=decoded)
        if container == "MP3":
            return _mp3_truncation(file, decoded=decoded)
    return None


def _riff_truncation(file: BinaryIO, *, decoded: float, big_endian: bool) -> str | None:
    header = file.read(8)
    stated = struct.unpack(">I" if big_endian else "<I", header[4:8])[0]
    size = file.seek(0, io.SEEK_END)
    if stated in UNKNOWN_SIZES or stated + 8 <= size + 1:
        return None
    return f"truncated: {size} of {stated + 8} bytes, {decoded:.1f} s decoded"


def _ogg_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - MAX_OGG_PAGE))
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 6 or tail[page + 5] & OGG_END_OF_STREAM:
        return None
    return f"truncated: no end of stream, {decoded:.1f} s decoded"


def _mp3_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    from mutagen import MutagenError
    from mutagen.mp3 import MPEGInfo

    try:
        info: Any = MPEGInfo(file)
    except (MutagenError, EOFError):
        return None
    if str(info.bitrate_mode) == "BitrateMode.UNKNOWN":  # no Xing or VBRI header, so the length is an estimate
        return None
    if decoded >= info.length - max(0.5, 0.01 * info.length):
        return None
    return f"truncated: {decoded:.1f} s of {info.length:.1f} s decoded"
