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
    + (
        ".caf",
        ".w64",
        ".rf64",
        ".bwf",
        ".au",
        ".snd",
        ".voc",
        ".ape",
        ".wv",
        ".ac3",
        ".eac3",
        ".ec3",
        ".dts",
        ".amr",
        ".mka",
    )
    + (".mp1", ".mp2", ".mpga", ".mpc", ".mp+", ".mpp", ".tta", ".tak", ".dsf", ".dff", ".ra", ".spx", ".m4r", ".weba")
)

VIDEO_EXTENSIONS = frozenset(
    (
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
        ".wmv",
        ".mpg",
        ".mpeg",
        ".ts",
        ".flv",
        ".3gp",
        ".3g2",
        ".ogv",
        ".rm",
        ".asf",
    )
)

EXTENSIONS = AUDIO_EXTENSIONS | VIDEO_EXTENSIONS
"""All extensions that a folder is searched for, in lower case with the dot."""
