"""Several genres in the tags of one file: one rule for all tag formats.

A file may name several genres, as several values of a field, as one text such as ``Rock; Pop``, or as numbers such as ``(17)(13)``.
`split_genres` makes one list of them, in the order of the file; the first one is the file's genre.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

SEPARATORS = (re.compile(r"[\0;|]|\\\\"), re.compile(","), re.compile("/"))
"""Between genres in one text. They are tried in this order, so that a known name that contains one is kept whole."""

WHOLE_NAMES = frozenset(
    (
        "christian/gospel",
        "folk, world, & country",
        "funk / soul",
        "hip-hop/rap",
        "pop/funk",
        "r&b/soul",
        "singer/songwriter",
    )
)
"""Names of one genre that contain a separator, in lower case: those of ID3v1, iTunes and Discogs."""

_REFERENCES = re.compile(r"((?:\((?:\d+|RX|CR)\))*)(.*)", re.DOTALL)
_SPECIAL = {"RX": "Remix", "CR": "Cover"}


def resolve_numbers(texts: Iterable[str], *, id3: bool) -> list[str]:
    """Replace the numbers of ID3v1 genres by their names. A number that stands for no genre, such as 255, is dropped.

    Parameters
    ----------
    texts : iterable of str
        The values of a genre field.
    id3 : bool
        Whether they come from an ID3 tag, where a number alone is a genre too. Elsewhere only numbers in brackets are.

    Returns
    -------
    list of str
        As many for each text as it has references and names (ID3v2.3, section 4.2.1, TCON).

    Examples
    --------
    >>> resolve_numbers(["(17)(13)", "(4)Eurodisco", "255"], id3=True)
    ['Rock', 'Pop', 'Disco', 'Eurodisco']
    """
    return [name for text in texts for name in _resolve(text.strip(), id3=id3)]


def _resolve(text: str, *, id3: bool) -> Iterator[str]:
    if id3 and (text.isdecimal() or text in _SPECIAL):
        references, rest = [text], ""
    else:
        match = _REFERENCES.fullmatch(text)
        assert match is not None  # noqa: S101 - the pattern matches every text
        references, rest = re.findall(r"\((\w+)\)", match[1]), match[2].strip()
    names = [name for name in map(_genre_of_reference, references) if name]
    rest = rest.removeprefix("(") if rest.startswith("((") else rest
    if rest and rest not in names:
        names.append(rest)
    yield from names


def _genre_of_reference(reference: str) -> str | None:
    from mutagen._constants import GENRES  # not exported anywhere else

    if reference in _SPECIAL:
        return _SPECIAL[reference]
    return str(GENRES[int(reference)]) if len(reference) < 4 and int(reference) < len(GENRES) else None


def split_genres(values: Iterable[str]) -> list[str]:
    """Split the values of a genre field into single genres.

    Parameters
    ----------
    values : iterable of str
        Without numbers, see `resolve_numbers`.

    Returns
    -------
    list of str
        In order, each genre once (in its first spelling, where only the case differs).

    Examples
    --------
    >>> split_genres(["Rock; Pop", "Hip-Hop/Rap"])
    ['Rock', 'Pop', 'Hip-Hop/Rap']
    """
    genres: dict[str, str] = {}
    for value in values:
        for name in _split(value, 0):
            genres.setdefault(name.casefold(), name)
    return list(genres.values())


def _split(text: str, level: int) -> Iterator[str]:
    text = " ".join(text.split())
    if level == len(SEPARATORS) or text.casefold() in WHOLE_NAMES:
        if text:
            yield text
        return
    for part in SEPARATORS[level].split(text):
        yield from _split(part, level + 1)
