"""Find tracks whose titles say that they are versions of one piece: live, remix, karaoke, cover and so on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sonotheque.store.recordings import TitledTrack
from sonotheque.store.search_names import search_key

KINDS: dict[str, tuple[str, ...]] = {
    "karaoke": ("karaoke", "instrumental", "backing track", "playback", "sing along", "a cappella", "acapella"),
    "cover": ("cover", "tribute", "in the style of", "made famous by", "originally performed by", "as made popular by"),
    "remix": ("remix", "rmx", "remixed", "mix", "dub", "rework", "bootleg", "mashup"),
    "live": ("live", "unplugged", "en vivo", "ao vivo", "en concert", "in concert", "session", "sessions"),
    "acoustic": ("acoustic", "acoustique", "akustik"),
    "demo": ("demo", "rough mix", "alternate", "alternate take", "outtake", "take"),
    "edit": ("edit", "radio edit", "extended", "single version", "album version", "short version", "long version"),
    "remaster": ("remaster", "remastered", "remasterise", "mono", "stereo", "reissue"),
}
"""Words in a title that name a kind of version, in the spelling of `search_key`. The first kind that is found counts."""

MAX_SAME_TITLE = 20
"""Titles that more tracks share, such as "Intro", name no piece."""

BRACKETS = re.compile(r"[(\[{]([^)\]}]*)[)\]}]")
FEATURING = re.compile(r"\b(?:feat|ft|featuring)\b.*")
NUMBER = re.compile(r"^\d+(?:[ ._-]+|$)")
WORD = re.compile(r"\w+")
GENERIC = re.compile(
    r"^(?:(?:track|titre|piste|untitled|unknown|intro|outro|interlude|audio|new recording)\b)?[\W\d_]*$"
)
"""Titles that name no piece."""


@dataclass(frozen=True)
class ParsedTitle:
    """A title without the words that name a version.

    Attributes
    ----------
    piece : str
        What is left, in the spelling of `search_key`; empty if it names no piece.
    kind : str or None
        A key of `KINDS`.
    """

    piece: str
    kind: str | None


@dataclass(frozen=True)
class VersionCandidate:
    """Two tracks with the title of one piece, and the kind of version that one of the titles names, or None."""

    first: int
    second: int
    kind: str | None
    same_artist: bool


def parse_title(title: str) -> ParsedTitle:
    """Split a title into the piece and the kind of version.

    Parameters
    ----------
    title : str

    Returns
    -------
    ParsedTitle

    Examples
    --------
    >>> parse_title("Hurt (Live in Paris, 1999)")
    ParsedTitle(piece='hurt', kind='live')
    >>> parse_title("Live and Let Die - Karaoke Version")
    ParsedTitle(piece='live and let die', kind='karaoke')
    """
    text = search_key(title)
    kinds = []

    def drop_bracket(match: re.Match[str]) -> str:
        kind = _kind_of(match[1])
        kinds.append(kind)
        return " " if kind or FEATURING.match(match[1]) else match[0]

    text = BRACKETS.sub(drop_bracket, text)
    parts = text.split(" - ")
    while len(parts) > 1 and (kind := _kind_of(parts[-1])):
        kinds.append(kind)
        parts.pop()
    piece = " ".join(WORD.findall(FEATURING.sub("", " - ".join(parts))))
    found = [kind for kind in KINDS if kind in kinds]
    return ParsedTitle("" if GENERIC.match(piece) else piece, found[0] if found else None)


def _kind_of(text: str) -> str | None:
    words = f" {' '.join(WORD.findall(text))} "
    return next((kind for kind, names in KINDS.items() if any(f" {name} " in words for name in names)), None)


def propose_versions(tracks: Iterable[TitledTrack]) -> Iterator[VersionCandidate]:
    """Pair the tracks whose titles name the same piece.

    A track without a title is named by its file, without a number in front of it.

    Parameters
    ----------
    tracks : iterable of TitledTrack

    Yields
    ------
    VersionCandidate
        All pairs of up to `MAX_SAME_TITLE` tracks with the title of one piece.
    """
    by_piece: dict[str, list[tuple[int, str, str | None]]] = {}
    for track in tracks:
        parsed = parse_title(track.title or NUMBER.sub("", os.path.splitext(os.path.basename(track.path))[0]))
        if parsed.piece:
            by_piece.setdefault(parsed.piece, []).append((track.id, search_key(track.artist or ""), parsed.kind))
    for same in by_piece.values():
        if len(same) > MAX_SAME_TITLE:
            continue
        for place, (first, artist, kind) in enumerate(same):
            for second, other_artist, other_kind in same[place + 1 :]:
                named = next((name for name in KINDS if name in {kind, other_kind}), None)
                yield VersionCandidate(first, second, named, artist == other_artist != "")
