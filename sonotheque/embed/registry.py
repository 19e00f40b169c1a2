"""Which embedders there are, which space each computes, and which one ``auto`` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sonotheque.embed import musicnn
from sonotheque.embed.space import Embedder, Space
from sonotheque.errors import SpaceError

_EMBEDDERS: dict[str, tuple[Space, Callable[[], Embedder]]] = {
    "musicnn": (musicnn.SPACE, musicnn.Musicnn),
}


@dataclass(frozen=True)
class Choice:
    """The spaces that a library computes, and why.

    Attributes
    ----------
    spaces : tuple of Space
    reason : str or None
        One line for a person, where the program chose.
    """

    spaces: tuple[Space, ...]
    reason: str | None


def embedder_names() -> tuple[str, ...]:
    """Name the embedders, the default first.

    Examples
    --------
    >>> embedder_names()
    ('musicnn',)
    """
    return tuple(_EMBEDDERS)


def choose(names: Sequence[str]) -> Choice:
    """Turn what a person asked for into spaces.

    Parameters
    ----------
    names : embedder names, or ``("auto",)``

    Returns
    -------
    Choice

    Raises
    ------
    SpaceError
        If a name is unknown.
    """
    if "auto" not in names:
        return Choice(tuple(space_of(name) for name in dict.fromkeys(names)), None)
    space = space_of("musicnn")
    return Choice((space,), "embedder: musicnn (the network that ships with sonotheque)")


def space_of(name: str) -> Space:
    """Return the space of an embedder's name or of a space's id.

    Raises
    ------
    SpaceError
        If neither is known.
    """
    for embedder, (space, _) in _EMBEDDERS.items():
        if name in {embedder, space.id}:
            return space
    raise SpaceError(f"unknown embedder or space {name!r}; this version knows {', '.join(_EMBEDDERS)}")


@cache
def open_embedder(space_id: str) -> Embedder:
    """Load the embedder of a space; it is kept for the life of the process.

    Raises
    ------
    SpaceError
        If the space is unknown to this version.
    """
    return _EMBEDDERS[space_of(space_id).embedder][1]()
