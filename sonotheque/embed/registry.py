"""The registry of embedders: their names, the space that each one computes, and the choice that ``auto`` makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sonotheque.embed import descriptors, essentia, mel, musicnn
from sonotheque.embed.runtime import Compute
from sonotheque.embed.space import FRAMES_SUFFIX, Embedder, Space
from sonotheque.embed.weights import fetch
from sonotheque.embed.weights.openl3 import DOWNLOAD_MEGABYTES
from sonotheque.errors import SpaceError, WeightsError

NAMES = ("openl3", "musicnn", "descriptors", "essentia", "mel", "openl3-frames", "musicnn-frames")
"""Names of the embedders; the first is the one that ``auto`` prefers."""

UNPUBLISHED = re.compile(r"-w[0-9a-f]{8}@")
"""What is in the id of a space whose weights are not the published ones."""

FIXED_SPACES = (musicnn.SPACE, descriptors.SPACE, essentia.SPACE, mel.SPACE, musicnn.SPACE.unpooled())
"""The spaces that do not depend on weights that are downloaded."""


@dataclass(frozen=True)
class MeasuredEmbedder:
    """What an embedder costs and brings, as measured on the pages of docs/benchmarks that are named here.

    Attributes
    ----------
    clips_per_minute : int
        Clips of 30 s that `add` embeds in a minute on 2 cores (speed.md).
    accuracy : float or None
        Accuracy of `train` on the collection of 221 clips, on artist-grouped folds (classification.md). None if it has not been
        measured.
    """

    clips_per_minute: int
    accuracy: float | None


MEASURED = {"musicnn": MeasuredEmbedder(330, 0.66), "openl3": MeasuredEmbedder(25, None)}
"""The two embedders that ``auto`` chooses from."""


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
    """Resolve embedder names to spaces. Missing weights of embedders that are named are downloaded; ``auto`` downloads nothing.

    Parameters
    ----------
    names : sequence of str
        Names of embedders. ``auto`` stands for OpenL3 if intact weights are on this machine, else for musicnn. It depends on the
        files of this machine only, not on the network.
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
        If the weights of a named embedder cannot be obtained, or $SONOTHEQUE_OPENL3_WEIGHTS names no OpenL3 weights.
    """
    reason = None
    chosen = []
    for name in names:
        if name == "auto":
            name, reason = choose_automatically()
        else:
            _prepare_embedder(name, progress=progress)
        chosen.append(space_of(name))
    return SpaceChoice(tuple({space.id: space for space in chosen}.values()), reason)


def choose_automatically() -> tuple[str, str]:
    """Choose between OpenL3 and musicnn: OpenL3 if its weights are on this machine and intact.

    Returns
    -------
    name : str
    reason : str
        One line that names the choice, and what the other embedder would cost and bring.

    Raises
    ------
    WeightsError
        If $SONOTHEQUE_OPENL3_WEIGHTS names a file that is missing or holds no OpenL3 weights.
    """
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.openl3.convert import check_weights
    from sonotheque.embed.openl3.embedder import weights_from_environment

    model = Variant().published_model
    named, cached = weights_from_environment(), fetch.find_cached(model)
    if named is not None:
        check_weights(named)
    is_damaged = cached is not None and not fetch.is_intact(cached, model)
    if named is not None or (cached is not None and not is_damaged):
        return "openl3", (
            f"embedder: openl3, because its weights are on this machine ({_describe('openl3')}). `--embedder musicnn` needs no "
            f"download ({_describe('musicnn')})"
        )
    state = "are damaged" if is_damaged else "are not on this machine"
    return "musicnn", (
        f"embedder: musicnn, which ships with sonotheque ({_describe('musicnn')}). The weights of OpenL3 {state}; "
        f"`--embedder openl3` would download {DOWNLOAD_MEGABYTES} MB once ({_describe('openl3')})"
    )


def _describe(name: str) -> str:
    measured = MEASURED[name]
    accuracy = "not measured" if measured.accuracy is None else f"{measured.accuracy:.2f}"
    return f"about {measured.clips_per_minute} clips of 30 s a minute on 2 cores, benchmark accuracy {accuracy}"


def _prepare_embedder(name: str, *, progress: fetch.Progress | None) -> None:
    """Download the weights of an embedder if they are missing, and check that its optional package is installed."""
    from sonotheque.embed.openl3 import Variant
    from sonotheque.embed.openl3.embedder import weights_from_environment

    if name in {"essentia", essentia.SPACE.id}:
        essentia.check_installed()
    variant = Variant.parse(name.replace(FRAMES_SUFFIX, ""))
    if variant is not None and weights_from_environment() is None:
        fetch.fetch_weights(variant.published_model, progress=progress)


def recall_spaces(ids: Sequence[str]) -> tuple[Space, ...]:
    """Return the spaces that a library already has, by id. Nothing is downloaded.

    Raises
    ------
    SpaceError
        If this version does not know a space, an optional package is missing, or the space belongs to other weights.
    WeightsError
        If the weights of a space are not on this machine.
    """
    if essentia.SPACE.id in ids:
        essentia.check_installed()
    return tuple(space_of(name) for name in ids)


def knows_space(space_id: str) -> bool:
    """Return whether this version can compute a space, given its weights. The weights need not be on this machine.

    Examples
    --------
    >>> knows_space("openl3-music-mel256-512-kapre-h1.0@1"), knows_space("vggish@1")
    (True, False)
    """
    from sonotheque.embed.openl3 import Variant

    if space_id in {space.id for space in FIXED_SPACES}:
        return True
    return "@" in space_id and Variant.parse(space_id.replace(FRAMES_SUFFIX, "")) is not None


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
    from sonotheque.embed.openl3.embedder import find_weights, weights_from_environment

    for space in FIXED_SPACES:
        if name in {space.embedder, space.id}:
            return space
    pooled = name.replace(FRAMES_SUFFIX, "")
    variant = Variant.parse(pooled)
    if variant is None:
        raise SpaceError(f"unknown embedder or space {name!r}; known embedders are {', '.join(NAMES)}")
    if UNPUBLISHED.search(pooled) and weights_from_environment() is None:
        raise WeightsError(
            f"{name} was computed with other weights than the published ones; set SONOTHEQUE_OPENL3_WEIGHTS to that file"
        )
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
