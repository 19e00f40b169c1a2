"""Which embedders there are, which space each computes, and which one ``auto`` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sonotheque.embed import descriptors, essentia, mel, musicnn
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import FRAMES, Embedder, Space
from sonotheque.embed.weights import fetch
from sonotheque.errors import SpaceError, WeightsError

NAMES = ("openl3", "musicnn", "descriptors", "essentia", "mel", "openl3-frames", "musicnn-frames")
"""Embedders by name, the one that ``auto`` prefers first."""

PATIENCE = 10.0
"""Seconds after which ``auto`` no longer waits for a download."""


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
    """Name the embedders, the one that ``auto`` prefers first.

    Examples
    --------
    >>> embedder_names()
    ('openl3', 'musicnn', 'descriptors', 'essentia', 'mel', 'openl3-frames', 'musicnn-frames')
    """
    return NAMES


def choose(names: Sequence[str], *, progress: fetch.Progress | None = None) -> Choice:
    """Turn what a person asked for into spaces; weights that are missing are fetched.

    Parameters
    ----------
    names : embedder names, or ``("auto",)``: OpenL3 if its weights are there or come within `PATIENCE`, else musicnn
    progress : callable
        Called with (bytes received, bytes in all) while weights are fetched.

    Returns
    -------
    Choice

    Raises
    ------
    SpaceError
        If a name is unknown.
    WeightsError
        If weights that were asked for by name cannot be had.
    """
    if "auto" not in names:
        for name in names:
            _provide(name, progress=progress)
        return Choice(tuple({space.id: space for space in map(space_of, names)}.values()), None)
    try:
        _provide("openl3", progress=progress, seconds=PATIENCE, tries=1)
        return Choice((space_of("openl3"),), "embedder: openl3 (its weights are on this machine)")
    except WeightsError as error:
        reason = str(error).partition(". ")[0].removeprefix("openl3-music-mel256: ")
    return Choice((musicnn.SPACE,), f"embedder: musicnn, which ships with sonotheque (openl3's weights: {reason})")


def _provide(
    name: str, *, progress: fetch.Progress | None, seconds: float | None = None, tries: int = fetch.TRIES
) -> None:
    """Fetch the weights of an embedder where it needs some and none are on this machine; check that its package is there."""
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.openl3.embedder import named_weights

    if name in {"essentia", essentia.SPACE.id}:
        essentia.require()
    variant = Variant.parse(name.replace(FRAMES, ""))
    if variant is not None and named_weights() is None:
        fetch.fetch(variant.published, progress=progress, seconds=seconds, tries=tries)


def space_of(name: str) -> Space:
    """Return the space of an embedder's name or of a space's id. Nothing is fetched.

    Raises
    ------
    SpaceError
        If neither is known, or the id is that of other weights than those on this machine.
    WeightsError
        If its weights are not on this machine.
    """
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.openl3.embedder import local_weights

    for space in (musicnn.SPACE, descriptors.SPACE, essentia.SPACE, mel.SPACE, musicnn.SPACE.unpooled()):
        if name in {space.embedder, space.id}:
            return space
    pooled = name.replace(FRAMES, "")
    variant = Variant.parse(pooled)
    if variant is None:
        raise SpaceError(f"unknown embedder or space {name!r}; this version knows {', '.join(NAMES)}")
    space = variant.space(local_weights(variant.published))
    if "@" in name and pooled != space.id:
        raise SpaceError(f"{name} was made with other weights than those on this machine, which give {space.id}")
    return space.unpooled() if FRAMES in name else space


def share_frames(spaces: Sequence[str]) -> list[list[str]]:
    """Put spaces together that keep the same frames, pooled and not: they are computed once."""
    groups: dict[str, list[str]] = {}
    for space in spaces:
        groups.setdefault(space.replace(FRAMES, ""), []).append(space)
    return list(groups.values())


@cache
def open_embedder(space_id: str, *, compute: Compute = Compute()) -> Embedder:
    """Make the embedder of a space; it is kept for the life of the process. Its frames are the same whether they are pooled or not.

    Raises
    ------
    SpaceError
        If the space is unknown to this version.
    WeightsError
        If its weights are not on this machine.
    """
    from sonotheque.embed.openl3 import OpenL3, Variant

    makers: dict[str, Callable[[], Embedder]] = {
        "mel": lambda: mel.MelSpectrogram(compute=compute),
        "musicnn": lambda: musicnn.Musicnn(compute=compute),
        "essentia": lambda: essentia.Essentia(compute=compute),
        "descriptors": lambda: descriptors.Descriptors(compute=compute),
        "openl3": lambda: OpenL3(Variant.parse(space_id.replace(FRAMES, "")) or Variant(), compute=compute),
    }
    return makers[space_of(space_id).embedder.removesuffix(FRAMES)]()
