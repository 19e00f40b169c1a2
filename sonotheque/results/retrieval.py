"""Evaluations of similarity search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class RetrievalScore:
    """How well the tracks that belong to a query are found, with 95% bootstrap intervals over artists.

    Attributes
    ----------
    criterion : str
        What the tracks found must share with the query: ``genre``, where tracks by the query's artist are left out; ``album``;
        ``artist``.
    queries : int
        Number of tracks that share it with another track.
    chance : float
        Expected precision of a random order.
    precision : float
        Fraction of the first k tracks that share it.
    mean_average_precision : float
    precision_interval, mean_average_precision_interval : (float, float)
    precision_difference, mean_average_precision_difference : float or None
        Difference from the plain cosine, on the same queries; None for the plain cosine.
    precision_difference_interval, mean_average_precision_difference_interval : (float, float) or None
    """

    criterion: str
    queries: int
    chance: float
    precision: float
    precision_interval: tuple[float, float]
    mean_average_precision: float
    mean_average_precision_interval: tuple[float, float]
    precision_difference: float | None = None
    precision_difference_interval: tuple[float, float] | None = None
    mean_average_precision_difference: float | None = None
    mean_average_precision_difference_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Hub:
    """A track that is in many lists."""

    path: str
    title: str | None
    artist: str | None
    lists: int


@dataclass(frozen=True)
class MeasureEvaluation:
    """One way to compare the vectors of a space.

    Attributes
    ----------
    measure : str
        ``cosine``: the plain cosine of the vectors; ``default``: the measure of `similar`.
    description : str
        The same in words.
    scores : sequence of RetrievalScore
        For each criterion that any two tracks share.
    skewness : float
        Skewness of the k-occurrences. It grows with hubs.
    reach : float
        Fraction of the tracks that are in the list of any other track.
    orphans : int
        Number of the other tracks.
    hubs : sequence of Hub
        The tracks that are in most lists.
    """

    measure: str
    description: str
    scores: Sequence[RetrievalScore]
    skewness: float
    reach: float
    orphans: int
    hubs: Sequence[Hub]


@dataclass(frozen=True)
class SpaceEvaluation:
    """The measures of one space.

    Attributes
    ----------
    space : str
        Id of the space.
    tracks : int
        Number of tracks that were compared. Silent tracks are left out.
    measures : sequence of MeasureEvaluation
    """

    space: str
    tracks: int
    measures: Sequence[MeasureEvaluation]


@dataclass(frozen=True)
class RetrievalResult:
    """How well similar tracks are found in each space of a library.

    Attributes
    ----------
    k : int
        Length of a list.
    spaces : sequence of SpaceEvaluation
    """

    k: int
    spaces: Sequence[SpaceEvaluation]
