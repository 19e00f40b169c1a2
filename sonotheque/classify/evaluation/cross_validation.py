"""Cross-validation with artist-grouped folds: predictions for tracks whose artists were not used for training.

A genre with fewer artists than there are folds cannot be evaluated. Its tracks are used for training only, and the genre is listed
in `CrossValidationResult.unevaluated_classes`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sonotheque.classify.data.embedding_set import EmbeddingSet
from sonotheque.classify.data.folds import Fold, count_artists, default_grouped_folds, default_n_folds, grouped_folds
from sonotheque.classify.evaluation import bootstrap, metrics, probability_metrics
from sonotheque.classify.models.learners import Learner
from sonotheque.classify.models.model_spec import Ensemble
from sonotheque.errors import ClassifierError
from sonotheque.plurals import pluralize
from sonotheque.results import UnevaluatedGenre
from sonotheque.types import Codes, Float64Array, Interval, Probabilities, Progress, Rows


@dataclass(frozen=True)
class CrossValidationResult:
    """Out-of-fold predictions and the models that made them. With repeats, the predictions of all repeats are concatenated.

    Attributes
    ----------
    folds : int
        Number of folds.
    labels : list of str
        Rows and columns of `confusion`. Rows of unevaluated genres are empty.
    tested : int array [M]
        Tracks that were tested.
    reference, predicted : int arrays [M]
        Their true and predicted genres, as indices of `labels`.
    probabilities : float64 array [M, C]
    groups : int array [M]
        Their artists.
    unevaluated_classes : list of UnevaluatedGenre
    ensembles : list of Ensemble
        The classifier that was fitted for each fold.
    splits : list of (train, test)
        The tracks that each classifier was trained on and tested on. `tested` is the concatenation of the latter.
    """

    folds: int
    labels: list[str]
    tested: Rows
    reference: Codes
    predicted: Codes
    probabilities: Probabilities
    groups: npt.NDArray[Any]
    unevaluated_classes: list[UnevaluatedGenre]
    ensembles: list[Ensemble]
    splits: list[Fold]

    @property
    def confusion(self) -> Codes:
        """Confusion matrix, int array [C, C]."""
        return metrics.confusion_matrix(self.reference, self.predicted, n_classes=len(self.labels))

    @property
    def accuracy(self) -> float:
        """Accuracy."""
        return metrics.accuracy(self.confusion)

    @property
    def accuracy_interval(self) -> Interval:
        """95% bootstrap interval of the accuracy over artists."""
        return bootstrap.accuracy_interval(self.reference, self.predicted, groups=self.groups)

    @property
    def balanced_accuracy(self) -> float:
        """Balanced accuracy: the mean recall."""
        return metrics.balanced_accuracy(self.confusion)

    @property
    def macro_f1(self) -> float:
        """Macro F1: the mean F1."""
        return metrics.macro_f1(self.confusion)

    def interval_of(self, statistic: Callable[[Codes], float]) -> Interval:
        """95% bootstrap interval over artists of a statistic of the confusion matrix."""
        return bootstrap.confusion_interval(
            self.reference, self.predicted, groups=self.groups, n_classes=len(self.labels), statistic=statistic
        )

    @property
    def log_loss(self) -> float:
        """Log loss (natural logarithm)."""
        return probability_metrics.log_loss(self.reference, self.probabilities)

    @property
    def auc(self) -> Float64Array:
        """Area under the one-vs-rest ROC curve of each genre, [C]. NaN for genres that are not tested."""
        return probability_metrics.auc(self.reference, self.probabilities)


def cross_validate(
    data: EmbeddingSet,
    y: Sequence[str] | npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    learner: Learner,
    folds: int | Sequence[Fold] | None = None,
    repeats: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> CrossValidationResult:
    """Evaluate a learner by out-of-fold predictions.

    Parameters
    ----------
    data : EmbeddingSet
        N tracks.
    y : labels [N]
    groups : array [N]
        Artists.
    learner : Learner
        Model selection is nested: the learner sees only the training side of each fold.
    folds : int, list of (train, test), or None
        Number of folds, by default as `default_n_folds` says. Given folds are used as they are.
    repeats : int
        Number of times that the folds are drawn.
    seed : int
        Seed of the folds.
    progress : callable or None
        Called with (folds done, number of folds).

    Returns
    -------
    CrossValidationResult

    Raises
    ------
    ClassifierError
        If fewer than two genres have as many artists as there are folds.
    """
    from threadpoolctl import threadpool_limits

    labels, codes = np.unique(np.asarray(y), return_inverse=True)
    artists = count_artists(codes, groups, n_classes=len(labels))
    given = folds if folds is not None and not isinstance(folds, int) else None
    requested = folds if isinstance(folds, int) else None
    count = len(given) if given is not None else requested or default_n_folds(codes, artists)
    splits = [(seed, fold) for fold in given or []] or [
        (repeat_seed, fold)
        for repeat_seed in ((seed + repeat) % 2**32 for repeat in range(repeats))
        for fold in grouped_folds(codes, groups, folds=count, seed=repeat_seed)
    ]
    if not splits:
        found = ", ".join(f"{label} has {artist}" for label, artist in zip(labels, artists, strict=True))
        raise ClassifierError(
            f"nothing to evaluate: {count} folds need two genres with {max(count, 2)} artists each, but "
            f"{found or 'there is no label'}; label more artists"
        )
    predictions, tested, ensembles = [], [], []
    with threadpool_limits(limits=1, user_api="blas"):
        for done, (fold_seed, (train, test)) in enumerate(splits):
            if progress:
                progress(done, len(splits))
            ensemble = learner(data.take(train), codes[train], groups[train], fold_seed)
            predictions.append(ensemble.predict_proba(data.take(test), n_classes=len(labels)))
            tested.append(test)
            ensembles.append(ensemble)
    if progress:
        progress(len(splits), len(splits))
    rows, probabilities = np.concatenate(tested), np.concatenate(predictions)
    n_tested = np.bincount(codes[rows], minlength=len(labels))
    return CrossValidationResult(
        folds=count,
        labels=[str(label) for label in labels],
        tested=rows,
        reference=codes[rows],
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        groups=groups[rows],
        unevaluated_classes=[
            UnevaluatedGenre(
                label=str(label),
                tracks=int((codes == code).sum()),
                artists=int(artists[code]),
                reason=f"{pluralize(int(artists[code]), 'artist')} for {count} folds"
                if given is None
                else "none of its tracks is tested",
            )
            for code, label in enumerate(labels)
            if not n_tested[code]
        ],
        ensembles=ensembles,
        splits=[fold for _, fold in splits],
    )


def learning_curve(
    data: EmbeddingSet,
    y: Sequence[str] | npt.NDArray[Any],
    *,
    groups: npt.NDArray[Any],
    learner: Learner,
    fractions: Sequence[float] = (0.125, 0.25, 0.5, 1.0),
    seed: int = 0,
) -> list[tuple[float, CrossValidationResult]]:
    """Evaluate a learner on the same folds with only a fraction of the training artists.

    Parameters
    ----------
    data, y, groups, learner, seed : see `cross_validate`
    fractions : sequence of float
        Fractions of each fold's training artists. They are drawn genre by genre, at least two of each. Fractions that give the same
        training tracks, as in a small collection, are evaluated once.

    Returns
    -------
    list of (mean number of training tracks, CrossValidationResult)
    """
    codes = np.unique(np.asarray(y), return_inverse=True)[1]
    folds = default_grouped_folds(codes, groups, seed=seed)
    result: list[tuple[float, CrossValidationResult]] = []
    previous: list[Fold] = []
    for fraction in fractions:
        generator = np.random.default_rng(seed)
        reduced = []
        for train, test in folds:
            kept: set[Any] = set()
            for code in np.unique(codes[train]):
                artists = np.unique(groups[train][codes[train] == code])
                kept |= set(generator.permutation(artists)[: max(2, round(fraction * len(artists)))])
            reduced.append((train[np.isin(groups[train], list(kept))], test))
        if previous and all(np.array_equal(new[0], old[0]) for new, old in zip(reduced, previous, strict=True)):
            continue
        previous = reduced
        validation = cross_validate(data, y, groups=groups, learner=learner, folds=reduced, seed=seed)
        result.append((float(np.mean([len(train) for train, _ in reduced])), validation))
    return result
