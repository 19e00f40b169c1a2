"""The file extensions under which folders are searched for audio. The decoder is chosen by content, not by extension."""

from __future__ import annotations

AUDIO_EXTENSIONS = frozenset(
    (
        ".mp3",
        ".flac",
        ".wav",
        ".wave",
        ".ogg",
        ".oga",
        ".opus",
        ".m4a",
        ".m4b",
        ".aac",
        ".wma",
        ".aif",
        ".aiff",
        ".aifc",
    )
    + (".caf", ".w64", ".au", ".ape", ".wv", ".ac3", ".amr", ".mka")
)

VIDEO_EXTENSIONS = frozenset(
    (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".mpg", ".mpeg", ".ts", ".flv", ".3gp")
)

EXTENSIONS = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS
"""All extensions that a folder is searched for, in lower case with the dot."""
