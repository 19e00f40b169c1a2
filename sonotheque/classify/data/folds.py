"""Who is tested and who teaches: groups of tracks, folds in which no artist stands on both sides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.types import Codes, Rows

MAX_FOLDS = 5
COVERAGE = 0.75
"""Share of the tracks that the judged genres must hold for a number of folds to be taken by default."""

Fold = tuple[Rows, Rows]
"""Rows that teach, rows that are tested."""


def group_tracks(
    artists: Sequence[str | None], albums: Sequence[str | None], *, folders: Sequence[str | None] | None = None
) -> tuple[npt.NDArray[np.int64], int]:
    """Group tracks by artist, else by album, else by folder; a track that has none of them is a group of its own.

    Parameters
    ----------
    artists, albums : names [N], None where unknown
    folders : paths [N] or None
        See `telling_folders`.

    Returns
    -------
    groups : int array [N]
    n_ungrouped : int
        How many tracks have nothing: figures are flattering where they share an artist.

    Examples
    --------
    >>> groups, n_ungrouped = group_tracks(["Bach", "bach ", None, None], [None, "Suites", "Suites", None])
    >>> groups.tolist(), n_ungrouped
    ([0, 0, 1, 2], 1)
    """
    numbers: dict[tuple[str, str], int] = {}
    groups = np.empty(len(artists), dtype=np.int64)
    n_ungrouped = 0
    for row, names in enumerate(zip(artists, albums, folders or [None] * len(artists), strict=True)):
        kinds = zip(("artist", "album", "folder"), names, strict=True)
        kind, name = next(((kind, name.strip().casefold()) for kind, name in kinds if name), ("track", str(row)))
        n_ungrouped += kind == "track"
        groups[row] = numbers.setdefault((kind, name), len(numbers))
    return groups, n_ungrouped


def folders_as_artists(paths: Sequence[str], labels: Sequence[str], unknown: Sequence[bool]) -> list[str | None] | None:
    """Return the folder of each track, where folders can stand for artists.

    They can where the tracks of which neither artist nor album is known lie in at least five folders for each of their genres,
    as in Artist/Album/track.mp3; a folder for each genre, or one for all, tells nothing.

    Parameters
    ----------
    paths : paths [N]
    labels : genres [N]
    unknown : whether neither artist nor album is known [N]
    """
    kinds: dict[str, set[str]] = {}
    for path, label, open_ in zip(paths, labels, unknown, strict=True):
        if open_:
            kinds.setdefault(label, set()).add(os.path.dirname(path))
    if not kinds or min(len(folders) for folders in kinds.values()) < MAX_FOLDS:
        return None
    return [os.path.dirname(path) for path in paths]


def count_artists(codes: Codes, groups: npt.NDArray[Any], *, n_classes: int) -> npt.NDArray[np.int64]:
    """Count the artists of each genre, int array [C]."""
    return np.array([len(np.unique(groups[codes == code])) for code in range(n_classes)], dtype=np.int64)


def default_n_folds(codes: Codes, artists: npt.NDArray[np.int64]) -> int:
    """Choose the number of folds: the largest up to 5 at which two genres or more can be judged and hold 3/4 of the tracks.

    Where they never hold so much: the number at which they hold most; 2 where no two genres can be judged.

    Parameters
    ----------
    codes : int array [N]
        Genre of each track.
    artists : int array [C]
        How many artists each genre has.
    """
    usable = [folds for folds in range(MAX_FOLDS, 1, -1) if (artists >= folds).sum() >= 2]
    coverage = {folds: float(np.mean(artists[codes] >= folds)) for folds in usable}
    enough = [folds for folds in usable if coverage[folds] >= COVERAGE]
    return max(enough or usable, key=lambda folds: folds if enough else coverage[folds], default=2)


def grouped_folds(codes: Codes, groups: npt.NDArray[Any], *, folds: int, seed: int) -> list[Fold]:
    """Make stratified folds in which no artist stands on both sides.

    A genre held by fewer artists than there are folds is not tested: its tracks only teach.

    Parameters
    ----------
    codes : int array [N]
        Genre of each track.
    groups : array [N]
        Artist of each track.
    folds : int
    seed : int

    Returns
    -------
    list of (train, test)
        Empty where fewer than two genres have enough artists.
    """
    import warnings

    from sklearn.model_selection import StratifiedGroupKFold

    artists = count_artists(codes, groups, n_classes=int(codes.max()) + 1)
    judged = np.flatnonzero(artists >= folds)
    if folds < 2 or len(judged) < 2:
        return []
    tested = np.flatnonzero(np.isin(codes, judged))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    result = []
    with warnings.catch_warnings():  # one genre more or less in a small fold is no news
        warnings.simplefilter("ignore", UserWarning)
        for _, part in splitter.split(tested, codes[tested], groups[tested]):
            test = tested[part]
            result.append((np.flatnonzero(~np.isin(groups, groups[test])), test))
    return result


def default_grouped_folds(codes: Codes, groups: npt.NDArray[Any], *, seed: int) -> list[Fold]:
    """Make as many grouped folds as `default_folds` says; see `grouped_folds`."""
    artists = count_artists(codes, groups, n_classes=int(codes.max()) + 1)
    return grouped_folds(codes, groups, folds=default_n_folds(codes, artists), seed=seed)
