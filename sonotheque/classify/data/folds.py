"""Artist groups, and cross-validation folds in which no artist has tracks in both the training and the test set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.types import Codes, Rows

MAX_FOLDS = 5
MIN_COVERAGE = 0.75
"""Fraction of the tracks whose genres must have enough artists for a number of folds to be the default."""

Fold = tuple[Rows, Rows]
"""Rows of the training set, rows of the test set."""


def group_tracks(
    artists: Sequence[str | None], albums: Sequence[str | None], *, folders: Sequence[str | None] | None = None
) -> tuple[npt.NDArray[np.int64], int]:
    """Group tracks by artist. A track without an artist is grouped by album, else by folder, else it is a group of its own.

    Parameters
    ----------
    artists, albums : sequences of str or None [N]
        Names, None if unknown.
    folders : sequence of str or None [N], or None
        See `folders_as_artists`.

    Returns
    -------
    groups : int array [N]
    n_ungrouped : int
        Number of tracks without artist, album and folder. If some of them are by one artist, scores are too optimistic.

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
    """Return the folder of each track if folders can be used in place of artists, otherwise None.

    They can if the tracks without artist and album are in at least five folders for each of their genres, as in
    Artist/Album/track.mp3. One folder for each genre, or one for all tracks, says nothing about artists.

    Parameters
    ----------
    paths : sequence of str [N]
    labels : sequence of str [N]
        Genres.
    unknown : sequence of bool [N]
        Whether neither the artist nor the album of a track is known.

    Returns
    -------
    list of str or None
    """
    folders_of_label: dict[str, set[str]] = {}
    for path, label, is_unknown in zip(paths, labels, unknown, strict=True):
        if is_unknown:
            folders_of_label.setdefault(label, set()).add(os.path.dirname(path))
    if not folders_of_label or min(len(folders) for folders in folders_of_label.values()) < MAX_FOLDS:
        return None
    return [os.path.dirname(path) for path in paths]


def count_artists(codes: Codes, groups: npt.NDArray[Any], *, n_classes: int) -> npt.NDArray[np.int64]:
    """Count the artists of each genre. Returns int array [C]."""
    return np.array([len(np.unique(groups[codes == code])) for code in range(n_classes)], dtype=np.int64)


def default_n_folds(codes: Codes, artists: npt.NDArray[np.int64]) -> int:
    """Choose the number of folds: the largest, up to 5, at which at least two genres with 3/4 of the tracks can be evaluated.

    A genre can be evaluated if it has as many artists as there are folds. If no number of folds reaches 3/4 of the tracks, the one
    that covers the largest fraction is chosen. If fewer than two genres can be evaluated with any number of folds, the result is 2.

    Parameters
    ----------
    codes : int array [N]
        Genre of each track.
    artists : int array [C]
        Number of artists of each genre.

    Returns
    -------
    int
    """
    usable = [folds for folds in range(MAX_FOLDS, 1, -1) if (artists >= folds).sum() >= 2]
    coverage = {folds: float(np.mean(artists[codes] >= folds)) for folds in usable}
    sufficient = [folds for folds in usable if coverage[folds] >= MIN_COVERAGE]
    return max(sufficient or usable, key=lambda folds: folds if sufficient else coverage[folds], default=2)


def grouped_folds(codes: Codes, groups: npt.NDArray[Any], *, folds: int, seed: int) -> list[Fold]:
    """Make stratified folds in which no artist has tracks in both the training and the test set.

    A genre with fewer artists than folds is not tested. Its tracks are used for training only.

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
        Empty if fewer than two genres have enough artists.
    """
    import warnings

    from sklearn.model_selection import StratifiedGroupKFold

    artists = count_artists(codes, groups, n_classes=int(codes.max()) + 1)
    evaluated = np.flatnonzero(artists >= folds)
    if folds < 2 or len(evaluated) < 2:
        return []
    tested = np.flatnonzero(np.isin(codes, evaluated))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    result = []
    with warnings.catch_warnings():  # scikit-learn warns if a small fold lacks a genre
        warnings.simplefilter("ignore", UserWarning)
        for _, positions in splitter.split(tested, codes[tested], groups[tested]):
            test = tested[positions]
            result.append((np.flatnonzero(~np.isin(groups, groups[test])), test))
    return result


def default_grouped_folds(codes: Codes, groups: npt.NDArray[Any], *, seed: int) -> list[Fold]:
    """Make artist-grouped folds, with the number of folds chosen by `default_n_folds`. See `grouped_folds`."""
    artists = count_artists(codes, groups, n_classes=int(codes.max()) + 1)
    return grouped_folds(codes, groups, folds=default_n_folds(codes, artists), seed=seed)
