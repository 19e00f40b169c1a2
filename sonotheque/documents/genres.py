"""What is learned, answered and judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sonotheque.documents.collection import FailedFile


@dataclass(frozen=True)
class Candidate:
    """A model that `train` compared on grouped folds."""

    model: str
    accuracy: float


@dataclass(frozen=True)
class Learned:
    """A part of a classifier: its model, spaces, decision (``track``: on the track vector, else on segments), and share."""

    model: str
    spaces: Sequence[str]
    decision: str
    copies: bool
    share: float


@dataclass(frozen=True)
class Trained:
    """The classifier that `train` kept; after a search, with the score of the same search inside grouped folds."""

    model: str
    spaces: Sequence[str]
    tracks: int
    labels: Mapping[str, int]
    candidates: Sequence[Candidate]
    members: Sequence[Learned]
    evaluated: Evaluated | None


@dataclass(frozen=True)
class LabelledNeighbour:
    """A labelled track that speaks for a prediction."""

    path: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Moment:
    """The genre of one segment; `start` in s."""

    start: float
    genre: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """The genre of one file, and along it where that was asked for.

    `answered` is false below the threshold of an accuracy that was asked for. `strangeness` is the distance from the labelled
    tracks, 1 where all but 1 % of them lie nearer to each other; above that `none_of_these` is true.
    """

    path: str
    genre: str
    probability: float
    probabilities: Mapping[str, float]
    neighbours: Sequence[LabelledNeighbour]
    timeline: Sequence[Moment] | None
    answered: bool
    none_of_these: bool
    strangeness: float


@dataclass(frozen=True)
class Classified:
    """The genres of files; `fallback` is the most frequent label of the training set."""

    model: str
    tracks: Sequence[Prediction]
    failed: Sequence[FailedFile]
    fallback: str
    promise: Promised | None


@dataclass(frozen=True)
class Promised:
    """The threshold of probability that keeps a wanted accuracy; `threshold` is None where none does.

    `coverage`, `accuracy` and its one-sided 95 % lower bound are those of out-of-fold answers at the threshold.
    """

    target: float
    threshold: float | None
    coverage: float
    accuracy: float | None
    lower: float | None


@dataclass(frozen=True)
class GenreFigures:
    """How well one genre is told, on out-of-fold answers."""

    label: str
    tracks: int
    artists: int
    precision: float
    recall: float
    f1: float
    auc: float


@dataclass(frozen=True)
class ApartGenre:
    """A genre with too few artists to be judged."""

    label: str
    tracks: int
    artists: int
    reason: str


@dataclass(frozen=True)
class FamilyImportance:
    """What answers lose, in accuracy and in log loss, when the tested tracks exchange a family of columns of a space.

    `family` is None for the whole space.
    """

    space: str
    family: str | None
    drop: float
    drop_interval: tuple[float, float]
    log_loss_rise: float
    log_loss_rise_interval: tuple[float, float]


@dataclass(frozen=True)
class Evaluated:
    """Honest figures, with 95 % intervals over artists.

    The rows of `confusion` are true, its columns predicted labels; genres apart have empty rows. `importance` comes with a report.
    """

    protocol: str
    model: str
    chosen: Sequence[str]
    spaces: Sequence[str]
    folds: int
    tracks: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    balanced_accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    log_loss: float
    auc: float
    labels: Sequence[str]
    confusion: Sequence[Sequence[int]]
    genres: Sequence[GenreFigures]
    apart: Sequence[ApartGenre]
    learning_curve: Sequence[CurvePoint]
    importance: Sequence[FamilyImportance] = ()


@dataclass(frozen=True)
class CurvePoint:
    """Figures of a model that heard only some of the training artists; `tracks` is the mean number of training tracks."""

    tracks: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float


@dataclass(frozen=True)
class ComparedRow:
    """One line of a comparison; `difference` is in accuracy, to the best single model, with the interval over the same artists."""

    model: str
    spaces: Sequence[str]
    decision: str
    copies: bool
    accuracy: float
    accuracy_interval: tuple[float, float]
    balanced_accuracy: float
    balanced_accuracy_interval: tuple[float, float]
    log_loss: float
    auc: float
    difference: float
    difference_interval: tuple[float, float]


@dataclass(frozen=True)
class Compared:
    """Spaces, models, decisions and ensembles on the same folds."""

    protocol: str
    tracks: int
    best: str
    rows: Sequence[ComparedRow]
