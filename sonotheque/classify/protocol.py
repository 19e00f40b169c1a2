"""Honest figures: what a learner answers for recordings whose artists it has never heard.

A genre held by fewer artists than there are folds cannot be judged so: its tracks help to train, but they are not
tested, and it is reported apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify import curves, metrics
from sonotheque.classify.folds import Fold, count_groups, default_folds, grouped_folds, usual_folds
from sonotheque.classify.learners import Learner
from sonotheque.classify.recipe import Fitted
from sonotheque.classify.recordings import Recordings
from sonotheque.documents import ApartGenre
from sonotheque.errors import ClassifierError

Progress = Callable[[int, int], None]
"""Called with how many folds are done and how many there are."""


@dataclass(frozen=True)
class Evaluation:
    """What out-of-fold answers say. With repeats, all their answers stand one after the other.

    Attributes
    ----------
    folds : int
    labels : list of str
        Rows and columns of `confusion`; the rows of genres apart are empty.
    tested : int array [M]
        Recordings that were tested.
    reference, predicted : int arrays [M]
        Their genres and the answers, as codes of `labels`.
    probabilities : float64 array [M, C]
    groups : int array [M]
        Their artists.
    apart : list of ApartGenre
    fitted : list of Fitted
        What was learned for each fold.
    splits : list of (train, test)
        The recordings that each of them learned from, and those that it answered for; `tested` is all the latter in a row.
    """

    folds: int
    labels: list[str]
    tested: npt.NDArray[np.int64]
    reference: metrics.Codes
    predicted: metrics.Codes
    probabilities: npt.NDArray[np.float64]
    groups: npt.NDArray[Any]
    apart: list[ApartGenre]
    fitted: list[Fitted]
    splits: list[Fold]

    @property
    def confusion(self) -> metrics.Matrix:
        """Counts, int array [C, C]."""
        return metrics.confusion(self.reference, self.predicted, labels=len(self.labels))

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return metrics.accuracy(self.confusion)

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """95 %, bootstrap over artists."""
        return metrics.accuracy_interval(self.reference, self.predicted, groups=self.groups)

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall."""
        return metrics.balanced_accuracy(self.confusion)

    @property
    def macro_f1(self) -> float:
        """Mean F1."""
        return metrics.macro_f1(self.confusion)

    def interval_of(self, statistic: Callable[[metrics.Matrix], float]) -> tuple[float, float]:
        """Bootstrap interval over artists of a figure that a confusion matrix gives."""
        return metrics.confusion_interval(
            self.reference, self.predicted, groups=self.groups, labels=len(self.labels), statistic=statistic
        )

    @property
    def log_loss(self) -> float:
        """Mean negative natural logarithm of the probability of the right genre."""
        return curves.log_loss(self.reference, self.probabilities)

    @property
    def auc(self) -> npt.NDArray[np.float64]:
        """Area under the ROC curve of each genre against the rest, [C]; NaN where it is not tested."""
        return curves.auc(self.reference, self.probabilities)


def evaluate(
    data: Recordings,
    y: Sequence[str] | npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    learner: Learner,
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Judge a learner by out-of-fold answers.

    Parameters
    ----------
    data : Recordings
        N of them.
    y : labels [N]
    groups : array [N]
        The artist of each.
    learner : Learner
        Whatever it chooses, it chooses inside each fold anew: its choice never sees what it is tested on.
    folds : int, list of (train, test), or None
        By default as `default_folds` says. Given folds are taken as they are.
    repeats : int
        Times that the folds are drawn anew.
    seed : int
        Of the folds.
    progress : callable

    Returns
    -------
    Evaluation

    Raises
    ------
    ClassifierError
        If fewer than two genres have as many artists as there are folds.
    """
    from threadpoolctl import threadpool_limits

    labels, codes = np.unique(np.asarray(y), return_inverse=True)
    artists = count_groups(codes, groups, labels=len(labels))
    given = folds if folds is not None and not isinstance(folds, int) else None
    wanted = folds if isinstance(folds, int) else None
    count = len(given) if given is not None else wanted or default_folds(codes, artists)
    splits = [(seed, fold) for fold in given or []] or [
        (seed + repeat, fold)
        for repeat in range(repeats)
        for fold in grouped_folds(codes, groups, folds=count, seed=seed + repeat)
    ]
    if not splits:
        have = ", ".join(f"{label} has {artist}" for label, artist in zip(labels, artists, strict=True))
        raise ClassifierError(
            f"nothing to judge: {count} folds need two genres with {max(count, 2)} artists each, and here "
            f"{have or 'is no label'}; label more artists"
        )
    answers, tested, fitted = [], [], []
    with threadpool_limits(limits=1, user_api="blas"):
        for done, (number, (train, test)) in enumerate(splits):
            if progress:
                progress(done, len(splits))
            one = learner(data.take(train), codes[train], groups[train], number)
            answers.append(one.probabilities(data.take(test), labels=len(labels)))
            tested.append(test)
            fitted.append(one)
    if progress:
        progress(len(splits), len(splits))
    rows, probabilities = np.concatenate(tested), np.concatenate(answers)
    tests = np.bincount(codes[rows], minlength=len(labels))
    return Evaluation(
        folds=count,
        labels=[str(label) for label in labels],
        tested=rows,
        reference=codes[rows],
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        groups=groups[rows],
        apart=[
            ApartGenre(
                label=str(label),
                tracks=int((codes == code).sum()),
                artists=int(artists[code]),
                reason=f"{artists[code]} {'artist' if artists[code] == 1 else 'artists'} for {count} folds"
                if given is None
                else "none of its tracks is tested",
            )
            for code, label in enumerate(labels)
            if not tests[code]
        ],
        fitted=fitted,
        splits=[fold for _, fold in splits],
    )


def learning_curve(
    data: Recordings,
    y: Sequence[str] | npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    learner: Learner,
    shares: Sequence[float] = (0.125, 0.25, 0.5, 1.0),
    seed: int = 0,
) -> list[tuple[float, Evaluation]]:
    """Judge a learner that has heard only some of the artists, on the same folds.

    Parameters
    ----------
    shares : sequence of float
        Of each fold's training artists, drawn genre by genre, at least two of each.

    Returns
    -------
    list of (mean number of training tracks, Evaluation)
    """
    codes = np.unique(np.asarray(y), return_inverse=True)[1]
    folds = usual_folds(codes, groups, seed=seed)
    result = []
    for share in shares:
        generator = np.random.default_rng(seed)
        fewer = []
        for train, test in folds:
            kept: set[Any] = set()
            for code in np.unique(codes[train]):
                artists = np.unique(groups[train][codes[train] == code])
                kept |= set(generator.permutation(artists)[: max(2, round(share * len(artists)))])
            fewer.append((train[np.isin(groups[train], list(kept))], test))
        evaluation = evaluate(data, y, groups=groups, learner=learner, folds=fewer, seed=seed)
        result.append((float(np.mean([len(train) for train, _ in fewer])), evaluation))
    return result
