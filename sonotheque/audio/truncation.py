"""Detect whether a file that libsndfile has read to its end is truncated.

The decoded length is compared with the length that the file's header states. libsndfile's own frame count cannot be used: for
WAV it is derived from the file size, and for an MP3 without a Xing header it is an estimate from the bit rate.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from sonotheque.audio.stated_length import read_stated_length

MAX_OGG_PAGE = 65_307
"""Size of the largest Ogg page in bytes (RFC 3533, section 6)."""

OGG_END_OF_STREAM = 4
"""End-of-stream flag in the header of an Ogg page (RFC 3533, section 6)."""


def describe_truncation(file: BinaryIO, *, container: str, decoded: float, last: bool = True) -> str | None:
    """Describe how much of a recording is missing.

    Parameters
    ----------
    file : binary file
        The recording only, not others that are joined with it.
    container : str
        libsndfile's name of the container format, such as ``"WAV"``.
    decoded : float
        Length of the decoded audio in s.
    last : bool
        False if another recording follows in the same file. The links of an Ogg chain need no end-of-stream flag then.

    Returns
    -------
    str or None
        A notice for the user; None if nothing is known to be missing.
    """
    if container in {"WAV", "WAVEX", "AIFF", "RF64", "W64", "AU"}:
        return _container_truncation(file, decoded=decoded)
    if container == "OGG" and last:
        return _ogg_truncation(file, decoded=decoded)
    if container == "MP3":
        return _mp3_truncation(file, decoded=decoded)
    return None


def describe_unknown_length(seconds: float) -> str:
    """Describe a file whose header does not state its length."""
    return f"unfinished: the header does not state the length, decoded to the end of the file ({seconds:.1f} s)"


def _container_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    size = file.seek(0, io.SEEK_END)
    stated = read_stated_length(file, start=0, limit=size)
    if stated is None or stated.end is None or stated.end <= size + 1:  # some programs leave out the last padding byte
        return None
    return f"truncated: {size} of {stated.end} bytes, {decoded:.1f} s decoded"


def _ogg_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - MAX_OGG_PAGE))
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0 or len(tail) < page + 27:
        return None
    segments = tail[page + 27 : page + 27 + tail[page + 26]]
    complete = len(segments) == tail[page + 26] and page + 27 + len(segments) + sum(segments) <= len(tail)
    if complete and tail[page + 5] & OGG_END_OF_STREAM:
        return None
    return f"truncated: no end of stream, {decoded:.1f} s decoded"


def _mp3_truncation(file: BinaryIO, *, decoded: float) -> str | None:
    from mutagen import MutagenError
    from mutagen.mp3 import MPEGInfo

    file.seek(0)
    try:
        info: Any = MPEGInfo(file)
    except (MutagenError, EOFError):
        return None
    if str(info.bitrate_mode) == "BitrateMode.UNKNOWN":  # no Xing or VBRI header, so the length is an estimate
        return None
    if decoded >= info.length - max(0.5, 0.01 * info.length):
        return None
    return f"truncated: {decoded:.1f} s of {info.length:.1f} s decoded"
