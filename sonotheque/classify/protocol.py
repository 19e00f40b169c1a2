"""Honest figures: stratified folds in which no artist stands on both sides.

A genre held by fewer artists than there are folds cannot be judged so: its tracks help to train, but they are not
tested, and it is reported apart.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify import metrics
from sonotheque.classify.estimators import make_classifier
from sonotheque.documents import ApartGenre
from sonotheque.errors import ClassifierError

MOST_FOLDS = 5
COVERAGE = 0.75
"""Share of the tracks that the judged genres must hold for a number of folds to be taken by default."""


@dataclass(frozen=True)
class Evaluation:
    """What out-of-fold answers say.

    Attributes
    ----------
    model : str
    folds : int
    labels : list of str
        Rows and columns of `confusion`; the rows of genres apart are empty.
    confusion : int array [C, C]
    accuracy, balanced_accuracy, macro_f1 : float
    accuracy_interval : (float, float)
        95 %, bootstrap over artists.
    tested : int array [M]
        Rows of X that were tested.
    predicted : int array [M]
        Their answers, as codes of `labels`.
    apart : list of ApartGenre
    chosen : list of str
        For ``auto``: the model that won inside each fold.
    """

    model: str
    folds: int
    labels: list[str]
    confusion: metrics.Matrix
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    tested: npt.NDArray[np.int64]
    predicted: metrics.Codes
    apart: list[ApartGenre]
    chosen: list[str]


def group_tracks(artists: Sequence[str | None], albums: Sequence[str | None]) -> tuple[npt.NDArray[np.int64], int]:
    """Group tracks by artist, else by album; a track that has neither is a group of its own.

    Parameters
    ----------
    artists, albums : names [N], None where unknown

    Returns
    -------
    groups : int array [N]
    alone : int
        How many tracks have neither: figures are flattering where they share an artist.

    Examples
    --------
    >>> groups, alone = group_tracks(["Bach", "bach ", None, None], [None, "Suites", "Suites", None])
    >>> groups.tolist(), alone
    ([0, 0, 1, 2], 1)
    """
    numbers: dict[tuple[str, str], int] = {}
    groups = np.empty(len(artists), dtype=np.int64)
    alone = 0
    for row, (artist, album) in enumerate(zip(artists, albums, strict=True)):
        key = ("artist", artist) if artist else ("album", album) if album else ("track", str(row))
        alone += key[0] == "track"
        groups[row] = numbers.setdefault((key[0], key[1].strip().casefold()), len(numbers))
    return groups, alone


def count_groups(codes: metrics.Codes, groups: npt.NDArray[Any], *, labels: int) -> npt.NDArray[np.int64]:
    """Count the artists of each genre, int array [C]."""
    return np.array([len(np.unique(groups[codes == code])) for code in range(labels)], dtype=np.int64)


def default_folds(codes: metrics.Codes, artists: npt.NDArray[np.int64]) -> int:
    """Choose the number of folds: the largest up to 5 at which two genres or more can be judged and hold 3/4 of the tracks.

    Where they never hold so much: the number at which they hold most; 2 where no two genres can be judged.

    Parameters
    ----------
    codes : int array [N]
        Genre of each track.
    artists : int array [C]
        How many artists each genre has.
    """
    usable = [folds for folds in range(MOST_FOLDS, 1, -1) if (artists >= folds).sum() >= 2]
    coverage = {folds: float(np.mean(artists[codes] >= folds)) for folds in usable}
    enough = [folds for folds in usable if coverage[folds] >= COVERAGE]
    return max(enough or usable, key=lambda folds: folds if enough else coverage[folds], default=2)


def evaluate(
    X: npt.NDArray[Any],
    y: Sequence[str] | npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    model: str = "auto",
    folds: int | None = None,
    seed: int = 0,
) -> Evaluation:
    """Judge a model by out-of-fold answers.

    Parameters
    ----------
    X : float array [N, D]
    y : labels [N]
    groups : array [N]
        The artist of each track.
    model : str
        See `sonotheque.classify.estimators.make_classifier`. ``auto`` chooses inside each fold anew, so that its choice
        never sees what it is tested on.
    folds : int or None
        By default as `default_folds` says.
    seed : int
        Of the folds.

    Returns
    -------
    Evaluation

    Raises
    ------
    ClassifierError
        If fewer than two genres have as many artists as there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    labels, codes = np.unique(np.asarray(y), return_inverse=True)
    artists = count_groups(codes, groups, labels=len(labels))
    folds = folds or default_folds(codes, artists)
    judged = np.flatnonzero(artists >= folds)
    if folds < 2 or len(judged) < 2:
        raise ClassifierError(
            f"nothing to judge: {folds} folds need two genres with {max(folds, 2)} artists each, and here "
            f"{', '.join(f'{label} has {count}' for label, count in zip(labels, artists, strict=True)) or 'is no label'}; "
            "label more artists"
        )
    tested = np.flatnonzero(np.isin(codes, judged))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    predicted = np.full(len(codes), -1, dtype=np.int64)
    chosen = []
    with threadpool_limits(limits=1, user_api="blas"):
        for _, part in splitter.split(tested, codes[tested], groups[tested]):
            test = tested[part]
            train = np.flatnonzero(~np.isin(groups, groups[test]))
            estimator = make_classifier(model, seed=seed)
            context = {"groups": groups[train]} if model == "auto" else {}
            with warnings.catch_warnings():  # one genre more or less in a small fold is no news
                warnings.simplefilter("ignore", UserWarning)
                estimator.fit(X[train], codes[train], **context)
            predicted[test] = estimator.predict(X[test])
            chosen += [estimator.model_] if model == "auto" else []
    reference, answers = codes[tested], predicted[tested]
    matrix = metrics.confusion(reference, answers, labels=len(labels))
    return Evaluation(
        model=model,
        folds=folds,
        labels=[str(label) for label in labels],
        confusion=matrix,
        accuracy=metrics.accuracy(matrix),
        accuracy_interval=metrics.accuracy_interval(reference, answers, groups=groups[tested], seed=seed),
        balanced_accuracy=metrics.balanced_accuracy(matrix),
        macro_f1=metrics.macro_f1(matrix),
        tested=tested,
        predicted=answers,
        apart=[
            ApartGenre(
                label=str(label),
                tracks=int((codes == code).sum()),
                artists=int(artists[code]),
                reason=f"{artists[code]} {'artist' if artists[code] == 1 else 'artists'} for {folds} folds",
            )
            for code, label in enumerate(labels)
            if artists[code] < folds
        ],
        chosen=chosen,
    )
