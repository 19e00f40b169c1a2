"""The registry of embedders: their names, the space that each one computes, and the choice that ``auto`` makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sonotheque.embed import descriptors, essentia, mel, musicnn
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import FRAMES_SUFFIX, Embedder, Space
from sonotheque.embed.weights import fetch
from sonotheque.errors import SpaceError, WeightsError

NAMES = ("openl3", "musicnn", "descriptors", "essentia", "mel", "openl3-frames", "musicnn-frames")
"""Names of the embedders; the first is the one that ``auto`` prefers."""

AUTO_TIMEOUT = 10.0
"""Seconds that ``auto`` waits for a download."""


@dataclass(frozen=True)
class SpaceChoice:
    """The spaces that a library computes, and the reason for an automatic choice.

    Attributes
    ----------
    spaces : tuple of Space
    reason : str or None
        One line that explains the choice of ``auto``; None if the user named the embedders.
    """

    spaces: tuple[Space, ...]
    reason: str | None


def embedder_names() -> tuple[str, ...]:
    """Return the names of the embedders; the first is the one that ``auto`` prefers.

    Examples
    --------
    >>> embedder_names()
    ('openl3', 'musicnn', 'descriptors', 'essentia', 'mel', 'openl3-frames', 'musicnn-frames')
    """
    return NAMES


def choose_spaces(names: Sequence[str], *, progress: fetch.Progress | None = None) -> SpaceChoice:
    """Resolve embedder names to spaces, and download missing weights.

    Parameters
    ----------
    names : sequence of str
        Names of embedders. If ``auto`` is among them, OpenL3 is chosen if its weights are on this machine or can be downloaded
        within `AUTO_TIMEOUT`, else musicnn.
    progress : callable
        Called with (bytes received, total bytes) during a download.

    Returns
    -------
    SpaceChoice

    Raises
    ------
    SpaceError
        If a name is unknown.
    WeightsError
        If the weights of a named embedder cannot be obtained.
    """
    if "auto" not in names:
        for name in names:
            _prepare_embedder(name, progress=progress)
        return SpaceChoice(tuple({space.id: space for space in map(space_of, names)}.values()), None)
    try:
        _prepare_embedder("openl3", progress=progress, timeout=AUTO_TIMEOUT, attempts=1)
        return SpaceChoice((space_of("openl3"),), "embedder: openl3 (its weights are on this machine)")
    except WeightsError as error:
        reason = str(error).partition(". ")[0].removeprefix("openl3-music-mel256: ")
    return SpaceChoice(
        (musicnn.SPACE,), f"embedder: musicnn, which ships with sonotheque (OpenL3 weights are unavailable: {reason})"
    )


def _prepare_embedder(
    name: str,
    *,
    progress: fetch.Progress | None,
    timeout: float | None = None,
    attempts: int = fetch.MAX_ATTEMPTS,
) -> None:
    """Download the weights of an embedder if they are missing, and check that its optional package is installed."""
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.openl3.embedder import weights_from_environment

    if name in {"essentia", essentia.SPACE.id}:
        essentia.check_installed()
    variant = Variant.parse(name.replace(FRAMES_SUFFIX, ""))
    if variant is not None and weights_from_environment() is None:
        fetch.fetch_weights(variant.published_model, progress=progress, timeout=timeout, attempts=attempts)


def space_of(name: str) -> Space:
    """Return the space with this embedder name or space id. Nothing is downloaded.

    Raises
    ------
    SpaceError
        If the name or id is unknown, or if the id belongs to other weights than those on this machine.
    WeightsError
        If the weights of the space are not on this machine.
    """
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.openl3.embedder import find_weights

    for space in (musicnn.SPACE, descriptors.SPACE, essentia.SPACE, mel.SPACE, musicnn.SPACE.unpooled()):
        if name in {space.embedder, space.id}:
            return space
    pooled = name.replace(FRAMES_SUFFIX, "")
    variant = Variant.parse(pooled)
    if variant is None:
        raise SpaceError(f"unknown embedder or space {name!r}; known embedders are {', '.join(NAMES)}")
    space = variant.space(find_weights(variant.published_model))
    if "@" in name and pooled != space.id:
        raise SpaceError(f"{name} was computed with other weights than those on this machine, which give {space.id}")
    return space.unpooled() if FRAMES_SUFFIX in name else space


def group_by_frames(spaces: Sequence[str]) -> list[list[str]]:
    """Group space ids that are computed from the same frames, pooled or not, so that the frames are computed once."""
    groups: dict[str, list[str]] = {}
    for space in spaces:
        groups.setdefault(space.replace(FRAMES_SUFFIX, ""), []).append(space)
    return list(groups.values())


@cache
def open_embedder(space_id: str, *, compute: Compute = Compute()) -> Embedder:
    """Return the embedder of a space, and cache it for the lifetime of the process.

    An embedder yields frames; they are the same for the pooled space and for the space of single frames.

    Raises
    ------
    SpaceError
        If this version does not know the space.
    WeightsError
        If the weights of the space are not on this machine.
    """
    from sonotheque.embed.openl3 import OpenL3, Variant

    factories: dict[str, Callable[[], Embedder]] = {
        "mel": lambda: mel.MelSpectrogram(compute=compute),
        "musicnn": lambda: musicnn.Musicnn(compute=compute),
        "essentia": lambda: essentia.Essentia(compute=compute),
        "descriptors": lambda: descriptors.Descriptors(compute=compute),
        "openl3": lambda: OpenL3(Variant.parse(space_id.replace(FRAMES_SUFFIX, "")) or Variant(), compute=compute),
    }
    return factories[space_of(space_id).embedder.removesuffix(FRAMES_SUFFIX)]()
