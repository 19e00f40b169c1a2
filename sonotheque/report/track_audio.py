"""What a page plays for each track: an excerpt stored in the page, the file on disk, or the file below a web address."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from sonotheque.errors import LibraryError
from sonotheque.report.audio_excerpts import cut_excerpts
from sonotheque.store.records import Track
from sonotheque.types import Progress

MAX_EMBEDDED = 300
"""Maximum number of tracks for which ``auto`` embeds excerpts in the page. An excerpt has 40 KB, so all together have 16 MB."""

KEYWORDS = ("auto", "embed", "files", "none")


@dataclass(frozen=True)
class TrackAudio:
    """The audio of N tracks.

    Attributes
    ----------
    clips : sequence of str or None [N]
        Excerpts as data URIs.
    base : str or None
        URL of `root`, to which the relative paths of files are appended; None if files cannot be played.
    root : str
        The deepest folder that contains all tracks; empty if there is none.
    origin : str or None
        Origin of a web address, which the page's security policy must allow.
    """

    clips: Sequence[str | None]
    base: str | None
    root: str
    origin: str | None

    def url_of(self, path: str) -> str | None:
        """Return the URL of a file."""
        if self.base is None:
            return None
        relative = os.path.relpath(path, self.root) if self.root else path
        return self.base + "/".join(quote(part) for part in relative.split(os.sep))


def collect_track_audio(tracks: Sequence[Track], *, audio: str, progress: Progress | None = None) -> TrackAudio:
    """Cut excerpts of tracks, or find where their files are.

    Parameters
    ----------
    tracks : sequence of Track [N]
    audio : str
        ``embed`` cuts excerpts. ``files`` plays the files on disk, an address such as ``http://localhost:8000/`` those below it.
        ``auto`` cuts excerpts of up to `MAX_EMBEDDED` tracks. ``none`` plays nothing.
    progress : callable or None
        Called with (excerpts done, total).

    Returns
    -------
    TrackAudio

    Raises
    ------
    LibraryError
        If `audio` is none of these.
    """
    address = parse_web_address(audio)
    clips: Sequence[str | None] = [None] * len(tracks)
    if audio == "embed" or (audio == "auto" and len(tracks) <= MAX_EMBEDDED):
        clips = cut_excerpts(tracks, progress=progress)
    root = common_folder([track.path for track in tracks])
    base = address
    if audio in {"auto", "embed", "files"}:
        base = Path(root or os.sep).as_uri().rstrip("/") + "/" if root else "file://"
    origin = None if address is None else "{0.scheme}://{0.netloc}".format(urlsplit(address))
    return TrackAudio(clips, base, root, origin)


def parse_web_address(audio: str) -> str | None:
    """Return the web address that audio is loaded from, or None if `audio` is one of the keywords.

    Raises
    ------
    LibraryError
        If it is neither a keyword nor a web address.
    """
    if audio in KEYWORDS:
        return None
    parts = urlsplit(audio)
    if parts.scheme not in {"http", "https"} or not parts.netloc or any(letter in parts.netloc for letter in " ;,'\""):
        raise LibraryError(
            f"{audio}: unknown audio source; give auto, embed, files, none or an address such as http://localhost:8000/"
        )
    return audio.rstrip("/") + "/"


def common_folder(paths: Sequence[str]) -> str:
    """Return the deepest folder that contains all of some absolute paths, or an empty string if there is none."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths])
    except ValueError:  # no paths, or several drives
        return ""
